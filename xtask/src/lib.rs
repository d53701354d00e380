//! What `make` needs beyond one line: [`build`] compiles the filter, [`package`] turns it into the deployable module,
//! [`stamp`] writes into it what it is made of, and [`dist`] makes what a release carries.

pub mod build;
pub mod dist;
pub mod package;
pub mod revision;
pub mod stamp;

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

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

/// Returns the SHA-256 of the bytes, as 64 hexadecimal digits.
fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
