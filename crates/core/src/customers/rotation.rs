//! Exchanges the keys that tokens are signed with, without refusing a valid token.
//!
//! There are three steps, and each writes the secret: `prepare` publishes the next key to verifiers, `promote`
//! lets it sign and keeps the previous key for the tokens that it has signed, `retire` removes that one.

use super::key::name_of;
use super::keys::{KeyBody, Secret, SecretBody};
use super::model::CustomerError;
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};

/// A step of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotationStep {
    /// Adds the next key, made from this text of at least 32 random characters.
    Prepare(String),
    /// Lets the next key sign.
    Promote,
    /// Removes the previous key. Its tokens are refused within five minutes.
    Retire,
}

/// Why a step cannot be taken now.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// There is already a next key.
    #[error("there is already a next key: promote it first")]
    Prepared,
    /// The secret has no next key.
    #[error("there is no next key: prepare one, and wait ten minutes until all verifiers know it")]
    NotPrepared,
    /// The secret has no previous key.
    #[error("there is no previous key")]
    NothingToRetire,
    /// A setting is missing.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The secret could not be read or written.
    #[error(transparent)]
    Secret(#[from] CustomerError),
}

/// Takes `step`: returns what the secret becomes.
///
/// # Errors
/// [`RotationError`] if the step is not possible now.
pub fn take_step(secret: SecretBody, step: RotationStep) -> Result<SecretBody, RotationError> {
    match step {
        RotationStep::Prepare(key) => {
            if secret.next.is_some() {
                return Err(RotationError::Prepared);
            }
            let kid = name_of(&key)?;
            let next = Some(KeyBody { kid, key });
            Ok(SecretBody { next, ..secret })
        }
        RotationStep::Promote => {
            let next = secret.next.ok_or(RotationError::NotPrepared)?;
            Ok(SecretBody {
                kid: next.kid,
                key: next.key,
                next: None,
                previous: Some(KeyBody {
                    kid: secret.kid,
                    key: secret.key,
                }),
            })
        }
        RotationStep::Retire => {
            if secret.previous.is_none() {
                return Err(RotationError::NothingToRetire);
            }
            Ok(SecretBody {
                previous: None,
                ..secret
            })
        }
    }
}

/// Takes `step` on the secret that `setting` names. Returns the names of the keys that it then holds, beginning
/// with the one that signs.
///
/// # Errors
/// [`RotationError`].
pub async fn rotate(
    aws: &Aws,
    setting: Setting,
    step: RotationStep,
) -> Result<Vec<String>, RotationError> {
    let stored = Secret::new(aws, setting)?;
    let secret = take_step(stored.read().await?, step)?;
    stored.write(&secret).await?;
    let others = [secret.next, secret.previous].into_iter().flatten();
    let names: Result<_, _> = std::iter::once(secret.key)
        .chain(others.map(|key| key.key))
        .map(|key| name_of(&key))
        .collect();
    Ok(names?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(kid: &str) -> KeyBody {
        KeyBody {
            kid: kid.to_owned(),
            key: format!("text of {kid}"),
        }
    }

    /// The key that `prepare` makes from the text of `2`.
    fn second() -> KeyBody {
        let KeyBody { key, .. } = body("2");
        KeyBody {
            kid: name_of(&key).unwrap(),
            key,
        }
    }

    fn fresh() -> SecretBody {
        let KeyBody { kid, key } = body("1");
        SecretBody {
            kid,
            key,
            next: None,
            previous: None,
        }
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_after_it_is_replaced() {
        let prepared = take_step(fresh(), RotationStep::Prepare("text of 2".to_owned())).unwrap();
        assert_eq!(
            (prepared.kid.as_str(), &prepared.next),
            ("1", &Some(second()))
        );
        let promoted = take_step(prepared, RotationStep::Promote).unwrap();
        assert_eq!((&promoted.kid, &promoted.next), (&second().kid, &None));
        assert_eq!(promoted.previous, Some(body("1")));
        let retired = take_step(promoted, RotationStep::Retire).unwrap();
        assert_eq!((&retired.kid, &retired.previous), (&second().kid, &None));
    }

    #[test]
    fn no_step_is_taken_out_of_turn() {
        let refused = |secret, step| take_step(secret, step).unwrap_err().to_string();
        assert!(refused(fresh(), RotationStep::Promote).contains("prepare one"));
        assert!(refused(fresh(), RotationStep::Retire).contains("no previous"));
        let prepare = || RotationStep::Prepare("text of 2".to_owned());
        let prepared = take_step(fresh(), prepare()).unwrap();
        assert!(refused(prepared, prepare()).contains("already"));
    }
}
