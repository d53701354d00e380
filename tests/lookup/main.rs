//! Lookups at the verification service, through the core alone: who is asked about what, and what a response means.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

#[path = "../edits/mod.rs"]
mod edits;

mod answers;
mod order;
mod question;
mod talk;
