//! Which of the documents of a product counts, when several segments have one.

use std::sync::Arc;

use crate::SearchError;
use crate::blocks::Blocks;
use crate::index::{Layout, Numbers, Part};

/// Adds `segment` to `parts`. Of two documents of a product, the one with the higher version counts, and of two with the
/// same the one in `segment`. One that is there already stays as it is.
///
/// # Errors
/// Returns [`SearchError::Read`] if the identifiers of a segment cannot be read.
pub fn add(
    blocks: &Arc<Blocks>,
    parts: &mut Vec<Part>,
    segment: Layout,
) -> Result<(), SearchError> {
    if parts.iter().any(|part| part.segment.id == segment.id) {
        return Ok(());
    }
    let mut added = Part::new(segment);
    for part in parts.iter_mut() {
        // The larger one is asked for what the smaller one has.
        if part.segment.documents < added.segment.documents {
            decide(blocks, part, &mut added, |of_part, of_added| {
                of_part > of_added
            })?;
        } else {
            decide(blocks, &mut added, part, |of_added, of_part| {
                of_added >= of_part
            })?;
        }
    }
    parts.push(added);
    Ok(())
}

/// Takes out of `some` or `others` the document of each product that both have. `wins` says whether the one of `some`
/// counts.
fn decide(
    blocks: &Arc<Blocks>,
    some: &mut Part,
    others: &mut Part,
    wins: impl Fn(u64, u64) -> bool,
) -> Result<(), SearchError> {
    let table = others.segment.ids(blocks)?;
    for (number, entry) in (0..).zip(some.segment.ids(blocks)?.all()?) {
        if some.gone.0.contains(number) {
            continue;
        }
        if let Some((other, version)) = table.find(entry.id)?
            && !others.gone.0.contains(other)
        {
            if wins(entry.version, version) {
                others.gone.0.insert(other);
            } else {
                some.gone.0.insert(number);
            }
        }
    }
    Ok(())
}

/// Puts `merged`, which is what was `before`, into the place of these segments in `parts`. What has gone of them since goes
/// in it, too. Returns whether they were all there, and what was left out of `merged` does not count in `parts`; nothing is
/// changed otherwise.
///
/// # Errors
/// Returns [`SearchError::Read`] if the identifiers of a segment cannot be read.
pub fn replace(
    blocks: &Arc<Blocks>,
    parts: &mut Vec<Part>,
    before: &[Part],
    merged: Option<&Layout>,
) -> Result<bool, SearchError> {
    let mut gone = Numbers::default();
    for earlier in before {
        let id = earlier.segment.id;
        let Some(now) = parts.iter().find(|part| part.segment.id == id) else {
            return Ok(false);
        };
        if !earlier.gone.0.is_subset(&now.gone.0) {
            return Ok(false);
        }
        let ids = earlier.segment.ids(blocks)?;
        for number in &now.gone.0 - &earlier.gone.0 {
            let entry = ids.get(number)?;
            let found = merged.map(|merged| merged.ids(blocks)?.find(entry.id));
            if let Some((number, _)) = found.transpose()?.flatten() {
                gone.0.insert(number);
            }
        }
    }
    parts.retain(|part| {
        before
            .iter()
            .all(|earlier| earlier.segment.id != part.segment.id)
    });
    parts.extend(merged.map(|merged| Part {
        segment: merged.clone(),
        gone,
    }));
    Ok(true)
}

/// The most documents of a segment that is merged from others.
const MOST_DOCUMENTS: u64 = 250_000;

/// How many segments of about one size are merged.
const TOGETHER: usize = 8;

/// Returns the segments of `parts` that should become one: several of about one size, or one of which much has gone.
#[must_use]
pub fn due(parts: &[Part]) -> Option<Vec<Part>> {
    let wasteful = |part: &&Part| part.gone.0.len() * 4 > u64::from(part.segment.documents);
    if let Some(part) = parts.iter().find(wasteful) {
        return Some(vec![part.clone()]);
    }
    let mut by_size: Vec<&Part> = parts.iter().collect();
    by_size.sort_unstable_by_key(|part| part.alive());
    let sizes = by_size.windows(TOGETHER).find(|parts| {
        let documents: u64 = parts.iter().map(|part| part.alive()).sum();
        let (smallest, largest) = (parts[0].alive(), parts[TOGETHER - 1].alive());
        documents <= MOST_DOCUMENTS && largest <= smallest.max(SMALL) * 8
    });
    sizes.map(|parts| parts.iter().map(|part| (*part).clone()).collect())
}

/// Segments with fewer documents are all of about one size.
const SMALL: u64 = 100;

#[cfg(test)]
mod tests;
