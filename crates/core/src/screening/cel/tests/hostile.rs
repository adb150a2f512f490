//! Hostile expressions are refused, or evaluated quickly.

use std::sync::atomic::{AtomicU64, Ordering};

use ::cel::common::value::CowVal;
use ::cel::context::VariableResolver;
use proptest::prelude::*;

use super::*;
use crate::screening::types::Record;

/// Returns an order with the most lines.
fn full() -> View {
    let mut full = view();
    let line = full.order.lines[0].clone();
    full.order.lines = vec![line; 50];
    full
}

fn cost(source: &str) -> u64 {
    let compiled = Expression::compile(source, euro());
    compiled
        .unwrap_or_else(|error| panic!("{source}: {error}"))
        .cost()
}

#[test]
fn costs_of_nested_loops_multiply() {
    let once = cost("order.lines.all(a, a.quantity > 0)");
    assert!((50 * 4..50 * 12).contains(&once), "{once}");
    let twice = "order.lines.all(a, order.lines.exists(b, b.quantity >= a.quantity))";
    let refused_text = "line 1, column 16: this may take ";
    assert!((20_000..30_000).contains(&cost(twice)), "{}", cost(twice));
    assert_eq!(evaluate(twice, &full()), Ok(true));
    for source in [
        "order.lines.all(a, order.lines.all(b, order.lines.all(c, true)))",
        "order.lines.filter(a, order.lines.map(b, order.lines.exists(c, c.quantity > 1)).size() > 0).size() > 0",
        "order.lines.all(a, order.lines.sum(b, order.lines.sum(c, c.quantity)) > 0)",
    ] {
        let refused = refused(source);
        assert!(
            refused.starts_with(refused_text) || refused.contains("this may take"),
            "{refused}"
        );
    }
}

/// Counts how often an expression reads `order`, `customer` or `totals`.
struct Counted {
    facts: Facts,
    asked: AtomicU64,
}

impl VariableResolver for Counted {
    fn resolve<'v>(&'v self, name: &str) -> Option<CowVal<'v, 'v>> {
        let found = self.facts.resolve(name)?;
        self.asked.fetch_add(1, Ordering::Relaxed);
        Some(found)
    }
}

#[test]
fn an_evaluation_never_exceeds_the_cost() {
    for (source, asked) in [
        ("order.lines.all(a, order.item_count > 0)", 1 + 50),
        (
            "order.lines.all(a, [1, 2].all(b, order.item_count > 0))",
            1 + 50 * 2,
        ),
        (
            "order.lines.map(a, order.item_count).exists(b, b > order.item_count)",
            1 + 50 + 50,
        ),
        (
            "order.lines.filter(a, order.item_count < 0).sum(b, order.item_count) < order.item_count",
            1 + 50 + 1,
        ),
        (
            "order.lines.exists_one(a, order.lines.exists_one(b, order.item_count < 0))",
            1 + 50 * 51,
        ),
        (
            "order.item_count < 0 ? order.total > totals.tax : customer.is_guest",
            2,
        ),
    ] {
        let compiled = Expression::compile(source, euro()).unwrap();
        let counted = Counted {
            facts: Facts::new(&full()).unwrap(),
            asked: AtomicU64::new(0),
        };
        let mut context = Context::with_env(Arc::clone(&FUNCTIONS));
        context.set_variable_resolver(&counted);
        Value::resolve_val(&compiled.tree, &context).unwrap();
        assert_eq!(counted.asked.load(Ordering::Relaxed), asked, "{source}");
        assert!(asked < compiled.cost(), "{source}");
    }
}

#[test]
fn the_cost_of_deeply_nested_loops_does_not_overflow() {
    let mut source = "true".to_owned();
    for level in 0..20 {
        source = format!("order.lines.all(a{level}, {source})");
    }
    let refused = refused(&source);
    assert!(
        refused.contains("this may take") || refused.contains("too deeply"),
        "{refused}"
    );
}

#[test]
fn a_long_list_counts_in_every_iteration() {
    let list: Vec<String> = (0..300).map(|number| number.to_string()).collect();
    let list = list.join(",");
    assert!(cost(&format!("order.item_count in [{list}]")) > 300);
    let refused = refused(&format!("order.lines.all(a, a.quantity in [{list}])"));
    assert!(refused.contains("this may take"), "{refused}");
}

