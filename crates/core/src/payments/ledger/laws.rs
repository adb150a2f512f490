//! The law of the ledger: whatever becomes of payments, and however their changes are delivered, the books balance.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::model::{Account, Entry, Movement};
use super::rules::{Sums, entries};
use crate::orders::model::PaymentStatus;
use crate::payments::disputes;
use crate::payments::model::disputes::{Dispute, DisputeStatus};
use crate::payments::model::{Amounts, CaptureTime, Change, Payment, Provider, Units};
use crate::payments::refunds::model::{Refund, RefundStatus};
use crate::payments::refunds::rules::take_back;
use crate::payments::rules::apply;
use crate::payments::store::PaymentImage;
use crate::values::clock::Time;
use crate::values::id::{OrderId, PaymentId, RefundId};
use crate::values::money::{Currency, Money};

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The gateway authorises so many thousandths of the order's total.
    Authorise(u16),
    /// The gateway captures so many thousandths.
    Capture(u16),
    /// The gateway captures so many thousandths, and more can be captured.
    CapturePart(u16),
    Lose,
    Decline,
    Void,
    /// The order ends; nothing is undone yet.
    RequestVoid,
    /// A refund of so many thousandths of what is left begins.
    BeginRefund(u16),
    /// The oldest pending refund succeeds.
    RefundSucceeds,
    /// The oldest pending refund fails.
    RefundFails,
    /// The refund that succeeded first comes back.
    RefundReturns,
    /// A dispute of so many thousandths is opened, or the last one is decided again.
    Dispute(u16, DisputeStatus),
    /// So many further changes are delivered.
    Deliver(u8),
    /// The changes are delivered again, from so many before the last one on.
    Repeat(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let part = || prop_oneof![Just(1000_u16), 1_u16..1200];
    prop_oneof![
        2 => part().prop_map(Step::Authorise),
        3 => part().prop_map(Step::Capture),
        2 => part().prop_map(Step::CapturePart),
        1 => Just(Step::Lose),
        1 => Just(Step::Decline),
        1 => Just(Step::Void),
        1 => Just(Step::RequestVoid),
        3 => part().prop_map(Step::BeginRefund),
        3 => Just(Step::RefundSucceeds),
        1 => Just(Step::RefundFails),
        2 => Just(Step::RefundReturns),
        2 => (part(), status()).prop_map(|(part, status)| Step::Dispute(part, status)),
        3 => (1_u8..5).prop_map(Step::Deliver),
        3 => (0_u8..5).prop_map(Step::Repeat),
    ]
}

fn status() -> impl Strategy<Value = DisputeStatus> {
    prop_oneof![
        Just(DisputeStatus::Opened),
        Just(DisputeStatus::Won),
        Just(DisputeStatus::Lost)
    ]
}

/// A payment, and the changes of its item as the stream has them: each with the item before and after it.
struct Life {
    payment: Payment,
    last_refund: Option<RefundId>,
    /// The pending refunds, oldest first.
    pending: Vec<(RefundId, Money)>,
    /// Those that have succeeded, oldest first.
    succeeded: Vec<(RefundId, Money)>,
    begun: u32,
    changes: Vec<(Option<PaymentImage>, PaymentImage)>,
    /// How many changes have been delivered.
    delivered: usize,
}

impl Life {
    fn begin(number: usize, minor_units: u64, currency: Currency) -> Self {
        let order = OrderId::derived(&[&number.to_string()]);
        let amount = Money::from_minor_units(minor_units, currency).unwrap();
        // Every other shop captures at shipment.
        let capture = if number.is_multiple_of(2) {
            CaptureTime::AtOnce
        } else {
            CaptureTime::AtShipment
        };
        let payment = Payment {
            capture,
            ..Payment::begin(order, amount, Provider::Sandbox, now(0))
        };
        let image = PaymentImage {
            payment: payment.clone(),
            last_refund: None,
        };
        Self {
            payment,
            last_refund: None,
            pending: Vec::new(),
            succeeded: Vec::new(),
            begun: 0,
            changes: vec![(None, image)],
            delivered: 0,
        }
    }

    fn part(&self, of: Money, thousandths: u16) -> Money {
        let units = of.minor_units().unwrap() * u64::from(thousandths) / 1000;
        Money::from_minor_units(units, self.payment.amount.currency()).unwrap()
    }

