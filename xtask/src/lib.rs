//! What `make` needs beyond one line; tests and benchmarks use the same parts.
//!
//! - [`build`] compiles the filter, [`package`] turns it into the deployable module
//! - [`tools`] finds or installs Envoy and func-e, outside the clone
//! - [`envoy`] is the one launcher of Envoy
//! - [`demo`] runs `envoy/envoy.yaml` and checks five answers, [`func_e`] does so under a real func-e
//! - [`mod@bench`] measures what the filter costs in Envoy
//! - [`istio`] holds `envoy/istio` against Istio's schemas
//! - [`litellm`] is the one launcher of LiteLLM
//! - [`web`] runs the corpus on `wasm32-unknown-unknown` in Node

pub mod bench;
pub mod build;
pub mod demo;
pub mod envoy;
pub mod func_e;
mod http;
pub mod istio;
pub mod litellm;
pub mod package;
pub mod ports;
pub mod tools;
pub mod web;

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
