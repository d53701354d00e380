//! The verification service: what is asked, what an answer means, and what a real Envoy makes of slow, broken and
//! flooded issuers.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

#[path = "../corpus/mod.rs"]
mod corpus;
#[path = "../edits/mod.rs"]
mod edits;
#[path = "../gateway/mod.rs"]
mod gateway;
#[path = "../host/mod.rs"]
mod host;
#[path = "../module/mod.rs"]
mod module;

// The core alone.
mod answers;
mod order;
mod question;
mod talk;

// The module, in a host that counts.
mod cost;

// The module in Envoy.
mod bodies;
mod cached;
mod failing;
mod flood;
mod generations;
mod issuer;
mod odd_answers;
mod policies;
mod replaced;
mod scene;
mod shared;
mod verified;
