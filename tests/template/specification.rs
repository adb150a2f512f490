//! `SPECIFICATION.md`: its promises are numbered, and each names tests that exist or is marked as pending.

use std::collections::BTreeSet;

use super::read::sources;
use crate::support::root;

/// What the specification calls a test binary, and where its sources are.
const PACKAGES: [(&str, &str); 5] = [
    ("suite", "tests"),
    ("oxcart", "crates/cli/src"),
    ("oxcart-core", "crates/core/src"),
    ("oxcart-local", "crates/local/src"),
    ("oxcart-search", "crates/search/src"),
];

/// Files that are no module of their own.
const ROOTS: [&str; 4] = ["lib", "main", "mod", "suite"];

/// Returns every test of `package`, such as `suite: api::health::the_api_is_healthy`.
fn tests(package: &str, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources(folder) {
        let path = path.strip_prefix(folder).unwrap().with_extension("");
        let parts = path.iter().map(|part| part.to_str().unwrap());
        let file: Vec<&str> = parts.filter(|part| !ROOTS.contains(part)).collect();
        let (mut inline, mut marked) = (None, false);
        for line in text.lines() {
            if let Some(name) = line
                .strip_prefix("mod ")
                .and_then(|rest| rest.strip_suffix(" {"))
            {
                inline = Some(name);
            } else if line == "}" {
                inline = None;
            }
            let line = line.trim_start();
            marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            let function = line.trim_start_matches("async ").strip_prefix("fn ");
            if let Some(function) = function.filter(|_| marked) {
                let name = function.split('(').next().unwrap();
                let path = file.iter().copied().chain(inline).chain([name]);
                let path: Vec<&str> = path.collect();
                found.push(format!("{package}: {}", path.join("::")));
                marked = false;
            }
        }
    }
    found
}

#[test]
fn every_promise_is_held_by_tests_or_pending() {
    let known: BTreeSet<String> = PACKAGES
        .into_iter()
        .flat_map(|(package, folder)| tests(package, folder))
        .collect();
    let text = std::fs::read_to_string(root().join("SPECIFICATION.md")).unwrap();
    let mut promises: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        if line.starts_with(|first: char| first.is_ascii_digit()) {
            promises.push((line, Vec::new()));
        } else if let Some(named) = line.trim_start().strip_prefix("- `") {
            let (_, tests) = promises.last_mut().unwrap();
            tests.push(named.trim_end_matches('`'));
        }
    }
    assert!(!promises.is_empty());
    for (before, (promise, tests)) in promises.iter().enumerate() {
        let number = format!("{}. ", before + 1);
        assert!(promise.starts_with(&number), "not {number}: {promise}");
        for test in tests {
            assert!(known.contains(*test), "no such test: {test}: {promise}");
        }
        let pending = promise.contains("*Pending*");
        assert_eq!(tests.is_empty(), pending, "tests or *Pending*: {promise}");
    }
}