    /// Stores what the payment has become.
    fn store(&mut self, payment: Payment) {
        self.payment = payment;
        let old = self.changes.last().map(|(_, new)| new.clone());
        let new = PaymentImage {
            payment: self.payment.clone(),
            last_refund: self.last_refund,
        };
        self.changes.push((old, new));
    }

    /// Makes `change`, if the rules of payments allow it.
    fn change(&mut self, change: &Change) -> bool {
        match apply(&self.payment, change, now(self.changes.len())) {
            Ok(next) => {
                if let Change::Refunded { by, .. } = change {
                    self.last_refund = Some(*by);
                }
                self.store(next);
                true
            }
            Err(_) => false,
        }
    }

    fn take(&mut self, step: Step) {
        let total = self.payment.amount;
        match step {
            Step::Authorise(part) => {
                self.change(&Change::Authorized(self.part(total, part)));
            }
            Step::Capture(part) => {
                self.change(&Change::Captured(self.part(total, part)));
            }
            Step::CapturePart(part) => {
                self.change(&Change::PartlyCaptured(self.part(total, part)));
            }
            Step::Lose => {
                self.change(&Change::Unknown);
            }
            Step::Decline => {
                self.change(&Change::Declined("declined".to_owned()));
            }
            Step::Void => {
                self.change(&Change::Voided);
            }
            Step::RequestVoid => {
                let void_requested = true;
                let payment = self.payment.clone();
                self.store(Payment {
                    void_requested,
                    ..payment
                });
            }
            Step::BeginRefund(part) => self.begin_refund(part),
            Step::RefundSucceeds => self.settle_refund(true),
            Step::RefundFails => self.settle_refund(false),
            Step::RefundReturns => self.take_back(),
            Step::Dispute(part, status) => self.dispute(part, status),
            Step::Deliver(_) | Step::Repeat(_) => {}
        }
    }

    /// Returns from where and to where `step` delivers changes.
    fn delivery(&self, step: Step) -> (usize, usize) {
        let delivered = self.delivered;
        match step {
            Step::Deliver(count) => {
                let to = delivered + usize::from(count);
                (delivered, to.min(self.changes.len()))
            }
            Step::Repeat(count) => (delivered.saturating_sub(usize::from(count)), delivered),
            Step::Authorise(_)
            | Step::Capture(_)
            | Step::CapturePart(_)
            | Step::Lose
            | Step::Decline
            | Step::Void
            | Step::RequestVoid
            | Step::BeginRefund(_)
            | Step::RefundSucceeds
            | Step::RefundFails
            | Step::RefundReturns
            | Step::Dispute(..) => (delivered, delivered),
        }
    }

    fn dispute(&mut self, part: u16, status: DisputeStatus) {
        let dispute = Dispute {
            status,
            amount: self.part(self.payment.amounts.captured(), part.min(1000)),
            reason: "fraudulent".to_owned(),
        };
        let noted = disputes::rules::note(&self.payment, "dp_1", &dispute, now(self.changes.len()));
        if let Some(next) = noted.unwrap() {
            self.store(next);
        }
    }

    fn begin_refund(&mut self, part: u16) {
        let amount = self.part(self.payment.left_to_refund().unwrap(), part.min(1000));
        // What waits for captures is not refunded yet.
        if amount.is_positive() && !self.payment.is_open() {
            self.begun += 1;
            let id = RefundId::derived(&[&self.payment.id.to_string(), &self.begun.to_string()]);
            self.pending.push((id, amount));
            let refunding = self.payment.refunding.plus(amount).unwrap();
            let payment = self.payment.clone();
            self.store(Payment {
                refunding,
                ..payment
            });
        }
    }

    fn settle_refund(&mut self, succeeds: bool) {
        if self.pending.is_empty() {
            return;
        }
        let (by, amount) = self.pending.remove(0);
        if succeeds {
            let total = self.payment.amounts.refunded().plus(amount).unwrap();
            assert!(self.change(&Change::Refunded { total, by }));
            self.succeeded.push((by, amount));
        } else {
            let refunding = self.payment.refunding.minus(amount).unwrap();
            let payment = self.payment.clone();
            self.store(Payment {
                refunding,
                ..payment
            });
        }
    }
}

