use proptest::prelude::*;

use super::*;

fn eur(cents: u64) -> Money {
    Money::from_minor_units(cents, "EUR".parse().unwrap()).unwrap()
}

/// Returns a fixed time, `number` hours later.
fn hour(number: i64) -> Time {
    Time::from_millis(1_750_000_000_000 + number * 3_600_000)
}

fn day(number: i64) -> Time {
    hour(24 * number)
}

fn sale(cents: u64, starts_at: Time, ends_at: Option<Time>) -> Sale {
    Sale {
        price: eur(cents),
        starts_at,
        ends_at,
    }
}

/// Returns the prices of a product that costs so many cents from the beginning of time on.
fn new(cents: u64) -> Prices {
    Prices {
        regular: eur(cents),
        sale: None,
        since: day(0),
        past: Vec::new(),
    }
}

#[test]
fn a_sale_is_on_from_its_start_until_before_its_end() {
    let sale = sale(800, day(2), Some(day(4)));
    let prices = new(1000).changed(eur(1000), Some(sale), day(1));
    let seen = [day(1), hour(47), day(2), hour(95), day(4), day(9)].map(|time| prices.at(time));
    let expected = [1000, 1000, 800, 800, 1000, 1000].map(eur);
    assert_eq!(seen, expected);
}

#[test]
fn the_lowest_price_is_that_of_the_thirty_days_before_the_sale() {
    // 10.00, from day 40 on 7.00, from day 50 on 12.00.
    let prices = new(1000).changed(eur(700), None, day(40));
    let prices = prices.changed(eur(1200), None, day(50));
    for (starts, lowest) in [(60, 700), (79, 700), (80, 1200), (81, 1200)] {
        let sale = sale(600, day(starts), None);
        let prices = prices.changed(eur(1200), Some(sale), day(55));
        assert_eq!(prices.lowest_before(&sale), Some(eur(lowest)), "{starts}");
        // It stays, however long the sale lasts and whatever becomes of the price.
        let later = prices.changed(eur(1300), Some(sale), day(starts + 200));
        assert_eq!(later.lowest_before(&sale), Some(eur(lowest)), "{starts}");
    }
}

#[test]
fn an_earlier_sale_counts_and_a_further_reduction_of_this_one_does_not() {
    let first = sale(800, day(10), Some(day(12)));
    let prices = new(1000).changed(eur(1000), Some(first), day(1));
    assert_eq!(prices.lowest_before(&first), Some(eur(1000)));
    let second = sale(900, day(20), None);
    let prices = prices.changed(eur(1000), Some(second), day(15));
    assert_eq!(prices.lowest_before(&second), Some(eur(800)));
    let further = sale(600, day(20), None);
    let prices = prices.changed(eur(1000), Some(further), day(25));
    assert_eq!(prices.lowest_before(&further), Some(eur(800)));
}

#[test]
fn a_product_that_is_new_with_its_sale_had_no_price_before() {
    let sale = sale(800, day(0), None);
    let prices = Prices {
        sale: Some(sale),
        ..new(1000)
    };
    assert_eq!(prices.lowest_before(&sale), None);
}

/// A change of prices, so many hours after the one before.
#[derive(Clone, Copy, Debug)]
struct Change {
    after: i64,
    cents: u64,
    /// The cents of a sale, and in how many hours it starts and for how many it lasts.
    sale: Option<(u64, i64, Option<i64>)>,
}

fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    let sale = (1_u64..500, 0_i64..400, proptest::option::of(1_i64..400));
    let change = (1_i64..400, 500_u64..1000, proptest::option::of(sale));
    let change = change.prop_map(|(after, cents, sale)| Change { after, cents, sale });
    proptest::collection::vec(change, 1..most)
}

/// Carries out `changes`. Returns the prices at the end, and what the product cost in each hour until the sale that is set
/// by then starts.
fn carry_out(changes: &[Change]) -> (Prices, Vec<Money>) {
    let mut prices = new(1000);
    let mut costs = Vec::new();
    let mut now = 0;
    for change in changes {
        costs.extend((now..now + change.after).map(|at| prices.at(hour(at))));
        now += change.after;
        let sale = change.sale.map(|(cents, wait, lasts)| {
            let ends_at = lasts.map(|lasts| hour(now + wait + lasts));
            sale(cents, hour(now + wait), ends_at)
        });
        prices = prices.changed(eur(change.cents), sale, hour(now));
    }
    if let Some(sale) = prices.sale {
        let start = (sale.starts_at.as_millis() - hour(0).as_millis()) / 3_600_000;
        costs.extend((now..start).map(|at| prices.at(hour(at))));
    }
    (prices, costs)
}

fn lowest_of_thirty_days(costs: &[Money]) -> Option<Money> {
    let latest = costs.iter().rev().take(30 * 24);
    latest.copied().min_by_key(|price| price.amount())
}

proptest! {
    #[test]
    fn the_lowest_price_is_what_the_clock_saw(changes in changes(10)) {
        let (prices, costs) = carry_out(&changes);
        if let Some(sale) = prices.sale {
            prop_assert_eq!(prices.lowest_before(&sale), lowest_of_thirty_days(&costs));
        }
    }

    #[test]
    fn many_changes_are_remembered_in_few_prices_and_the_lowest_is_never_too_high(
        changes in changes(300), hourly in any::<bool>(),
    ) {
        let hourly = |change: Change| Change { after: if hourly { 1 } else { change.after }, ..change };
        let changes: Vec<Change> = changes.into_iter().map(hourly).collect();
        let (prices, costs) = carry_out(&changes);
        prop_assert!(prices.past.len() <= MOST_PAST_PRICES);
        if let Some(sale) = prices.sale {
            let lowest = prices.lowest_before(&sale).unwrap().amount();
            prop_assert!(lowest <= lowest_of_thirty_days(&costs).unwrap().amount());
            // Nor does it ever come from before the days that are remembered, but for the price at their beginning.
            let remembered = costs.iter().rev().take(61 * 24);
            prop_assert!(remembered.into_iter().any(|cost| cost.amount() == lowest));
        }
    }
}
