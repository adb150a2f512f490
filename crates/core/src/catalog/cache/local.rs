//! What one process keeps, where else it looks, and how it finds out that what it has must not be used any more.
//!
//! At most once in a while ([`Limits::check`]), a request asks the log of changes first, or beside what it reads from the
//! table. If the log does not say anything in time, what is kept is not used.

use std::sync::Arc;
use std::time::Duration;

use futures::lock::Mutex;
use moka::future::Cache;
use moka::ops::compute::Op;

use crate::aws::Aws;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::{Setting, SettingError};
use crate::aws::telemetry;
use crate::http::exchange::Request;
use crate::values::clock::Time;

use super::changes::{ChangeLog, Log};
use super::envelope::Entry;
use super::known::{Known, Moment, Position};
use super::shared::{Patience, SharedCache, Turn};
use super::tag::Tag;

/// How long a request waits for the log of changes.
const LOG_PATIENCE: Duration = Duration::from_millis(200);

/// How long it is kept that there is nothing.
const NOTHING_LIFETIME: Duration = Duration::from_secs(5);

/// What changed less than this ago is not kept: it is likely to change again, and to be read by those who change it.
const YOUNG: Duration = Duration::from_mins(1);

/// What an entry takes beside its key and its value, in bytes.
const ENTRY_BYTES: usize = 200;

/// What is kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a product is kept, and what leads to it; zero keeps none.
    pub product: Duration,
    /// How long a page of a list is kept, and the tree of categories; zero keeps none.
    pub category: Duration,
    /// How long nothing is asked about changes.
    pub check: Duration,
    /// The most bytes that are kept in one process.
    pub bytes: u64,
}

impl Limits {
    /// Reads the settings `PRODUCT_CACHE_SECONDS`, `CATEGORY_CACHE_SECONDS`, `CACHE_CHECK_SECONDS` and `CACHE_MEGABYTES`.
    ///
    /// # Errors
    /// [`SettingError`] if one is missing or not valid.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let seconds = |setting| aws.settings().read(setting).map(Duration::from_secs);
        let megabytes: u32 = aws.settings().read(Setting::CacheMegabytes)?;
        Ok(Self {
            product: seconds(Setting::ProductCacheSeconds)?,
            category: seconds(Setting::CategoryCacheSeconds)?,
            check: seconds(Setting::CacheCheckSeconds)?,
            bytes: u64::from(megabytes) * 1024 * 1024,
        })
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The time of the request.
    pub now: Time,
    /// Whether the table has to be read: for callers who say who they are. They may have changed what they read.
    pub from_table: bool,
    /// How long the request still waits for the server that processes share.
    pub patience: Arc<Patience>,
}

impl Asked {
    /// Returns who asks with `request`.
    #[must_use]
    pub fn by(request: &Request) -> Self {
        Self {
            now: request.now,
            from_table: request.names_caller(),
            patience: Arc::default(),
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name.
    pub key: String,
    /// What it depends on.
    pub tags: Vec<Tag>,
    /// How long it may be kept.
    pub lifetime: Duration,
    /// Whether it may show what was a moment ago, as indexes do.
    pub from_index: bool,
}

/// Something that can be kept.
pub trait Kept: Sized + Send {
    /// Returns it as bytes, or `None` if it cannot be kept.
    fn write(&self) -> Option<Vec<u8>>;
    /// Returns what `bytes` are, or `None` if they are something else.
    fn read(bytes: &[u8]) -> Option<Self>;
    /// Returns whether it is that there is nothing.
    fn is_nothing(&self) -> bool;
    /// Returns when it last changed, as far as it shows that.
    fn changed_at(&self) -> Option<Time>;
}

/// What the process knows, and when it last asked.
#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    asked: Option<Moment>,
}

/// The cache of one process.
#[derive(Debug)]
pub struct LocalCache {
    /// What it keeps.
    pub limits: Limits,
    entries: Cache<String, Arc<Entry>>,
    shared: Option<SharedCache>,
    log: ChangeLog,
    state: Mutex<State>,
}

impl LocalCache {
    /// Returns an empty cache.
    #[must_use]
    pub fn new(limits: Limits, log: ChangeLog, shared: Option<SharedCache>) -> Self {
        let bytes = |key: &String, entry: &Arc<Entry>| {
            u32::try_from(ENTRY_BYTES + key.len() + entry.value.len()).unwrap_or(u32::MAX)
        };
        let entries = Cache::builder().max_capacity(limits.bytes).weigher(bytes);
        Self {
            limits,
            entries: entries.build(),
            shared,
            log,
            state: Mutex::default(),
        }
    }

    /// Returns what is `wanted`: what is kept, or else what `load` reads from the table. Several who ask at the same time for
    /// what can be kept read it once.
    ///
    /// # Errors
    /// Those of `load`.
    pub async fn read<T: Kept, F>(
        &self,
        wanted: &Wanted,
        asked: &Asked,
        load: impl Fn() -> F + Send + Sync,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        if asked.from_table || wanted.lifetime.is_zero() {
            return load().await;
        }
        if let Some(entry) = self.entries.get(&wanted.key).await
            && let Some(value) = self.usable(&entry, wanted, asked).await
        {
            return Ok(value);
        }
        let mut found = None;
        let (found_now, load_now) = (&mut found, &load);
        let entry = self.entries.entry_by_ref(&wanted.key);
        let computed = entry.and_try_compute_with(|entry| async move {
            if let Some(entry) = entry
                && let Some(value) = self.usable(entry.value(), wanted, asked).await
            {
                *found_now = Some(value);
                return Ok(Op::Nop);
            }
            let (value, entry) = self.find(wanted, asked, load_now).await?;
            *found_now = Some(value);
            Ok::<_, StoreError>(entry.map_or(Op::Remove, Op::Put))
        });
        Box::pin(computed).await?;
        match found {
            Some(value) => Ok(value),
            None => load().await,
        }
    }

