//! Passwords: hashed with Argon2id, and compared with the same work whether they are right or wrong.
//!
//! A password is normalised to Unicode's composed form (NFC) before it is hashed, because the same letters typed
//! on another system may arrive as other code points (NIST SP 800-63B section 3.1.1.2). An import may bring
//! bcrypt hashes. They are compared with the text as it was sent, as they were made, and are replaced by
//! Argon2id at the first sign-in.

use argon2::password_hash::{Error as HashError, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use unicode_normalization::UnicodeNormalization;

use super::model::{CustomerError, PasswordHash};

/// Memory in KiB, passes and lanes: the first of OWASP's equally strong settings (Password Storage
/// Cheat Sheet), and RFC 9106's Argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The hash of a password that nobody knows. It is compared with if there is no account, so that the work is the
/// same.
const NOBODYS_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$MR2D4XiqLLj4liO9t/n/pQ$Z+e8P7rVpMluj7cjs8TsV2f8q+ybAEG4qgjHAuRIBg4";

/// The prefixes of bcrypt hashes by the programs that make them.
const BCRYPT: [&str; 3] = ["$2a$", "$2b$", "$2y$"];

#[cfg(test)]
thread_local! {
    /// The parameters of each comparison on this thread, which determine the work.
    pub(super) static COMPARED: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

fn argon2() -> Result<Argon2<'static>, CustomerError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| CustomerError::Credentials(error.to_string().into()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn composed(password: &str) -> String {
    password.nfc().collect()
}

/// Hashes `password` with a fresh salt. Takes tens of milliseconds on purpose.
///
/// # Errors
/// [`CustomerError::Credentials`] if randomness or memory is lacking.
pub fn hash(password: &str) -> Result<PasswordHash, CustomerError> {
    let hash: argon2::PasswordHash = argon2()?
        .hash_password(composed(password).as_bytes())
        .map_err(|error| CustomerError::Credentials(error.to_string().into()))?;
    Ok(PasswordHash(hash.to_string()))
}

/// Returns whether `stored` is a hash of `password`, using the parameters that `stored` names. Without `stored`,
/// returns `false` after the work that a hash with today's parameters takes. A bcrypt hash takes different work.
///
/// # Errors
/// [`CustomerError::Credentials`] if the stored hash cannot be read.
pub fn matches(password: &str, stored: Option<&PasswordHash>) -> Result<bool, CustomerError> {
    let hash = stored.map_or(NOBODYS_HASH, |stored| stored.0.as_str());
    #[cfg(test)]
    COMPARED.with_borrow_mut(|compared| compared.push(settings(hash)));
    if BCRYPT.iter().any(|prefix| hash.starts_with(prefix)) {
        return bcrypt::verify(password, hash)
            .map_err(|error| CustomerError::Credentials(error.to_string().into()));
    }
    match argon2()?.verify_password(composed(password).as_bytes(), hash) {
        Ok(()) => Ok(stored.is_some()),
        Err(HashError::PasswordInvalid) => Ok(false),
        Err(error) => Err(CustomerError::Credentials(error.to_string().into())),
    }
}

/// Returns whether `stored` is weaker than what [`hash`] makes today, so that it should be renewed as soon as the
/// password is known.
#[must_use]
pub fn is_weak(stored: &PasswordHash) -> bool {
    let parts: Vec<&str> = stored.0.split('$').collect();
    let ["", "argon2id", "v=19", parameters, ..] = parts.as_slice() else {
        return true;
    };
    let value = |name: &str| {
        let mut parameters = parameters.split(',');
        parameters.find_map(|parameter| parameter.strip_prefix(name)?.parse::<u32>().ok())
    };
    let is_enough = |name: &str, least: u32| value(name).is_some_and(|value| value >= least);
    !(is_enough("m=", MEMORY_KIB) && is_enough("t=", PASSES))
}

/// Returns the algorithm and the parameters of a hash.
#[cfg(test)]
fn settings(hash: &str) -> String {
    hash.split('$').take(4).collect::<Vec<_>>().join("$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_only_its_own_hash() {
        let hash = hash("correct horse").unwrap();
        assert!(matches("correct horse", Some(&hash)).unwrap());
        assert!(!matches("correct horsE", Some(&hash)).unwrap());
        assert!(!matches("", Some(&hash)).unwrap());
    }

    #[test]
    fn a_hash_is_argon2id_with_19_mib_and_a_salt_of_its_own() {
        let (one, other) = (hash("same").unwrap(), hash("same").unwrap());
        assert!(one.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(one, other);
    }

    #[test]
    fn a_password_without_an_account_costs_the_same_and_does_not_match() {
        assert_eq!(settings(NOBODYS_HASH), settings(&hash("any").unwrap().0));
        assert!(!matches("nobody's password", None).unwrap());
    }

    #[test]
    fn a_hash_is_never_shown() {
        let hash = hash("secret").unwrap();
        assert!(!format!("{hash:?}").contains("argon2"));
    }

    /// Returns a weak hash of "correct horse": 8 KiB, one pass.
    fn weak() -> PasswordHash {
        let params = Params::new(8, 1, 1, None).unwrap();
        let hash: argon2::PasswordHash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password(b"correct horse")
            .unwrap();
        PasswordHash(hash.to_string())
    }

    #[test]
    fn a_hash_is_compared_with_its_own_parameters_and_is_weak_below_todays() {
        assert!(matches("correct horse", Some(&weak())).unwrap());
        assert!(!matches("correct horsE", Some(&weak())).unwrap());
        assert!(is_weak(&weak()));
        assert!(!is_weak(&hash("correct horse").unwrap()));
        for (parameters, weak) in [
            ("$argon2id$v=19$m=19456,t=2,p=1$", false),
            ("$argon2id$v=19$m=65536,t=3,p=4$", false),
            ("$argon2id$v=19$m=19455,t=2,p=1$", true),
            ("$argon2id$v=19$m=19456,t=1,p=1$", true),
            ("$argon2id$v=16$m=19456,t=2,p=1$", true),
            ("$argon2i$v=19$m=19456,t=2,p=1$", true),
            ("$2b$12$", true),
            ("", true),
        ] {
            assert_eq!(
                is_weak(&PasswordHash(parameters.to_owned())),
                weak,
                "{parameters}"
            );
        }
    }

    #[test]
    fn bcrypt_hashes_of_every_program_are_compared() {
        let made = bcrypt::hash("correct horse", 4).unwrap();
        for prefix in ["$2a$", "$2b$", "$2y$"] {
            let hash = PasswordHash(format!("{prefix}{}", &made[4..]));
            assert!(matches("correct horse", Some(&hash)).unwrap(), "{prefix}");
            assert!(!matches("correct horsE", Some(&hash)).unwrap(), "{prefix}");
        }
        // Made by Python's passlib, as imported shops have them.
        let passlib = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";
        assert!(matches("secret", Some(&PasswordHash(passlib.to_owned()))).unwrap());
    }

    #[test]
    fn a_password_is_the_same_however_its_letters_are_composed() {
        let stored = hash("Zo\u{eb} an der K\u{fc}ste").unwrap();
        assert!(matches("Zoe\u{308} an der Ku\u{308}ste", Some(&stored)).unwrap());
        assert!(!matches("Zoe an der Kuste", Some(&stored)).unwrap());
    }
}
