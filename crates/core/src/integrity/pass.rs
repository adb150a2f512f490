//! One audit: its parts, in their order, each in pieces.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::checks::{self, CheckResult, Results};
use super::model::{Subject, Violation};
use super::progress::{Reading, Run, Sweep};
use super::record;
use super::resources::Audit;
use super::stock;
use super::tables::{self, SOURCES};
use crate::aws::dynamo::{StoreError, Written};
use crate::values::clock::Time;
use crate::values::event::DomainEvent;
use crate::values::id::VariantId;

/// The longest time of which events are read at once.
const WINDOW: Duration = Duration::from_hours(24);

/// The pause after which a violation is checked once more before it is recorded: an index lags, and something may
/// change between two reads.
const PAUSE_BEFORE_RECHECK: Duration = Duration::from_millis(500);

/// The age at which an event that is not in the log counts as lost. The stream may still bring it; then it is published
/// twice, with the same `event_id`.
const LOST_AFTER: Duration = Duration::from_mins(15);

/// How long an audit begins further pieces; it has 300 seconds.
const LAST_PIECE: Duration = Duration::from_mins(3);

/// The outcome of an audit, which is also logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How many subjects were checked.
    pub checked: u64,
    /// How many of them are still being worked on.
    pub unsettled: u64,
    /// How many lost events were brought back.
    pub restored_events: u64,
    /// How many findings are open.
    pub open_findings: u64,
    /// Whether every event up to the time of the audit was looked at. Otherwise the next audit continues.
    pub caught_up: bool,
}

/// One audit, as far as it has got.
pub(super) struct Pass<'a> {
    audit: &'a Audit,
    now: Time,
    started: Instant,
    run: Run,
    /// Whether a later audit was made before. This one does not store how far it has got.
    is_delayed: bool,
    checked: BTreeSet<Subject>,
    unsettled: BTreeSet<Subject>,
    /// Subjects with a finding that was open when it was read.
    open: BTreeSet<Subject>,
    /// By how much the number of open findings has changed since the findings were checked again.
    opened: i64,
    /// Subjects of which this audit found an event to be lost. The event comes back after it.
    lost: BTreeSet<Subject>,
    /// Products whose stock is to be compared.
    products: BTreeSet<VariantId>,
    /// The comparison that an earlier audit did not finish.
    unfinished: Option<Sweep>,
    /// Where the reading has got, if that may only be stored together with the comparison of the stock that was read.
    reading: Option<Reading>,
}

impl<'a> Pass<'a> {
    pub(super) async fn begin(
        audit: &'a Audit,
        previous: Option<Run>,
        now: Time,
    ) -> Result<Self, StoreError> {
        let is_delayed = previous.as_ref().is_some_and(|previous| previous.at > now);
        Ok(Self {
            audit,
            now,
            started: Instant::now(),
            run: Run::begin(previous, now),
            is_delayed,
            checked: BTreeSet::new(),
            unsettled: BTreeSet::new(),
            open: BTreeSet::new(),
            opened: 0,
            lost: BTreeSet::new(),
            products: BTreeSet::new(),
            unfinished: audit.store.sweep().await?,
            reading: None,
        })
    }

    fn has_time(&self) -> bool {
        self.started.elapsed() < LAST_PIECE
    }

    /// Checks the subjects of open findings, and those that were unsettled.
    pub(super) async fn look_again(&mut self) -> Result<(), StoreError> {
        let after = self.run.findings_after.as_deref();
        let most = self.audit.limits.findings;
        let page = self.audit.store.findings_after(after, most).await?;
        let open = page.items.iter().filter(|finding| finding.is_open());
        self.open = open
            .clone()
            .map(|finding| finding.subject.clone())
            .collect();
        let open = count(open.count());
        let mut subjects = self.open.clone();
        subjects.extend(std::mem::take(&mut self.run.unsettled));
        self.check(&subjects).await?;
        let opened = std::mem::take(&mut self.opened);
        let still_open = open.saturating_add_signed(opened);
        self.run.open = self.run.open.saturating_add_signed(opened);
        self.run.findings_open = self.run.findings_open.saturating_add(still_open);
        self.run.findings_after = page.next;
        Ok(())
    }

