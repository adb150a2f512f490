//! What processes keep for each other, in a server that speaks the Redis protocol.
//!
//! The server is asked for a moment ([`PATIENCE`]) in each request, all questions together, and is left alone for a while
//! after it has failed a few times. Whatever it does, a request goes on without it. What it says is checked by those who use
//! it ([`super::envelope`]).

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, Pipeline, RedisError};

use crate::aws::telemetry;

/// How long one request waits for the server, all questions together.
pub const PATIENCE: Duration = Duration::from_millis(20);

/// What a question is given at least before it counts as a failure that nothing was said.
const LEAST_PATIENCE: Duration = Duration::from_millis(10);

/// After so many failures one after another, the server is left alone.
const MOST_FAILURES: u32 = 3;

/// How long it is left alone. Then one question is asked, and if that fails, it is left alone again.
const REST: Duration = Duration::from_secs(5);

/// How long a connection may take to be made. It is made beside the requests that wait for it.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// How long one process may read something for all others.
const LOCK_LIFETIME_MILLIS: u64 = 1_000;

/// How long it takes until those who wait for another process look again.
const LOOK_AGAIN: Duration = Duration::from_millis(3);

/// The most bytes of a value that is kept for others.
const MOST_BYTES: usize = 512 * 1024;

/// What is left of the time that a request waits for the server.
#[derive(Debug)]
pub struct Patience(Mutex<Duration>);

impl Default for Patience {
    fn default() -> Self {
        Self::of(PATIENCE)
    }
}

impl Patience {
    /// Returns the patience of a request that waits for `time`.
    #[must_use]
    pub fn of(time: Duration) -> Self {
        Self(Mutex::new(time))
    }

    fn left(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spend(&self, spent: Duration) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.saturating_sub(spent);
    }

    /// Waits a little, and returns whether there was time for that.
    pub async fn wait(&self) -> bool {
        if self.left() <= LOOK_AGAIN {
            return false;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        self.spend(LOOK_AGAIN);
        true
    }
}

type Connecting = Shared<BoxFuture<'static, Result<MultiplexedConnection, RedisError>>>;

/// What is known of the server.
#[derive(Default)]
struct State {
    connecting: Option<Connecting>,
    /// How often it failed, one after another.
    failures: u32,
    rests_until: Option<Instant>,
}

/// A server that processes share.
pub struct SharedCache {
    client: Client,
    /// What the keys of this shop begin with.
    prefix: String,
    state: Mutex<State>,
}

impl fmt::Debug for SharedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedCache")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// Who reads something from the table for all processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// This process.
    Ours,
    /// Another one.
    Theirs,
    /// Every process for itself: the server does not say.
    Everybodys,
}

