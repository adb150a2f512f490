//! The reconciliation on an embedded DynamoDB, with the sandbox's statement and with one that a test writes.

use std::time::Duration;

use expect_test::expect;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::api::list_ledger_differences;
use super::model::Moved;
use super::rules;
use super::run::reconcile_ledger;
use super::store::ReconciliationStore;
use crate::http::exchange::Request;
use crate::http::page::Page;
use crate::payments::days::{DAY, Span};
use crate::payments::fixtures::{eur, identity};
use crate::payments::gateway::configured::ConfiguredGateway;
use crate::payments::gateway::statement::{Fee, Kind, Movement, Statements};
use crate::payments::gateway::{Gateway as _, GatewayError};
use crate::payments::ledger::model::{Entry, Movement as Of};
use crate::payments::ledger::store::LedgerStore;
use crate::payments::model::{ChargeKey, GatewayName, Payment, Provider, RefundKey};
use crate::runtime::Scheduled;
use crate::testing::{self, Engine, Fault};
use crate::values::clock::Time;
use crate::values::id::{OrderId, RefundId};
use crate::values::moment;
use crate::values::money::Money;

mod volume;

/// Returns a time of the day that is reconciled, 2026-03-01, or after it.
fn at(text: &str) -> Time {
    format!("2026-03-{text}Z").parse().unwrap()
}

fn order(name: &str) -> OrderId {
    OrderId::derived(&[name])
}

fn charge(name: &str) -> ChargeKey {
    ChargeKey::new(order(name), 1)
}

fn refund(name: &str) -> RefundKey {
    RefundKey {
        charge: charge(name),
        refund: RefundId::derived(&[name]),
    }
}

struct Shop {
    store: ReconciliationStore,
    ledger: LedgerStore,
    gateway: ConfiguredGateway,
    engine: Engine,
}

impl Shop {
    /// Opens a shop that is reconciled from 1 March 2026 on.
    async fn open() -> Self {
        let (aws, engine) = testing::aws();
        let shop = Self {
            store: ReconciliationStore::new(&aws).unwrap(),
            ledger: LedgerStore::new(&aws).unwrap(),
            gateway: ConfiguredGateway::listed(&aws).unwrap(),
            engine,
        };
        assert!(shop.run("01T00:10:00").await);
        shop
    }

    /// Charges the order `name` at the gateway.
    async fn charge(&self, name: &str, amount: &str, when: &str) {
        let key = charge(name);
        let charged = self.gateway.charge(&key, eur(amount), "tok_ok");
        moment::during(at(when), charged).await.unwrap();
    }

    async fn refund(&self, name: &str, amount: &str, when: &str) {
        let key = refund(name);
        let refunded = self.gateway.refund(&key, eur(amount));
        moment::during(at(when), refunded).await.unwrap();
    }

    /// Writes an entry about the order `name`.
    async fn entry(&self, name: &str, version: u64, of: Of, amount: &str, when: &str) {
        self.ledger
            .record(&entry(name, version, of, amount, when))
            .await
            .unwrap();
    }

    /// Makes a run at `when`. Returns whether it succeeded.
    async fn run(&self, when: &str) -> bool {
        self.run_with(&self.gateway, when).await
    }

    async fn run_with(&self, statements: &impl Statements, when: &str) -> bool {
        let scheduled = Scheduled { time: at(when) };
        let run = reconcile_ledger(&self.store, &self.ledger, statements, scheduled);
        run.await.is_ok()
    }

    /// Returns a page of the differences that `query` asks for.
    async fn listed(&self, query: &[(&str, &str)]) -> Value {
        let query = query.iter();
        let request = Request {
            path: "/ledger/differences".to_owned(),
            identity: Some(identity("boss", true)),
            query: query
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..testing::request(at("01T09:31:00"), &json!({}))
        };
        let response = list_ledger_differences(&self.store, request).await.unwrap();
        serde_json::from_slice(&response.body).unwrap()
    }

    /// Returns all differences as lines.
    async fn differences(&self) -> String {
        let all = [
            ("from", "2026-02-01T00:00:00Z"),
            ("to", "2026-04-01T00:00:00Z"),
            ("limit", "100"),
        ];
        let found = self.listed(&all).await;
        let lines = found["items"].as_array().unwrap().iter().map(|found| {
            let amount = |side: &str| found[side]["amount"].as_str().unwrap_or("-").to_owned();
            let known = if found["payment_id"].is_null() {
                "unknown"
            } else {
                "ours"
            };
            format!(
                "{} {} {} gateway {} ledger {} {known}\n",
                found["at"].as_str().unwrap(),
                found["kind"].as_str().unwrap(),
                found["of"].as_str().unwrap(),
                amount("gateway_amount"),
                amount("ledger_amount"),
            )
        });
        lines.collect()
    }
}

