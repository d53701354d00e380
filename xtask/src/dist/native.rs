//! The native module, for this machine's architecture, and for aarch64 where a cross compiler is at hand.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::build::{self, ensure_target, write};
use crate::native_module_path;

const AARCH64: &str = "aarch64-unknown-linux-gnu";
/// The linker of the Debian package `gcc-aarch64-linux-gnu`.
const AARCH64_LINKER: &str = "aarch64-linux-gnu-gcc";

pub(super) fn build_into(release: &Path, quick: bool) -> Result<()> {
    build::build_native()?;
    write(&release.join("libbyok_filter.so"), &fs::read(native_module_path())?)?;
    if quick || cfg!(target_arch = "aarch64") || !is_on_path(AARCH64_LINKER) {
        return Ok(());
    }
    ensure_target(AARCH64)?;
    let linker = format!("target.{AARCH64}.linker = '{AARCH64_LINKER}'");
    let module = fs::read(build::compile_native(&["--target", AARCH64, "--config", &linker])?)?;
    write(&release.join("libbyok_filter-aarch64.so"), &module)
}

fn is_on_path(program: &str) -> bool {
    let status = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
