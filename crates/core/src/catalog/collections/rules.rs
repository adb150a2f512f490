//! Decides how the collections may change.

use std::collections::BTreeSet;

use crate::catalog::content::Slug;
use crate::http::exchange::IfMatch;
use crate::values::clock::Time;

use super::model::{
    Choice, Chosen, Collection, CollectionError, Collections, Draft, DraftChoice, MOST_COLLECTIONS,
    MOST_LEFT, set_name,
};

/// Returns whether the collection `id` is as `draft` says already, but for its products by hand.
#[must_use]
pub fn is_as_wanted(collections: &Collections, id: &Slug, draft: &Draft) -> bool {
    collections.all.get(id).is_some_and(|stored| {
        let is_chosen_so = match (&stored.choice, &draft.choice) {
            (Choice::Hand, DraftChoice::Hand(_)) => true,
            (Choice::Rule(chosen), DraftChoice::Rule(rule, sort)) => {
                (&chosen.rule, chosen.sort) == (rule, *sort)
            }
            (Choice::Hand, DraftChoice::Rule(..)) | (Choice::Rule(_), DraftChoice::Hand(_)) => {
                false
            }
        };
        is_chosen_so && stored.names == draft.names
    })
}

/// Returns `collections` with the collection `id` as `draft` says. The products of a collection by hand, and whether they
/// are the same as before, are not looked at here. A rule that is new gets a new set of entries; until that is complete, the
/// one before is shown.
///
/// # Errors
/// [`CollectionError::Unconditional`] if the collection is there and `expected` is `None`; [`CollectionError::Stale`] if
/// `expected` is another version; [`CollectionError::TooMany`]; [`CollectionError::TooManyLeft`].
pub fn put(
    collections: &Collections,
    id: &Slug,
    draft: &Draft,
    expected: Option<&IfMatch>,
    now: Time,
) -> Result<Collections, CollectionError> {
    let before = collections.all.get(id);
    if before.is_some() && expected.is_none() {
        return Err(CollectionError::Unconditional);
    }
    if let Some(expected) = expected {
        expect(collections, expected)?;
    }
    let mut next = changed(collections, now);
    let old = before.and_then(|before| match &before.choice {
        Choice::Rule(chosen) => Some(chosen),
        Choice::Hand => None,
    });
    let choice = match &draft.choice {
        DraftChoice::Hand(_) => {
            next.left.extend(sets(id, old));
            Choice::Hand
        }
        DraftChoice::Rule(rule, sort) => {
            let same = old.filter(|old| old.rule == *rule).cloned();
            Choice::Rule(match (same, old) {
                (Some(same), _) => Chosen {
                    sort: *sort,
                    ..same
                },
                (None, old) => {
                    let shown = old.and_then(|old| old.shown);
                    let kept = shown.map(|set| set_name(id, set));
                    let unfinished = sets(id, old).filter(|set| Some(set) != kept.as_ref());
                    next.left.extend(unfinished);
                    Chosen {
                        rule: rule.clone(),
                        sort: *sort,
                        set: next.version,
                        after: None,
                        shown,
                    }
                }
            })
        }
    };
    let collection = Collection {
        names: draft.names.clone(),
        choice,
    };
    next.all.insert(id.clone(), collection);
    if next.all.len() > MOST_COLLECTIONS {
        return Err(CollectionError::TooMany);
    }
    bounded(next)
}

/// Returns `collections` without the collection `id`.
///
/// # Errors
/// [`CollectionError::NotFound`]; [`CollectionError::Stale`] if `expected` is another version;
/// [`CollectionError::TooManyLeft`].
pub fn remove(
    collections: &Collections,
    id: &Slug,
    expected: &IfMatch,
    now: Time,
) -> Result<Collections, CollectionError> {
    let collection = collections.all.get(id).ok_or(CollectionError::NotFound)?;
    expect(collections, expected)?;
    let mut next = changed(collections, now);
    if let Choice::Rule(chosen) = &collection.choice {
        next.left.extend(sets(id, Some(chosen)));
    }
    next.all.remove(id);
    bounded(next)
}

/// Returns `collections` once the set of entries `set` of the collection `id` has got to `after`, or is complete if that is
/// `None`; `None` if the collection has another rule now.
#[must_use]
pub fn advanced(
    collections: &Collections,
    id: &Slug,
    set: u64,
    after: Option<String>,
) -> Option<Collections> {
    let mut next = revised(collections);
    let collection = next.all.get_mut(id)?;
    let Choice::Rule(chosen) = &mut collection.choice else {
        return None;
    };
    if chosen.set != set {
        return None;
    }
    if after.is_none() {
        let before = chosen.shown.replace(set);
        let before = before.filter(|before| *before != set);
        next.left.extend(before.map(|before| set_name(id, before)));
    }
    chosen.after = after;
    Some(next)
}

/// Returns `collections` once the set of entries `name` is removed.
#[must_use]
pub fn cleared(collections: &Collections, name: &str) -> Collections {
    let mut next = revised(collections);
    next.left.remove(name);
    next
}

/// Returns the sets of entries of a rule: the one that is made, and the one that is shown.
fn sets(id: &Slug, chosen: Option<&Chosen>) -> impl Iterator<Item = String> {
    let sets = chosen.map(|chosen| [Some(chosen.set), chosen.shown]);
    let sets: BTreeSet<u64> = sets.into_iter().flatten().flatten().collect();
    let id = id.clone();
    sets.into_iter().map(move |set| set_name(&id, set))
}

fn expect(collections: &Collections, expected: &IfMatch) -> Result<(), CollectionError> {
    if expected.allows(&collections.tag()) {
        Ok(())
    } else {
        Err(CollectionError::Stale)
    }
}

fn bounded(collections: Collections) -> Result<Collections, CollectionError> {
    if collections.left.len() > MOST_LEFT {
        return Err(CollectionError::TooManyLeft);
    }
    Ok(collections)
}

/// Returns the next version of `collections`, by an admin.
fn changed(collections: &Collections, now: Time) -> Collections {
    Collections {
        version: collections.version + 1,
        updated_at: now.no_earlier_than(collections.updated_at),
        ..revised(collections)
    }
}

/// Returns the next revision of `collections`.
fn revised(collections: &Collections) -> Collections {
    Collections {
        revision: collections.revision + 1,
        ..collections.clone()
    }
}
