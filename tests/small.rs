//! All small requests: every value in every header, under every mode, BYOK policy and profile.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops where it fails"
)]

mod edits;
mod invariants;
mod observe;

use std::collections::BTreeMap;
use std::thread;

use byok_core::Policy;
use byok_testkit::corpus::Line;
use serde_json::json;

use invariants::{Facts, ProxyKey};

const HEADERS: [&str; 5] = ["x-litellm-api-key", "authorization", "x-api-key", "api-key", "x-goog-api-key"];
const MODES: [&str; 3] = ["on", "auto", "off"];
const HIDE: [Option<bool>; 3] = [None, Some(true), Some(false)];
const BYOK: [&str; 3] = ["off", "preferred", "required"];
const PROFILES: [&str; 7] = ["anthropic", "openai", "azure_openai", "gemini", "bedrock", "litellm", "custom"];

const PROXY_KEY: &str = "proxy-EXAMPLE-of-team-a";
const OTHER_PROXY_KEY: &str = "proxy-EXAMPLE-of-team-b";
const DEPLOYMENT_KEY: &str = "deployment-EXAMPLE";
const OAUTH_TOKEN: &str = "sk-ant-oat01-EXAMPLE";
const JUNK: &str = "junk\u{e9} of two words";

#[test]
fn invariants_hold_on_all_small_requests() {
    let walked: usize = thread::scope(|scope| {
        let halves = [&PROFILES[..4], &PROFILES[4..]];
        let walks =
            halves.map(|profiles| scope.spawn(move || profiles.iter().map(|profile| walk(profile)).sum::<usize>()));
        walks.into_iter().map(|walk| walk.join().expect("all invariants hold")).sum()
    });
    let values = 7_usize.pow(5);
    assert_eq!(walked, values * MODES.len() * HIDE.len() * BYOK.len() * PROFILES.len());
    byok_testkit::corpus::say(&format!("small requests: {walked} walked, all invariants hold"));
}

/// Walks all requests to one profile; returns their number.
fn walk(profile: &'static str) -> usize {
    let client_key = client_key(profile);
    let values = ["", PROXY_KEY, OTHER_PROXY_KEY, client_key, OAUTH_TOKEN, JUNK];
    let mut walked = 0;
    for mode in MODES {
        for hide in HIDE {
            for byok in BYOK {
                let policy = policy(profile, mode, hide, byok);
                let facts = facts(profile, mode, hide, byok);
                for number in 0..7_usize.pow(5) {
                    let request = request(number, &values);
                    let observed = observe::observe(&policy, &request);
                    let broken =
                        facts.check(&request, &observed).and_then(|()| verdict(profile, mode, &request, &observed));
                    if let Err(broken) = broken {
                        let shown = byok_testkit::corpus::Message::from_map(request);
                        panic!(
                            "{broken}\n{profile}, {mode}, hide {hide:?}, byok {byok}\n{shown}\n{:?}",
                            observed.record
                        );
                    }
                    walked += 1;
                }
            }
        }
    }
    walked
}

/// Says whether a request may pass at all: by the keys that stand in the profile's key sources.
fn verdict(profile: &str, mode: &str, request: &[Line], observed: &invariants::Observed) -> Result<(), String> {
    let sources: &[&str] = match profile {
        "azure_openai" | "custom" => &HEADERS[..4],
        "gemini" => &["x-litellm-api-key", "authorization", "x-api-key", "x-goog-api-key"],
        _ => &HEADERS[..3],
    };
    let key = |(name, value): &Line| {
        let key = [PROXY_KEY, OTHER_PROXY_KEY].iter().any(|key| invariants::carries(value, key.as_bytes()));
        key && sources.iter().any(|source| source.as_bytes() == &**name)
    };
    let expected: &[&str] = match (mode, request.iter().any(key)) {
        ("on" | "auto", true) => &["verified", "missing_provider_key"],
        ("on", false) => &["missing_api_key", "unknown_api_key"],
        _ => &["unverified", "missing_provider_key"],
    };
    let reason = observed.part("reason");
    if expected.contains(&reason) { Ok(()) } else { Err(format!("expected one of {expected:?}, got {reason}")) }
}

/// The request of that number, written to base 7: no line for 0, else the line's value.
fn request(mut number: usize, values: &[&str; 6]) -> Vec<Line> {
    let mut lines: Vec<Line> =
        [(":method", "POST"), (":path", "/v1/messages"), (":authority", "llm.example.com"), ("x-trace", "EXAMPLE")]
            .map(|(name, value)| (name.into(), value.into()))
            .into();
    for name in HEADERS {
        let value = number % 7;
        number /= 7;
        if value == 0 {
            continue;
        }
        let value = values[value - 1];
        let value =
            if name == "authorization" && !value.is_empty() { format!("Bearer {value}") } else { value.to_owned() };
        lines.push((name.into(), value.into_bytes()));
    }
    lines
}

fn policy(profile: &str, mode: &str, hide: Option<bool>, byok: &str) -> Policy {
    let mut provider = json!({ "api": profile, "byok": byok, "deployment_key": { "value": DEPLOYMENT_KEY } });
    if profile == "custom" {
        provider["headers"] = json!([{ "header": "api-key" }, { "header": "authorization", "scheme": "Bearer" }]);
    }
    let mut configuration = json!({
        "mode": mode,
        "consumers": [
            { "name": "team-a", "keys": [ { "id": "1", "value": PROXY_KEY } ] },
            { "name": "team-b", "keys": [ { "id": "2", "value": OTHER_PROXY_KEY } ] } ],
        "providers": { "it": provider },
    });
    if let Some(hide) = hide {
        configuration["hide_credentials"] = hide.into();
    }
    let loaded = Policy::from_json(configuration.to_string().as_bytes(), &|_| None);
    loaded.unwrap_or_else(|errors| panic!("{configuration}: {errors:?}")).policy
}

fn facts(profile: &'static str, mode: &'static str, hide: Option<bool>, byok: &str) -> Facts {
    let key = |secret: &str, consumer, id| ProxyKey { secret: secret.into(), consumer, id, holds: true };
    Facts {
        modes: vec![mode],
        shadow: false,
        keys: vec![key(PROXY_KEY, "team-a", "1"), key(OTHER_PROXY_KEY, "team-b", "2")],
        deployment_keys: vec![DEPLOYMENT_KEY.into()],
        profiles: BTreeMap::from([("it".to_owned(), profile)]),
        further_places: if profile == "gemini" { vec!["query:key".to_owned()] } else { Vec::new() },
        schemes: BTreeMap::from([("authorization".to_owned(), "Bearer")]),
        // Where a LiteLLM is next and the caller is not verified, the key stays by default.
        hides: hide.or((profile != "litellm").then_some(true)),
        byok_off: byok == "off",
        identity_headers: Vec::new(),
    }
}

fn client_key(profile: &str) -> &'static str {
    match profile {
        "anthropic" | "litellm" => "sk-ant-api03-EXAMPLE-client",
        _ => "sk-EXAMPLE-client",
    }
}
