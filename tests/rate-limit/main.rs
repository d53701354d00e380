//! `envoy/rate-limit-service` at work: Envoy's own rate limit service and a Redis, as the README starts them.
//!
//! `make test-rate-limit` installs both, and runs this by `.ci/isolated`, since the service listens on fixed ports.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops where it fails")]

#[path = "../example/readme.rs"]
mod readme;

use readme::{Ports, Session};

#[test]
#[ignore = "needs Redis and the rate limit service: make test-rate-limit"]
fn consumers_and_tiers_have_limits_of_their_own() {
    let folder = "envoy/rate-limit-service";
    assert!(readme::folders().iter().any(|with| with == folder));
    let session = Session::read(folder).expect("a README that starts Envoy");
    assert!(session.needs_services());
    let failures = session.failures(Ports::AsWritten);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
