use super::*;
use crate::pricing::fixtures::noon;

fn list(id: &str) -> PriceList {
    PriceList {
        id: id.to_owned(),
        name: id.to_owned(),
        currency: "EUR".parse().unwrap(),
        customer_group: None,
        countries: Vec::new(),
        starts_at: None,
        ends_at: None,
    }
}

fn price(list: &str, variant: VariantId, breaks: &[(u32, &str)]) -> ListPrice {
    let breaks = breaks.iter().map(|(min_quantity, amount)| Break {
        min_quantity: *min_quantity,
        price: eur(amount),
    });
    set(None, (list, variant), breaks.collect(), noon()).unwrap()
}

fn eur(amount: &str) -> Money {
    Money::parse(amount, "EUR".parse().unwrap()).unwrap()
}

fn order<'a>(kind: Group, group: Option<&'a CustomerGroup>, country: &'a str) -> ListedFor<'a> {
    ListedFor {
        currency: "EUR".parse().unwrap(),
        kind,
        group,
        country,
        now: noon(),
    }
}

/// Returns the identifiers of the lists that are for the order.
fn found<'a>(lists: &'a [PriceList], order: &ListedFor<'_>) -> Vec<&'a str> {
    let lists = lists_for(lists, order).into_iter();
    lists.map(|list| list.id.as_str()).collect()
}

#[test]
fn a_list_is_for_its_customers_countries_and_currency() {
    let wholesale: CustomerGroup = "wholesale".parse().unwrap();
    let retail: CustomerGroup = "retail".parse().unwrap();
    let for_customers = |id, customer_group| PriceList {
        customer_group: Some(customer_group),
        ..list(id)
    };
    let lists = [
        for_customers("guests", ForCustomers::Kind(Group::Guest)),
        for_customers("accounts", ForCustomers::Kind(Group::Customer)),
        for_customers("wholesale", ForCustomers::Group(wholesale.clone())),
        PriceList {
            countries: vec!["CH".to_owned(), "LI".to_owned()],
            ..list("alps")
        },
        PriceList {
            currency: "CHF".parse().unwrap(),
            ..list("francs")
        },
        list("all"),
    ];
    let guest = order(Group::Guest, None, "DE");
    assert_eq!(found(&lists, &guest), ["guests", "all"]);
    let customer = order(Group::Customer, Some(&retail), "LI");
    assert_eq!(found(&lists, &customer), ["accounts", "alps", "all"]);
    let wholesaler = order(Group::Customer, Some(&wholesale), "DE");
    assert_eq!(found(&lists, &wholesaler), ["accounts", "wholesale", "all"]);
}

#[test]
fn a_list_is_in_force_from_its_start_until_before_its_end() {
    let timed = |starts_at, ends_at| {
        let list = PriceList {
            starts_at,
            ends_at,
            ..list("timed")
        };
        list.is_for(&order(Group::Guest, None, "DE"))
    };
    let (now, later) = (noon(), noon().plus(std::time::Duration::from_millis(1)));
    assert!(timed(Some(now), Some(later)));
    assert!(!timed(Some(later), None), "it has not begun");
    assert!(!timed(None, Some(now)), "it is over");
}

#[test]
fn an_order_looks_into_the_first_five_of_its_lists() {
    let lists: Vec<PriceList> = (0..7)
        .map(|number| list(&format!("list-{number}")))
        .collect();
    let found = found(&lists, &order(Group::Guest, None, "DE"));
    assert_eq!(found, ["list-0", "list-1", "list-2", "list-3", "list-4"]);
}

#[test]
fn the_first_list_with_a_price_for_the_quantity_decides() {
    let lists = [list("first"), list("second")];
    let lists: Vec<&PriceList> = lists.iter().collect();
    let [cup, pot, tea] = ["cup", "pot", "tea"].map(|name| VariantId::derived(&[name]));
    let prices = vec![
        price("second", cup, &[(1, "9.00"), (10, "8.00")]),
        price("first", cup, &[(5, "8.50"), (20, "7.50")]),
        price("second", pot, &[(1, "30.00")]),
    ];
    let prices = ListPrices::new(&lists, prices);
    let cups = |quantity| prices.find(cup, quantity);
    assert_eq!(cups(4), Some(("second", eur("9.00"))));
    assert_eq!(cups(5), Some(("first", eur("8.50"))));
    assert_eq!(cups(19), Some(("first", eur("8.50"))));
    assert_eq!(cups(20), Some(("first", eur("7.50"))));
    assert_eq!(prices.find(pot, 1), Some(("second", eur("30.00"))));
    assert_eq!(prices.find(tea, 1), None);
}

#[test]
fn each_change_of_a_price_has_the_next_event() {
    let cup = VariantId::derived(&["cup"]);
    let first = price("wholesale", cup, &[(1, "9.00")]);
    assert_eq!((first.version, first.event.version), (1, 1));
    let same = set(
        Some(&first),
        ("wholesale", cup),
        first.breaks.clone(),
        noon(),
    );
    assert_eq!(same, None);
    let removed = set(Some(&first), ("wholesale", cup), Vec::new(), noon()).unwrap();
    assert_eq!((removed.version, removed.of(1)), (2, None));
    assert_ne!(removed.event.id, first.event.id);
    assert_eq!(set(None, ("wholesale", cup), Vec::new(), noon()), None);
}
