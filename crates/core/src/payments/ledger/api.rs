//! The routes of the ledger.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use super::model::Entry;
use super::store::LedgerStore;
use crate::http::exchange::{Request, Response};
use crate::http::page::PageRequest;
use crate::http::problem::Problem;
use crate::http::routes;
use crate::http::sheet;
use crate::payments::days::Span;
use crate::values::clock::Time;
use crate::values::id::{EntryId, GiftCardId, OrderId, PaymentId, RefundId};
use crate::values::money::Money;

/// How long before `to` the list begins by itself.
const LAST_DAY: Duration = Duration::from_hours(24);

/// The longest time that can be asked for: a leap year.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// An entry on the wire.
#[derive(Debug, Serialize)]
struct EntryBody {
    id: EntryId,
    order_id: Option<OrderId>,
    payment_id: Option<PaymentId>,
    gift_card_id: Option<GiftCardId>,
    at: Time,
    debit: String,
    credit: String,
    amount: Money,
    of: &'static str,
    refund_id: Option<RefundId>,
    movement_id: Option<String>,
}

impl From<Entry> for EntryBody {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id(),
            order_id: entry.order_id,
            payment_id: entry.payment_id,
            gift_card_id: entry.gift_card_id,
            at: entry.at,
            debit: entry.debit.to_string(),
            credit: entry.credit.to_string(),
            amount: entry.amount,
            of: entry.of.as_str(),
            refund_id: entry.refund_id,
            movement_id: entry.movement_id,
        }
    }
}

/// The titles of a sheet's columns.
const TITLES: [&str; 12] = [
    "id",
    "at",
    "of",
    "debit",
    "credit",
    "amount",
    "currency",
    "order_id",
    "payment_id",
    "refund_id",
    "gift_card_id",
    "movement_id",
];

impl EntryBody {
    /// Returns the cells below [`TITLES`].
    fn cells(&self) -> [String; TITLES.len()] {
        [
            self.id.to_string(),
            self.at.to_string(),
            self.of.to_owned(),
            self.debit.clone(),
            self.credit.clone(),
            self.amount.amount().to_string(),
            self.amount.currency().code().to_owned(),
            or_empty(self.order_id),
            or_empty(self.payment_id),
            or_empty(self.refund_id),
            or_empty(self.gift_card_id),
            self.movement_id.clone().unwrap_or_default(),
        ]
    }
}

fn or_empty(id: Option<impl ToString>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// Which entries are asked for.
enum Wanted {
    Between(Span),
    OfPayment(PaymentId),
}

/// `GET /ledger`: lists the entries from `from` to before `to` in the order of time, or those of `payment_id` in the order
/// of its changes: as JSON, or as CSV for a client that accepts `text/csv`.
///
/// # Errors
/// If the caller is not an admin or a parameter is invalid.
pub async fn list_ledger(ledger: &LedgerStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let query = request.query(routes::LIST_LEDGER.query)?;
    let page = PageRequest::read(&request, &query)?;
    let after = page.after.as_deref();
    let found = match wanted(&query, request.now)? {
        Wanted::Between(span) => ledger.between(span, page.limit, after).await?,
        Wanted::OfPayment(payment) => ledger.of_payment(payment, page.limit, after).await?,
    };
    let found = found.map(EntryBody::from);
    if sheet::is_wanted(&request) {
        let titles = after.is_none().then_some(&TITLES[..]);
        let sheet = sheet::sheet(titles, found.items.iter().map(EntryBody::cells))?;
        Ok(found.linked(sheet, &request))
    } else {
        found.answer(&request)
    }
}

fn wanted(query: &HashMap<&str, &str>, now: Time) -> Result<Wanted, Problem> {
    let from: Option<Time> = Request::parameter(query, "from")?;
    let to: Option<Time> = Request::parameter(query, "to")?;
    let payment: Option<PaymentId> = Request::parameter(query, "payment_id")?;
    if let Some(payment) = payment {
        return if from.is_none() && to.is_none() {
            Ok(Wanted::OfPayment(payment))
        } else {
            let detail = "all entries of a payment are listed; leave out `from` and `to`";
            Err(Problem::parameter("?payment_id", detail))
        };
    }
    Ok(Wanted::Between(span(query, now, LAST_DAY)?))
}

/// Reads `from` and `to`, at most a year apart. By itself, a list begins `before` its end, which is now.
///
/// # Errors
/// [`Problem::InvalidParameters`].
pub(in crate::payments) fn span(
    query: &HashMap<&str, &str>,
    now: Time,
    before: Duration,
) -> Result<Span, Problem> {
    let from: Option<Time> = Request::parameter(query, "from")?;
    let to: Option<Time> = Request::parameter(query, "to")?;
    let to = to.unwrap_or(now);
    let from = from.unwrap_or_else(|| to.minus(before));
    if from >= to {
        let detail = "this must be before `to`, which is now if it is left out";
        return Err(Problem::parameter("?from", detail));
    }
    if from.plus(LONGEST) < to {
        let detail = "this must be at most 366 days before `to`, which is now if it is left out";
        return Err(Problem::parameter("?from", detail));
    }
    Ok(Span { from, to })
}
