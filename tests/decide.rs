//! The corpus through the pure core, one test per case. `UPDATE_CASES=1` fills in expectations for review.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops where it fails"
)]

mod edits;
mod through_core;

use std::sync::Arc;
use std::time::SystemTime;

use byok_testkit::corpus::{Corpus, Updates};
use libtest_mimic::Arguments;

fn main() {
    let arguments = Arguments::from_args();
    let corpus = Arc::new(Corpus::load());
    let updates = Updates::from_environment();
    let now = SystemTime::now().into();
    let of = |corpus: &Arc<Corpus>| Arc::clone(corpus);
    let (for_cases, for_refused, for_warnings) = (of(&corpus), of(&corpus), of(&corpus));
    let trials = Updates::trials(
        updates.as_ref(),
        &corpus,
        move |case| through_core::outcome(&for_cases, case, now),
        move |refused| through_core::load(&for_refused, &refused.json).map(drop),
        move |warning| through_core::load(&for_warnings, &warning.json).map(|(_, warnings)| warnings),
    );
    Updates::finish(updates, &libtest_mimic::run(&arguments, trials));
}