impl SharedCache {
    /// Returns the server at `url` (`redis://` or, over TLS, `rediss://`), in which this shop's keys begin with `prefix`. It is
    /// not asked yet.
    ///
    /// # Errors
    /// [`RedisError`] if `url` is not such an address.
    pub fn new(url: &str, prefix: String) -> Result<Self, RedisError> {
        // There may be one already, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Ok(Self {
            client: Client::open(url)?,
            prefix,
            state: Mutex::default(),
        })
    }

    /// Returns what is kept as `key`.
    pub async fn get(&self, key: &str, patience: &Patience) -> Option<Vec<u8>> {
        let mut question = redis::pipe();
        question.get(self.key(key));
        let (found,): (Option<Vec<u8>>,) = self.ask(question, patience).await?;
        found
    }

    /// Returns what is kept as `key`, and whether a process is reading it from the table.
    pub async fn look(&self, key: &str, patience: &Patience) -> Option<(Option<Vec<u8>>, bool)> {
        let mut question = redis::pipe();
        question.get(self.key(key)).exists(self.lock(key));
        self.ask(question, patience).await
    }

    /// Returns whose turn it is to read `key` from the table. If it is ours, others wait for it until
    /// [`SharedCache::put`] or [`SharedCache::leave`].
    pub async fn turn(&self, key: &str, patience: &Patience) -> Turn {
        let mut question = redis::pipe();
        let command = question.cmd("SET").arg(self.lock(key)).arg("1");
        command.arg("NX").arg("PX").arg(LOCK_LIFETIME_MILLIS);
        match self.ask::<(Option<String>,)>(question, patience).await {
            Some((Some(_),)) => Turn::Ours,
            Some((None,)) => Turn::Theirs,
            None => Turn::Everybodys,
        }
    }

    /// Keeps `value` as `key` for `lifetime`, and lets the others go on.
    pub async fn put(&self, key: &str, value: &[u8], lifetime: Duration, patience: &Patience) {
        if value.len() > MOST_BYTES {
            return self.leave(key, patience).await;
        }
        let millis = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        let mut question = redis::pipe();
        let command = question.cmd("SET").arg(self.key(key)).arg(value);
        command.arg("PX").arg(millis.max(1)).ignore();
        question.del(self.lock(key)).ignore();
        let _: Option<()> = self.ask(question, patience).await;
    }

    /// Lets the others go on without a value.
    pub async fn leave(&self, key: &str, patience: &Patience) {
        let mut question = redis::pipe();
        question.del(self.lock(key)).ignore();
        let _: Option<()> = self.ask(question, patience).await;
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn lock(&self, key: &str) -> String {
        format!("{}lock:{key}", self.prefix)
    }

    /// Returns what the server says to `question`, if it says something in time that can be understood.
    async fn ask<T: FromRedisValue>(&self, question: Pipeline, patience: &Patience) -> Option<T> {
        let left = patience.left();
        if left.is_zero() || self.rests() {
            return None;
        }
        let begun = Instant::now();
        let answer = tokio::time::timeout(left, self.answer(question)).await;
        patience.spend(begun.elapsed());
        match answer {
            Ok(Ok(answer)) => {
                self.state().failures = 0;
                Some(answer)
            }
            // The server is well, and refuses: it is full, or has something else under this name.
            Ok(Err(error)) if error.code().is_some() => {
                tracing::warn!(error = telemetry::chain(&error), "shared cache refused");
                self.state().failures = 0;
                None
            }
            Ok(Err(error)) => {
                self.failed(&telemetry::chain(&error));
                None
            }
            Err(_) if left < LEAST_PATIENCE => None,
            Err(late) => {
                self.failed(&late.to_string());
                None
            }
        }
    }

    async fn answer<T: FromRedisValue>(&self, question: Pipeline) -> Result<T, RedisError> {
        let mut connection = self.connecting().await?;
        question.query_async(&mut connection).await
    }

    /// Returns the connection, which is made by a task of its own: a request that does not wait for it leaves it to others.
    fn connecting(&self) -> Connecting {
        let mut state = self.state();
        let connecting = state.connecting.get_or_insert_with(|| {
            let client = self.client.clone();
            let connecting = tokio::spawn(async move {
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(CONNECT_PATIENCE))
                    .set_response_timeout(Some(CONNECT_PATIENCE));
                client
                    .get_multiplexed_async_connection_with_config(&config)
                    .await
            });
            let connected = connecting.map(|made| match made {
                Ok(made) => made,
                Err(ended) => Err(RedisError::from(std::io::Error::other(ended))),
            });
            connected.boxed().shared()
        });
        connecting.clone()
    }

    /// Returns whether the server is left alone.
    fn rests(&self) -> bool {
        let mut state = self.state();
        let Some(until) = state.rests_until else {
            return false;
        };
        if Instant::now() < until {
            return true;
        }
        // The next failure lets it rest again.
        state.rests_until = None;
        false
    }

    fn failed(&self, error: &str) {
        let mut state = self.state();
        state.failures += 1;
        // One that is still being made may come in time for the next request.
        let is_made = state
            .connecting
            .as_ref()
            .is_some_and(|made| made.peek().is_some());
        if is_made {
            state.connecting = None;
        }
        if state.failures >= MOST_FAILURES {
            state.rests_until = Some(Instant::now() + REST);
            tracing::warn!(error, "shared cache is left alone");
        } else {
            tracing::warn!(error, "shared cache failed");
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
