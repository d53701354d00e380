//! The native carrier: the filter as a [dynamic module](https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/dynamic_modules)
//! of Envoy 1.40. It connects the core to Envoy through a C ABI, and decides nothing.
//!
//! All workers share one `Filter` per configuration. `unsafe` is in `abi.rs`, `host.rs`, `host/` and `hooks.rs` only.

mod abi;
mod alarm;
mod counters;
#[cfg(test)]
mod fake;
mod filter;
mod grpc;
mod hooks;
mod host;
mod lookups;
mod property;
mod rotation;
