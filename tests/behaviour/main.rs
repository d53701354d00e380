//! What the filter does in a real Envoy beyond one request and its outcome: updates, redirects, tunnels, large input.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops where it fails"
)]

mod bad_input;
mod chain;
mod environment;
mod forged;
mod http3;
mod many_updates;
mod redirects;
mod routing;
mod tunnels;
mod updates;
