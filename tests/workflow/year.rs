//! `oxcart year` in its short form: a hundred orders, with one percent of the calls failing.

use std::process::Command;

use serde_json::Value;

use crate::support::{build, root};

#[test]
fn the_books_of_a_small_year_agree_with_what_was_done() {
    let program = build::program();
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("year.json");
    let output = Command::new(program)
        .current_dir(root())
        .args([
            "year",
            "--weeks",
            "4",
            "--orders",
            "100",
            "--at-once",
            "8",
            "--no-build",
            "--json",
        ])
        .arg(&report)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(report["disagreements"], Value::Array(Vec::new()));
    let orders = report["totals"]["orders"].as_object().unwrap();
    let counts = orders.values().map(|count| count.as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), 100, "{orders:?}");
    for status in ["confirmed", "cancelled", "failed (payment_declined)"] {
        assert!(orders.contains_key(status), "{orders:?}");
    }
    assert!(report["faults_hit"].as_u64().unwrap() > 0);
}
