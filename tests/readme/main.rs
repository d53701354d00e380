//! The documentation is true: its configurations load, its tables name all there is, its demo says what the core says.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod configurations;
mod demo;
mod files;
mod generated;
mod markdown;
mod reference;
mod refusals;
mod security;
