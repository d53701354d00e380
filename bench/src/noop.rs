//! The filter that does nothing: as anybody would build it, and packaged as ours is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use tempfile::TempDir;
use walrus::Module;
use xtask::build;

/// The modules, in a directory that goes with this value.
pub(super) struct NoOp {
    _directory: TempDir,
    as_built: PathBuf,
    packaged: PathBuf,
}

impl NoOp {
    pub(super) fn build() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("byok-bench-").tempdir()?;
        let no_op = Self {
            as_built: directory.path().join("no-op.wasm"),
            packaged: directory.path().join("no-op-packaged.wasm"),
            _directory: directory,
        };
        let built = fs::read(build::compile("byok-bench-noop")?)?;
        fs::write(&no_op.packaged, packaged(&built)?)?;
        fs::write(&no_op.as_built, built)?;
        Ok(no_op)
    }

    pub(super) fn as_built(&self) -> &Path {
        &self.as_built
    }

    pub(super) fn packaged(&self) -> &Path {
        &self.packaged
    }
}

/// Drops what the SDK exports for callbacks that the filter does not have.
fn packaged(built: &[u8]) -> Result<Vec<u8>> {
    const NEEDED: [&str; 9] = [
        "memory",
        "_initialize",
        "proxy_abi_version_0_2_1",
        "proxy_on_memory_allocate",
        "proxy_on_vm_start",
        "proxy_on_configure",
        "proxy_on_context_create",
        "proxy_on_delete",
        "proxy_on_request_headers",
    ];
    let mut module = Module::from_buffer(built)?;
    let unused: Vec<_> = module
        .exports
        .iter()
        .filter(|export| !NEEDED.contains(&export.name.as_str()))
        .map(|export| export.id())
        .collect();
    for id in unused {
        module.exports.delete(id);
    }
    walrus::passes::gc::run(&mut module);
    Ok(module.emit_wasm())
}
