//! The request shapes of known vulnerabilities of LiteLLM, which need no key: none of them reaches the next hop.
//!
//! Each shape is sent once more with a valid key, to see that it is the key that it lacks. `make test-cve` runs these.
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod cve_2026_42208;
mod cve_2026_49468;
mod cve_2026_59822;
mod stage;
