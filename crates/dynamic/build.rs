//! Puts a link to the toolchain's standard library beside the functions, which load it from there: the path that
//! rustc writes into them is right in `deps`, where they are linked, and not one folder above, where they are run.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS")? == "linux" {
        // What the library calls in itself is bound when it is linked: looking up 200,000 names took each function
        // 70 ms at its start.
        println!("cargo::rustc-link-arg=-Wl,-Bsymbolic");
    }
    let libraries = Command::new(std::env::var("RUSTC")?)
        .args(["--print", "target-libdir"])
        .output()?;
    let libraries = PathBuf::from(String::from_utf8(libraries.stdout)?.trim());
    // <target>/<profile>/build/<package>/out
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let profile = out.ancestors().nth(3).ok_or("OUT_DIR is too short")?;
    for library in libraries.read_dir()? {
        let library = library?.path();
        let name = library.file_name().unwrap_or_default();
        let dynamic = ["so", "dylib"].map(Some);
        let extension = library.extension().and_then(|extension| extension.to_str());
        if name.to_string_lossy().starts_with("libstd-") && dynamic.contains(&extension) {
            link(&library, &profile.join(name))?;
        }
    }
    Ok(())
}

/// Makes `link` point to `library`, wherever it pointed before.
fn link(library: &Path, link: &Path) -> std::io::Result<()> {
    if link.is_symlink() {
        std::fs::remove_file(link)?;
    }
    std::os::unix::fs::symlink(library, link)
}