    /// Reads on in all tables: checks orders, collects stock that is to be compared, and brings lost events back.
    pub(super) async fn read_on(&mut self) -> Result<(), StoreError> {
        let store = &self.audit.store;
        let limits = self.audit.limits;
        let begun = store.reading().await?;
        let mut reading = begun.unwrap_or_else(|| Reading::begin(self.now, None));
        let mut left = limits.items;
        while left > 0 && self.has_time() {
            let is_stock = SOURCES
                .get(reading.table)
                .is_some_and(|source| source.name == "oxcart.inventory");
            let room = limits.products.saturating_sub(self.products.len());
            let most = limits.items_at_a_time.min(left);
            if is_stock && (self.unfinished.is_some() || room < most) {
                break;
            }
            let (table, after) = (reading.table, reading.after.as_deref());
            let most = i32::try_from(most).unwrap_or(i32::MAX);
            let piece = self.audit.tables.read(table, after, most).await?;
            left = left.saturating_sub(limits.items_at_a_time);
            self.check_items(table, piece.items).await?;
            let (next, is_complete) = reading.advance(piece.next, SOURCES.len(), self.now);
            reading = next;
            if is_stock || self.reading.is_some() {
                self.reading = Some(reading.clone());
            } else {
                store.store_reading(&reading).await?;
            }
            if is_complete {
                break;
            }
        }
        Ok(())
    }

    /// Checks what belongs to the last events of items of table number `table`.
    async fn check_items(
        &mut self,
        table: usize,
        events: Vec<DomainEvent>,
    ) -> Result<(), StoreError> {
        let source = SOURCES.get(table).map_or("", |source| source.name);
        let subjects = events
            .iter()
            .filter_map(|event| tables::subject_of_item(source, event));
        let mut subjects: BTreeSet<Subject> = subjects.collect();
        let lost_before = self.now.minus(LOST_AFTER);
        let old = events
            .into_iter()
            .filter(|event| event.timestamp <= lost_before);
        for lost in self.audit.evidence.not_logged(old.collect()).await? {
            tracing::warn!(
                event.id = %lost.event_id,
                event.type = lost.event_type,
                aggregate.id = lost.aggregate_id,
                "lost event brought back"
            );
            self.audit.store.bring_back(source, &lost, self.now).await?;
            self.run.restored += 1;
            match tables::subject_of_lost(source, &lost) {
                Some(Subject::Aggregate(id)) => {
                    let subject = Subject::Aggregate(id);
                    let missing = CheckResult::Settled(vec![Violation::lost(&lost)]);
                    self.record(&Results::from([(subject.clone(), missing)]))
                        .await?;
                    self.lost.insert(subject);
                }
                subject => subjects.extend(subject),
            }
        }
        self.check(&subjects).await
    }

    /// Checks the subjects of all events from `from` to now, or of as many as one audit may.
    pub(super) async fn look_at_events(&mut self, from: Time) -> Result<(), StoreError> {
        let limits = self.audit.limits;
        let mut left = limits.events;
        self.run.until = from.min(self.now);
        while self.has_time() && left > 0 {
            let from = self.run.until;
            let until = self.now.min(from.plus(WINDOW));
            let most = limits.events_at_a_time;
            let (subjects, next) = self
                .audit
                .evidence
                .changed_subjects(from, until, most)
                .await?;
            left = left.saturating_sub(most);
            self.check(&subjects).await?;
            self.run.until = next;
            self.store_run().await?;
            if next >= self.now {
                break;
            }
        }
        Ok(())
    }

    /// Compares the stock of the products that were collected with the open reservations.
    pub(super) async fn compare_stock(&mut self) -> Result<(), StoreError> {
        let limits = self.audit.limits;
        let evidence = &self.audit.evidence;
        let collected = std::mem::take(&mut self.products);
        let (mut sweep, mut products) = match self.unfinished.take() {
            None => (stock::begin(evidence, &collected, false).await?, collected),
            Some(sweep) => {
                let waiting = collected.into_iter().map(Subject::Stock);
                self.unsettled.extend(waiting);
                let products = sweep.sums.keys().map(|(product, _)| *product);
                let products = products.collect();
                (sweep, products)
            }
        };
        if products.is_empty() {
            return self.store_reading().await;
        }
        self.store_sweep(&sweep).await?;
        self.store_reading().await?;
        let mut left = limits.reservations;
        while left > 0 && self.has_time() {
            let most = limits.reservations_at_a_time;
            let is_complete = stock::continue_sweep(evidence, &mut sweep, most).await?;
            left = left.saturating_sub(most);
            if !is_complete {
                continue;
            }
            let mut results = stock::results(evidence, &sweep, &products, self.now).await?;
            let mut violated = BTreeSet::new();
            if !sweep.second {
                let is_violation = |_: &Subject, result: &mut CheckResult| result.is_violation();
                let suspects: Results = results.extract_if(.., is_violation).collect();
                violated.extend(suspects.keys().filter_map(Subject::product));
            }
            self.settle(&results);
            self.record(&results).await?;
            if violated.is_empty() {
                return self.store_sweep(&Sweep::default()).await;
            }
            tokio::time::sleep(PAUSE_BEFORE_RECHECK).await;
            sweep = stock::begin(evidence, &violated, true).await?;
            products = violated;
            self.store_sweep(&sweep).await?;
        }
        self.store_sweep(&sweep).await
    }

