//! Callers whom a real Envoy has authenticated: by a token that `jwt_authn` has checked, by a client certificate.
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
mod certificates;
mod examples;
mod mtls;
mod own_word;
mod scene;
mod token;
mod tokens;
