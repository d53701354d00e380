//! No path reaches a protected route unverified, however the servers behind the filter read it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod edits;
mod invariants;
mod observe;

use byok_core::{KeyDigest, Policy};
use byok_testkit::corpus::Line;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use invariants::servers::{is_below, served};
use observe::observe;

/// How many paths are tried; `PATHS` makes them more.
fn count() -> usize {
    std::env::var("PATHS").ok().and_then(|count| count.parse().ok()).unwrap_or(30_000)
}

/// Paths of what servers treat differently, up to twice percent-encoded.
fn path() -> impl Strategy<Value = Vec<u8>> {
    const PARTS: [&str; 27] = [
        "/",
        "/",
        "/",
        "%2f",
        "%2F",
        "%252f",
        "\\",
        "%5c",
        "%255c",
        "..",
        "..",
        "%2e%2e",
        "%252e%252e",
        ".%2e",
        ".",
        "%2e",
        ";",
        ";x",
        "%3b",
        "%253b",
        "public",
        "public",
        "v1",
        "v1",
        "messages",
        "x",
        "%70ublic",
    ];
    let start = prop::sample::select(vec!["/public", "/v1/messages", "/v1", "/x", ""]);
    let rest = prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..14);
    (start, rest).prop_map(|(start, rest)| format!("{start}/{}", rest.concat()).into_bytes())
}

fn policy(mode: &str, route: &str, route_mode: &str) -> Policy {
    let digest = KeyDigest::of(b"proxy-EXAMPLE").to_hex();
    let json = format!(
        r#"{{ "mode": "{mode}",
             "consumers": [ {{ "name": "team-a", "keys": [ {{ "id": "1", "sha256": "{digest}" }} ] }} ],
             "routes": [ {{ "match": {{ "path_prefix": "{route}" }}, "mode": "{route_mode}" }} ] }}"#
    );
    Policy::from_json(json, &|_| None).expect("a configuration").policy
}

fn passes(policy: &Policy, path: &[u8]) -> bool {
    let lines: [Line; 2] = [(b":method".to_vec(), b"POST".to_vec()), (b":path".to_vec(), path.to_vec())];
    observe(policy, &lines).upstream.is_some()
}

#[test]
fn without_a_key_no_path_is_served_outside_of_the_open_route_or_inside_of_the_closed_one() {
    let open_within_closed = policy("on", "/public", "off");
    let closed_within_open = policy("off", "/v1/messages", "on");
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[1; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mut passed, mut escaped) = ([0, 0], Vec::new());
    for _ in 0..count() {
        let path = path().new_tree(&mut runner).expect("a path").current();
        if passes(&open_within_closed, &path) {
            passed[0] += 1;
            let outside = served(&path).into_iter().find(|served| !is_below(served, "/public"));
            escaped.extend(outside.map(|served| (path.clone(), served)));
        }
        if passes(&closed_within_open, &path) {
            passed[1] += 1;
            let inside = served(&path).into_iter().find(|served| is_below(served, "/v1/messages"));
            escaped.extend(inside.map(|served| (path.clone(), served)));
        }
    }
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let examples: Vec<_> = escaped.iter().take(5).map(|(path, served)| (shown(path), shown(served))).collect();
    println!("{} paths: {passed:?} passed, {} escaped {examples:?}", count(), escaped.len());
    assert!(passed.iter().all(|passed| *passed > count() / 100), "too few paths pass for the test to mean much");
    assert_eq!(escaped.len(), 0, "{examples:?}");
}
