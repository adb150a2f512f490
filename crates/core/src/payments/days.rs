//! Times of several days, and lists that are stored by day.

use std::time::Duration;

use crate::aws::dynamo::StoreError;
use crate::http::page::Page;
use crate::values::clock::Time;

/// A day.
pub const DAY: Duration = Duration::from_hours(24);

/// How many days are looked at for one page.
const MOST_DAYS: usize = 32;

/// From one time to before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first time.
    pub from: Time,
    /// The time before which the last is.
    pub to: Time,
}

/// Returns the date, in UTC: `2026-03-01`.
#[must_use]
pub fn date(at: Time) -> String {
    at.to_string().chars().take(10).collect()
}

/// Some of what is stored of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// When the day begins.
    pub(super) day: Time,
    /// The first position.
    pub(super) from: String,
    /// The last position.
    pub(super) to: String,
    /// How many are wanted at most.
    pub(super) most: usize,
}

/// Returns at most `limit` items of `span`, in the order of their positions, which begin with the time, from after the position
/// `after` on; `of_day` reads those of a day. A page that is not full is not the last one if it has a `next`: for each one, so
/// many days are looked at and no more.
///
/// # Errors
/// [`StoreError`] if a day cannot be read.
pub(super) async fn page<T, F: Future<Output = Result<Vec<T>, StoreError>>>(
    span: Span,
    limit: usize,
    after: Option<&str>,
    position: fn(&T) -> String,
    of_day: impl Fn(Part) -> F,
) -> Result<Page<T>, StoreError> {
    let start = after.and_then(|after| after.get(..24)?.parse().ok());
    let mut day: Time = start.unwrap_or(span.from).max(span.from).midnight();
    // What follows a position sorts after it, and `!` before all that a position has.
    let after = after.map(|after| format!("{after}!"));
    let from = after.unwrap_or_default().max(span.from.to_string());
    // What is at the time `to` has more in its position than the time.
    let to = span.to.to_string();
    let mut found: Vec<T> = Vec::new();
    for _ in 0..MOST_DAYS {
        if day >= span.to || from > to {
            return Ok(Page::cut(found, limit, position));
        }
        let part = Part {
            day,
            from: from.clone(),
            to: to.clone(),
            most: limit + 1 - found.len(),
        };
        found.extend(of_day(part).await?);
        if found.len() > limit {
            return Ok(Page::cut(found, limit, position));
        }
        day = day.plus(DAY);
    }
    Ok(Page {
        items: found,
        next: (day < span.to).then(|| day.to_string()),
    })
}
