//! The shell: connects the core to Envoy and decides nothing.

mod counters;
mod export;
mod host;
mod root;
mod stream;
mod worker;

use proxy_wasm::types::LogLevel;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Debug);
    proxy_wasm::set_root_context(|_| Box::new(root::Root::default()));
}}
