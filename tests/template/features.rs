//! No dependency is compiled twice: every command compiles it with the same features.

use std::collections::BTreeSet;
use std::process::Command;

use crate::support::{build, root};

/// The dependencies with their features, one line each, that a command with these arguments compiles.
fn compiled(arguments: &[String], edges: &str) -> BTreeSet<String> {
    let output = Command::new(option_env!("CARGO").unwrap_or("cargo"))
        .current_dir(root())
        .args(["tree", "--locked", "--offline", "--prefix", "none"])
        .args(["--format", "{p}|{f}", "--edges", edges])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| line.trim_end_matches(" (*)").to_owned())
        // Our own packages, which have a path, are not shared by commands with other features.
        .filter(|line| !line.contains(" (/"))
        .collect()
}

fn package(name: &str) -> Vec<String> {
    vec!["--package".to_owned(), name.to_owned()]
}

#[test]
fn every_command_compiles_a_dependency_with_the_same_features() {
    let all = compiled(&["--workspace".to_owned()], "normal,build,dev");
    let commands = [
        ("cargo run", package("oxcart"), "normal,build"),
        ("the functions' build", build::functions(), "normal,build"),
        (
            "cargo test -p oxcart-core",
            package("oxcart-core"),
            "normal,build,dev",
        ),
        (
            "cargo test -p oxcart-local",
            package("oxcart-local"),
            "normal,build,dev",
        ),
        (
            "cargo test -p oxcart-tests",
            package("oxcart-tests"),
            "normal,build,dev",
        ),
    ];
    for (command, arguments, edges) in commands {
        let own = compiled(&arguments, edges);
        let other: Vec<&String> = own.difference(&all).collect();
        assert!(
            other.is_empty(),
            "`{command}` compiles these with other features than `cargo test --workspace`; add what differs to \
             crates/features/Cargo.toml: {other:#?}"
        );
    }
}
