//! The verdicts of the rules.

use super::*;
use crate::orders::fixtures::{Shop, after, eur, lines, order, order_of};
use crate::orders::minimum::MinimumBasis;
use crate::orders::model::{Failure, FailureCode, Status};
use crate::pricing::breakdown::Breakdown;
use crate::screening::changes;
use crate::screening::model::Draft;
use crate::screening::store::RuleStore;
use crate::testing::Fault;
use crate::values::money::Money;

/// A bureau that gives every customer the same score, or none.
#[derive(Clone, Copy)]
struct SameForAll(Option<u32>);

impl CreditScores for SameForAll {
    async fn score(&self, _: &Applicant) -> Result<u32, ScoreUnknown> {
        self.0
            .ok_or_else(|| ScoreUnknown("the bureau is shut".into()))
    }
}

fn bounds(amount: Money, credit: u32) -> Bounds {
    let basis = MinimumBasis::Total;
    let minimum = MinimumOrder { amount, basis };
    Bounds { minimum, credit }
}

fn summaries(verdicts: &[Verdict]) -> Vec<(&str, bool, &str)> {
    let verdicts = verdicts.iter();
    verdicts
        .map(|found| (found.rule.as_str(), found.valid, found.code.as_str()))
        .collect()
}

async fn verdicts<C: CreditScores>(
    rules: &Rules<C>,
    order: &Order,
) -> Result<Vec<Verdict>, StoreError> {
    rules.verdicts(order, &rules.operators().await?).await
}

async fn check<C: CreditScores>(rules: &Rules<C>, order: &Order) -> Result<Outcome, StoreError> {
    rules.check(order, &rules.operators().await?).await
}

/// Stores an operator's rule.
async fn add(shop: &Shop, name: &str, severity: Severity, expression: &str) {
    let draft = Draft {
        expression: expression.to_owned(),
        currency: None,
        message: format!("{name} says no"),
        code: "no".to_owned(),
        severity,
        enabled: true,
    };
    add_draft(shop, name, draft).await;
}

