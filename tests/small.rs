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

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use byok_core::Policy;
use byok_testkit::corpus::Line;
use serde_json::{Value, json};

use invariants::Facts;

const HEADERS: [&str; 5] = ["x-litellm-api-key", "authorization", "x-api-key", "api-key", "x-goog-api-key"];
/// The modes, with the consumer that callers without a valid key are treated as.
const MODES: [(&str, Option<&str>); 5] =
    [("on", None), ("optional", None), ("auto", None), ("off", None), ("auto", Some("guest"))];
/// `hide_credentials`, as JSON.
const HIDE: [&str; 4] = ["null", "true", "false", "\"verified\""];
const BYOK: [&str; 3] = ["off", "preferred", "required"];
const PROFILES: [&str; 8] =
    ["anthropic", "openai", "azure_openai", "gemini", "bedrock", "litellm", "custom", "openai_compatible"];

const PROXY_KEY: &str = "proxy-EXAMPLE-of-team-a";
const OTHER_PROXY_KEY: &str = "proxy-EXAMPLE-of-team-b";
const DEPLOYMENT_KEY: &str = "deployment-EXAMPLE";
const OAUTH_TOKEN: &str = "sk-ant-oat01-EXAMPLE";
const JUNK: &str = "junk\u{e9} of two words";

#[test]
fn invariants_hold_on_all_small_requests() {
    let next = AtomicUsize::new(0);
    let walk_all =
        || std::iter::from_fn(|| PROFILES.get(next.fetch_add(1, Ordering::Relaxed))).map(|profile| walk(profile)).sum();
    let walked: usize = thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        let walks: Vec<_> = (0..cores).map(|_| scope.spawn(walk_all)).collect();
        walks.into_iter().map(|walk| -> usize { walk.join().expect("all invariants hold") }).sum()
    });
    let values = 7_usize.pow(5);
    let settings = MODES.iter().flat_map(|mode| HIDE.map(|hide| BYOK.map(|byok| is_walked(*mode, hide, byok))));
    let settings = settings.flatten().filter(|walked| *walked).count();
    assert_eq!(walked, values * settings * PROFILES.len());
    byok_testkit::corpus::say(&format!("small requests: {walked} walked, all invariants hold"));
}

/// Every value of `hide_credentials` and every policy occur with every mode; all of both with three modes.
fn is_walked((mode, anonymous): (&str, Option<&str>), hide: &str, byok: &str) -> bool {
    let all = anonymous.is_none() && mode != "optional" && hide != "\"verified\"";
    all || hide == "null" || byok == "preferred"
}

/// Walks all requests to one profile; returns their number.
fn walk(profile: &'static str) -> usize {
    let client_key = client_key(profile);
    let values = ["", PROXY_KEY, OTHER_PROXY_KEY, client_key, OAUTH_TOKEN, JUNK];
    let mut walked = 0;
    for mode in MODES {
        for hide in HIDE {
            for byok in BYOK.into_iter().filter(|byok| is_walked(mode, hide, byok)) {
                let configuration = configuration(profile, mode, hide, byok);
                let (policy, facts) = (policy(&configuration), Facts::of(&configuration));
                for number in 0..7_usize.pow(5) {
                    let request = request(number, &values);
                    let observed = observe::observe(&policy, &request);
                    let broken = facts
                        .check(&request, None, &observed)
                        .and_then(|()| verdict(profile, mode, &request, &observed));
                    if let Err(broken) = broken {
                        let shown = byok_testkit::corpus::Message::from_map(request);
                        panic!("{broken}\n{configuration:#}\n{shown}\n{:?}", observed.record);
                    }
                    walked += 1;
                }
            }
        }
    }
    walked
}

/// Says whether a request may pass at all: by the keys that stand in the profile's key sources.
fn verdict(
    profile: &str,
    (mode, anonymous): (&str, Option<&str>),
    request: &[Line],
    observed: &invariants::Observed,
) -> Result<(), String> {
    let sources: &[&str] = match profile {
        "litellm" => &HEADERS,
        "azure_openai" | "custom" => &HEADERS[..4],
        "gemini" => &["x-litellm-api-key", "authorization", "x-api-key", "x-goog-api-key"],
        _ => &HEADERS[..3],
    };
    let secrets = || request.iter().filter(|(name, _)| sources.iter().any(|source| source.as_bytes() == &**name));
    let is = |value: &[u8], secret: &str| invariants::carries(value, secret.as_bytes());
    let has_key = secrets().any(|(_, value)| is(value, PROXY_KEY) || is(value, OTHER_PROXY_KEY));
    // An OAuth token is no proxy key, and an empty value is none.
    let has_other = secrets().any(|(_, value)| !is(value, OAUTH_TOKEN) && !value.is_empty());
    let passes = if anonymous.is_some() { "anonymous" } else { "unverified" };
    let expected: &[&str] = match (mode, has_key) {
        ("on" | "optional" | "auto", true) => &["verified", "missing_provider_key"],
        ("on" | "optional", false) if has_other => &["unknown_api_key"],
        ("on", false) => &["missing_api_key"],
        _ => &[passes, "missing_provider_key"],
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

fn configuration(profile: &str, (mode, anonymous): (&str, Option<&str>), hide: &str, byok: &str) -> Value {
    let mut provider = json!({ "api": profile, "byok": byok, "deployment_key": { "value": DEPLOYMENT_KEY } });
    if profile == "custom" {
        provider["headers"] = json!([{ "header": "api-key" }, { "header": "authorization", "scheme": "Bearer" }]);
    }
    let mut configuration = json!({
        "mode": mode,
        "consumers": [
            { "name": "team-a", "keys": [ { "id": "1", "value": PROXY_KEY } ] },
            { "name": "team-b", "keys": [ { "id": "2", "value": OTHER_PROXY_KEY } ] },
            { "name": "guest" } ],
        "providers": { "it": provider },
    });
    if let Some(anonymous) = anonymous {
        configuration["anonymous"] = anonymous.into();
    }
    if hide != "null" {
        configuration["hide_credentials"] = hide.parse().expect("JSON");
    }
    configuration
}

fn policy(configuration: &Value) -> Policy {
    let loaded = Policy::from_json(configuration.to_string().as_bytes(), &|_| None);
    loaded.unwrap_or_else(|errors| panic!("{configuration}: {errors:?}")).policy
}

fn client_key(profile: &str) -> &'static str {
    match profile {
        "anthropic" | "litellm" => "sk-ant-api03-EXAMPLE-client",
        "bedrock" => "ABSKEXAMPLE-client",
        "gemini" => "AIzaEXAMPLE-client",
        _ => "sk-EXAMPLE-client",
    }
}