#[test]
fn expressions_that_build_growing_values_are_refused() {
    for source in [
        "[\"aaaa\"].map(a, a + a).map(a, a + a).map(a, a + a).size() > 0",
        "[0].map(a, [a, a]).map(a, [a, a]).size() > 0",
        "([0] + [0]).size() > 0",
        "[[0], [0]].size() > 0",
        "order.lines.map(a, order.lines).size() > 0",
        "[order.lines].size() > 0",
        "[order].size() > 0",
    ] {
        let refused = refused(source);
        assert!(
            refused.contains("cannot hold") || refused.contains("+ cannot be applied"),
            "{source}: {refused}"
        );
    }
}

#[test]
fn large_expressions_are_refused_before_they_are_parsed() {
    for (source, fault) in [
        (
            "(".repeat(2_000),
            "line 1, column 101: an expression has at most 100 opening brackets",
        ),
        (
            format!("{}true{}", "(".repeat(900), ")".repeat(900)),
            "line 1, column 101: ",
        ),
        (
            format!("{}1{}", "[".repeat(900), "]".repeat(900)),
            "line 1, column 101: ",
        ),
        (format!("{}1", "{".repeat(900)), "line 1, column 101: "),
        (
            format!("r\"\\\" == {}1", "(".repeat(900)),
            "line 1, column 109: ",
        ),
        (
            "a".repeat(2_001),
            "line 1, column 2001: an expression has at most 2000 characters",
        ),
        (
            "ü".repeat(2_001),
            "line 1, column 2001: an expression has at most 2000 characters",
        ),
    ] {
        let refused = refused(&source);
        assert!(refused.starts_with(fault), "{refused}");
    }
}

#[test]
fn short_but_deep_expressions_are_refused() {
    for source in [
        format!("{}true{}", "(".repeat(60), ")".repeat(60)),
        format!("{}true{}", "!(".repeat(60), ")".repeat(60)),
        format!("{}true", "true ? true : ".repeat(140)),
        format!("{} > 0", vec!["1"; 990].join("+")),
        format!("{} > 0", vec!["1"; 990].join("-")),
        vec!["true"; 330].join("=="),
        format!("order{}", ".lines".repeat(330)),
        format!("order.lines{}", "[0]".repeat(90)),
        format!("order{}", ".size()".repeat(90)),
    ] {
        let refused = refused(&source);
        assert!(
            refused.contains("deep")
                || refused.contains("has no field")
                || refused.contains("cannot be applied")
                || refused.contains("Syntax"),
            "{refused}"
        );
    }
}

#[test]
fn long_but_flat_expressions_are_accepted() {
    let conditions = vec!["order.item_count > 0"; 80].join(" && ");
    assert_eq!(evaluate(&conditions, &full()), Ok(true));
    let either = vec!["order.item_count < 0"; 80].join(" || ");
    assert_eq!(evaluate(&either, &full()), Ok(false));
    for sign in ["-", "- "] {
        let signs = sign.repeat(990);
        assert_eq!(evaluate(&format!("{signs}1 > 0"), &full()), Ok(true));
    }
    assert_eq!(
        evaluate(&format!("{}true", "!".repeat(1_990)), &full()),
        Ok(true)
    );
}

#[test]
fn arithmetic_that_cannot_be_done_is_an_error_and_not_a_panic() {
    let most = i64::MAX;
    for (source, error) in [
        (
            format!("{most} + order.item_count > 0"),
            EvaluationError::Overflow,
        ),
        (
            format!("-{most} - order.item_count * 2 > 0"),
            EvaluationError::Overflow,
        ),
        (
            format!("{most} * order.item_count > 0"),
            EvaluationError::Overflow,
        ),
        (
            format!("order.total * {most} > order.total"),
            EvaluationError::Overflow,
        ),
        (
            format!("order.lines.sum(line, {most}) > 0"),
            EvaluationError::Overflow,
        ),
        (format!("-(-{most} - 1) > 0"), EvaluationError::Overflow),
        (format!("(-{most} - 1) / -1 > 0"), EvaluationError::Overflow),
        (
            format!("(-{most} - 1) % -1 == 0"),
            EvaluationError::Overflow,
        ),
        (
            "1 / (order.item_count - order.item_count) > 0".to_owned(),
            EvaluationError::DivisionByZero,
        ),
        (
            "1 % (order.item_count - order.item_count) > 0".to_owned(),
            EvaluationError::DivisionByZero,
        ),
    ] {
        assert_eq!(evaluate(&source, &full()), Err(error), "{source}");
    }
}

