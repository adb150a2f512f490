//! Passwords: hashed with Argon2id, compared in constant work.

use argon2::password_hash::{Error as HashError, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use super::model::{CustomerError, PasswordHash};

/// Memory in KiB, passes and lanes: the first of OWASP's equally strong settings (Password Storage
/// Cheat Sheet), and RFC 9106's Argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The hash of a password that nobody knows: what is compared with when there is no account, so that
/// the work is the same.
const NOBODYS_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$MR2D4XiqLLj4liO9t/n/pQ$Z+e8P7rVpMluj7cjs8TsV2f8q+ybAEG4qgjHAuRIBg4";

fn argon2() -> Result<Argon2<'static>, CustomerError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| CustomerError::Credentials(error.to_string().into()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes `password` under a salt of its own. Takes tens of milliseconds on purpose.
///
/// # Errors
/// [`CustomerError::Credentials`] if there is no randomness or no memory.
pub fn hash(password: &str) -> Result<PasswordHash, CustomerError> {
    let hash: argon2::PasswordHash = argon2()?
        .hash_password(password.as_bytes())
        .map_err(|error| CustomerError::Credentials(error.to_string().into()))?;
    Ok(PasswordHash(hash.to_string()))
}

/// Whether `password` is the one that `stored` was made of. Without `stored` the answer is no, after
/// the same work.
///
/// # Errors
/// [`CustomerError::Credentials`] if the stored hash cannot be read.
pub fn matches(password: &str, stored: Option<&PasswordHash>) -> Result<bool, CustomerError> {
    let hash = stored.map_or(NOBODYS_HASH, |stored| stored.0.as_str());
    match argon2()?.verify_password(password.as_bytes(), hash) {
        Ok(()) => Ok(stored.is_some()),
        Err(HashError::PasswordInvalid) => Ok(false),
        Err(error) => Err(CustomerError::Credentials(error.to_string().into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let hash = hash("correct horse").unwrap();
        assert!(matches("correct horse", Some(&hash)).unwrap());
        assert!(!matches("correct horsE", Some(&hash)).unwrap());
        assert!(!matches("", Some(&hash)).unwrap());
    }

    #[test]
    fn a_hash_is_argon2id_of_19_mib_under_a_salt_of_its_own() {
        let (one, other) = (hash("same").unwrap(), hash("same").unwrap());
        assert!(one.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(one, other);
    }

    #[test]
    fn without_an_account_the_same_work_ends_in_no() {
        let settings = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(settings(NOBODYS_HASH), settings(&hash("any").unwrap().0));
        assert!(!matches("nobody's password", None).unwrap());
    }

    #[test]
    fn a_hash_is_never_shown() {
        let hash = hash("secret").unwrap();
        assert!(!format!("{hash:?}").contains("argon2"));
    }
}
