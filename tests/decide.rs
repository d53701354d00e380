//! Runner 1: the corpus through the pure core.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops where it fails"
)]

mod corpus;

#[test]
fn corpus_through_the_core() {
    let corpus = corpus::Corpus::load();
    corpus::say(&format!("{} cases", corpus.cases.len()));
}
