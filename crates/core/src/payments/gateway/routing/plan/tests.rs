use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn plan(list: &str, strategy: Selection) -> Plan {
    Plan::parse(list, strategy, Provider::Stripe).unwrap()
}

/// The order number `number` of customer number `customer`.
fn payer(customer: u32, number: u32) -> Payer {
    let customer = format!("customer {customer}");
    Payer {
        order_id: OrderId::derived(&[&customer, &number.to_string()]),
        customer_id: CustomerId::derived(&[&customer]),
    }
}

fn first(plan: &Plan, payer: Payer) -> String {
    plan.ranking(payer)[0].to_string()
}

/// How many of `payers` each gateway takes.
fn shares(plan: &Plan, payers: impl Iterator<Item = Payer>) -> BTreeMap<String, u32> {
    let mut shares = BTreeMap::new();
    for payer in payers {
        *shares.entry(first(plan, payer)).or_default() += 1;
    }
    shares
}

/// Checks that `count` of `of` draws with the probability `part / whole` is within six standard deviations.
fn assert_share(count: u32, of: u32, part: u32, whole: u32) {
    let [count, of, part, whole] = [count, of, part, whole].map(i64::from);
    let off = count * whole - of * part;
    let variance = of * part * (whole - part);
    assert!(
        off * off <= 36 * variance,
        "{count} of {of} for {part}/{whole}"
    );
}

/// Returns a list of the accounts with these numbers.
fn list(numbers: impl IntoIterator<Item = usize>) -> String {
    let names = numbers
        .into_iter()
        .map(|number| format!("stripe:gw-{number}"));
    names.collect::<Vec<_>>().join(",")
}

#[test]
fn a_list_that_is_not_valid_is_refused_with_its_reason() {
    use Selection::{PrimaryWithFallback, RoundRobin, Weighted};
    for (list, strategy, reason) in [
        ("stripe:eu", RoundRobin, "a list has from 2 to 8 gateways"),
        (&list(0..9), RoundRobin, "a list has from 2 to 8 gateways"),
        (
            "stripe:eu,stripe:us,stripe:eu",
            RoundRobin,
            "stripe:eu is there twice",
        ),
        ("stripe,stripe", RoundRobin, "stripe is there twice"),
        (
            "stripe:eu,sandbox:us",
            RoundRobin,
            "sandbox:us is not of the provider that PAYMENT_GATEWAY names",
        ),
        (
            "stripe:eu=1,stripe:us",
            PrimaryWithFallback,
            "only the strategy weighted takes weights",
        ),
        ("stripe:eu=0,stripe:us=0", Weighted, "all weights are zero"),
        (
            "stripe:eu=101,stripe:us",
            Weighted,
            "\"stripe:eu=101\" is not a gateway such as stripe:us, or stripe:us=30 with a weight up to 100",
        ),
        (
            "stripe:eu=-1,stripe:us",
            Weighted,
            "\"stripe:eu=-1\" is not a gateway such as stripe:us, or stripe:us=30 with a weight up to 100",
        ),
        (
            "stripe:eu,,stripe:us",
            RoundRobin,
            "\"\" is not a gateway such as stripe:us, or stripe:us=30 with a weight up to 100",
        ),
        (
            "stripe:eu, stripe:us",
            RoundRobin,
            "\" stripe:us\" is not a gateway such as stripe:us, or stripe:us=30 with a weight up to 100",
        ),
    ] {
        let refused = Plan::parse(list, strategy, Provider::Stripe);
        assert_eq!(refused.unwrap_err().to_string(), reason, "{list}");
    }
    for strategy in ["", "random", "RoundRobin"] {
        assert!(strategy.parse::<Selection>().is_err(), "{strategy:?}");
    }
}

#[test]
fn the_primary_comes_first_and_the_others_in_their_turn() {
    let plan = plan("stripe:eu,stripe:us,stripe", Selection::PrimaryWithFallback);
    for customer in 0..20 {
        let ranking = plan.ranking(payer(customer, 0));
        let ranking: Vec<String> = ranking.into_iter().map(ToString::to_string).collect();
        assert_eq!(ranking, ["stripe:eu", "stripe:us", "stripe"]);
    }
}