#[test]
fn a_loop_variable_may_shadow_a_name_and_ends_with_its_loop() {
    assert_eq!(
        evaluate("order.lines.all(order, order.quantity == 3)", &full()),
        Ok(true)
    );
    assert_eq!(
        evaluate("order.lines.all(a, [1, 2].exists(a, a == 2))", &full()),
        Ok(true)
    );
    assert!(refused("order.lines.all(a, true) && a.quantity > 0").contains("there is no \"a\""));
    assert!(refused("[a].exists(a, a == 1)").contains("there is no \"a\""));
    assert!(refused("order.lines.all(@result, true)").contains("Syntax"));
    assert!(refused("order.lines.all(1, true)").contains("must be a simple name"));
    assert!(refused(".order.total > money(\"1\")").contains("there is no"));
}

/// The evaluator must find every field that the table of fields has.
#[test]
fn every_field_exists_and_has_its_type() {
    let mut view = full();
    view.order.region = Some("Wien".to_owned());
    view.totals.tax = Some(eur("1"));
    for record in [
        Record::Order,
        Record::Customer,
        Record::Totals,
        Record::Line,
    ] {
        for (field, kind) in record.fields() {
            let part = match record {
                Record::Line => format!("order.lines[0].{field}"),
                Record::Order | Record::Customer | Record::Totals | Record::Product => {
                    format!("{}.{field}", record.name())
                }
            };
            let source = match kind.to_string().as_str() {
                "a list" => format!("{part}.size() > 0"),
                "true or false" => format!("!{part}"),
                "a text" => format!("size({part}) > 0"),
                "an amount" => format!("{part} > money(\"0\")"),
                "a time" => format!("{part} > timestamp(\"2020-01-01T00:00:00Z\")"),
                _ => format!("{part} > 0"),
            };
            assert_eq!(evaluate(&source, &view), Ok(true), "{source}");
        }
    }
}

/// Generates valid and invalid combinations of pieces of expressions.
fn pieces() -> BoxedStrategy<String> {
    let piece = prop::sample::select(vec![
        "order",
        ".",
        "lines",
        "all",
        "(",
        ")",
        "a",
        ",",
        "true",
        "1",
        "0.5",
        "\"x\"",
        "'",
        "\"",
        "[",
        "]",
        "{",
        "}",
        ":",
        "?",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "==",
        "<",
        "in",
        "has(",
        "money(\"1\")",
        "order.total",
        "order.lines.exists(a, ",
        "a.quantity",
        "null",
        "b\"\"",
        "r\"\\",
        "1u",
        "`",
        "@",
        "\\",
        "\n",
        "//",
        "ü",
        "\u{0}",
        "totals.tax",
        ".sum(a, ",
        "[0]",
        "0x",
        "1e9",
        "if",
        ".?x",
        "\"\"\"",
        "'''",
        "$",
        "&",
        "|",
        "=",
        "\\u",
    ]);
    prop::collection::vec(piece, 0..40)
        .prop_map(|pieces| pieces.concat())
        .boxed()
}

#[test]
fn the_cost_of_loops_within_loops_does_not_wrap_around() {
    for depth in 1..40 {
        for (before, after) in [("order.lines.all(l, ", ")"), ("!order.lines.all(l, ", ")")] {
            let source = format!("{}true{}", before.repeat(depth), after.repeat(depth));
            let compiled = Expression::compile(&source, euro());
            // All lines three times over are more than an expression may take.
            assert_eq!(compiled.is_ok(), depth < 3, "{source}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn no_text_makes_the_compiler_or_the_evaluator_panic(source in pieces()) {
        if let Ok(compiled) = Expression::compile(&source, euro()) {
            let answer = compiled.holds(&Facts::new(&full()).unwrap());
            prop_assert!(!matches!(answer, Err(EvaluationError::Other(_))), "{source}: {answer:?}");
        }
    }
}