async fn add_draft(shop: &Shop, name: &str, draft: Draft) {
    let by = changes::Edit {
        author: crate::orders::fixtures::customer("admin"),
        now: after(0),
    };
    let next = changes::set(name.parse().unwrap(), None, 0, draft, None, by).unwrap();
    let changes::Next::Made(rule) = next else {
        panic!("{next:?}");
    };
    RuleStore::new(&shop.aws)
        .unwrap()
        .create(&rule)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_least_amount_itself_is_enough() {
    let shop = Shop::open();
    let rules = |minimum| Rules::with(&shop.aws, bounds(minimum, 600), OwnOrders).unwrap();
    let enough = check(&rules(order().total), &order()).await.unwrap();
    assert_eq!(enough, Outcome::Passed);
    let more = rules(order().total.plus(eur("0.01")).unwrap());
    assert_eq!(
        check(&more, &order()).await.unwrap(),
        Outcome::Rejected("the total of 51.60 EUR is below the minimum of 51.61 EUR".to_owned())
    );
}

#[tokio::test]
async fn no_rule_hides_another_and_a_broken_rule_is_not_passed() {
    let shop = Shop::open();
    let mut wrong = order();
    wrong.total = eur("1.00");
    let rules = Rules::with(&shop.aws, bounds(eur("10.00"), 600), SameForAll(Some(599))).unwrap();
    assert_eq!(
        summaries(&verdicts(&rules, &wrong).await.unwrap()),
        [
            ("total_is_sum_of_lines", false, "total_differs"),
            ("minimum_order_amount", false, "below_minimum"),
            ("customer_credit", false, "credit_too_low"),
        ]
    );
    let dollars = Money::parse("10.00", "USD".parse().unwrap()).unwrap();
    let rules = Rules::with(&shop.aws, bounds(dollars, 600), SameForAll(None)).unwrap();
    let verdicts = verdicts(&rules, &order()).await.unwrap();
    assert_eq!(
        summaries(&verdicts),
        [
            ("total_is_sum_of_lines", true, "ok"),
            ("minimum_order_amount", true, "ok"),
            ("customer_credit", false, "rule_broken"),
        ]
    );
    let message = "the rule customer_credit could not be evaluated: the credit score is not known: the bureau is shut";
    assert_eq!(verdicts[2].message, message);
}

#[tokio::test]
async fn operators_rules_come_after_the_built_in_ones_and_get_the_facts_that_they_need() {
    let shop = Shop::open();
    let asked = "order.lines.all(line, !has(line.category)) && !has(customer.roles) && customer.orders_placed == 0";
    add(
        &shop,
        "small",
        Severity::Reject,
        "order.total < money(\"50\")",
    )
    .await;
    add(&shop, "asks", Severity::Reject, asked).await;
    add(
        &shop,
        "absent",
        Severity::Review,
        "order.region == \"Wien\"",
    )
    .await;
    let rules = Rules::new(&shop.aws).unwrap();
    shop.engine.forget_calls();
    let verdicts = verdicts(&rules, &order()).await.unwrap();
    let mut calls = shop.engine.calls();
    calls.sort();
    assert_eq!(
        calls,
        ["BatchGetItem", "GetItem", "GetItem", "Query", "Query"]
    );
    assert_eq!(
        summaries(&verdicts)[3..],
        [
            ("absent", false, "rule_broken"),
            ("asks", true, "ok"),
            ("small", false, "no"),
        ]
    );
    let Outcome::Rejected(why) = check(&rules, &order()).await.unwrap() else {
        panic!("not rejected");
    };
    assert_eq!(why, "small says no");
}

#[tokio::test]
async fn only_an_order_that_needs_a_review_is_reviewed() {
    let shop = Shop::open();
    add(&shop, "odd", Severity::Review, "order.country != \"AT\"").await;
    let rules = Rules::new(&shop.aws).unwrap();
    let outcome = check(&rules, &order()).await.unwrap();
    assert_eq!(outcome, Outcome::Review("odd says no".to_owned()));
    let mut cheap = order_of("ana", lines(1), after(0));
    cheap.lines[0].quantity = 1;
    cheap.lines[0].unit_price = eur("1.00");
    cheap.total = eur("1.00");
    let outcome = check(&rules, &cheap).await.unwrap();
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
}

#[tokio::test]
async fn trying_card_after_card_is_stopped_and_a_guest_counts_as_new() {
    let shop = Shop::open();
    let rules = Rules::new(&shop.aws).unwrap();
    for number in 0..6 {
        let mut past = order_of("ana", lines(1), after(number));
        past.status = Status::Failed;
        past.failure = Some(Failure::new(FailureCode::PaymentDeclined, "no"));
        shop.store(&past).await;
    }
    let mut next = order_of("ana", lines(2), after(60));
    let refused = check(&rules, &next).await.unwrap();
    let why = "too many payments were declined lately".to_owned();
    assert_eq!(refused, Outcome::Rejected(why));
    // The order itself and later ones do not count.
    let earlier = order_of("ana", lines(2), after(5));
    assert_eq!(check(&rules, &earlier).await.unwrap(), Outcome::Passed);
    next.guest = Some(crate::orders::model::Guest {
        email: "guest@example.com".parse().unwrap(),
        locale: "de".parse().unwrap(),
    });
    shop.engine.forget_calls();
    assert_eq!(check(&rules, &next).await.unwrap(), Outcome::Passed);
    assert_eq!(shop.engine.calls(), ["GetItem"]);
}

#[tokio::test]
async fn a_failed_read_is_not_a_verdict() {
    let shop = Shop::open();
    let rules = Rules::new(&shop.aws).unwrap();
    for operation in ["GetItem", "Query"] {
        for _ in 0..5 {
            shop.engine.fail_next(operation, Fault::Throttled);
        }
        let answer = check(&rules, &order()).await;
        assert!(matches!(answer, Err(StoreError::Busy(_))), "{answer:?}");
        shop.engine.clear_faults();
    }
}

#[test]
fn a_rejection_outweighs_a_review_and_only_failed_rules_are_named() {
    let verdict = |valid, severity, message: &str| Verdict {
        rule: "rule".to_owned(),
        valid,
        code: "code".to_owned(),
        message: message.to_owned(),
        severity,
    };
    let passed = verdict(true, Severity::Reject, "unsaid");
    let [odd, strange] = ["odd", "strange"].map(|text| verdict(false, Severity::Review, text));
    let wrong = verdict(false, Severity::Reject, "wrong");
    assert_eq!(
        Outcome::from_verdicts(vec![passed.clone()]),
        Outcome::Passed
    );
    let to_see = vec![odd.clone(), passed.clone(), strange];
    assert_eq!(
        Outcome::from_verdicts(to_see),
        Outcome::Review("odd; strange".to_owned())
    );
    let bad = vec![odd, passed, wrong];
    assert_eq!(
        Outcome::from_verdicts(bad),
        Outcome::Rejected("wrong".to_owned())
    );
}

#[tokio::test]
async fn a_rule_with_a_currency_is_for_orders_in_it_and_one_without_holds_up_others() {
    let shop = Shop::open();
    let draft = |currency: Option<&str>| Draft {
        expression: "order.total < money(\"50\")".to_owned(),
        currency: currency.map(|code| code.parse().unwrap()),
        message: "no".to_owned(),
        code: "no".to_owned(),
        severity: Severity::Review,
        enabled: true,
    };
    add_draft(&shop, "dollars", draft(Some("USD"))).await;
    add_draft(&shop, "euros", draft(Some("EUR"))).await;
    add_draft(&shop, "shop", draft(None)).await;
    let prices_in = |code: &str| {
        let mut lines = lines(2);
        for line in &mut lines {
            line.unit_price = Money::parse("13", code.parse().unwrap()).unwrap();
        }
        Order {
            total: crate::orders::lines::total(code.parse().unwrap(), &lines).unwrap(),
            breakdown: Breakdown::plain(&lines),
            lines,
            ..order()
        }
    };
    let bounds = bounds(eur("10.00"), 600);
    let rules = Rules::with(&shop.aws, bounds, OwnOrders).unwrap();
    for (code, expected) in [
        ("EUR", ["ok", "no", "no"]),
        ("USD", ["no", "ok", "rule_broken"]),
        ("JPY", ["ok", "ok", "rule_broken"]),
    ] {
        let found = verdicts(&rules, &prices_in(code)).await.unwrap();
        let codes: Vec<&str> = found[3..].iter().map(|found| found.code.as_str()).collect();
        assert_eq!(codes, expected, "{code}");
    }
}