fn entry(name: &str, version: u64, of: Of, amount: &str, when: &str) -> Entry {
    let (debit, credit) = of.accounts("sandbox");
    let is_refund = matches!(of, Of::Refunded | Of::RefundReturned);
    Entry {
        order_id: Some(order(name)),
        payment_id: Some(Payment::id_of(order(name))),
        gift_card_id: None,
        movement_id: None,
        version,
        of,
        at: at(when),
        debit,
        credit,
        amount: eur(amount),
        refund_id: is_refund.then(|| refund(name).refund),
    }
}

#[tokio::test]
async fn a_day_on_which_both_say_the_same_has_no_differences() {
    let shop = Shop::open().await;
    for name in ["a", "b", "c"] {
        shop.charge(name, "40.00", "01T10:00:00").await;
        shop.entry(name, 1, Of::Authorised, "40.00", "01T10:00:00.5")
            .await;
        shop.entry(name, 1, Of::Captured, "40.00", "01T10:00:00.5")
            .await;
    }
    // One that is authorised first.
    for when in ["01T10:00:00", "01T10:05:00"] {
        let key = charge("d");
        let charged = shop.gateway.charge(&key, eur("7.00"), "tok_capture_later");
        moment::during(at(when), charged).await.unwrap();
    }
    shop.entry("d", 2, Of::Captured, "7.00", "01T10:05:00")
        .await;
    shop.refund("a", "15.00", "01T11:00:00").await;
    shop.entry("a", 2, Of::Refunded, "15.00", "01T11:00:01")
        .await;
    assert!(shop.run("02T01:59:59").await);
    assert_eq!(
        shop.store
            .progress(&Provider::Sandbox.into())
            .await
            .unwrap()
            .unwrap()
            .day,
        at("01T00:00:00")
    );
    assert!(shop.run("02T02:00:00").await);
    assert_eq!(
        shop.store
            .progress(&Provider::Sandbox.into())
            .await
            .unwrap()
            .unwrap()
            .day,
        at("02T00:00:00")
    );
    assert_eq!(shop.differences().await, "");
}

