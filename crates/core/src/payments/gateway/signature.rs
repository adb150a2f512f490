//! The signatures of Stripe's events: <https://docs.stripe.com/webhooks/signature>.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

use crate::values::clock::Time;

/// The header that has the signature, `t=<seconds>,v1=<hex>`.
pub const HEADER: &str = "stripe-signature";

/// How far an event's time may be from that of the request, in seconds. Stripe's libraries have the same.
const TOLERANCE_SECONDS: i64 = 300;

/// Why an event is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header is not `t=<seconds>,v1=<hex>`.
    #[error("the header has no time or no signature")]
    Malformed,
    /// None of its signatures is by one of the secrets.
    #[error("no signature is valid")]
    Forged,
    /// It was signed too long before the request, or after it.
    #[error("the signature is too old, or from the future")]
    Stale,
}

/// Returns whether `header` signs `body` with one of `secrets`, at about `now`, the time of the request. While a secret
/// is replaced, Stripe signs with both, and the shop may know both: one that fits is enough. Other schemes than `v1`
/// are ignored, so that nobody can choose a weaker one.
///
/// # Errors
/// [`SignatureError`].
pub fn verify(
    header: &str,
    body: &[u8],
    secrets: &[&str],
    now: Time,
) -> Result<(), SignatureError> {
    let (mut time, mut signatures) = (None, Vec::new());
    for element in header.split(',') {
        match element.trim().split_once('=') {
            // Two times could be read in two ways.
            Some(("t", _)) if time.is_some() => return Err(SignatureError::Malformed),
            Some(("t", seconds)) => time = Some(seconds),
            Some(("v1", signature)) => signatures.extend(bytes(signature)),
            Some(_) | None => {}
        }
    }
    let time = time.ok_or(SignatureError::Malformed)?;
    let seconds: i64 = time.parse().map_err(|_| SignatureError::Malformed)?;
    if signatures.is_empty() {
        return Err(SignatureError::Malformed);
    }
    let mut valid = false;
    for secret in secrets {
        let expected = sign(secret, time, body);
        for signature in &signatures {
            valid |= verify_slices_are_equal(expected.as_ref(), signature).is_ok();
        }
    }
    if !valid {
        return Err(SignatureError::Forged);
    }
    let age_seconds = now.as_seconds().checked_sub(seconds);
    match age_seconds.map(i64::unsigned_abs) {
        Some(age_seconds) if age_seconds <= TOLERANCE_SECONDS.unsigned_abs() => Ok(()),
        Some(_) | None => Err(SignatureError::Stale),
    }
}

/// Returns the signature of `body` at `time`, as the header has it.
fn sign(secret: &str, time: &str, body: &[u8]) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut signed = hmac::Context::with_key(&key);
    signed.update(time.as_bytes());
    signed.update(b".");
    signed.update(body);
    signed.sign()
}

/// Returns the header that signs `body` with `secret` at `now`.
#[cfg(test)]
pub(crate) fn header(secret: &str, body: &[u8], now: Time) -> String {
    let seconds = now.as_seconds().to_string();
    let tag = sign(secret, &seconds, body);
    format!(
        "t={seconds},v1={}",
        crate::values::digest::hex(tag.as_ref())
    )
}

