//! Evaluating expressions, and refusing invalid ones.

use super::*;
use crate::screening::view::{CustomerView, Fact, LineView, OrderView, TotalsView, View};
use crate::values::id::{CustomerId, ProductId};
use crate::values::money::Money;

mod hostile;

pub(super) fn euro() -> Currency {
    "EUR".parse().unwrap()
}

pub(super) fn eur(amount: &str) -> Money {
    Money::parse(amount, euro()).unwrap()
}

fn line(name: &str, category: Option<&str>, quantity: u32, price: &str) -> LineView {
    let unit_price = eur(price);
    LineView {
        product_id: ProductId::derived(&[name]),
        variant_id: ProductId::derived(&[name]).into(),
        category: category.map(str::to_owned),
        quantity,
        unit_price,
        subtotal: unit_price.times(quantity).unwrap(),
        ordered_today: Fact::Known(if name == "tea" { 7 } else { 0 }),
    }
}

/// Returns an order of two lines, 32.00 together, by a customer of one year, placed on a Thursday at
/// half past four.
pub(super) fn view() -> View {
    View {
        order: OrderView {
            lines: vec![
                line("tea", Some("green-tea"), 3, "4.00"),
                line("pot", None, 1, "20.00"),
            ],
            country: Some("AT".to_owned()),
            region: None,
            postal_code: Some("1070".to_owned()),
            created_at: "2026-12-24T16:30:00Z".parse().unwrap(),
        },
        customer: CustomerView {
            id: Some(CustomerId::derived(&["ana"])),
            is_guest: false,
            roles: Some(vec!["customer".to_owned()]),
            registered_at: Some("2025-12-24T00:00:00Z".parse().unwrap()),
            orders_placed: Some(4),
            orders_confirmed: Some(3),
            orders_today: Fact::Known(2),
            spent_today: Fact::Known(eur("65.10")),
        },
        totals: TotalsView {
            subtotal: eur("32.00"),
            discount: Some(eur("2.00")),
            shipping: Some(eur("4.90")),
            tax: None,
            total: eur("34.90"),
        },
    }
}

pub(super) fn evaluate(source: &str, view: &View) -> Result<bool, EvaluationError> {
    let compiled = Expression::compile(source, euro());
    let compiled = compiled.unwrap_or_else(|error| panic!("{source}: {error}"));
    compiled.holds(&Facts::new(view).unwrap())
}

