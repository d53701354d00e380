//! Attacks with many requests at once against the module in a real Envoy: no crash, no request without an answer, good
//! clients served, memory bounded.
//!
//! `HOSTILE_ROUNDS` (default 1) says how often each attack is repeated against the same Envoy.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod attack;
mod good_clients;
mod stage;

mod departed;
mod expiring;
mod large_headers;
mod many_waiters;
mod outage;
mod sustained;
