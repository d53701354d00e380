//! The tool `byok` for Linux, static: musl, and the linker that comes with Rust, so that no C toolchain is needed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Result;

use super::Identity;
use crate::build::{cargo_build_with, ensure_target, remap_cargo_home};

const ARCHITECTURES: [&str; 2] = ["x86_64", "aarch64"];

/// Builds the tool for x86_64 and, unless it is to be quick, for aarch64.
pub(super) fn build_into(release: &Path, identity: &Identity, quick: bool) -> Result<()> {
    for architecture in ARCHITECTURES.into_iter().take(if quick { 1 } else { ARCHITECTURES.len() }) {
        let target = format!("{architecture}-unknown-linux-musl");
        ensure_target(&target)?;
        let linker = format!("target.{target}.linker = 'rust-lld'");
        let flags = format!("target.{target}.rustflags = [{}]", remap_cargo_home());
        let arguments = ["--package", "byok-cli", "--bin", "byok", "--profile", "tool", "--target", &target];
        let built = cargo_build_with(
            &[&arguments[..], &["--config", &linker, "--config", &flags]].concat(),
            // crates/cli/src/args.rs prints them.
            &[
                ("BYOK_REVISION", &identity.revision.name),
                ("BYOK_MODULE_DIGEST", &identity.module_digest),
                ("BYOK_MODULE_SHA256", &identity.module_sha256),
            ],
            "byok",
        )?;
        let tool = release.join(format!("byok-linux-{architecture}"));
        fs::copy(built, &tool)?;
        fs::set_permissions(&tool, Permissions::from_mode(0o755))?;
    }
    Ok(())
}
