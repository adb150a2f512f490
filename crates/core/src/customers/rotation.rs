//! Exchanging the keys that tokens are signed with, without a token refused that was good.
//!
//! Three steps, each a write of the secret: `prepare` makes the next key known to verifiers, `promote`
//! lets it sign and keeps the one before for the tokens that it signed, `retire` forgets that one.

use super::keys::{KeyBody, Secret, SecretBody};
use super::model::CustomerError;
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};

/// A step of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotationStep {
    /// Makes the next key, with this text of at least 32 random characters.
    Prepare(String),
    /// Lets the next key sign.
    Promote,
    /// Forgets the previous key: its tokens are refused within five minutes.
    Retire,
}

/// Why a step cannot be taken now.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// There is a next key already.
    #[error("the next key is there already: promote it")]
    Prepared,
    /// There is no next key.
    #[error("there is no next key: prepare one, and wait until everybody who verifies knows it")]
    NotPrepared,
    /// There is no previous key.
    #[error("there is no previous key")]
    NothingToRetire,
    /// A setting is missing.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The secret cannot be read or written.
    #[error(transparent)]
    Secret(#[from] CustomerError),
}

/// The secret after `step`.
///
/// # Errors
/// [`RotationError`] if it is not this step's turn.
pub fn after(secret: SecretBody, step: RotationStep) -> Result<SecretBody, RotationError> {
    match step {
        RotationStep::Prepare(key) => {
            if secret.next.is_some() {
                return Err(RotationError::Prepared);
            }
            let kid = name_after(&secret.kid);
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

/// Keys are numbered; one that an operator named otherwise is followed by number 1.
fn name_after(kid: &str) -> String {
    let number: u64 = kid.parse().unwrap_or(0);
    number.saturating_add(1).to_string()
}

/// Takes `step` on the secret that `setting` names, and answers the names of the keys that it then
/// holds: the one that signs first.
///
/// # Errors
/// [`RotationError`].
pub async fn rotate(
    aws: &Aws,
    setting: Setting,
    step: RotationStep,
) -> Result<Vec<String>, RotationError> {
    let stored = Secret::new(aws, setting)?;
    let secret = after(stored.read().await?, step)?;
    stored.write(&secret).await?;
    let others = [secret.next, secret.previous].into_iter().flatten();
    Ok(std::iter::once(secret.kid)
        .chain(others.map(|key| key.kid))
        .collect())
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
    fn a_key_is_known_before_it_signs_and_after_it_has() {
        let prepared = after(fresh(), RotationStep::Prepare("text of 2".to_owned())).unwrap();
        assert_eq!(
            (prepared.kid.as_str(), &prepared.next),
            ("1", &Some(body("2")))
        );
        let promoted = after(prepared, RotationStep::Promote).unwrap();
        assert_eq!((promoted.kid.as_str(), &promoted.next), ("2", &None));
        assert_eq!(promoted.previous, Some(body("1")));
        let retired = after(promoted, RotationStep::Retire).unwrap();
        assert_eq!((retired.kid.as_str(), &retired.previous), ("2", &None));
    }

    #[test]
    fn no_step_is_taken_out_of_turn() {
        let refused = |secret, step| after(secret, step).unwrap_err().to_string();
        assert!(refused(fresh(), RotationStep::Promote).contains("prepare one"));
        assert!(refused(fresh(), RotationStep::Retire).contains("no previous"));
        let prepare = || RotationStep::Prepare("text of 2".to_owned());
        let prepared = after(fresh(), prepare()).unwrap();
        assert!(refused(prepared, prepare()).contains("already"));
    }
}
