//! `reconcile-ledger`: compares finished days, and records what the gateways took for their work.

use futures::{StreamExt as _, TryStreamExt as _};

use super::model::{Difference, MARGIN, Moved, Pass, Progress};
use super::rules::{self, Read};
use super::store::ReconciliationStore;
use crate::aws::dynamo::{StoreError, Written};
use crate::aws::telemetry;
use crate::payments::days::{DAY, Span};
use crate::payments::gateway::GatewayError;
use crate::payments::gateway::statement::Statements;
use crate::payments::ledger::fees;
use crate::payments::ledger::model::Entry;
use crate::payments::ledger::store::LedgerStore;
use crate::payments::model::GatewayName;
use crate::runtime::{Scheduled, StepError};
use crate::values::clock::Time;
use crate::values::id::PaymentId;

/// The most pages of one gateway in one run. With pages of 50 movements and of 100 entries, ten runs compare a day of
/// 100,000 payments.
const MOST_PAGES: usize = 400;

/// The entries of a page.
const PAGE: usize = 100;

/// The most entries of one payment that are read.
const MOST_ENTRIES: usize = 1000;

/// How many payments are looked up at the same time.
const AT_ONCE: usize = 16;

/// Why a page could not be compared.
#[derive(Debug, thiserror::Error)]
enum NotCompared {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Gateway(#[from] GatewayError),
}

/// Compares what is finished of each gateway's days, from where the run before stopped.
///
/// # Errors
/// Fails with `Failed` if a gateway or the database did not answer; the next run goes on there.
pub async fn reconcile_ledger(
    store: &ReconciliationStore,
    ledger: &LedgerStore,
    statements: &impl Statements,
    scheduled: Scheduled,
) -> Result<(), StepError> {
    let now = scheduled.time;
    let run = Run { store, ledger, now };
    let mut failed = Vec::new();
    for gateway in statements.gateways() {
        if let Err(error) = run.gateway(statements, &gateway).await {
            let (error, gateway) = (telemetry::chain(&error), gateway.to_string());
            tracing::error!(gateway, error, "gateway not reconciled");
            failed.push(gateway);
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        let detail = format!("not reconciled: {}", failed.join(", "));
        Err(StepError::new("Failed", detail))
    }
}

struct Run<'a> {
    store: &'a ReconciliationStore,
    ledger: &'a LedgerStore,
    now: Time,
}

impl Run<'_> {
    async fn gateway(
        &self,
        statements: &impl Statements,
        gateway: &GatewayName,
    ) -> Result<(), NotCompared> {
        let stored = self.store.progress(gateway).await?;
        let is_new = stored.is_none();
        let mut progress = stored.unwrap_or_else(|| Progress::begin(gateway.clone(), self.now));
        if is_new {
            self.store.advance(&progress).await?;
        }
        for _ in 0..MOST_PAGES {
            if !progress.is_due(self.now) {
                break;
            }
            let day = progress.day;
            let found_before = progress.differences;
            let (next, found) = match progress.pass {
                Pass::Statement => self.read_statement(statements, &progress).await?,
                Pass::Ledger => self.read_ledger(&progress).await?,
            };
            progress = progress.after_page(next, found);
            if self.store.advance(&progress).await? != Written::Done {
                // Another run is at it.
                return Ok(());
            }
            if progress.day > day {
                // A metric filter in template.yaml reads `ledger_differences` for an alarm.
                let ledger_differences = found_before + found;
                let (gateway, day) = (gateway.to_string(), day.to_string());
                tracing::info!(gateway, day, ledger_differences, "day reconciled");
            }
        }
        // A metric filter in template.yaml reads `unreconciled_seconds` for an alarm.
        let unreconciled_seconds = self.now.as_seconds() - progress.day.as_seconds();
        let gateway = gateway.to_string();
        tracing::info!(gateway, unreconciled_seconds, "gateway reconciled");
        Ok(())
    }

