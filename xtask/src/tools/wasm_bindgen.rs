//! The program that runs wasm-bindgen's tests in Node.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{install_once, run};
use crate::root;

/// Returns the runner in the version of `Cargo.lock`: another one refuses the test.
///
/// # Errors
/// `Cargo.lock` is not there, or cargo can't install the runner.
pub fn wasm_bindgen_test_runner() -> Result<PathBuf> {
    let lock = fs::read_to_string(root().join("Cargo.lock"))?;
    let version = locked_version(&lock, "wasm-bindgen").context("Cargo.lock has no wasm-bindgen")?;
    install_once(
        &format!("wasm-bindgen-{version}"),
        |dir| Some(dir.join("bin/wasm-bindgen-test-runner")).filter(|runner| runner.is_file()),
        |dir| install(dir, version),
    )
}

fn install(dir: &Path, version: &str) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo
        // Unoptimised, it is there in a minute instead of ten.
        .args(["install", "--quiet", "--debug", "wasm-bindgen-cli", "--version", version, "--root"])
        .arg(dir)
        .current_dir(root())
        .env_remove("CARGO_TARGET_DIR");
    run(&mut cargo).context("cargo could not install wasm-bindgen-cli: is there a network?")?;
    Ok(())
}

/// Returns the version of a package as `Cargo.lock` has it.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_version_is_that_of_the_package_itself() {
        let lock =
            "[[package]]\nname = \"a-b\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\nversion = \"2.0.0\"\n";
        assert_eq!(locked_version(lock, "a"), Some("2.0.0"));
        assert_eq!(locked_version(lock, "b"), None);
    }
}
