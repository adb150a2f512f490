//! Builds the index from all products, piece by piece, merges segments, and removes those that are not needed any more.

use std::time::{Duration, Instant};

use oxcart_search::index::Part;
use oxcart_search::{Document, segment, versions};

use super::documents::document;
use super::follow::Sources;
use super::model::{Build, FORMAT, Manifest, Retired};
use super::store::IndexError;
use crate::runtime::{Error, Scheduled};
use crate::values::clock::Time;

/// After this time a run begins no further piece. The next run goes on there.
const LAST_PIECE: Duration = Duration::from_secs(35);

/// How many products a piece has at least, unless there are no more.
const PIECE: usize = 10_000;

/// How many items of the table of products are read at a time.
const READ_AT_ONCE: i32 = 1_000;

/// How long a segment is kept that is not needed any more: longer than anybody searches without looking for a new
/// manifest.
const KEPT: Duration = Duration::from_mins(15);

/// How many segments are removed at a time.
const REMOVED_AT_ONCE: usize = 50;

/// Goes on with the index that is being built, merges segments and removes others, until there is nothing to do or it is
/// time for the next run, which goes on.
///
/// # Errors
/// If the table or the bucket cannot be read or written; what was done stays.
pub async fn build_search_index(sources: &Sources, scheduled: Scheduled) -> Result<(), Error> {
    let now = scheduled.time;
    let started = Instant::now();
    while started.elapsed() < LAST_PIECE && sources.advance(PIECE, now).await? {}
    Ok(sources.clean(now).await?)
}

impl Sources {
    /// Does a piece of what there is to do. Returns whether there was anything.
    pub(super) async fn advance(&self, piece: usize, now: Time) -> Result<bool, IndexError> {
        let manifest = self.index.change(now, move |manifest, _| {
            if manifest.format != FORMAT && manifest.build.is_none() {
                manifest.rebuild(now);
            }
            Ok(manifest.clone())
        });
        let manifest = manifest.await?;
        if let Some(due) = manifest.due() {
            self.merge(due, now).await?;
        } else if let Some(build) = manifest.build {
            self.add_piece(build, piece, now).await?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Puts one segment into the place of several.
    async fn merge(&self, before: Vec<Part>, now: Time) -> Result<(), IndexError> {
        let blocks = self.index.blocks().clone();
        let parts = before.clone();
        let merged = tokio::task::spawn_blocking(move || segment::merge(&blocks, &parts)).await??;
        let merged = match merged {
            Some(merged) => Some(self.index.put(merged).await?),
            None => None,
        };
        let replace = move |manifest: &mut Manifest, blocks: &_| {
            let of_build = manifest.build.as_mut().map(|build| &mut build.parts);
            for parts in of_build.into_iter().chain([&mut manifest.parts]) {
                versions::replace(blocks, parts, &before, merged.as_ref())?;
            }
            manifest.retire(&before, now);
            // Somebody else may have merged them first.
            if let Some(merged) = &merged {
                manifest.retire(&[Part::new(merged.clone())], now);
            }
            Ok(())
        };
        self.index.change(now, replace).await
    }

    /// Adds the next products to the index that is being built, which was last seen as `build`. It is finished with the
    /// last of them.
    async fn add_piece(&self, build: Build, piece: usize, now: Time) -> Result<(), IndexError> {
        let tree = self.categories.get().await?;
        let mut documents: Vec<Document> = Vec::with_capacity(piece);
        let mut next = build.after.clone();
        loop {
            let read = self.products.piece(next.as_deref(), READ_AT_ONCE).await?;
            documents.extend(read.items.iter().map(|product| document(product, &tree)));
            next = read.next;
            if next.is_none() || documents.len() >= piece {
                break;
            }
        }
        let count = documents.len() as u64;
        let layout = if documents.is_empty() {
            None
        } else {
            let written = tokio::task::spawn_blocking(|| segment::write(documents)).await??;
            Some(self.index.put(written).await?)
        };
        let add = move |manifest: &mut Manifest, blocks: &_| {
            let layout = layout.clone();
            // Unless somebody else has added this piece first.
            match &mut manifest.build {
                Some(current)
                    if (current.begun_at, &current.after) == (build.begun_at, &build.after) =>
                {
                    if let Some(layout) = layout {
                        versions::add(blocks, &mut current.parts, layout)?;
                    }
                    current.products += count;
                    current.after.clone_from(&next);
                }
                _ => {
                    let unused: Vec<Part> = layout.map(Part::new).into_iter().collect();
                    manifest.retire(&unused, now);
                    return Ok(());
                }
            }
            if next.is_none() {
                manifest.finish(now);
            }
            Ok(())
        };
        self.index.change(now, add).await
    }

    /// Removes segments that nobody reads any more.
    async fn clean(&self, now: Time) -> Result<(), IndexError> {
        let Some((manifest, _)) = self.index.changed(None).await? else {
            return Ok(());
        };
        let is_old = move |retired: &&Retired| retired.at.plus(KEPT) < now;
        let old = manifest.retired.iter().filter(is_old).take(REMOVED_AT_ONCE);
        let old: Vec<Retired> = old.copied().collect();
        if old.is_empty() {
            return Ok(());
        }
        for retired in &old {
            self.index.remove(retired.segment).await?;
        }
        let forget = move |manifest: &mut Manifest, _: &_| {
            manifest.retired.retain(|retired| !old.contains(retired));
            Ok(())
        };
        self.index.change(now, forget).await
    }
}
