//! The balance transactions of an account: <https://docs.stripe.com/api/balance_transactions/list>.
//!
//! They are listed from the newest back, without `created`, and left out here if they are not of the time that is asked for:
//! a day is asked for when it has just ended, so this reads a few hours more, and the stand-in of the tests takes no times.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::client::{Call, Loss};
use super::refunds::REFUND_ID;
use super::wire::{Source, SourceField, Transaction, TransactionPage};
use super::{Stripe, amounts, events};
use crate::http::page::Page;
use crate::payments::days::Span;
use crate::payments::gateway::GatewayError;
use crate::payments::gateway::statement::{Fee, Kind, Movement};
use crate::payments::model::{ChargeKey, GatewayName};
use crate::values::clock::Time;
use crate::values::id::RefundId;

/// How many transactions are read at once, each with its charge or refund in whole.
const PAGE: usize = 50;

impl Stripe {
    /// Returns a page of what this account, which is `gateway`, moved in `span`.
    pub(in crate::payments::gateway) async fn statement(
        &self,
        gateway: &GatewayName,
        span: Span,
        after: Option<&str>,
    ) -> Result<Page<Movement>, GatewayError> {
        let mut path = format!("/v1/balance_transactions?limit={PAGE}&expand[]=data.source");
        if let Some(after) = after {
            path.push_str("&starting_after=");
            path.push_str(after);
        }
        let page = self
            .client
            .send::<TransactionPage>(&Call::get(path))
            .await?;
        let page = page.map_err(|refusal| refusal.into_error(Loss::Harmless))?;
        let last = page.data.last();
        let is_past = last.is_none_or(|last| at(last) < span.from);
        let next = last.filter(|_| page.has_more && !is_past);
        let next = next.map(|last| last.id.clone());
        let mut items = Vec::new();
        for transaction in page.data {
            if (span.from..span.to).contains(&at(&transaction)) {
                items.push(self.movement(gateway, transaction).await?);
            }
        }
        Ok(Page { items, next })
    }

    async fn movement(
        &self,
        gateway: &GatewayName,
        transaction: Transaction,
    ) -> Result<Movement, GatewayError> {
        let at = at(&transaction);
        let kind = kind(&transaction);
        let fee = fee(&transaction)?;
        let source = match transaction.source {
            Some(SourceField::Expanded(source)) => source,
            Some(SourceField::Id(_)) | None => Source::default(),
        };
        let charge = match kind {
            Kind::Other => None,
            Kind::Charge
            | Kind::Refund
            | Kind::RefundReturned
            | Kind::Dispute
            | Kind::DisputeWon => self.charge_of(&source).await?,
        };
        let refund = source.metadata.as_ref().and_then(refund_of);
        // The account may be in another currency than the charge.
        let (units, currency) = match (source.amount, source.currency) {
            (Some(units), Some(currency)) if currency != transaction.currency => (units, currency),
            _ => (transaction.amount, transaction.currency),
        };
        let amount = amounts::from_stripe(units.unsigned_abs(), &currency);
        Ok(Movement {
            id: transaction.id,
            kind,
            charge: charge.map(|charge| charge.at(gateway.clone())),
            refund,
            amount: amount.map_err(|error| GatewayError::Unknown(error.into()))?,
            fee,
            at,
        })
    }

    /// Returns the charge that `source` is, or is about. Stripe copies the metadata of an intent to its charge, and the shop
    /// gives those of the intent to its refunds; for others the intent is read.
    async fn charge_of(&self, source: &Source) -> Result<Option<ChargeKey>, GatewayError> {
        let own = source.metadata.as_ref().and_then(events::key);
        let (None, Some(intent)) = (&own, &source.payment_intent) else {
            return Ok(own);
        };
        let intent = self.read(intent).await?;
        Ok(intent.metadata.as_ref().and_then(events::key))
    }
}

fn at(transaction: &Transaction) -> Time {
    Time::from_millis(transaction.created.saturating_mul(1000))
}

/// Returns the fee of a transaction, which is in the account's currency, as the transaction.
fn fee(transaction: &Transaction) -> Result<Option<Fee>, GatewayError> {
    let amount = amounts::from_stripe(transaction.fee.unsigned_abs(), &transaction.currency);
    let amount = amount.map_err(|error| GatewayError::Unknown(error.into()))?;
    Ok(match transaction.fee.cmp(&0) {
        Ordering::Equal => None,
        Ordering::Greater => Some(Fee::Kept(amount)),
        Ordering::Less => Some(Fee::Returned(amount)),
    })
}

fn refund_of(metadata: &BTreeMap<String, String>) -> Option<RefundId> {
    metadata.get(REFUND_ID)?.parse().ok()
}

/// Returns what moved, by its [reporting category](https://docs.stripe.com/reports/reporting-categories).
fn kind(transaction: &Transaction) -> Kind {
    match transaction.reporting_category.as_deref() {
        Some("charge") => Kind::Charge,
        Some("refund") => Kind::Refund,
        Some("refund_failure") => Kind::RefundReturned,
        Some("dispute") => Kind::Dispute,
        Some("dispute_reversal") => Kind::DisputeWon,
        Some(_) | None => Kind::Other,
    }
}