#[test]
fn orders_go_round_in_equal_shares_and_so_do_those_of_each_gateway_that_is_left_out() {
    let plan = plan(&list(0..3), Selection::RoundRobin);
    let payers = || (0..9000).map(|number| payer(7, number));
    let taken = shares(&plan, payers());
    assert_eq!(taken.len(), 3);
    for (name, count) in taken {
        assert_share(count, 9000, 1, 3);
        let theirs: Vec<Payer> = payers().filter(|p| first(&plan, *p) == name).collect();
        let second = |payer: &Payer| plan.ranking(*payer)[1].to_string();
        let mut next: BTreeMap<String, u32> = BTreeMap::new();
        for payer in &theirs {
            *next.entry(second(payer)).or_default() += 1;
        }
        assert_eq!(next.len(), 2, "{name}");
        for count in next.into_values() {
            assert_share(count, u32::try_from(theirs.len()).unwrap(), 1, 2);
        }
    }
}

#[test]
fn an_order_always_has_the_same_ranking_of_all_gateways() {
    let strategies = [
        Selection::PrimaryWithFallback,
        Selection::RoundRobin,
        Selection::ConsistentHash,
        Selection::Weighted,
    ];
    for strategy in strategies {
        let plan = plan(&list(0..5), strategy);
        for number in 0..50 {
            let ranking = plan.ranking(payer(number, number));
            assert_eq!(ranking, plan.ranking(payer(number, number)));
            let mut sorted = ranking.clone();
            sorted.sort();
            assert_eq!(sorted, plan.names().collect::<Vec<_>>(), "{strategy:?}");
        }
    }
}

#[test]
fn what_is_chosen_never_changes() {
    // Another hash would move customers to other gateways.
    let plan = plan(&list(0..4), Selection::ConsistentHash);
    let chosen: Vec<String> = (0..8).map(|c| first(&plan, payer(c, 0))).collect();
    expect_test::expect!["stripe:gw-1 stripe:gw-3 stripe:gw-0 stripe:gw-1 stripe:gw-0 stripe:gw-2 stripe:gw-1 stripe:gw-0"].assert_eq(&chosen.join(" "));
}

#[test]
fn a_weight_of_zero_takes_nothing() {
    let plan = plan("stripe:eu=0,stripe:us=1,stripe", Selection::Weighted);
    for number in 0..200 {
        let ranking = plan.ranking(payer(0, number));
        let names: Vec<String> = ranking.into_iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(!names.contains(&"stripe:eu".to_owned()), "{names:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A consistent hash: a gateway that comes takes about `1 / (n + 1)` of the customers from all others, and none of them
    /// moves between those; one that goes gives its customers to all others, and no other customer moves.
    #[test]
    fn a_gateway_that_comes_or_goes_moves_only_its_share(count in 2_usize..8, salt in 0_u32..1_000_000, place in 0_usize..8) {
        const CUSTOMERS: u32 = 3000;
        let before = plan(&list(1..=count), Selection::ConsistentHash);
        // The list's order does not matter.
        let mut numbers: Vec<usize> = (1..=count).collect();
        numbers.insert(place.min(count), 0);
        let after = plan(&list(numbers), Selection::ConsistentHash);
        let came = "stripe:gw-0";
        let mut moved: BTreeMap<String, u32> = BTreeMap::new();
        for customer in 0..CUSTOMERS {
            let payer = payer(salt + customer, 1);
            let (from, to) = (first(&before, payer), first(&after, payer));
            if from != to {
                prop_assert_eq!(&to, came);
                *moved.entry(from).or_default() += 1;
            }
            // All orders of a customer stay together.
            prop_assert_eq!(first(&after, Payer { order_id: OrderId::derived(&["other"]), ..payer }), to);
        }
        let count = u32::try_from(count).unwrap();
        assert_share(moved.values().sum(), CUSTOMERS, 1, count + 1);
        prop_assert_eq!(moved.len(), usize::try_from(count).unwrap());
        for from in moved.into_values() {
            assert_share(from, CUSTOMERS, 1, count * (count + 1));
        }
    }

    /// Over many orders, each gateway has its share by weight.
    #[test]
    fn orders_are_shared_in_proportion_to_the_weights(weights in prop::collection::vec(0_u32..=100, 2..6), salt in 0_u32..1_000_000) {
        const ORDERS: u32 = 2000;
        let whole: u32 = weights.iter().sum();
        prop_assume!(whole > 0);
        let entries = weights.iter().enumerate();
        let entries: Vec<String> = entries.map(|(at, weight)| format!("stripe:gw-{at}={weight}")).collect();
        let plan = plan(&entries.join(","), Selection::Weighted);
        let taken = shares(&plan, (0..ORDERS).map(|number| payer(3, salt + number)));
        for (at, weight) in weights.iter().enumerate() {
            let count = taken.get(&format!("stripe:gw-{at}")).copied().unwrap_or(0);
            assert_share(count, ORDERS, *weight, whole);
        }
    }
}
