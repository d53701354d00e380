//! A cosign bundle over `SHA256SUMS`, and so over all that it lists.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Signs with the key in `COSIGN_KEY`, or with the identity of a workflow; does nothing without either.
pub(super) fn sign(release: &Path) -> Result<()> {
    let key = env::var_os("COSIGN_KEY");
    let has_identity = env::var_os("ACTIONS_ID_TOKEN_REQUEST_TOKEN").is_some();
    if key.is_none() && !has_identity {
        eprintln!("not signed: set COSIGN_KEY, with cosign on PATH");
        return Ok(());
    }
    let mut cosign = Command::new("cosign");
    cosign.args(["sign-blob", "--yes", "--bundle", "SHA256SUMS.sigstore.json"]).current_dir(release);
    if let Some(key) = key {
        cosign.arg("--key").arg(key);
    }
    let status = cosign.arg("SHA256SUMS").status().context("cosign is not on PATH")?;
    ensure!(status.success(), "cosign could not sign SHA256SUMS");
    Ok(())
}
