//! The verification service: what it costs, and what a real Envoy makes of slow, broken and flooded ones. `lookup` tests
//! what is asked and what an answer means.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

// The module, in a host that counts.
mod cost;

// The module in Envoy.
mod bodies;
mod cached;
mod failing;
mod flood;
mod generations;
mod metrics;
mod odd_answers;
mod policies;
mod replaced;
mod shared;
mod stale;
mod verified;
