//! A second pass of the filter, on the headers that the first has changed: Envoy's internal redirect.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test stops where it fails")]

mod edits;

/// What `edits` takes for a header line.
mod corpus {
    pub(crate) type Line = (Vec<u8>, Vec<u8>);
}

use byok_filter::{Circumstances, Decision, EarlierPass, KeyDigest, Policy, RequestHeaders, decide};
use corpus::Line;

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

/// What one pass made of a request: the upstream's headers and the word for a next pass, or the reason of a refusal.
type Pass = Result<(Vec<Line>, String), String>;

fn pass(policy: &Policy, path: &str, headers: &[Line], earlier: Option<EarlierPass>) -> Pass {
    let mut lines: Vec<Line> = headers.to_vec();
    lines.retain(|(name, _)| name != b":path");
    lines.push((b":path".to_vec(), path.into()));
    let request = RequestHeaders::from_lines(lines.iter().map(|(name, value)| (&**name, &**value)).collect());
    let circumstances = Circumstances { earlier, ..Circumstances::default() };
    match decide(policy, &request, &circumstances) {
        Decision::Allow { record, mutations } => Ok((edits::edited(lines.clone(), &mutations), record.to_state())),
        Decision::Deny { refusal, .. } => Err(refusal.details),
        Decision::AskService { .. } => panic!("there is no service"),
    }
}

/// Sends a request to one path and redirects it to another.
fn redirected(policy: &Policy, headers: &[(&str, &str)], from: &str, to: &str) -> Result<Vec<Line>, String> {
    let headers: Vec<Line> = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let (upstream, state) = pass(policy, from, &headers, None).expect("the first pass allows");
    let earlier = EarlierPass::from_state(state.as_bytes()).expect("a pass leaves word that the next understands");
    pass(policy, to, &upstream, Some(earlier)).map(|(upstream, _)| upstream)
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
    let (upstream, state) = pass(&policy(true), "/v1/messages", &headers, None).unwrap();
    let json = format!(
        r#"{{ "consumers": [ {{ "name": "team-b", "keys": [ {{ "id": "1", "sha256": "{}" }} ] }} ] }}"#,
        KeyDigest::of(b"proxy-b").to_hex()
    );
    let newer = Policy::from_json(json.as_bytes(), &|_| None).unwrap().policy;
    let refused = pass(&newer, "/v1/messages", &upstream, EarlierPass::from_state(state.as_bytes())).unwrap_err();
    assert_eq!(refused, "byok_unknown_api_key");
}

#[test]
fn word_that_is_not_understood_is_no_word() {
    for state in [&b""[..], b"team-a\n1", b"\xff\n\n\n\n"] {
        assert!(EarlierPass::from_state(state).is_none());
    }
}