impl Life {
    fn take_back(&mut self) {
        if self.succeeded.is_empty() {
            return;
        }
        let (id, amount) = self.succeeded.remove(0);
        let refund = Refund {
            id,
            payment_id: self.payment.id,
            order_id: self.payment.order_id,
            amount,
            gift_card_amount: Money::zero(amount.currency()),
            units: Units::new(),
            reason: None,
            restock: false,
            status: RefundStatus::Succeeded,
            failure: None,
            attempts: 0,
            due_at: None,
            request_hash: String::new(),
            created_at: now(0),
            updated_at: now(0),
        };
        // What is being undone has to be known first.
        if let Ok(next) = take_back(&self.payment, &refund, now(self.changes.len())) {
            self.last_refund = Some(id);
            self.store(next);
        } else {
            assert!(self.payment.void_requested);
            self.succeeded.insert(0, (id, amount));
        }
    }
}

fn now(second: usize) -> Time {
    Time::from_millis(1_772_357_400_000 + i64::try_from(second).unwrap() * 1000)
}

/// The ledger: an entry that is there stays.
#[derive(Default)]
struct Ledger(BTreeMap<(PaymentId, u64, Movement), Entry>);

impl Ledger {
    fn deliver(&mut self, change: &(Option<PaymentImage>, PaymentImage)) {
        for entry in entries(change.0.as_ref(), &change.1).unwrap() {
            assert!(entry.amount.is_positive());
            assert_ne!(entry.debit, entry.credit);
            let key = (entry.payment_id.unwrap(), entry.version, entry.of);
            self.0.entry(key).or_insert(entry);
        }
    }

    fn of(&self, payment: PaymentId) -> Vec<&Entry> {
        let entries = self.0.values();
        entries
            .filter(|entry| entry.payment_id == Some(payment))
            .collect()
    }
}

/// Returns what each account has on its debit side less its credit side, in the smallest unit.
fn balances<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> BTreeMap<Account, i128> {
    let mut balances: BTreeMap<Account, i128> = BTreeMap::new();
    for entry in entries {
        let amount = i128::from(entry.amount.minor_units().unwrap());
        *balances.entry(entry.debit.clone()).or_default() += amount;
        *balances.entry(entry.credit.clone()).or_default() -= amount;
    }
    balances
}

fn units(money: Money) -> i128 {
    i128::from(money.minor_units().unwrap())
}

/// Returns what is authorised for `payment` and not released: all of it while the payment is open.
fn standing(payment: &Payment) -> i128 {
    let open = ["pending", "processing", "authorized"].contains(&payment.status.as_str());
    units(if open {
        payment.amounts.authorized()
    } else {
        payment.amounts.captured()
    })
}

/// Checks the books of `life` against the last change of it that was delivered.
fn check(ledger: &Ledger, life: &Life) {
    let entries = ledger.of(life.payment.id);
    let seen = life.delivered.checked_sub(1);
    let Some(seen) = seen.map(|last| &life.changes[last].1.payment) else {
        assert!(entries.is_empty());
        return;
    };
    let sums = Sums::of(entries.iter().copied(), seen.amount.currency()).unwrap();
    assert_eq!(sums, Sums::expected(seen));
    let balances = balances(entries);
    assert_eq!(balances.values().sum::<i128>(), 0, "debits are credits");
    let (captured, refunded) = (
        units(seen.amounts.captured()),
        units(seen.amounts.refunded()),
    );
    let (disputed, lost) = (units(seen.disputed), units(seen.lost));
    for (account, expected) in [
        ("authorizations:sandbox", standing(seen)),
        ("authorized_orders", -standing(seen)),
        ("gateway:sandbox", captured - refunded - disputed),
        ("disputes", disputed - lost),
        ("dispute_losses", lost),
        ("sales", -captured),
        ("refunds", refunded),
    ] {
        let account = Account(account.to_owned());
        let balance = balances.get(&account).copied().unwrap_or(0);
        assert_eq!(balance, expected, "{account}");
    }
}

/// A thousand lives, or as many as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok();
    let cases = cases.and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(cases.unwrap_or(1000))
}