#[tokio::test]
async fn each_difference_is_listed_once() {
    let shop = Shop::open().await;
    shop.charge("only at the gateway", "1.00", "01T10:00:00")
        .await;
    shop.entry("only in the ledger", 1, Of::Captured, "2.00", "01T11:00:00")
        .await;
    shop.charge("another amount", "3.00", "01T12:00:00").await;
    shop.entry("another amount", 1, Of::Captured, "3.01", "01T12:00:00")
        .await;
    shop.charge("refund", "4.00", "01T13:00:00").await;
    shop.entry("refund", 1, Of::Captured, "4.00", "01T13:00:00")
        .await;
    shop.refund("refund", "1.50", "01T14:00:00").await;
    shop.entry("refund", 2, Of::RefundReturned, "1.50", "01T15:00:00")
        .await;
    // What is only authorised is in no statement.
    shop.entry("other", 1, Of::Authorised, "5.00", "01T16:00:00")
        .await;
    for when in ["02T02:00:00", "02T02:10:00", "03T02:00:00"] {
        assert!(shop.run(when).await);
    }
    expect![[r"
        2026-03-01T10:00:00.000Z missing_in_ledger captured gateway 1.00 ledger - ours
        2026-03-01T11:00:00.000Z missing_at_gateway captured gateway - ledger 2.00 ours
        2026-03-01T12:00:00.000Z other_amount captured gateway 3.00 ledger 3.01 ours
        2026-03-01T14:00:00.000Z missing_in_ledger refunded gateway 1.50 ledger - ours
        2026-03-01T15:00:00.000Z missing_at_gateway refund_returned gateway - ledger 1.50 ours
    "]]
    .assert_eq(&shop.differences().await);
    let mut query = vec![
        ("from", "2026-03-01T11:00:00Z"),
        ("to", "2026-03-02T00:00:00Z"),
        ("limit", "2"),
    ];
    let page = shop.listed(&query).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    query.push(("cursor", page["next_cursor"].as_str().unwrap()));
    let rest = shop.listed(&query).await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_on_another_side_of_midnight_is_no_difference() {
    let shop = Shop::open().await;
    for (name, gateway, ledger) in [
        ("a", "01T23:59:59.9", "02T00:00:00.1"),
        ("b", "02T00:00:00.1", "01T23:59:59.9"),
        ("c", "02T00:59:59", "01T23:59:59.9"),
        // The answer was lost, and the outcome was asked for much later.
        ("d", "01T12:00:00", "03T12:00:00"),
    ] {
        shop.charge(name, "40.00", gateway).await;
        if name != "d" {
            shop.entry(name, 1, Of::Captured, "40.00", ledger).await;
        }
    }
    assert!(shop.run("02T02:00:00").await);
    // It is missing while it is late.
    let late = shop.differences().await;
    assert_eq!(
        late,
        "2026-03-01T12:00:00.000Z missing_in_ledger captured gateway 40.00 ledger - ours\n"
    );
    shop.entry("d", 1, Of::Captured, "40.00", "03T12:00:00")
        .await;
    for when in ["03T02:00:00", "04T02:00:00", "05T02:00:00"] {
        assert!(shop.run(when).await);
    }
    assert_eq!(shop.differences().await, late);
}

#[tokio::test]
async fn a_refund_that_came_back_and_a_dispute_are_in_the_sandboxs_statement() {
    let shop = Shop::open().await;
    shop.charge("a", "40.00", "01T10:00:00").await;
    shop.refund("a", "10.00", "01T11:00:00").await;
    let tell = async |kind: &str, when: &str| {
        let event = json!({
            "type": kind, "charge": charge("a").to_string(), "dispute": "dp_1", "refund": refund("a").refund,
        });
        let body = event.to_string().into_bytes();
        let header = crate::payments::gateway::signature::header("whsec_sandbox", &body, at(when));
        let taken = shop.gateway.take_event(Some(&header), &body, at(when));
        moment::during(at(when), taken).await.unwrap();
    };
    tell("refund.failed", "01T12:00:00").await;
    tell("dispute.opened", "01T13:00:00").await;
    tell("dispute.won", "01T14:00:00").await;
    assert!(shop.run("02T02:00:00").await);
    expect![[r"
        2026-03-01T10:00:00.000Z missing_in_ledger captured gateway 40.00 ledger - ours
        2026-03-01T11:00:00.000Z missing_in_ledger refunded gateway 10.00 ledger - ours
        2026-03-01T12:00:00.000Z missing_in_ledger refund_returned gateway 10.00 ledger - ours
        2026-03-01T13:00:00.000Z missing_in_ledger disputed gateway 40.00 ledger - ours
        2026-03-01T14:00:00.000Z missing_in_ledger dispute_won gateway 40.00 ledger - ours
    "]]
    .assert_eq(&shop.differences().await);
}

/// Returns the entries of fees of the order `name`, as lines.
async fn fees(shop: &Shop, name: &str) -> Vec<String> {
    let payment = Payment::id_of(order(name));
    let found = shop.ledger.of_payment(payment, 100, None).await.unwrap();
    let fees = found.items.into_iter();
    let fees = fees.filter(|entry| matches!(entry.of, Of::Fee | Of::FeeReturned));
    fees.map(|fee| {
        let movement = fee.movement_id.unwrap();
        format!("{} {} to {} {movement}", fee.amount, fee.credit, fee.debit)
    })
    .collect()
}

#[tokio::test]
async fn what_a_gateway_takes_for_its_work_is_an_entry_once() {
    let shop = Shop::open().await;
    // The account is in another currency than the charge.
    let dollars = Money::from_minor_units(59, "USD".parse().unwrap()).unwrap();
    let fee = |number, fee| Movement {
        fee: Some(fee),
        ..movement(number, Some(charge("a")))
    };
    let statement = Written(
        vec![
            fee(1, Fee::Kept(dollars)),
            fee(2, Fee::Kept(dollars)),
            fee(3, Fee::Returned(eur("0.20"))),
            movement(4, Some(charge("a"))),
            Movement {
                charge: None,
                ..fee(5, Fee::Kept(eur("9.00")))
            },
            // Of the day before, which an hour before is read of.
            Movement {
                at: at("01T00:00:00").minus(Duration::from_mins(1)),
                ..fee(6, Fee::Kept(eur("9.00")))
            },
        ],
        10,
    );
    // The first run fails after the fees are recorded, and a later one records them again.
    for _ in 0..30 {
        shop.engine.fail_next("Query", Fault::Failed);
    }
    assert!(!shop.run_with(&statement, "02T02:00:00").await);
    while !shop.run_with(&statement, "02T02:10:00").await {}
    let expected = [
        "0.59 USD gateway:sandbox to fees txn_1",
        "0.59 USD gateway:sandbox to fees txn_2",
        "0.20 EUR fees to gateway:sandbox txn_3",
    ];
    assert_eq!(fees(&shop, "a").await, expected);
    let listed = shop.ledger.between(
        Span {
            from: at("01T00:00:00"),
            to: at("02T00:00:00"),
        },
        100,
        None,
    );
    assert_eq!(listed.await.unwrap().items.len(), 3);
}

#[tokio::test]
async fn the_sandbox_keeps_a_fee_of_a_charge_whose_token_asks_for_it() {
    let shop = Shop::open().await;
    for (name, token) in [("with", "tok_fee"), ("without", "tok_ok")] {
        let key = charge(name);
        let charged = shop.gateway.charge(&key, eur("10.01"), token);
        moment::during(at("01T10:00:00"), charged).await.unwrap();
    }
    // One that is captured in parts.
    let key = charge("parts");
    let authorised = shop.gateway.authorize(&key, eur("30.00"), "tok_fee");
    moment::during(at("01T10:00:00"), authorised).await.unwrap();
    let captured = shop.gateway.capture(&key, eur("10.00"), false);
    moment::during(at("01T11:00:00"), captured).await.unwrap();
    assert!(shop.run("02T02:00:00").await);
    let movement = charge("with").to_string();
    let kept = format!("0.31 EUR gateway:sandbox to fees {movement}");
    assert_eq!(fees(&shop, "with").await, [kept]);
    assert_eq!(fees(&shop, "without").await, [""; 0]);
    let movement = format!("{key}:captured:1000");
    let kept = format!("0.30 EUR gateway:sandbox to fees {movement}");
    assert_eq!(fees(&shop, "parts").await, [kept]);
}

/// A statement that a test writes, in pages of this many.
struct Written(Vec<Movement>, usize);

impl Statements for Written {
    fn gateways(&self) -> Vec<GatewayName> {
        vec![Provider::Sandbox.into()]
    }

    async fn movements(
        &self,
        _: &GatewayName,
        span: Span,
        after: Option<&str>,
    ) -> Result<Page<Movement>, GatewayError> {
        let after: usize = after.map_or(0, |after| after.parse().unwrap());
        let to = (after + self.1).min(self.0.len());
        let items = self.0[after..to]
            .iter()
            .filter(|moved| moved.at >= span.from && moved.at < span.to);
        Ok(Page {
            items: items.cloned().collect(),
            next: (to < self.0.len()).then(|| to.to_string()),
        })
    }
}

fn movement(number: usize, charge: Option<ChargeKey>) -> Movement {
    let millis = at("01T00:00:00").as_millis() + i64::try_from(number).unwrap() * 1000;
    Movement {
        id: format!("txn_{number}"),
        kind: Kind::Charge,
        charge,
        refund: None,
        amount: eur("1.00"),
        fee: None,
        at: Time::from_millis(millis),
    }
}

#[tokio::test]
async fn a_long_day_takes_several_runs_and_each_goes_on_where_the_last_one_stopped() {
    let shop = Shop::open().await;
    let movements = (0..900).map(|number| movement(number, Some(charge(&number.to_string()))));
    // In pages of two, a run of 400 pages reads 800.
    let statement = Written(movements.collect(), 2);
    for number in 0..900_u32 {
        if number != 850 {
            let written = Entry {
                at: statement.0[number as usize].at,
                ..entry(&number.to_string(), 1, Of::Captured, "1.00", "01T00:00:00")
            };
            shop.ledger.record(&written).await.unwrap();
        }
    }
    assert!(shop.run_with(&statement, "02T02:00:00").await);
    assert_eq!(shop.differences().await, "");
    let half = shop
        .store
        .progress(&Provider::Sandbox.into())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (half.day, half.after.as_deref()),
        (at("01T00:00:00"), Some("800"))
    );
    // The database fails in the middle, and the run after that goes on.
    for _ in 0..30 {
        shop.engine.fail_next("Query", Fault::Failed);
    }
    assert!(!shop.run_with(&statement, "02T02:10:00").await);
    while !shop.run_with(&statement, "02T02:20:00").await {}
    let found = shop.differences().await;
    assert_eq!(
        found,
        "2026-03-01T00:14:10.000Z missing_in_ledger captured gateway 1.00 ledger - ours\n"
    );
    let done = shop
        .store
        .progress(&Provider::Sandbox.into())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(done.day, at("02T00:00:00"));
}

#[tokio::test]
async fn a_run_goes_on_although_the_response_to_its_own_write_is_lost() {
    let shop = Shop::open().await;
    let movements = (0..10).map(|number| movement(number, None));
    let statement = Written(movements.collect(), 10);
    // Ten differences, and then how far the run is.
    for _ in 0..10 {
        shop.engine.fail_next("PutItem", Fault::None);
    }
    shop.engine.fail_next("PutItem", Fault::LostAnswer);
    assert!(shop.run_with(&statement, "02T02:00:00").await);
    let done = shop.store.progress(&Provider::Sandbox.into()).await;
    assert_eq!(done.unwrap().unwrap().day, at("02T00:00:00"));
    assert_eq!(shop.differences().await.lines().count(), 10);
}

#[tokio::test]
async fn what_the_shop_did_not_move_is_a_difference_and_a_payout_is_not() {
    let shop = Shop::open().await;
    let payout = Movement {
        kind: Kind::Other,
        ..movement(2, None)
    };
    let statement = Written(vec![movement(1, None), payout, movement(90_000, None)], 10);
    assert!(shop.run_with(&statement, "02T02:00:00").await);
    let found = shop.differences().await;
    assert_eq!(
        found,
        "2026-03-01T00:00:01.000Z missing_in_ledger captured gateway 1.00 ledger - unknown\n"
    );
}

#[tokio::test]
async fn only_admins_see_the_differences() {
    let shop = Shop::open().await;
    let request = Request {
        path: "/ledger/differences".to_owned(),
        identity: Some(identity("customer", false)),
        query: Vec::new(),
        ..testing::request(at("01T09:31:00"), &json!({}))
    };
    let refused = list_ledger_differences(&shop.store, request).await;
    assert_eq!(refused.unwrap_err().status(), 403);
}

const KINDS: [Of; 3] = [Of::Captured, Of::Refunded, Of::Disputed];

fn moved(number: usize, of: Of, amount: &str) -> Moved {
    let like = entry("a", 1, of, amount, "01T10:00:00");
    Moved {
        id: number.to_string(),
        gateway: Provider::Sandbox.into(),
        of,
        order_id: like.order_id.unwrap(),
        payment_id: like.payment_id.unwrap(),
        refund_id: like.refund_id,
        amount: like.amount,
        at: like.at.plus(DAY),
    }
}

proptest! {
    /// Of any movements of one payment, also several of one kind and amount: if both sides have them, nothing is found,
    /// in whatever order they are compared; if one side lacks one, something is.
    #[test]
    fn a_payment_differs_if_and_only_if_one_side_lacks_something(
        kinds in prop::collection::vec((0..KINDS.len(), 1_u32..4), 1..8), lacking in 0_usize..8, side in 0..3,
    ) {
        let amount = |units: u32| format!("{units}.00");
        let mut all: Vec<Moved> = kinds
            .iter()
            .enumerate()
            .map(|(number, (of, units))| moved(number, KINDS[*of], &amount(*units)))
            .collect();
        let mut entries: Vec<Entry> = (1..)
            .zip(&kinds)
            .map(|(version, (of, units))| entry("a", version, KINDS[*of], &amount(*units), "01T10:00:00"))
            .collect();
        match side {
            0 => drop(all.remove(lacking % kinds.len())),
            1 => drop(entries.remove(lacking % kinds.len())),
            _ => {}
        }
        let gateway = Provider::Sandbox.into();
        let now = at("02T02:00:00");
        let movements = all.iter().filter_map(|moved| rules::of_movement(moved, &all, &entries, now));
        let found = movements.count()
            + entries.iter().filter_map(|entry| rules::of_entry(entry, &gateway, &all, &entries, now)).count();
        prop_assert_eq!(found > 0, side < 2);
    }
}
