//! Runner 4: the corpus through the core on `wasm32-unknown-unknown`, in Node.
#![cfg(target_family = "wasm")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops where it fails"
)]

mod corpus;
mod edits;
mod through_core;

use std::time::{Duration, SystemTime};

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen]
extern "C" {
    /// Milliseconds since 1970: this target has no clock of its own.
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn milliseconds() -> f64;
}

#[wasm_bindgen_test]
fn corpus_through_the_core_in_node() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs_f64(milliseconds() / 1000.0);
    through_core::run("web", now.into());
}