proptest! {
    #![proptest_config(config())]

    /// Three orders at a time live in any interleaving. Of one payment, changes are delivered in their order; those that
    /// were delivered may come again at any time, alone or with all that followed.
    #[test]
    fn the_books_balance_after_each_step_of_any_lives(
        currency in prop::sample::select(vec!["EUR", "JPY", "KWD"]),
        totals in prop::array::uniform3(prop_oneof![Just(0_u64), 1..100_000_u64]),
        steps in prop::collection::vec((0_usize..3, step()), 1..60),
    ) {
        let currency: Currency = currency.parse().unwrap();
        let mut lives: Vec<Life> = totals
            .iter()
            .enumerate()
            .map(|(number, total)| Life::begin(number, *total, currency))
            .collect();
        let mut ledger = Ledger::default();
        for (number, step) in steps {
            let life = &mut lives[number];
            life.take(step);
            let (from, to) = life.delivery(step);
            for change in &life.changes[from..to] {
                ledger.deliver(change);
            }
            life.delivered = to;
            for life in &lives {
                check(&ledger, life);
            }
            prop_assert_eq!(balances(ledger.0.values()).values().sum::<i128>(), 0);
        }
        for life in &mut lives {
            for change in &life.changes[life.delivered..] {
                ledger.deliver(change);
            }
            life.delivered = life.changes.len();
            check(&ledger, life);
            prop_assert_eq!(&life.changes.last().unwrap().1.payment, &life.payment);
        }
        let ids: Vec<_> = ledger.0.values().map(Entry::id).collect();
        let different: std::collections::BTreeSet<_> = ids.iter().collect();
        prop_assert_eq!(different.len(), ids.len());
    }
}

/// A state of a payment, which today's rules may not lead to: the status, and what was authorised, captured and refunded,
/// each as a share of the one before.
type Drawn = (usize, u64, u64, u64, bool);

const STATUSES: [PaymentStatus; 8] = [
    PaymentStatus::Pending,
    PaymentStatus::Processing,
    PaymentStatus::Authorized,
    PaymentStatus::Completed,
    PaymentStatus::PartiallyRefunded,
    PaymentStatus::Refunded,
    PaymentStatus::Voided,
    PaymentStatus::Failed,
];

proptest! {
    #![proptest_config(config())]

    /// Captures in parts, several attempts at two gateways, refunds that come back: what a write changes is seen by the
    /// amounts alone.
    #[test]
    fn entries_add_up_whatever_the_amounts_do(
        states in prop::collection::vec((0..STATUSES.len(), 0..5_000_u64, 0..=100_u64, 0..=100_u64, any::<bool>()), 1..30),
    ) {
        let currency: Currency = "EUR".parse().unwrap();
        let money = |units: u64| Money::from_minor_units(units, currency).unwrap();
        let order = OrderId::derived(&["order"]);
        let mut image: Option<PaymentImage> = None;
        let mut ledger = Ledger::default();
        let mut most_captured = 0;
        for (version, (status, authorized, captured, refunded, elsewhere)) in (1..).zip(states as Vec<Drawn>) {
            // What is captured never becomes less.
            let captured = most_captured.max(authorized * captured / 100);
            most_captured = captured;
            let refunded = captured * refunded / 100;
            let amounts = Amounts::new(money(authorized.max(captured)), money(captured), money(refunded));
            let gateway = if elsewhere { Provider::Stripe } else { Provider::Sandbox };
            let payment = Payment {
                status: STATUSES[status],
                amounts: amounts.unwrap(),
                version,
                ..Payment::begin(order, money(5_000), gateway, now(0))
            };
            let new = PaymentImage { payment, last_refund: None };
            let change = (image.take(), new);
            ledger.deliver(&change);
            let entries = ledger.of(change.1.payment.id);
            let sums = Sums::of(entries.iter().copied(), currency).unwrap();
            prop_assert_eq!(sums, Sums::expected(&change.1.payment));
            prop_assert_eq!(units(sums.standing), standing(&change.1.payment));
            // Nothing stands at the gateway that is not the payment's any more.
            let other = if elsewhere { "authorizations:sandbox" } else { "authorizations:stripe" };
            let balances = balances(entries);
            prop_assert_eq!(balances.get(&Account(other.to_owned())).copied().unwrap_or(0), 0);
            image = Some(change.1);
        }
    }
}
