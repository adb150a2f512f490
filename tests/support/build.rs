//! Builds the functions and the program that the tests run: once, as the test binary itself was built.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use super::root;

/// The folder of the built functions.
pub(crate) fn binaries() -> PathBuf {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| cargo_build(&functions()));
    BUILT.clone()
}

/// The built program `oxcart`, with the functions beside it.
pub(crate) fn program() -> PathBuf {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        binaries();
        cargo_build(&["--package".to_owned(), "oxcart".to_owned()]).join("oxcart")
    });
    BUILT.clone()
}

/// What selects the functions for cargo, as `cargo run` builds them: linked to one dynamic library.
pub(crate) fn functions() -> Vec<String> {
    let dynamic = [
        "--package",
        "oxcart-function",
        "--features",
        "oxcart-function/dynamic",
    ];
    let services = std::fs::read_dir(root().join("functions")).unwrap();
    let services = services.map(|service| service.unwrap().file_name().into_string().unwrap());
    let packages =
        services.flat_map(|service| ["--package".to_owned(), format!("oxcart-{service}")]);
    dynamic
        .map(str::to_owned)
        .into_iter()
        .chain(packages)
        .collect()
}

/// Builds what these arguments select, and returns the folder that it is in.
fn cargo_build(selected: &[String]) -> PathBuf {
    // <target>/<profile>/deps/suite-...
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap();
    let profile = match folder.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let status = Command::new(option_env!("CARGO").unwrap_or("cargo"))
        .current_dir(root())
        .args(["build", "--quiet", "--profile", profile, "--target-dir"])
        .arg(folder.parent().unwrap())
        .args(selected)
        .status()
        .unwrap();
    assert!(status.success(), "{selected:?} does not build");
    folder.to_owned()
}
