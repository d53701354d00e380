//! Runner 1: the corpus through the pure core.
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

use std::time::SystemTime;

#[test]
fn corpus_through_the_core() {
    through_core::run("decide", SystemTime::now().into());
}
