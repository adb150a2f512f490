//! What a variant costs when: its price, a sale price for a while, and what it cost before.
//!
//! A shop in the EU that announces a reduction has to show the lowest price of at least the 30 days before it (Directive
//! 98/6/EC, Article 6a). So a variant remembers its prices for that long.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::values::clock::Time;
use crate::values::money::Money;

/// How long prices are remembered before a sale.
const REMEMBERED: Duration = Duration::from_hours(30 * 24);

/// The most past prices of a variant. Beyond it, two that follow each other become one, the lower, so that no price is
/// ever forgotten that would have been the lowest.
const MOST_PAST_PRICES: usize = 30;

/// A lower price for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    /// What the variant costs meanwhile: less than its price.
    pub price: Money,
    /// From when on.
    pub starts_at: Time,
    /// Until when; without, until somebody ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
}

impl Sale {
    /// Returns whether it is on at `time`.
    #[must_use]
    pub fn is_on(&self, time: Time) -> bool {
        self.starts_at <= time && !self.is_over(time)
    }

    /// Returns whether it has ended by `time`.
    #[must_use]
    pub fn is_over(&self, time: Time) -> bool {
        self.ends_at.is_some_and(|end| end <= time)
    }
}

/// A price that a variant had, from the end of the past price before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastPrice {
    /// The price, or the lowest of several.
    pub price: Money,
    /// Until when.
    pub until: Time,
}

/// The prices of a variant over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prices {
    /// The price without a sale, more than zero.
    pub regular: Money,
    /// The sale that is on, or will be, or was the last.
    pub sale: Option<Sale>,
    /// Since when the two are as they are.
    pub since: Time,
    /// The prices before that, the latest last.
    pub past: Vec<PastPrice>,
}

impl Prices {
    /// Returns the sale that is on at `time`, or will be.
    #[must_use]
    pub fn sale_at(&self, time: Time) -> Option<Sale> {
        self.sale.filter(|sale| !sale.is_over(time))
    }

    /// Returns what the variant costs at `time`, which is not before [`Prices::since`].
    #[must_use]
    pub fn at(&self, time: Time) -> Money {
        let sale = self.sale.filter(|sale| sale.is_on(time));
        sale.map_or(self.regular, |sale| sale.price)
    }

    /// Returns the lowest price of the 30 days before `sale` starts, or `None` if the variant had none then.
    #[must_use]
    pub fn lowest_before(&self, sale: &Sale) -> Option<Money> {
        let start = sale.starts_at;
        let window = start.minus(REMEMBERED);
        let mut begins = None;
        let mut lowest: Option<Money> = None;
        for past in self.past.iter().copied().chain(self.so_far(start)) {
            let began_before = begins.is_none_or(|begins| begins < start);
            if began_before && past.until > window {
                lowest = Some(lower(past.price, lowest));
            }
            begins = Some(past.until);
        }
        lowest
    }

    /// Returns the prices with another `regular` price and another `sale`, from `now` on.
    #[must_use]
    pub fn changed(&self, regular: Money, sale: Option<Sale>, now: Time) -> Self {
        let now = now.no_earlier_than(self.since);
        let mut past = self.past.clone();
        for ended in self.so_far(now) {
            match past.last_mut() {
                Some(last) if last.price == ended.price => last.until = ended.until,
                Some(_) | None => past.push(ended),
            }
        }
        let earliest_sale = sale.map_or(now, |sale| sale.starts_at.min(now));
        let forgotten = earliest_sale.minus(REMEMBERED);
        past.retain(|past| past.until > forgotten);
        while past.len() > MOST_PAST_PRICES {
            merge_shortest(&mut past, forgotten);
        }
        Self {
            regular,
            sale,
            since: now,
            past,
        }
    }

    /// Remembers at most `most` past prices: of two that follow each other, the lower.
    pub fn shorten(&mut self, most: usize) {
        let start = self.since.minus(REMEMBERED);
        while self.past.len() > most.max(1) {
            merge_shortest(&mut self.past, start);
        }
    }

    /// Returns what the variant has cost, one price after the other, since it was last changed and before `end`.
    fn so_far(&self, end: Time) -> Vec<PastPrice> {
        let sale = self.sale.iter();
        let turns = sale.flat_map(|sale| [Some(sale.starts_at), sale.ends_at]);
        let mut ends: Vec<Time> = turns.flatten().chain([end]).collect();
        ends.sort_unstable();
        ends.retain(|turn| self.since < *turn && *turn <= end);
        ends.dedup();
        let mut begins = self.since;
        let mut prices = Vec::with_capacity(ends.len());
        for until in ends {
            prices.push(PastPrice {
                price: self.at(begins),
                until,
            });
            begins = until;
        }
        prices
    }
}

fn lower(price: Money, other: Option<Money>) -> Money {
    match other {
        Some(other) if other.amount() <= price.amount() => other,
        Some(_) | None => price,
    }
}

/// Makes one price of the two neighbours that together lasted for the shortest time. The first began at `start`, or
/// before.
fn merge_shortest(past: &mut Vec<PastPrice>, start: Time) {
    let begins = |at: usize| match at.checked_sub(1) {
        Some(before) => past[before].until,
        None => start,
    };
    let millis = |at: usize| past[at + 1].until.as_millis() - begins(at).as_millis();
    let Some(shortest) = (0..past.len().saturating_sub(1)).min_by_key(|at| millis(*at)) else {
        return;
    };
    let first = past.remove(shortest);
    let second = &mut past[shortest];
    second.price = lower(second.price, Some(first.price));
}

#[cfg(test)]
mod tests;
