//! The keys that tokens are signed with: the adapter to Secrets Manager.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::key::{Algorithm, PublicKey, TokenKey};
use super::model::CustomerError;
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;

/// How long the secret is not read again for an unknown key, so that a flood of forged tokens costs one read of
/// the secret in this time.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_mins(1);

/// How long keys are cached before the secret is read again, so that signers take up a new key and verifiers
/// drop one that was withdrawn.
const CACHE_DURATION: Duration = Duration::from_mins(5);

/// The contents of a secret: the key that signs, the previous one, whose tokens are still valid, and the next
/// one, which verifiers may already know.
///
/// The secret of a new stack has only `kid` and `key`; `oxcart keys` writes the others. CloudFormation calls every
/// key that it generates 1, so a key's name comes from its text ([`TokenKey::id`]), and `kid` only finds the key of
/// tokens from earlier releases, which have it in their header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretBody {
    /// The stored name of the key that signs.
    pub kid: String,
    /// The text that the key is made from.
    pub key: String,
    /// The key that will sign next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<KeyBody>,
    /// The key that signed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<KeyBody>,
}

/// A key in a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyBody {
    /// The stored name.
    pub kid: String,
    /// The text.
    pub key: String,
}

/// The keys of one secret, cached in the process.
#[derive(Clone, Debug)]
pub struct TokenKeys {
    secret: Secret,
    algorithm: Algorithm,
    cache: Arc<Mutex<Option<CachedKeys>>>,
}

#[derive(Clone, Debug)]
struct CachedKeys {
    /// The first one signs.
    keys: Arc<[TokenKey]>,
    /// When the secret was last read, successfully or not.
    read_at: Time,
}

impl TokenKeys {
    /// Returns the keys of access tokens, from the secret that the setting `TOKEN_SECRET_ARN` names. Reads
    /// nothing yet.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing or not valid.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let algorithm = aws.settings().read(Setting::TokenAlgorithm)?;
        Self::from_secret(aws, Setting::TokenSecretArn, algorithm)
    }

    /// Returns the keys of the links in messages, from the secret that the setting `LINK_SECRET_ARN` names. They
    /// are always HS256, because nobody else verifies links.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn for_links(aws: &Aws) -> Result<Self, SettingError> {
        Self::from_secret(aws, Setting::LinkSecretArn, Algorithm::Hs256)
    }

    fn from_secret(aws: &Aws, secret: Setting, algorithm: Algorithm) -> Result<Self, SettingError> {
        Ok(Self {
            secret: Secret::new(aws, secret)?,
            algorithm,
            cache: Arc::default(),
        })
    }

    /// Returns the key to sign with at `now`.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if the secret cannot be read.
    pub async fn signing(&self, now: Time) -> Result<TokenKey, CustomerError> {
        let keys = self.keys(now).await?;
        let missing = || CustomerError::Credentials("the secret has no key".into());
        keys.first().cloned().ok_or_else(missing)
    }

    /// Returns the key named `id`, or `None` if there is none now.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if the secret cannot be read.
    pub async fn named(&self, id: &str, now: Time) -> Result<Option<TokenKey>, CustomerError> {
        let named = |keys: Arc<[TokenKey]>| keys.iter().find(|key| key.is_named(id)).cloned();
        if let Some(key) = named(self.keys(now).await?) {
            return Ok(Some(key));
        }
        match self.cached() {
            Some(cached) if now < cached.read_at.plus(UNKNOWN_KEY_PAUSE) => Ok(None),
            Some(_) | None => Ok(named(self.read(now).await?)),
        }
    }

    /// Returns the public keys that verify tokens at `now`: of the key that signs, the next and the previous one.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if the secret cannot be read.
    pub async fn public(&self, now: Time) -> Result<Vec<PublicKey>, CustomerError> {
        let keys = self.keys(now).await?;
        Ok(keys.iter().filter_map(TokenKey::public).collect())
    }

    /// Returns the keys at `now`. If they cannot be read again, the cached ones stay in use.
    async fn keys(&self, now: Time) -> Result<Arc<[TokenKey]>, CustomerError> {
        match self.cached() {
            Some(cached) if now < cached.read_at.plus(CACHE_DURATION) => Ok(cached.keys),
            Some(cached) => Ok(self.read(now).await.unwrap_or_else(|error| {
                let error = crate::aws::telemetry::chain(&error);
                tracing::error!(
                    error,
                    "the keys that tokens are signed with could not be read again"
                );
                cached.keys
            })),
            None => self.read(now).await,
        }
    }

    fn cached(&self) -> Option<CachedKeys> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<CachedKeys>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, now: Time) -> Result<Arc<[TokenKey]>, CustomerError> {
        // Noted before the call, so that a call that fails counts too.
        if let Some(cached) = self.lock().as_mut() {
            cached.read_at = now;
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
        *self.lock() = Some(CachedKeys {
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
    /// Opens the secret that `setting` names.
    ///
    /// # Errors
    /// [`SettingError`] if it is missing.
    pub(super) fn new(aws: &Aws, setting: Setting) -> Result<Self, SettingError> {
        Ok(Self {
            client: aws.secrets(),
            arn: aws.settings().read(setting)?,
        })
    }

    /// Reads the contents.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if it cannot be read.
    pub(super) fn read(&self) -> BoxFuture<'_, Result<SecretBody, CustomerError>> {
        let request = self.client.get_secret_value().secret_id(&self.arn);
        Box::pin(async move {
            let response = request
                .send()
                .await
                .map_err(|error| CustomerError::Credentials(error.into()))?;
            let text = response.secret_string.unwrap_or_default();
            // The text of the error could quote the secret.
            serde_json::from_str(&text).map_err(|_| {
                CustomerError::Credentials("the secret does not have the expected shape".into())
            })
        })
    }

    /// Replaces the contents.
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