pub(super) fn refused(source: &str) -> String {
    match Expression::compile(source, euro()) {
        Ok(compiled) => panic!("{source} costs {} and was accepted", compiled.cost()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn expressions_are_true_or_false_for_an_order() {
    for source in [
        "order.total == money(\"34.90\")",
        "totals.subtotal - totals.discount + totals.shipping == totals.total",
        "order.total >= money(\"10\") && order.country in [\"AT\", \"DE\"]",
        "order.item_count == 4 && size(order.lines) == 2 && order.lines.size() == 2",
        "order.lines.all(line, line.quantity <= 3)",
        "order.lines.exists(line, has(line.category) && line.category == \"green-tea\")",
        "order.lines.exists_one(line, line.subtotal > money(\"15\"))",
        "order.lines.filter(line, line.quantity > 1).size() == 1",
        "order.lines.map(line, line.quantity) .exists(count, count == 3)",
        "order.lines.map(line, line.quantity > 1, line.subtotal)[0] == money(\"12\")",
        "order.lines.sum(line, line.subtotal) == totals.subtotal",
        "order.lines.filter(line, has(line.category)).sum(line, line.quantity) == 3",
        "order.lines[1].unit_price * 2 == money(\"40\")",
        "2 * order.lines[1].unit_price == money(\"40\")",
        "-order.total < money(\"0\")",
        "10 * totals.discount < totals.subtotal",
        "!has(order.region) && !has(totals.tax) && has(totals.discount)",
        "has(order.region) ? order.region == \"Wien\" : order.postal_code.startsWith(\"10\")",
        "order.postal_code.endsWith(\"70\") && order.postal_code.contains(\"07\")",
        "order.postal_code < \"2000\" && size(order.postal_code) == 4",
        "customer.orders_placed - customer.orders_confirmed <= 1",
        "customer.orders_placed % 3 == 1 && customer.orders_placed / 3 == 1",
        "customer.orders_today < 3",
        "customer.spent_today + order.total == money(\"100\")",
        "order.lines.all(line, line.ordered_today + line.quantity <= 10)",
        "order.lines.sum(line, line.ordered_today) == 7",
        "\"customer\" in customer.roles && !(\"admin\" in customer.roles) && !customer.is_guest",
        "order.created_at - customer.registered_at > duration(\"8760h\")",
        "order.created_at < timestamp(\"2026-12-25T00:00:00Z\")",
        "customer.registered_at + duration(\"8784h\") > order.created_at",
        "order.created_at.getHours() == 16 && order.created_at.getDayOfWeek() == 4",
        "duration(\"1h30m\") == duration(\"90m\") && duration(\"90s\") < duration(\"2m\")",
        "order.currency == \"EUR\"",
        "1 + 2 * 3 == 7 // a remark",
        "true",
    ] {
        assert_eq!(evaluate(source, &view()), Ok(true), "{source}");
        let not = format!("!({})", source.split(" //").next().unwrap());
        assert_eq!(evaluate(&not, &view()), Ok(false), "{not}");
    }
}

#[test]
fn amounts_are_exact_and_numbers_with_a_point_are_refused() {
    let sum = "money(\"0.10\") + money(\"0.20\") == money(\"0.30\")";
    assert_eq!(evaluate(sum, &view()), Ok(true));
    let refused = refused("0.1 + 0.2 == 0.3");
    assert!(
        refused.starts_with("line 1, column 1: numbers with a decimal point are not exact"),
        "{refused}"
    );
    let yen = Expression::compile("order.total > money(\"9.99\")", "JPY".parse().unwrap());
    assert_eq!(
        yen.unwrap_err().to_string(),
        "line 1, column 21: the amount has more decimals than its currency allows"
    );
}

#[test]
fn an_expression_is_not_evaluated_with_amounts_in_another_currency() {
    let yen = Expression::compile("order.total > money(\"10\")", "JPY".parse().unwrap()).unwrap();
    let facts = Facts::new(&view()).unwrap();
    assert_eq!(yen.holds(&facts), Err(EvaluationError::Currency));
    let mut mixed = view();
    mixed.totals.tax = Some(Money::parse("1", "JPY".parse().unwrap()).unwrap());
    assert!(Facts::new(&mixed).is_err());
}

#[test]
fn reading_an_absent_field_is_an_error() {
    let mut guest = view();
    guest.customer = CustomerView {
        is_guest: true,
        ..CustomerView::default()
    };
    let absent = |part: &str| Err(EvaluationError::Absent(part.to_owned()));
    for (source, expected) in [
        (
            "customer.orders_placed > 0",
            absent("customer.orders_placed"),
        ),
        ("customer.is_guest || customer.orders_placed > 0", Ok(true)),
        ("customer.orders_placed > 0 || customer.is_guest", Ok(true)),
        (
            "has(customer.orders_placed) && customer.orders_placed > 0",
            Ok(false),
        ),
        ("customer.orders_today < 5", absent("customer.orders_today")),
        (
            "has(customer.spent_today) || order.lines.exists(line, !has(line.category))",
            Ok(true),
        ),
        (
            "order.lines.all(line, line.category == \"green-tea\")",
            absent("line.category"),
        ),
        (
            "order.lines.exists(line, line.category == \"green-tea\")",
            Ok(true),
        ),
        (
            "order.lines[2].quantity > 0",
            Err(EvaluationError::NoElement(2)),
        ),
        (
            "order.lines[-1].quantity > 0",
            Err(EvaluationError::NoElement(-1)),
        ),
    ] {
        assert_eq!(evaluate(source, &guest), expected, "{source}");
    }
}

#[test]
fn reading_or_checking_an_unknown_field_is_an_error() {
    let mut busy = view();
    let unknown = || "too many".to_owned();
    busy.customer.orders_today = Fact::Unknown(unknown());
    busy.customer.spent_today = Fact::Unknown(unknown());
    busy.order.lines[0].ordered_today = Fact::Unknown(unknown());
    busy.order.lines[1].ordered_today = Fact::Absent;
    let unknown_field = |part: &str| Err(EvaluationError::Unknown(part.to_owned(), unknown()));
    let (orders, spent) = ("customer.orders_today", "customer.spent_today");
    for (source, expected) in [
        ("customer.orders_today < 5", unknown_field(orders)),
        ("has(customer.orders_today)", unknown_field(orders)),
        ("!has(customer.orders_today)", unknown_field(orders)),
        (
            "!has(customer.orders_today) || customer.orders_today < 5",
            unknown_field(orders),
        ),
        (
            "has(customer.spent_today) ? customer.spent_today < money(\"9\") : true",
            unknown_field(spent),
        ),
        (
            "order.lines.all(line, !has(line.ordered_today) || line.ordered_today < 9)",
            unknown_field("line.ordered_today"),
        ),
        (
            "has(customer.spent_today) && order.item_count == 0",
            Ok(false),
        ),
        ("customer.spent_today < money(\"9\") || true", Ok(true)),
        ("!has(order.lines[1].ordered_today)", Ok(true)),
    ] {
        assert_eq!(evaluate(source, &busy), expected, "{source}");
    }
    let error = evaluate("customer.orders_today < 5", &busy).unwrap_err();
    assert_eq!(
        error.to_string(),
        "customer.orders_today is not known: too many"
    );
}

fn check_faults(faults: &[(&str, &str)]) {
    for (source, fault) in faults {
        let error = refused(source);
        assert!(error.starts_with(fault), "{source}:\n{error}\n{fault}");
    }
}

#[test]
fn type_errors_have_their_place() {
    check_faults(&[
        (
            "order.totl > money(\"1\")",
            "line 1, column 6: order has no field \"totl\"; it has lines",
        ),
        (
            "true &&\n  basket.total",
            "line 2, column 3: there is no \"basket\"",
        ),
        (
            "\"ü\" == \"ö\" && nobody",
            "line 1, column 15: there is no \"nobody\"",
        ),
        (
            "order.total > 50",
            "line 1, column 13: > cannot be applied to an amount and a whole number; an amount is written as money(",
        ),
        (
            "order.total / 2 > money(\"1\")",
            "line 1, column 13: / cannot be applied to an amount and a whole number; an amount cannot be divided",
        ),
        (
            "order.total * order.total > money(\"1\")",
            "line 1, column 13: * cannot be applied to an amount and an amount",
        ),
        (
            "order.total",
            "line 1, column 6: an expression must be true or false, but this is an amount",
        ),
        (
            "order",
            "line 1, column 1: an expression must be true or false, but this is the whole order",
        ),
        (
            "order == order",
            "line 1, column 7: == cannot be applied to the whole order and the whole order",
        ),
        (
            "order.lines == order.lines",
            "line 1, column 13: == cannot be applied to a list and a list",
        ),
        (
            "order.country.region == \"x\"",
            "line 1, column 14: a text has no field \"region\"",
        ),
        (
            "money(order.country) > order.total",
            "line 1, column 12: money() takes a text literal",
        ),
        (
            "money(\"1,50\") > order.total",
            "line 1, column 7: the amount is not a decimal number",
        ),
        (
            "money(1) > order.total",
            "line 1, column 7: money() takes a text",
        ),
        (
            "order.created_at > timestamp(\"tomorrow\")",
            "line 1, column 30: write it as in timestamp(",
        ),
        (
            "duration(\"1 day\") > duration(\"1h\")",
            "line 1, column 10: write it as in duration(",
        ),
    ]);
}

#[test]
fn unsupported_syntax_is_refused_at_its_place() {
    check_faults(&[
        (
            "order.country.matches(\"(a+)+$\")",
            "line 1, column 22: regular expressions are not supported",
        ),
        (
            "order.country.length() > 1",
            "line 1, column 21: there is no function length()",
        ),
        (
            "int(\"1\") == 1",
            "line 1, column 4: there is no function int()",
        ),
        ("1 == 1u", "line 1, column 6: write the number without u"),
        (
            "order.region == null",
            "line 1, column 17: null is not supported",
        ),
        (
            "b\"a\" == b\"a\"",
            "line 1, column 1: bytes are not supported",
        ),
        (
            "{\"a\": 1}.a == 1",
            "line 1, column 1: maps are not supported",
        ),
        (
            "order.country in []",
            "line 1, column 18: a list must not be empty",
        ),
        (
            "order.country in [\"AT\", 1]",
            "line 1, column 25: the elements of a list must be of one type",
        ),
        (
            "order.country in [1]",
            "line 1, column 15: in cannot be applied to a text and a list",
        ),
        (
            "\"a\" + \"b\" == \"ab\"",
            "line 1, column 5: + cannot be applied to a text and a text",
        ),
        (
            "order.country.all(c, true)",
            "line 1, column 6: this must be a list, but it is a text",
        ),
        (
            "order.lines.sum(line, line.product_id) == 1",
            "line 1, column 27: cannot sum a text",
        ),
        (
            "order.item_count / 0 == 1",
            "line 1, column 18: this divides by zero",
        ),
        ("order.item_count > ", "line 1, column 20: Syntax error"),
        ("order.item_count >> 1", "line 1, column 19: Syntax error"),
        (
            "\"ü\" == \"ö\" &&\n \"ü\" == \"ü\" )",
            "line 2, column 13: Syntax error: extraneous input ')'",
        ),
        (
            "true &&\n\"üü\" == has(1)",
            "line 2, column 13: invalid argument to has() macro",
        ),
        (
            "true &&\n\"üü\" == 99999999999999999999",
            "line 2, column 9: invalid int literal",
        ),
        (
            "true &&",
            "line 1, column 8: Syntax error: mismatched input '<EOF>'",
        ),
        (
            "order.item_count > 99999999999999999999",
            "line 1, column 20: ",
        ),
        (
            "has(order)",
            "line 1, column 5: invalid argument to has() macro",
        ),
        (
            "has(order.basket)",
            "line 1, column 4: order has no field \"basket\"",
        ),
        ("  ", "line 1, column 1: an expression is missing"),
    ]);
}

#[test]
fn an_expression_lists_what_it_reads_besides_the_order() {
    let needs = |source: &str| Expression::compile(source, euro()).unwrap().needs();
    assert_eq!(needs("order.total > money(\"1\")"), Needs::default());
    let history = needs("has(customer.orders_placed)");
    assert!(history.history && !history.account && !history.categories);
    let rest = needs("\"admin\" in customer.roles || order.lines.all(l, l.category == \"tea\")");
    assert!(!rest.history && rest.account && rest.categories);
    assert_eq!(
        history.and(rest),
        Needs {
            history: true,
            account: true,
            categories: true,
            today: Today::Nothing,
        }
    );
    for (source, today) in [
        ("customer.orders_today < 5", Today::Orders),
        ("!has(customer.spent_today)", Today::Orders),
        ("order.lines.all(l, l.ordered_today < 5)", Today::Lines),
        (
            "order.lines.all(l, l.ordered_today < 5) && customer.orders_today < 5",
            Today::Lines,
        ),
    ] {
        let found = needs(source);
        assert_eq!((found.today, found.history), (today, false), "{source}");
        assert_eq!(found.and(rest).today, today, "{source}");
        assert_eq!(rest.and(found).today, today, "{source}");
    }
}