    async fn store_reading(&mut self) -> Result<(), StoreError> {
        match self.reading.take().filter(|_| !self.is_delayed) {
            Some(reading) => self.audit.store.store_reading(&reading).await,
            None => Ok(()),
        }
    }

    /// Checks `subjects`, twice where something is wrong, and records the results. Stock is collected.
    async fn check(&mut self, subjects: &BTreeSet<Subject>) -> Result<(), StoreError> {
        let evidence = &self.audit.evidence;
        let (mut results, products) = checks::check_all(evidence, subjects, self.now).await?;
        results.retain(|subject, _| !self.lost.contains(subject));
        let room = self
            .audit
            .limits
            .products
            .saturating_sub(self.products.len());
        self.products.extend(products.into_iter().take(room));
        let violated = results.iter().filter(|(_, result)| result.is_violation());
        let violated: BTreeSet<Subject> = violated.map(|(subject, _)| subject.clone()).collect();
        if !violated.is_empty() {
            tokio::time::sleep(PAUSE_BEFORE_RECHECK).await;
            for (subject, second) in checks::check_all(evidence, &violated, self.now).await?.0 {
                if let Some(first) = results.remove(&subject) {
                    results.insert(subject, first.confirmed_by(second));
                }
            }
        }
        self.settle(&results);
        self.record(&results).await
    }

    /// Notes what was checked, and what is still being worked on.
    fn settle(&mut self, results: &Results) {
        for (subject, result) in results {
            self.checked.insert(subject.clone());
            if *result == CheckResult::Unsettled {
                self.unsettled.insert(subject.clone());
            } else {
                self.unsettled.remove(subject);
            }
        }
    }

    async fn record(&mut self, results: &Results) -> Result<(), StoreError> {
        let opened = record::record(&self.audit.store, &mut self.open, results, self.now).await?;
        self.opened = self.opened.saturating_add(opened);
        Ok(())
    }

    async fn store_run(&mut self) -> Result<(), StoreError> {
        self.store(None).await
    }

    async fn store_sweep(&mut self, sweep: &Sweep) -> Result<(), StoreError> {
        self.store(Some(sweep)).await
    }

    /// Stores how far the audit has got, with the comparison of stock if it is given. What was collected and not
    /// compared yet is left to the next audit, in case this one ends here.
    ///
    /// # Errors
    /// Returns [`StoreError::Busy`] if another audit has stored something since this one began. Then this one has
    /// stored nothing that the other one could miss.
    async fn store(&mut self, sweep: Option<&Sweep>) -> Result<(), StoreError> {
        if self.is_delayed {
            return Ok(());
        }
        self.run.checked = count(self.checked.len());
        let unsettled = self.unsettled.iter().take(self.audit.limits.unsettled);
        let collected = self.products.iter().copied().map(Subject::Stock);
        self.run.unsettled = unsettled.cloned().chain(collected).collect();
        match self.audit.store.store_run(&mut self.run, sweep).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(StoreError::Busy("another audit is being made".into())),
        }
    }

    /// Stores and logs the outcome.
    pub(super) async fn end(mut self) -> Result<Outcome, StoreError> {
        if self.run.findings_after.is_none() {
            let open = self.run.findings_open;
            self.run.open = open.saturating_add_signed(self.opened);
            self.run.findings_open = 0;
        } else {
            let open = self.run.open.saturating_add_signed(self.opened);
            self.run.open = open.max(self.run.findings_open);
        }
        self.store_run().await?;
        let outcome = Outcome {
            checked: self.run.checked,
            unsettled: count(self.run.unsettled.len()),
            restored_events: self.run.restored,
            open_findings: self.run.open,
            caught_up: self.run.has_caught_up(),
        };
        // Metric filters in template.yaml read `open_findings` and `completed_audits` for alarms.
        tracing::info!(
            checked = outcome.checked,
            unsettled = outcome.unsettled,
            restored_events = outcome.restored_events,
            open_findings = outcome.open_findings,
            completed_audits = u64::from(outcome.caught_up),
            "integrity audited"
        );
        Ok(outcome)
    }
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
