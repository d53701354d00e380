//! A second run of the filter, on headers that the first has changed: Envoy's internal redirect.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test stops where it fails")]

mod edits;

use byok_core::{Context, Decision, KeyDigest, Policy, RedirectState, RequestHeaders, decide};
use byok_testkit::corpus::Line;

const CLIENT_KEY: &str = "sk-ant-api03-EXAMPLE-client";

/// Two providers, an open route and one for a single consumer.
fn policy(hide_credentials: bool) -> Policy {
    let digest = |key: &str| KeyDigest::of(key.as_bytes()).to_hex();
    let json = format!(
        r#"{{
            "forward_llm_provider_auth_headers": true, "hide_credentials": {hide_credentials},
            "default_provider": "anthropic",
            "providers": {{
                "anthropic": {{ "deployment_key": {{ "value": "sk-ant-api03-EXAMPLE-deployment" }} }},
                "openai": {{ "client_key_prefixes": [], "deployment_key": {{ "value": "sk-EXAMPLE-deployment" }} }} }},
            "consumers": [
                {{ "name": "team-a", "keys": [ {{ "id": "1", "sha256": "{}" }} ] }},
                {{ "name": "team-b", "keys": [ {{ "id": "1", "sha256": "{}" }} ] }} ],
            "routes": [
                {{ "match": {{ "path_prefix": "/open" }}, "mode": "off" }},
                {{ "match": {{ "path_prefix": "/openai" }}, "provider": "openai" }},
                {{ "match": {{ "path_prefix": "/only-b" }}, "consumers": ["team-b"] }} ] }}"#,
        digest("proxy-a"),
        digest("proxy-b"),
    );
    Policy::from_json(json.as_bytes(), &|_| None).unwrap().policy
}

/// The result of one run: the upstream's headers and the state for the next run, or the reason of a refusal.
type Run = Result<(Vec<Line>, String), String>;

fn run(policy: &Policy, path: &str, headers: &[Line], redirect: Option<RedirectState>) -> Run {
    let mut lines: Vec<Line> = headers.to_vec();
    lines.retain(|(name, _)| name != b":path");
    lines.push((b":path".to_vec(), path.into()));
    let request = RequestHeaders::from_lines(lines.iter().map(|(name, value)| (&**name, &**value)));
    let context = Context { redirect, ..Context::default() };
    match decide(policy, &request, &context) {
        Decision::Allow { effect, edits } => Ok((edits::edited(lines.clone(), &edits), effect.to_redirect_state())),
        Decision::Deny { reason, .. } => Err(format!("byok_{}", reason.as_str())),
        Decision::Lookup(_) => panic!("there is no service"),
    }
}

/// Sends a request to one path and redirects it to another.
fn redirected(policy: &Policy, headers: &[(&str, &str)], from: &str, to: &str) -> Result<Vec<Line>, String> {
    let headers: Vec<Line> = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let (upstream, state) = run(policy, from, &headers, None).expect("the first run allows");
    let redirect = RedirectState::parse(state.as_bytes()).expect("a state that the next run reads");
    run(policy, to, &upstream, Some(redirect)).map(|(upstream, _)| upstream)
}

fn value<'a>(lines: &'a [Line], name: &str) -> Option<&'a str> {
    let line = lines.iter().find(|(own, _)| own == name.as_bytes());
    line.map(|(_, value)| std::str::from_utf8(value).unwrap())
}

#[test]
fn a_caller_stays_known_though_the_proxy_key_is_gone() {
    let headers = [("x-litellm-api-key", "proxy-a"), ("x-api-key", CLIENT_KEY)];
    let upstream = redirected(&policy(true), &headers, "/v1/messages", "/v1/other").unwrap();
    assert_eq!(value(&upstream, "x-api-key"), Some(CLIENT_KEY));
    assert_eq!(value(&upstream, "x-litellm-api-key"), None);
}

#[test]
fn a_caller_who_is_known_still_needs_the_route_to_be_theirs() {
    let refused = redirected(&policy(true), &[("x-litellm-api-key", "proxy-a")], "/v1", "/only-b").unwrap_err();
    assert_eq!(refused, "byok_consumer_not_allowed");
    redirected(&policy(true), &[("x-litellm-api-key", "proxy-b")], "/v1", "/only-b").unwrap();
}

#[test]
fn a_deployment_key_is_not_taken_for_the_clients_own_and_not_sent_to_another_provider() {
    let upstream = redirected(&policy(true), &[("x-litellm-api-key", "proxy-a")], "/v1/messages", "/openai").unwrap();
    assert_eq!(value(&upstream, "x-api-key"), None);
    assert_eq!(value(&upstream, "authorization"), Some("Bearer sk-EXAMPLE-deployment"));
}

#[test]
fn a_client_key_kept_for_one_provider_is_not_sent_to_another() {
    let headers = [("x-litellm-api-key", "proxy-a"), ("authorization", "Bearer sk-EXAMPLE-client")];
    let upstream = redirected(&policy(true), &headers, "/openai", "/v1/messages").unwrap();
    assert_eq!(value(&upstream, "authorization"), None);
    assert_eq!(value(&upstream, "x-api-key"), Some("sk-ant-api03-EXAMPLE-deployment"));
}

#[test]
fn a_caller_who_passed_unverified_is_refused_where_the_key_must_verify() {
    for hide_credentials in [true, false] {
        let headers = [("x-litellm-api-key", "proxy-a")];
        let refused = redirected(&policy(hide_credentials), &headers, "/open", "/v1/messages").unwrap_err();
        assert_eq!(refused, "byok_missing_api_key");
    }
}

#[test]
fn a_kept_proxy_key_is_still_told_from_the_clients_own() {
    let headers = [("x-litellm-api-key", "proxy-a"), ("x-api-key", CLIENT_KEY)];
    for path in ["/v1/other", "/open"] {
        let upstream = redirected(&policy(false), &headers, path, "/open").unwrap();
        assert_eq!(value(&upstream, "x-litellm-api-key"), Some("proxy-a"), "{path}");
        assert_eq!(value(&upstream, "x-api-key"), Some(CLIENT_KEY), "{path}");
    }
}

#[test]
fn a_key_that_a_new_configuration_no_longer_lists_is_refused() {
    let headers = vec![(b"x-litellm-api-key".to_vec(), b"proxy-a".to_vec())];
    let (upstream, state) = run(&policy(true), "/v1/messages", &headers, None).unwrap();
    let json = format!(
        r#"{{ "consumers": [ {{ "name": "team-b", "keys": [ {{ "id": "1", "sha256": "{}" }} ] }} ] }}"#,
        KeyDigest::of(b"proxy-b").to_hex()
    );
    let newer = Policy::from_json(json.as_bytes(), &|_| None).unwrap().policy;
    let refused = run(&newer, "/v1/messages", &upstream, RedirectState::parse(state.as_bytes())).unwrap_err();
    assert_eq!(refused, "byok_unknown_api_key");
}

#[test]
fn a_state_that_cannot_be_read_is_no_state() {
    for state in [&b""[..], b"team-a\n1", b"\xff\n\n\n\n"] {
        assert!(RedirectState::parse(state).is_none());
    }
}
