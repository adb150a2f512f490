//! Builds the functions that the tests run: once, as the test binary itself was built.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use super::root;

/// The folder of the built functions.
pub(crate) fn binaries() -> PathBuf {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(build);
    BUILT.clone()
}

fn build() -> PathBuf {
    // <target>/<profile>/deps/suite-...
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap();
    let profile = match folder.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let mut cargo = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    cargo
        .current_dir(root())
        .arg("build")
        // The packages of `cargo test --workspace`, so that what they need is compiled already.
        .args(["--quiet", "--workspace", "--bins"])
        .args(["--profile", profile, "--target-dir"])
        .arg(folder.parent().unwrap());
    let status = cargo.status().unwrap();
    assert!(status.success(), "the functions do not build");
    folder.to_owned()
}
