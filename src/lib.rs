//! The wasm carrier: connects the core to Envoy through the proxy-wasm ABI, and decides nothing.
//!
//! On any target but `wasm32-wasip1` this crate is empty; its tests run the module.
#![cfg(all(target_arch = "wasm32", target_os = "wasi"))]
#![allow(missing_docs, reason = "the export that `main!` makes")]

mod counters;
mod export;
mod host;
mod identity;
mod root;
mod stream;
mod worker;

use proxy_wasm::types::LogLevel;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Debug);
    proxy_wasm::set_root_context(|_| Box::new(root::Root::default()));
}}
