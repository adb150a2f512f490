//! The key that tokens are signed with: the adapter to Secrets Manager.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use serde::Deserialize;

use super::model::CustomerError;
use super::token::TokenKey;
use crate::clock::Time;
use crate::lambda::Aws;
use crate::settings::{Setting, SettingError};

/// How long an unknown key's name is answered from memory: a flood of forged tokens costs one read
/// of the secret in this time.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_mins(1);

/// How long a signer signs with the key that it has, so that tokens follow the secret when it is
/// changed. Tokens signed meanwhile with the old key are refused once verifiers know the new one.
const SIGNER_PATIENCE: Duration = Duration::from_mins(5);

/// The current key, read from the secret that the setting `TOKEN_SECRET_ARN` names and kept in the
/// process.
///
/// Shape of the secret: `{"kid":"1","key":"..."}`, the key being the bytes of its text.
#[derive(Clone, Debug)]
pub struct TokenKeys {
    client: Client,
    secret_arn: String,
    kept: Arc<Mutex<Option<Kept>>>,
}

#[derive(Clone, Debug)]
struct Kept {
    key: TokenKey,
    /// When it was read, or last looked for in vain.
    read_at: Time,
}

#[derive(Deserialize)]
struct SecretBody {
    kid: String,
    key: String,
}

impl TokenKeys {
    /// The keys of this function; reads nothing yet.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            client: aws.secrets(),
            secret_arn: aws.settings().read(Setting::TokenSecretArn)?,
            kept: Arc::default(),
        })
    }

    /// The key to sign with at `now`.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if the secret cannot be read.
    pub async fn signing(&self, now: Time) -> Result<TokenKey, CustomerError> {
        match self.kept() {
            Some(kept) if now < kept.read_at.plus(SIGNER_PATIENCE) => Ok(kept.key),
            Some(_) | None => self.read(now).await,
        }
    }

    /// The key named `id`; `None` if there is none of that name now.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if the secret cannot be read.
    pub async fn named(&self, id: &str, now: Time) -> Result<Option<TokenKey>, CustomerError> {
        let key = match self.kept() {
            Some(kept) if kept.key.id == id => return Ok(Some(kept.key)),
            Some(kept) if now < kept.read_at.plus(UNKNOWN_KEY_PAUSE) => return Ok(None),
            Some(_) | None => self.read(now).await?,
        };
        Ok(Some(key).filter(|key| key.id == id))
    }

    fn kept(&self) -> Option<Kept> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, now: Time) -> Result<TokenKey, CustomerError> {
        // Noted before the call, so that one that fails counts too.
        if let Some(kept) = self.lock().as_mut() {
            kept.read_at = now;
        }
        let request = self.client.get_secret_value().secret_id(&self.secret_arn);
        let answer = request
            .send()
            .await
            .map_err(|error| CustomerError::Credentials(error.into()))?;
        let text = answer.secret_string.unwrap_or_default();
        // The error's own text could quote the secret.
        let body: SecretBody = serde_json::from_str(&text)
            .map_err(|_| CustomerError::Credentials("the secret has another shape".into()))?;
        let key = TokenKey::new(body.kid, &body.key);
        let kept = Kept {
            key: key.clone(),
            read_at: now,
        };
        *self.lock() = Some(kept);
        Ok(key)
    }
}
