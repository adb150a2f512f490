//! `oxcart year` in its short form: a few orders, with one percent of the calls failing.

use std::process::Command;

use serde_json::Value;

use crate::support::{build, root};

/// Plays a small year in `currency`.
fn play(currency: &str, orders: u64) -> Value {
    let program = build::program();
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("year.json");
    let output = Command::new(program)
        .current_dir(root())
        .args(["year", "--weeks", "4", "--at-once", "8", "--no-build"])
        .args(["--orders", &orders.to_string(), "--currency", currency])
        .arg("--json")
        .arg(&report)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(report["disagreements"], Value::Array(Vec::new()));
    let placed = report["totals"]["orders"].as_object().unwrap().values();
    assert_eq!(
        placed.map(|count| count.as_u64().unwrap()).sum::<u64>(),
        orders
    );
    report
}

#[test]
fn the_books_of_a_small_year_agree_with_what_was_done() {
    let report = play("EUR", 100);
    let orders = report["totals"]["orders"].as_object().unwrap();
    for status in ["confirmed", "cancelled", "failed (payment_declined)"] {
        assert!(orders.contains_key(status), "{orders:?}");
    }
    assert!(report["faults_hit"].as_u64().unwrap() > 0);
}

#[test]
fn the_books_agree_in_currencies_with_other_decimals() {
    for currency in ["JPY", "KWD"] {
        play(currency, 40);
    }
}