    /// Notes the movements of the next page of the statement, of the day and a margin around it, and compares those of the
    /// day. Returns where it goes on, and how many differences were found.
    async fn read_statement(
        &self,
        statements: &impl Statements,
        progress: &Progress,
    ) -> Result<(Option<String>, u64), NotCompared> {
        let day = progress.span();
        let span = Span {
            from: day.from.minus(MARGIN),
            to: day.to.plus(MARGIN),
        };
        let after = progress.after.as_deref();
        let page = statements.movements(&progress.gateway, span, after).await?;
        let of_day = |at: &Time| (day.from..day.to).contains(at);
        let (mut ours, mut fees, mut differences) = (Vec::new(), Vec::new(), Vec::new());
        for movement in page.items {
            fees.extend(fees::entry(&progress.gateway, &movement));
            match rules::read(&progress.gateway, movement, self.now) {
                Read::Ours(moved) => ours.push(moved),
                Read::Unknown(difference) if of_day(&difference.at) => {
                    differences.push(*difference);
                }
                Read::Unknown(_) | Read::Other => {}
            }
        }
        fees.retain(|fee| of_day(&fee.at));
        let recorded: Vec<_> = fees.iter().map(|fee| self.ledger.record(fee)).collect();
        let recorded = futures::stream::iter(recorded).buffer_unordered(AT_ONCE);
        recorded.try_collect::<Vec<()>>().await?;
        // All of a page are noted before one is compared: those of one payment are compared together.
        let noted: Vec<_> = ours.iter().map(|moved| self.store.note(moved)).collect();
        let noted = futures::stream::iter(noted).buffer_unordered(AT_ONCE);
        noted.try_collect::<Vec<()>>().await?;
        ours.retain(|moved| of_day(&moved.at));
        let compared: Vec<_> = ours
            .iter()
            .map(|moved| self.compare_movement(moved))
            .collect();
        let compared = futures::stream::iter(compared).buffer_unordered(AT_ONCE);
        let compared: Vec<Option<Difference>> = compared.try_collect().await?;
        differences.extend(compared.into_iter().flatten());
        Ok((page.next, self.report(&differences).await?))
    }

    /// Compares the next page of the day's entries.
    async fn read_ledger(&self, progress: &Progress) -> Result<(Option<String>, u64), NotCompared> {
        let after = progress.after.as_deref();
        let page = self.ledger.between(progress.span(), PAGE, after).await?;
        let gateway = &progress.gateway;
        let entries = page.items.iter();
        let entries = entries.filter(|entry| rules::is_at(entry, gateway));
        let compared: Vec<_> = entries
            .map(|entry| self.compare_entry(gateway, entry))
            .collect();
        let compared = futures::stream::iter(compared).buffer_unordered(AT_ONCE);
        let compared: Vec<Option<Difference>> = compared.try_collect().await?;
        let differences: Vec<Difference> = compared.into_iter().flatten().collect();
        Ok((page.next, self.report(&differences).await?))
    }

    async fn compare_movement(&self, moved: &Moved) -> Result<Option<Difference>, StoreError> {
        let (all, entries) = self.both(moved.payment_id).await?;
        Ok(rules::of_movement(moved, &all, &entries, self.now))
    }

    async fn compare_entry(
        &self,
        gateway: &GatewayName,
        entry: &Entry,
    ) -> Result<Option<Difference>, StoreError> {
        // No gateway moves money when a gift card is issued.
        let Some(payment) = entry.payment_id else {
            return Ok(None);
        };
        let (all, entries) = self.both(payment).await?;
        Ok(rules::of_entry(entry, gateway, &all, &entries, self.now))
    }

    /// Returns what the gateways and what the ledger have of a payment.
    async fn both(&self, payment: PaymentId) -> Result<(Vec<Moved>, Vec<Entry>), StoreError> {
        let entries = self.ledger.of_payment(payment, MOST_ENTRIES, None);
        let (all, entries) = futures::try_join!(self.store.of_payment(payment), entries)?;
        Ok((all, entries.items))
    }

    /// Stores `differences`. Returns how many there are.
    async fn report(&self, differences: &[Difference]) -> Result<u64, StoreError> {
        for difference in differences {
            self.store.report(difference).await?;
            tracing::warn!(
                difference.id = %difference.id,
                gateway = %difference.gateway,
                kind = difference.kind.as_str(),
                of = difference.of.as_str(),
                "the ledger and the gateway differ"
            );
        }
        Ok(differences.len() as u64)
    }
}

const _: () = assert!(MARGIN.as_secs() < DAY.as_secs());
