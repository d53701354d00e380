//! The corpus through the core on `wasm32-unknown-unknown`, in Node.
#![cfg(target_family = "wasm")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops where it fails"
)]

mod edits;
mod through_core;

use std::time::{Duration, SystemTime};

use byok_testkit::corpus::Corpus;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

#[wasm_bindgen]
extern "C" {
    /// Milliseconds since 1970: this target has no clock of its own.
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn milliseconds() -> f64;
}

#[wasm_bindgen_test]
fn corpus_through_the_core_in_node() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs_f64(milliseconds() / 1000.0);
    let corpus = Corpus::load();
    let mut reports: Vec<String> = Vec::new();
    for case in &corpus.cases {
        reports.extend(case.report(&through_core::outcome(&corpus, case, now.into())));
    }
    for refused in &corpus.refused {
        reports.extend(refused.report(&through_core::load(&corpus, &refused.json).map(drop)));
    }
    for warning in &corpus.warnings {
        let loaded = through_core::load(&corpus, &warning.json).map(|(_, warnings)| warnings);
        reports.extend(warning.report(&loaded));
    }
    for report in &reports {
        console_log!("{report}");
    }
    let counts = (corpus.cases.len(), corpus.refused.len(), corpus.warnings.len());
    let (cases, refused, warnings) = counts;
    console_log!("{cases} cases, {refused} refused configurations, {warnings} with warnings, {} failed", reports.len());
    assert!(reports.is_empty(), "{} failed", reports.len());
    assert!(cases > 0 && refused > 0 && warnings > 0, "the corpus is empty");
}
