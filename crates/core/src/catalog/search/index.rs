//! What is searched: the index as it was a moment ago.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use oxcart_search::{Found, Request, Searcher};

use super::model::Manifest;
use super::store::{IndexError, IndexStore};
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::values::money::Currency;

/// How long the index is searched before somebody looks whether it has changed.
const FRESH: Duration = Duration::from_secs(2);

/// How many bytes of segments stay in memory: half of what the function has.
const MOST_BYTES: usize = 512 << 20;

/// The index, opened when it is first searched.
pub struct SearchIndex {
    store: IndexStore,
    currency: Currency,
    opened: Mutex<Option<Opened>>,
}

/// An index that has been opened.
#[derive(Clone)]
struct Opened {
    etag: String,
    searcher: Arc<Searcher>,
    looked_at: Instant,
}

impl SearchIndex {
    /// Returns the index in the bucket that the settings name (`SEARCH_BUCKET`), with prices in the shop's currency
    /// (`SHOP_CURRENCY`). Nothing is read yet.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            store: IndexStore::new(aws, MOST_BYTES)?,
            currency: aws.settings().read(Setting::ShopCurrency)?,
            opened: Mutex::new(None),
        })
    }

    /// Returns the currency of prices.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Returns what `request` finds; nothing, if there is no index yet.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn search(&self, request: Request) -> Result<Found, IndexError> {
        let Some(searcher) = self.searcher().await? else {
            return Ok(Found::default());
        };
        Ok(tokio::task::spawn_blocking(move || searcher.search(&request)).await??)
    }

    /// Returns the searcher of the index as it is, or was two seconds ago.
    async fn searcher(&self) -> Result<Option<Arc<Searcher>>, IndexError> {
        let opened = self.opened().clone();
        if let Some(opened) = &opened
            && opened.looked_at.elapsed() < FRESH
        {
            return Ok(Some(Arc::clone(&opened.searcher)));
        }
        let known = opened.as_ref().map(|opened| opened.etag.as_str());
        let opened = match (self.store.changed(known).await?, opened) {
            (Some((manifest, etag)), _) => match self.open(&manifest).await? {
                Some(searcher) => Opened {
                    etag,
                    searcher,
                    looked_at: Instant::now(),
                },
                None => return Ok(None),
            },
            (None, Some(opened)) => Opened {
                looked_at: Instant::now(),
                ..opened
            },
            (None, None) => return Ok(None),
        };
        let searcher = Arc::clone(&opened.searcher);
        *self.opened() = Some(opened);
        Ok(Some(searcher))
    }

    async fn open(&self, manifest: &Manifest) -> Result<Option<Arc<Searcher>>, IndexError> {
        let parts = manifest.searched().to_vec();
        if parts.is_empty() {
            return Ok(None);
        }
        let blocks = Arc::clone(self.store.blocks());
        let settings = manifest.settings.clone();
        let open = move || Searcher::open(&blocks, parts, settings.weights(), settings.synonyms());
        Ok(Some(Arc::new(tokio::task::spawn_blocking(open).await??)))
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, Option<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