    /// Returns how many entries are kept, and how many bytes they have.
    #[cfg(test)]
    pub(super) async fn kept(&self) -> (u64, u64) {
        self.entries.run_pending_tasks().await;
        (self.entries.entry_count(), self.entries.weighted_size())
    }

    /// Returns the value of `entry`, if it may be used.
    async fn usable<T: Kept>(&self, entry: &Entry, wanted: &Wanted, asked: &Asked) -> Option<T> {
        if asked.now >= entry.expires_at {
            return None;
        }
        self.ask(asked.now).await;
        let state = self.state.lock().await;
        let known = state.known.as_ref()?;
        if !known.is_current(&entry.position, &wanted.tags) {
            return None;
        }
        T::read(&entry.value)
    }

    /// Returns what is `wanted` from the server that processes share, or else from the table, and what to keep of it. One
    /// process reads it for all others, unless the server says nothing.
    async fn find<T: Kept, F>(
        &self,
        wanted: &Wanted,
        asked: &Asked,
        load: &impl Fn() -> F,
    ) -> Result<(T, Option<Arc<Entry>>), StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let Some(shared) = &self.shared else {
            return self.load(wanted, asked, load).await;
        };
        let (key, patience) = (&wanted.key, &asked.patience);
        let (bytes, ()) = futures::join!(shared.get(key, patience), self.ask(asked.now));
        if let Some(found) = self.opened(bytes, wanted, asked).await {
            return Ok(found);
        }
        let turn = shared.turn(key, patience).await;
        while turn == Turn::Theirs && patience.wait().await {
            let Some((bytes, is_being_read)) = shared.look(key, patience).await else {
                break;
            };
            if let Some(found) = self.opened(bytes, wanted, asked).await {
                return Ok(found);
            }
            if !is_being_read {
                break;
            }
        }
        let loaded = self.load(wanted, asked, load).await;
        match &loaded {
            Ok((_, Some(entry))) => {
                let lifetime = entry.expires_at.since(asked.now);
                let sealed = entry.sealed(key).unwrap_or_default();
                shared.put(key, &sealed, lifetime, patience).await;
            }
            Ok((_, None)) | Err(_) if turn == Turn::Ours => shared.leave(key, patience).await,
            Ok((_, None)) | Err(_) => {}
        }
        loaded
    }

    /// Returns what another process kept as `bytes`, if that is what is `wanted` and may be used.
    async fn opened<T: Kept>(
        &self,
        bytes: Option<Vec<u8>>,
        wanted: &Wanted,
        asked: &Asked,
    ) -> Option<(T, Option<Arc<Entry>>)> {
        let bytes = bytes?;
        let entry = Entry::open(&bytes, &wanted.key, wanted.lifetime, asked.now);
        if entry.is_none() {
            tracing::warn!(key = wanted.key, "shared cache has something else");
        }
        let entry = entry?;
        let value = self.usable(&entry, wanted, asked).await?;
        Some((value, Some(Arc::new(entry))))
    }

    /// Reads what is `wanted` from the table, and returns with it what to keep of it. The log is asked beside it: what has
    /// changed since the last time it was asked is not kept.
    async fn load<T: Kept, F>(
        &self,
        wanted: &Wanted,
        asked: &Asked,
        load: &impl Fn() -> F,
    ) -> Result<(T, Option<Arc<Entry>>), StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let before = self.position().await;
        let (value, ()) = futures::join!(load(), self.ask(asked.now));
        let value = value?;
        let state = self.state.lock().await;
        let known = state.known.as_ref();
        let entry = known.and_then(|known| {
            let position = before.unwrap_or_else(|| known.first());
            let is_current = known.is_current(&position, &wanted.tags);
            let is_settling = wanted.from_index && known.is_settling(&wanted.tags, asked.now);
            let young = |changed: Time| asked.now < changed.plus(YOUNG);
            if !is_current || is_settling || value.changed_at().is_some_and(young) {
                return None;
            }
            let lifetime = if value.is_nothing() {
                wanted.lifetime.min(NOTHING_LIFETIME)
            } else {
                wanted.lifetime
            };
            Some(Arc::new(Entry {
                position,
                expires_at: asked.now.plus(lifetime),
                value: value.write()?,
            }))
        });
        Ok((value, entry))
    }

    /// Returns the last change that the process knows.
    async fn position(&self) -> Option<Position> {
        let state = self.state.lock().await;
        state.known.as_ref().map(|known| known.last().clone())
    }

    /// Asks the log for what has changed, if it is time to. Of several who ask at the same time, one does.
    async fn ask(&self, now: Time) {
        let mut state = self.state.lock().await;
        let is_due = |asked: Moment| asked.is_past(self.limits.check, now);
        if !state.asked.is_none_or(is_due) {
            return;
        }
        let log = self.log().await;
        let heard = Moment::of(now);
        state.asked = Some(heard);
        match (log, &mut state.known) {
            (Some(log), Some(known)) => known.learn(&log, heard),
            (Some(log), None) => state.known = Some(Known::new(&log, heard)),
            // Until the log says something again, nothing is sure.
            (None, _) => state.known = None,
        }
    }

    async fn log(&self) -> Option<Log> {
        let error = match tokio::time::timeout(LOG_PATIENCE, self.log.read()).await {
            Ok(Ok(log)) => return Some(log),
            Ok(Err(error)) => telemetry::chain(&error),
            Err(late) => late.to_string(),
        };
        tracing::warn!(error, "changes of the catalogue not read");
        None
    }
}
