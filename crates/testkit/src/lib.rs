//! What the tests, the demo and the benchmarks share.
//!
//! - [`corpus`] reads `tests/cases/*.toml` and compares what a runner saw with what a case expects
//! - `host` (feature `host`) is a small proxy-wasm host for the built module
//! - `carrier` (feature `envoy`) says what carries the filter into Envoy, the wasm module or the native one
//! - `envoy` (feature `envoy`) is the one launcher of Envoy, `tools` installs it, `gateway` puts it between clients and a
//!   recording upstream, `service` adds a verification service, `site` one listener for behaviour beyond the corpus
//! - `certificates` (feature `envoy`) issues certificates for mTLS
//! - `versions` (feature `envoy`) runs the tests of the module in each supported version of Envoy
//! - `dashboard` (feature `envoy`) draws the panels of the Grafana dashboard from what a real Prometheus has scraped
//! - `demo` (feature `envoy`) runs `envoy/envoy.yaml` and checks five answers
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test stops where it fails, and reads its helpers' code"
)]

#[cfg(feature = "envoy")]
pub mod carrier;
#[cfg(feature = "envoy")]
pub mod certificates;
pub mod corpus;
#[cfg(feature = "envoy")]
pub mod dashboard;
#[cfg(feature = "envoy")]
pub mod demo;
#[cfg(feature = "envoy")]
pub mod envoy;
#[cfg(feature = "envoy")]
pub mod gateway;
#[cfg(feature = "host")]
pub mod host;
#[cfg(feature = "envoy")]
pub mod http;
#[cfg(not(target_family = "wasm"))]
pub mod module;
#[cfg(feature = "envoy")]
mod ports;
#[cfg(feature = "envoy")]
pub mod service;
#[cfg(feature = "envoy")]
pub mod site;
#[cfg(feature = "envoy")]
pub mod tools;
#[cfg(feature = "envoy")]
pub mod versions;

use std::path::Path;

/// Returns the repository's root, where Envoy runs so that `dist/byok_filter.wasm` resolves.
pub fn root() -> &'static Path {
    let testkit = Path::new(env!("CARGO_MANIFEST_DIR"));
    testkit.ancestors().nth(2).unwrap_or(testkit)
}
