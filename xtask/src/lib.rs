//! What `make` needs beyond one line: [`build`] compiles the filter, [`package`] turns it into the deployable module.

pub mod build;
pub mod package;

use std::path::{Path, PathBuf};

/// Returns the repository's root, where Envoy runs so that `dist/byok_filter.wasm` resolves.
pub fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Returns where `make build` writes the deployable module.
pub fn module_path() -> PathBuf {
    root().join("dist").join("byok_filter.wasm")
}

/// Returns where `make build-native` writes the native module.
pub fn native_module_path() -> PathBuf {
    root().join("dist").join("libbyok_filter.so")
}
