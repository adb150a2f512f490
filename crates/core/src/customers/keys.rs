//! The keys that tokens are signed with: the adapter to Secrets Manager.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use serde::{Deserialize, Serialize};

use super::key::{Algorithm, PublicKey, TokenKey};
use super::model::CustomerError;
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;

/// How long an unknown key's name is answered from memory: a flood of forged tokens costs one read
/// of the secret in this time.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_mins(1);

/// How long keys are used before the secret is read again, so that signers take up a new key and
/// verifiers drop one that was withdrawn.
const KEYS_KEPT: Duration = Duration::from_mins(5);

/// A secret's text: the key that signs, the one before, whose tokens are still good, and the one that
/// comes next, which verifiers may already know.
///
/// A new stack's secret has `kid` and `key` alone; `oxcart keys` writes the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretBody {
    /// The name of the key that signs.
    pub kid: String,
    /// Its text, from which the key is made.
    pub key: String,
    /// The key that signs next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<KeyBody>,
    /// The key that signed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<KeyBody>,
}

/// A key in a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyBody {
    /// Its name.
    pub kid: String,
    /// Its text.
    pub key: String,
}

/// The keys of one secret, kept in the process.
#[derive(Clone, Debug)]
pub struct TokenKeys {
    secret: Secret,
    algorithm: Algorithm,
    kept: Arc<Mutex<Option<Kept>>>,
}

#[derive(Clone, Debug)]
struct Kept {
    /// The one that signs first.
    keys: Arc<[TokenKey]>,
    /// When they were read, or last asked for in vain.
    read_at: Time,
}

impl TokenKeys {
    /// The keys of access tokens, from the secret that the setting `TOKEN_SECRET_ARN` names; reads
    /// nothing yet.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing or not valid.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let algorithm = aws.settings().read(Setting::TokenAlgorithm)?;
        Self::of(aws, Setting::TokenSecretArn, algorithm)
    }

    /// The keys of the links in messages, from the secret that the setting `LINK_SECRET_ARN` names.
    /// They are always HS256: nobody else verifies links.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn of_links(aws: &Aws) -> Result<Self, SettingError> {
        Self::of(aws, Setting::LinkSecretArn, Algorithm::Hs256)
    }

    fn of(aws: &Aws, secret: Setting, algorithm: Algorithm) -> Result<Self, SettingError> {
        Ok(Self {
            secret: Secret::new(aws, secret)?,
            algorithm,
            kept: Arc::default(),
        })
    }

    /// The key to sign with at `now`.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if the secret cannot be read.
    pub async fn signing(&self, now: Time) -> Result<TokenKey, CustomerError> {
        let keys = self.keys(now).await?;
        let missing = || CustomerError::Credentials("the secret has no key".into());
        keys.first().cloned().ok_or_else(missing)
    }

    /// The key named `id`; `None` if there is none of that name now.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if the secret cannot be read.
    pub async fn named(&self, id: &str, now: Time) -> Result<Option<TokenKey>, CustomerError> {
        let named = |keys: Arc<[TokenKey]>| keys.iter().find(|key| key.id == id).cloned();
        if let Some(key) = named(self.keys(now).await?) {
            return Ok(Some(key));
        }
        match self.kept() {
            Some(kept) if now < kept.read_at.plus(UNKNOWN_KEY_PAUSE) => Ok(None),
            Some(_) | None => Ok(named(self.read(now).await?)),
        }
    }

    /// What others may verify tokens with at `now`: the key that signs, the next and the previous one.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if the secret cannot be read.
    pub async fn public(&self, now: Time) -> Result<Vec<PublicKey>, CustomerError> {
        let keys = self.keys(now).await?;
        Ok(keys.iter().filter_map(TokenKey::public).collect())
    }

    /// The keys at `now`. When they cannot be read again, the ones that are known serve on.
    async fn keys(&self, now: Time) -> Result<Arc<[TokenKey]>, CustomerError> {
        match self.kept() {
            Some(kept) if now < kept.read_at.plus(KEYS_KEPT) => Ok(kept.keys),
            Some(kept) => Ok(self.read(now).await.unwrap_or_else(|error| {
                let error = crate::aws::telemetry::chain(&error);
                tracing::error!(error, "the keys of tokens could not be read again");
                kept.keys
            })),
            None => self.read(now).await,
        }
    }

    fn kept(&self) -> Option<Kept> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, now: Time) -> Result<Arc<[TokenKey]>, CustomerError> {
        // Noted before the call, so that one that fails counts too.
        if let Some(kept) = self.lock().as_mut() {
            kept.read_at = now;
        }
        let secret = self.secret.read().await?;
        let current = KeyBody {
            kid: secret.kid,
            key: secret.key,
        };
        let keys: Result<Arc<[TokenKey]>, _> = [Some(current), secret.next, secret.previous]
            .into_iter()
            .flatten()
            .map(|body| TokenKey::new(body.kid, &body.key, self.algorithm))
            .collect();
        let keys = keys?;
        *self.lock() = Some(Kept {
            keys: Arc::clone(&keys),
            read_at: now,
        });
        Ok(keys)
    }
}

/// A secret that holds keys.
#[derive(Clone, Debug)]
pub(super) struct Secret {
    client: Client,
    arn: String,
}

impl Secret {
    /// The secret that `setting` names.
    ///
    /// # Errors
    /// [`SettingError`] if it is missing.
    pub(super) fn new(aws: &Aws, setting: Setting) -> Result<Self, SettingError> {
        Ok(Self {
            client: aws.secrets(),
            arn: aws.settings().read(setting)?,
        })
    }

    /// What it says now.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if it cannot be read.
    pub(super) async fn read(&self) -> Result<SecretBody, CustomerError> {
        let request = self.client.get_secret_value().secret_id(&self.arn);
        let answer = request
            .send()
            .await
            .map_err(|error| CustomerError::Credentials(error.into()))?;
        let text = answer.secret_string.unwrap_or_default();
        // The error's own text could quote the secret.
        serde_json::from_str(&text)
            .map_err(|_| CustomerError::Credentials("the secret has another shape".into()))
    }

    /// Replaces what it says.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if it cannot be written.
    pub(super) async fn write(&self, body: &SecretBody) -> Result<(), CustomerError> {
        let text = serde_json::to_string(body)
            .map_err(|_| CustomerError::Credentials("the secret cannot be written".into()))?;
        let request = self.client.put_secret_value().secret_id(&self.arn);
        request
            .secret_string(text)
            .send()
            .await
            .map_err(|error| CustomerError::Credentials(error.into()))?;
        Ok(())
    }
}
