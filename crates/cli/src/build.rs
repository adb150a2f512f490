//! Builds the functions: the same profile and target folder as this program, so that `cargo run`
//! and `cargo run --release` each run what they say.

use std::path::{Path, PathBuf};

use crate::Error;

/// The repository that this program was built from.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where this program stands, and the functions beside it.
pub(crate) fn binaries() -> Result<PathBuf, Error> {
    let program = std::env::current_exe()?;
    Ok(program
        .parent()
        .ok_or("this program stands in no folder")?
        .to_owned())
}

/// Where release builds of the functions stand.
///
/// # Errors
/// If this program stands in no target folder.
pub(crate) fn release_binaries() -> Result<PathBuf, Error> {
    let profile = binaries()?;
    Ok(profile
        .parent()
        .ok_or("this program stands in no target folder")?
        .join("release"))
}

/// Builds the functions `only`, or every package in `functions/` if it names none.
///
/// # Errors
/// If the build fails; cargo has said why.
pub(crate) async fn functions(release: bool, only: &[String]) -> Result<(), Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = tokio::process::Command::new(cargo);
    // Cargo shows by itself what it builds and how much is left.
    command.arg("build").current_dir(repository());
    if release {
        command.arg("--release");
    } else if cfg!(unix) {
        // Functions share one dynamic library, whose features are those of this program's dependencies. What is
        // deployed is linked statically and has its own features alone, and so has a release build.
        command.args([
            "--package",
            "oxcart-function",
            "--features",
            "oxcart-function/dynamic",
        ]);
    }
    for entry in std::fs::read_dir(repository().join("functions"))? {
        let service = entry?.file_name();
        command
            .arg("--package")
            .arg(format!("oxcart-{}", service.to_string_lossy()));
    }
    for function in only {
        command.arg("--bin").arg(function);
    }
    if command.status().await?.success() {
        Ok(())
    } else {
        Err("the functions do not build".into())
    }
}