/// Returns the bytes of a text of 64 hexadecimal digits.
fn bytes(hex: &str) -> Option<[u8; 32]> {
    if hex.len() != 64 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "whsec_test";

    fn hex(secret: &str, time: &str, body: &[u8]) -> String {
        crate::values::digest::hex(sign(secret, time, body).as_ref())
    }

    fn at(seconds: i64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    #[test]
    fn a_signature_made_by_another_program_is_verified() {
        // python3 -c "import hmac; print(hmac.new(b'whsec_test', b'1772357400.{}', 'sha256').hexdigest())"
        let header =
            "t=1772357400,v1=e8346dd7c7e9eff52934ded738091a4e105285a6353237cd1fd0ce768be9e233";
        assert_eq!(verify(header, b"{}", &[SECRET], at(1_772_357_400)), Ok(()));
    }

    #[test]
    fn a_header_that_is_none_is_refused() {
        let valid = hex(SECRET, "100", b"{}");
        for header in [
            "",
            "t=100",
            &format!("v1={valid}"),
            &format!("t=soon,v1={valid}"),
            &format!("t=100,t=100,v1={valid}"),
            &format!("t=100,v0={valid}"),
            &format!("t=100,v1={}", &valid[..62]),
            &format!("t=100,v1={}", valid.replace(&valid[..2], "+1")),
        ] {
            let refused = verify(header, b"{}", &[SECRET], at(100));
            assert_eq!(refused, Err(SignatureError::Malformed), "{header}");
        }
        let header = format!("t=100,v1={valid}");
        assert_eq!(
            verify(&header, b"{}", &[], at(100)),
            Err(SignatureError::Forged)
        );
    }

    #[test]
    fn an_event_is_believed_for_five_minutes() {
        let header = format!("t=1000,v1={}", hex(SECRET, "1000", b"{}"));
        for (now, expected) in [
            (1000, Ok(())),
            (1300, Ok(())),
            (1301, Err(SignatureError::Stale)),
            (700, Ok(())),
            (699, Err(SignatureError::Stale)),
        ] {
            assert_eq!(
                verify(&header, b"{}", &[SECRET], at(now)),
                expected,
                "{now}"
            );
        }
        let first = i64::MIN.to_string();
        let header = format!("t={first},v1={}", hex(SECRET, &first, b"{}"));
        let refused = verify(&header, b"{}", &[SECRET], at(0));
        assert_eq!(refused, Err(SignatureError::Stale));
    }

    proptest! {
        #[test]
        fn one_of_several_signatures_by_one_of_several_secrets_is_enough(
            body in prop::collection::vec(any::<u8>(), 0..200),
            seconds in 0_i64..4_000_000_000,
            age in -300_i64..=300,
            secrets in prop::collection::vec("[a-zA-Z0-9_]{1,40}", 1..4),
            chosen in any::<prop::sample::Index>(),
            others in prop::collection::vec("v1=[0-9a-f]{64}|v0=[0-9a-f]{64}|[a-z]{1,8}", 0..4),
            place in any::<prop::sample::Index>(),
        ) {
            let time = seconds.to_string();
            let mut elements = others;
            let signature = format!("v1={}", hex(&secrets[chosen.index(secrets.len())], &time, &body));
            elements.insert(place.index(elements.len() + 1), signature);
            elements.insert(place.index(elements.len() + 1), format!("t={time}"));
            let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
            let verified = verify(&elements.join(","), &body, &secrets, at(seconds + age));
            prop_assert_eq!(verified, Ok(()));
        }

        #[test]
        fn what_was_changed_is_not_believed(
            body in prop::collection::vec(any::<u8>(), 1..200),
            seconds in 0_i64..4_000_000_000,
            changed in any::<prop::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let time = seconds.to_string();
            let signature = hex(SECRET, &time, &body);
            let header = format!("t={time},v1={signature}");
            let now = at(seconds);
            let mut other = body.clone();
            other[changed.index(body.len())] ^= 1 << bit;
            let forged = Err(SignatureError::Forged);
            prop_assert_eq!(verify(&header, &other, &[SECRET], now), forged);
            prop_assert_eq!(verify(&header, &body, &["whsec_other"], now), forged);
            let later = format!("t={},v1={signature}", seconds + 1);
            prop_assert_eq!(verify(&later, &body, &[SECRET], now), forged);
        }

        #[test]
        fn no_header_breaks_it(header in "(t=|v1=|,|[0-9a-f]|\\PC){0,120}", body in ".*") {
            prop_assert!(verify(&header, body.as_bytes(), &[SECRET], at(100)).is_err());
        }
    }
}
