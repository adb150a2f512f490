//! Makes the sets of entries of new rules, piece by piece, and removes those that are not needed any more.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _};
use serde::de::IgnoredAny;

use crate::aws::dynamo::StoreError;
use crate::catalog::content::Slug;
use crate::catalog::store::ProductStore;
use crate::runtime::Error;
use crate::screening::cel::Expression;
use crate::values::money::Currency;

use super::entries::{EntryStore, belongs};
use super::model::{Choice, Chosen, Collections, set_name};
use super::rules;
use super::store::CollectionStore;

/// After this time a run begins no further piece. The next run goes on there.
const LAST_PIECE: Duration = Duration::from_secs(40);

/// How many items of the table of products a piece has.
const PIECE: i32 = 500;

/// How many entries are removed at a time.
const REMOVED_AT_ONCE: usize = 100;

/// How many entries are written at the same time.
const AT_ONCE: usize = 16;

/// What the sets are made from.
#[derive(Clone, Debug)]
pub struct Builder {
    /// The collections.
    pub collections: CollectionStore,
    /// Their entries.
    pub entries: EntryStore,
    /// The products.
    pub products: ProductStore,
    /// The shop's currency.
    pub currency: Currency,
}

/// Makes and removes sets of entries until there is nothing to do, or until it is time for the next run, which goes on.
///
/// # Errors
/// If a table cannot be read or written; what was done stays.
pub async fn build_collections(builder: &Builder, _: IgnoredAny) -> Result<(), Error> {
    let started = Instant::now();
    while started.elapsed() < LAST_PIECE && builder.advance(PIECE).await? {}
    Ok(())
}

/// Returns the first collection whose entries are not all there.
fn unfinished(collections: &Collections) -> Option<(&Slug, &Chosen)> {
    let mut all = collections.all.iter();
    all.find_map(|(id, collection)| match &collection.choice {
        Choice::Rule(chosen) if !chosen.is_complete() => Some((id, chosen)),
        Choice::Rule(_) | Choice::Hand => None,
    })
}

impl Builder {
    /// Does a piece of what there is to do: of `items` items of the table of products, or of entries to remove. Returns
    /// whether there was anything.
    pub(super) async fn advance(&self, items: i32) -> Result<bool, Error> {
        let collections = self.collections.get().await?;
        if let Some((id, chosen)) = unfinished(&collections) {
            self.make_piece(id, chosen, items).await?;
        } else if let Some(name) = collections.left.first() {
            self.remove_piece(name).await?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Puts those of the next `items` items of the table of products into the set of `chosen` for which its rule holds. A
    /// product that changes meanwhile is left to [`super::follow`], which knows the rule by then.
    async fn make_piece(&self, id: &Slug, chosen: &Chosen, items: i32) -> Result<(), Error> {
        let piece = self.products.piece(chosen.after.as_deref(), items).await?;
        if let Ok(rule) = Expression::compile_listed(&chosen.rule, self.currency) {
            let list = set_name(id, chosen.set);
            let products = piece.items.iter();
            let members = products.filter(|product| belongs(product, &rule));
            let puts = members.map(|product| self.entries.put_current(&list, product));
            let puts: Vec<_> = puts.collect();
            let puts = futures::stream::iter(puts).buffer_unordered(AT_ONCE);
            puts.try_for_each(|_| async { Ok::<_, StoreError>(()) })
                .await?;
        }
        let after = piece.next;
        let advanced =
            |collections: &Collections| rules::advanced(collections, id, chosen.set, after.clone());
        Ok(self.collections.revise(advanced).await?)
    }

    /// Removes some entries of a set, and notes when it has no more.
    async fn remove_piece(&self, name: &str) -> Result<(), Error> {
        if self.entries.clear(name, REMOVED_AT_ONCE).await? {
            let cleared = |collections: &Collections| Some(rules::cleared(collections, name));
            self.collections.revise(cleared).await?;
        }
        Ok(())
    }
}
