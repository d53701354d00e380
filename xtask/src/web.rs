//! The corpus through the core on `wasm32-unknown-unknown`, under wasm-bindgen-test in Node.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::{root, tools};

/// Runs `tests/web.rs`, after installing its runner if need be.
///
/// # Errors
/// There is no Node, the runner can't be installed, or the test fails.
pub fn test() -> Result<()> {
    ensure!(tools::find_on_path("node").is_some(), "there is no `node` on PATH: install Node 20 or newer");
    let runner = tools::wasm_bindgen_test_runner()?;
    let status = Command::new("cargo")
        .args([
            "test",
            "--package",
            "byok-filter",
            "--target",
            "wasm32-unknown-unknown",
            "--test",
            "web",
            "--",
            "--nocapture",
        ])
        .current_dir(root())
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner)
        .status()?;
    ensure!(status.success(), "the corpus fails on wasm32-unknown-unknown ({status})");
    Ok(())
}
