//! The API key: the adapter to Secrets Manager. It is kept in the process, and read again when Stripe refuses it, at
//! most once a minute, so that a key that was replaced is taken up without a deployment.

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

/// The key of one account in the secret that the setting `STRIPE_SECRET_ARN` names,
/// `{"api_key": "sk_...", "accounts": {"us": {"api_key": "sk_..."}}}`.
#[derive(Clone, Debug)]
pub(super) struct ApiKeys {
    client: Client,
    arn: String,
    /// `None` is the account whose key is not below `accounts`.
    account: Option<String>,
    /// Of all accounts.
    cache: Arc<Mutex<Cache>>,
}

type Cache = BTreeMap<Option<String>, Cached>;

#[derive(Clone, Debug)]
struct Cached {
    key: ApiKey,
    /// When the secret was last read, successfully or not.
    read_at: Instant,
}

#[derive(Deserialize)]
struct SecretBody {
    api_key: Option<String>,
    #[serde(default)]
    accounts: BTreeMap<String, AccountBody>,
}

#[derive(Deserialize)]
struct AccountBody {
    api_key: String,
}

impl SecretBody {
    fn key_of(&self, account: Option<&str>) -> Option<&str> {
        match account {
            Some(name) => self.accounts.get(name).map(|account| &*account.api_key),
            None => self.api_key.as_deref(),
        }
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

    /// Returns the key of another account.
    pub(super) fn account(&self, name: Option<&str>) -> Self {
        Self {
            account: name.map(str::to_owned),
            ..self.clone()
        }
    }

    /// Returns the key, which is read if it has not been.
    ///
    /// # Errors
    /// If the secret cannot be read.
    pub(super) async fn current(&self, now: Instant) -> Result<ApiKey, Source> {
        let cached = self.lock().get(&self.account).cloned();
        match cached {
            Some(cached) => Ok(cached.key),
            None => self.read(now).await,
        }
    }

    /// Returns the key that took the place of `refused`, or `None` if there is none that is known by now.
    ///
    /// # Errors
    /// If the secret cannot be read.
    pub(super) async fn after(
        &self,
        refused: &ApiKey,
        now: Instant,
    ) -> Result<Option<ApiKey>, Source> {
        let cached = self.lock().get(&self.account).cloned();
        let key = match cached {
            Some(cached) if cached.key != *refused => cached.key,
            Some(cached) if now < cached.read_at + REFUSED_KEY_PAUSE => return Ok(None),
            Some(_) | None => self.read(now).await?,
        };
        Ok((key != *refused).then_some(key))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, now: Instant) -> Result<ApiKey, Source> {
        // Noted before the call, so that a call that fails counts too.
        if let Some(cached) = self.lock().get_mut(&self.account) {
            cached.read_at = now;
        }
        let key = self.read_secret().await?;
        let cached = Cached {
            key: key.clone(),
            read_at: now,
        };
        self.lock().insert(self.account.clone(), cached);
        Ok(key)
    }

    fn read_secret(&self) -> BoxFuture<'_, Result<ApiKey, Source>> {
        let request = self.client.get_secret_value().secret_id(&self.arn);
        Box::pin(async move {
            let text = request.send().await?.secret_string.unwrap_or_default();
            // The text of the error could quote the secret.
            let body: SecretBody = serde_json::from_str(&text)
                .map_err(|_| Source::from("the secret is not {\"api_key\": \"...\"}"))?;
            let key = body.key_of(self.account.as_deref());
            let key = key.ok_or("the secret has no API key for the account")?;
            Ok(ApiKey(key.trim().into()))
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
