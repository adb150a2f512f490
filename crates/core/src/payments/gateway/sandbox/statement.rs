//! The statement of the sandbox: each item by which money moves says in itself what moved, and an index has them by day.

use serde::Deserialize;

use super::Sandbox;
use super::booking::{Booked, BookedKind, day};
use crate::http::page::Page;
use crate::payments::days::{DAY, Span};
use crate::payments::gateway::GatewayError;
use crate::payments::gateway::statement::{Fee, Kind, Movement};
use crate::payments::model::{ChargeKey, GatewayName};
use crate::values::clock::Time;
use crate::values::money::Money;

/// How many movements a page has.
const PAGE: usize = 100;

/// A movement as the index has it.
#[derive(Deserialize)]
struct Listed {
    booked_at: String,
    booked: Booked,
}

impl Listed {
    fn movement(self, gateway: &GatewayName) -> Result<Movement, GatewayError> {
        let unreadable =
            |what: &str| GatewayError::Unknown(format!("the {what} is unreadable").into());
        let (at, id) = self
            .booked_at
            .split_once('#')
            .ok_or_else(|| unreadable("position"))?;
        let booked = self.booked;
        let charge: ChargeKey = booked.charge.parse().map_err(|_| unreadable("charge"))?;
        let money = |units| {
            let amount = Money::from_minor_units(units, booked.currency);
            amount.map_err(|_| unreadable("amount"))
        };
        Ok(Movement {
            id: id.to_owned(),
            kind: match booked.kind {
                BookedKind::Charge => Kind::Charge,
                BookedKind::Refund => Kind::Refund,
                BookedKind::RefundReturned => Kind::RefundReturned,
                BookedKind::Dispute => Kind::Dispute,
                BookedKind::DisputeWon => Kind::DisputeWon,
            },
            charge: Some(charge.at(gateway.clone())),
            refund: booked.refund_id,
            amount: money(booked.amount)?,
            fee: booked.fee.map(money).transpose()?.map(Fee::Kept),
            at: at.parse().map_err(|_| unreadable("time"))?,
        })
    }
}

impl Sandbox {
    /// Returns a page of the movements of `gateway` in `span`, a day after the other.
    pub(in crate::payments::gateway) async fn statement(
        &self,
        gateway: &GatewayName,
        span: Span,
        after: Option<&str>,
    ) -> Result<Page<Movement>, GatewayError> {
        let begin = after.and_then(|after| after.get(..24)?.parse().ok());
        let begin: Time = begin.unwrap_or(span.from).max(span.from);
        let midnight = begin.midnight();
        let end = midnight.plus(DAY).min(span.to);
        // What follows a position sorts after it, and `!` before all that a position has.
        let from = after.map_or_else(|| span.from.to_string(), |after| format!("{after}!"));
        let query = self
            .books
            .query("booked_day = :day AND booked_at BETWEEN :from AND :to")
            .index("by-day")
            .value(":day", day(midnight, gateway.account()))
            .value(":from", from.clone().min(end.to_string()))
            .value(":to", end.to_string());
        let found: Vec<Listed> = query.first(PAGE + 1).await?;
        let page = Page::cut(found, PAGE, |listed| listed.booked_at.clone());
        let next_day = (end < span.to).then(|| end.to_string());
        let next = page.next.or(next_day);
        let items = page
            .items
            .into_iter()
            .map(|listed| listed.movement(gateway));
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            next,
        })
    }
}
