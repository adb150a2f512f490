//! The API key and the secrets with which Stripe signs events: the adapter to Secrets Manager. They are kept in the process,
//! and read again when Stripe refuses the key or an event is signed with another secret, at most once a minute, so that
//! what was replaced is taken up without a deployment.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use futures::future::BoxFuture;
use serde::Deserialize;

use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::http::problem::Source;

/// How long the secret is not read again for a key that is refused.
const REFUSED_KEY_PAUSE: Duration = Duration::from_mins(1);

/// A key. It is not shown when it is printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ApiKey(Arc<str>);

impl ApiKey {
    /// Returns its text, which goes nowhere but into the request's header.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey")
    }
}

/// What one account has in the secret that the setting `STRIPE_SECRET_ARN` names, which is
/// `{"api_key": "sk_...", "signing_secrets": ["whsec_..."], "accounts": {"us": {"api_key": "sk_...", ...}}}`.
#[derive(Clone)]
pub(super) struct ApiKeys {
    client: Client,
    arn: String,
    /// `None` is the account whose key is not below `accounts`.
    account: Option<String>,
    /// The secret, of all accounts.
    cache: Arc<Mutex<Option<Cached>>>,
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys")
            .field("arn", &self.arn)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Cached {
    secret: Arc<SecretBody>,
    /// When the secret was last read, successfully or not.
    read_at: Instant,
}

#[derive(Deserialize)]
struct SecretBody {
    api_key: Option<String>,
    /// One for each endpoint at Stripe; two while one is replaced.
    #[serde(default)]
    signing_secrets: Vec<String>,
    #[serde(default)]
    accounts: BTreeMap<String, AccountBody>,
}

#[derive(Deserialize)]
struct AccountBody {
    api_key: String,
    #[serde(default)]
    signing_secrets: Vec<String>,
}

/// The secrets with which Stripe signs events.
#[derive(Clone)]
pub(super) struct SigningSecrets(Arc<SecretBody>);

impl SigningSecrets {
    /// Returns each account, and its secrets. `None` is the account without a name.
    pub(super) fn by_account(&self) -> impl Iterator<Item = (Option<&str>, Vec<&str>)> {
        let unnamed = (None, &self.0.signing_secrets);
        let named = self.0.accounts.iter();
        let named = named.map(|(name, account)| (Some(name.as_str()), &account.signing_secrets));
        let all = std::iter::once(unnamed).chain(named);
        all.map(|(name, secrets)| (name, secrets.iter().map(String::as_str).collect()))
    }
}

impl ApiKeys {
    /// Opens the secret. Reads nothing yet.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub(super) fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            client: aws.secrets(),
            arn: aws.settings().read(Setting::StripeSecretArn)?,
            account: None,
            cache: Arc::default(),
        })
    }

    /// Returns the keys of another account.
    pub(super) fn account(&self, name: Option<&str>) -> Self {
        Self {
            account: name.map(str::to_owned),
            ..self.clone()
        }
    }

    /// Returns the key, which is read if it has not been.
    ///
    /// # Errors
    /// If the secret cannot be read, or has no key for the account.
    pub(super) async fn current(&self, now: Instant) -> Result<ApiKey, Source> {
        self.key_in(&*self.secret(now).await?)
    }

    /// Returns the key that took the place of `refused`, or `None` if there is none that is known by now.
    ///
    /// # Errors
    /// If the secret cannot be read, or has no key for the account.
    pub(super) async fn after(
        &self,
        refused: &ApiKey,
        now: Instant,
    ) -> Result<Option<ApiKey>, Source> {
        let key = self.key_in(&*self.secret(now).await?)?;
        if key != *refused {
            return Ok(Some(key));
        }
        let Some(newer) = self.newer(now).await? else {
            return Ok(None);
        };
        let key = self.key_in(&newer)?;
        Ok((key != *refused).then_some(key))
    }

    /// Returns the secrets with which Stripe signs events, which are read if they have not been.
    ///
    /// # Errors
    /// If the secret cannot be read.
    pub(super) async fn signing_secrets(&self, now: Instant) -> Result<SigningSecrets, Source> {
        Ok(SigningSecrets(self.secret(now).await?))
    }

    /// Returns the secrets with which Stripe signs events, read again, or `None` if they were read a moment ago.
    ///
    /// # Errors
    /// If the secret cannot be read.
    pub(super) async fn newer_signing_secrets(
        &self,
        now: Instant,
    ) -> Result<Option<SigningSecrets>, Source> {
        Ok(self.newer(now).await?.map(SigningSecrets))
    }

    fn key_in(&self, secret: &SecretBody) -> Result<ApiKey, Source> {
        let key = match &self.account {
            Some(name) => secret.accounts.get(name).map(|account| &account.api_key),
            None => secret.api_key.as_ref(),
        };
        let key = key.ok_or("the secret has no API key for the account")?;
        Ok(ApiKey(key.trim().into()))
    }

    async fn secret(&self, now: Instant) -> Result<Arc<SecretBody>, Source> {
        let cached = self.lock().clone();
        match cached {
            Some(cached) => Ok(cached.secret),
            None => self.read(now).await,
        }
    }

    /// Reads the secret again, unless that was done a moment ago.
    async fn newer(&self, now: Instant) -> Result<Option<Arc<SecretBody>>, Source> {
        let cached = self.lock().clone();
        if cached.is_some_and(|cached| now < cached.read_at + REFUSED_KEY_PAUSE) {
            return Ok(None);
        }
        self.read(now).await.map(Some)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Cached>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, now: Instant) -> Result<Arc<SecretBody>, Source> {
        // Noted before the call, so that a call that fails counts too.
        if let Some(cached) = self.lock().as_mut() {
            cached.read_at = now;
        }
        let secret = Arc::new(self.read_secret().await?);
        *self.lock() = Some(Cached {
            secret: Arc::clone(&secret),
            read_at: now,
        });
        Ok(secret)
    }

    fn read_secret(&self) -> BoxFuture<'_, Result<SecretBody, Source>> {
        let request = self.client.get_secret_value().secret_id(&self.arn);
        Box::pin(async move {
            let text = request.send().await?.secret_string.unwrap_or_default();
            // The text of the error could quote the secret.
            serde_json::from_str(&text)
                .map_err(|_| Source::from("the secret is not {\"api_key\": \"...\"}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use serde_json::json;

    use super::*;
    use crate::testing::{self, Engine};

    /// Has the secret hold `key`, and counts how often it is read.
    fn serve(engine: &Engine, key: &'static str) -> Arc<AtomicU32> {
        let reads = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&reads);
        engine.answer_others("GetSecretValue", move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            let secret = json!({"api_key": key, "note": "anything"}).to_string();
            (
                200,
                json!({"ARN": "STRIPE_SECRET_ARN", "SecretString": secret}),
            )
        });
        reads
    }

    #[tokio::test]
    async fn a_refused_key_is_read_again_at_most_once_a_minute() {
        let (aws, engine) = testing::aws();
        let keys = ApiKeys::new(&aws).unwrap();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let reads = serve(&engine, "sk_old");
        let old = keys.current(at(0)).await.unwrap();
        assert_eq!(keys.current(at(10_000)).await.unwrap(), old);
        assert_eq!(keys.after(&old, at(59)).await.unwrap(), None);
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        // Read again, and still the same.
        assert_eq!(keys.after(&old, at(60)).await.unwrap(), None);
        assert_eq!(reads.load(Ordering::Relaxed), 2);
        let reads = serve(&engine, "sk_new");
        assert_eq!(keys.after(&old, at(119)).await.unwrap(), None);
        assert_eq!(reads.load(Ordering::Relaxed), 0);
        let new = keys.after(&old, at(120)).await.unwrap().unwrap();
        assert_eq!(new.reveal(), "sk_new");
        // A call that began with the old one takes the new one without a read.
        assert_eq!(keys.after(&old, at(121)).await.unwrap(), Some(new));
        assert_eq!(reads.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_secret_that_cannot_be_read_is_not_read_again_for_a_minute() {
        let (aws, engine) = testing::aws();
        let keys = ApiKeys::new(&aws).unwrap();
        let start = Instant::now();
        serve(&engine, "sk_old");
        let old = keys.current(start).await.unwrap();
        engine.answer_others("GetSecretValue", |_| {
            (
                400,
                json!({"__type": "AccessDeniedException", "message": "no"}),
            )
        });
        let later = start + REFUSED_KEY_PAUSE;
        assert!(keys.after(&old, later).await.is_err());
        assert_eq!(keys.after(&old, later).await.unwrap(), None);
    }

    #[tokio::test]
    async fn each_account_has_its_key() {
        let (aws, engine) = testing::aws();
        let keys = ApiKeys::new(&aws).unwrap();
        let start = Instant::now();
        engine.answer_others("GetSecretValue", |_| {
            let accounts = json!({"us": {"api_key": "sk_us"}, "eu": {"api_key": "sk_eu"}});
            let secret = json!({"api_key": "sk_first", "accounts": accounts}).to_string();
            (200, json!({"SecretString": secret}))
        });
        for (account, key) in [
            (None, "sk_first"),
            (Some("us"), "sk_us"),
            (Some("eu"), "sk_eu"),
            (Some("us"), "sk_us"),
        ] {
            let found = keys.account(account).current(start).await.unwrap();
            assert_eq!(found.reveal(), key);
        }
        assert!(keys.account(Some("uk")).current(start).await.is_err());
        // Without the key of the account that has no name.
        engine.answer_others("GetSecretValue", |_| {
            let secret = json!({"accounts": {"us": {"api_key": "sk_us"}}}).to_string();
            (200, json!({"SecretString": secret}))
        });
        let keys = ApiKeys::new(&aws).unwrap();
        assert!(keys.current(start).await.is_err());
        let found = keys.account(Some("us")).current(start).await.unwrap();
        assert_eq!(found.reveal(), "sk_us");
    }

    #[tokio::test]
    async fn neither_the_key_nor_a_secret_of_another_shape_is_shown() {
        let (aws, engine) = testing::aws();
        let keys = ApiKeys::new(&aws).unwrap();
        engine.answer_others("GetSecretValue", |_| {
            (
                200,
                json!({"ARN": "STRIPE_SECRET_ARN", "SecretString": "sk_plain"}),
            )
        });
        let error = keys.current(Instant::now()).await.unwrap_err();
        assert!(!format!("{error:?} {error}").contains("sk_plain"));
        serve(&engine, "sk_hidden");
        let key = keys.current(Instant::now()).await.unwrap();
        assert!(!format!("{key:?} {keys:?}").contains("sk_hidden"));
    }
}
