//! Who is asked about what first, in which mode, and what the answer leads to.

use byok_core::{Context, Decision, KeyDigest, Policy, RedirectState, RequestHeaders, decide};

use crate::talk::{BY_DIGEST, CLIENT_KEY, CONFIGURED, OUTDATED, policy, talk, talk_after};

const YES: (&str, &str) = ("200", r#"{"info":{"key_alias":"alice"}}"#);
const BLOCKED: (&str, &str) = ("200", r#"{"info":{"blocked":true}}"#);
const DOWN: (&str, &str) = ("503", "");

fn by_alias() -> String {
    format!(r#"{BY_DIGEST}, "consumer_from": "/info/key_alias""#)
}

/// The keys that were asked about.
fn asked(end: &crate::talk::End, keys: &[&'static str]) -> Vec<&'static str> {
    let path = |question: &Vec<(String, String)>| question.iter().find(|(name, _)| name == ":path").unwrap().1.clone();
    let key = |path: String| keys.iter().find(|key| path.ends_with(&KeyDigest::of(key.as_bytes()).to_hex()));
    end.asked.iter().map(|question| *key(path(question)).expect("one of the keys")).collect()
}

#[test]
fn unknown_candidates_are_asked_about_in_order_until_one_is_a_key() {
    let policy = policy("", &by_alias());
    let request = "POST /v1\nx-litellm-api-key: first\nauthorization: Bearer second\nx-api-key: third";
    let keys = ["first", "second", "third"];
    let end = talk(&policy, request, &[("second", YES), ("third", YES)]);
    assert_eq!(asked(&end, &keys), ["first", "second"]);
    assert_eq!((end.part("auth_source"), end.part("consumer")), ("authorization", "service:alice"));

    let end = talk(&policy, request, &[]);
    assert_eq!(asked(&end, &keys), keys);
    assert_eq!((end.verdict(), end.part("auth_source")), (("deny", "unknown_api_key"), "x-litellm-api-key"));
}

#[test]
fn configured_keys_are_looked_up_first_wherever_they_stand() {
    let policy = policy("", BY_DIGEST);
    let end = talk(&policy, &format!("POST /v1\nx-litellm-api-key: first\nx-api-key: {CONFIGURED}"), &[("first", YES)]);
    assert_eq!((end.asked.len(), end.part("auth_source"), end.part("consumer")), (0, "x-api-key", "team-a"));

    // One that does not hold leaves the others to be asked about, and gives the reason if none is a key.
    let request = format!("POST /v1\nx-litellm-api-key: first\nx-api-key: {OUTDATED}");
    let end = talk(&policy, &request, &[("first", YES)]);
    assert_eq!((asked(&end, &["first"]), end.verdict()), (vec!["first"], ("allow", "verified")));
    let end = talk(&policy, &request, &[]);
    assert_eq!((end.verdict(), end.part("consumer")), (("deny", "expired_api_key"), "team-b"));
}

#[test]
fn a_key_in_two_places_is_asked_about_once() {
    let policy = policy("", BY_DIGEST);
    let request = "POST /v1\nauthorization: Bearer first\nx-api-key: first";
    assert_eq!(talk(&policy, request, &[]).asked.len(), 1);
    let end = talk(&policy, request, &[("first", YES)]);
    assert_eq!(end.asked.len(), 1);
    assert!(!end.upstream.iter().any(|(_, value)| value.ends_with(b"first")), "{end:?}");
}

#[test]
fn a_key_that_does_not_hold_gives_the_reason_unless_a_later_one_does_hold() {
    let policy = policy("", &by_alias());
    let request = "POST /v1\nx-litellm-api-key: first\nx-api-key: second";
    let end = talk(&policy, request, &[("first", BLOCKED), ("second", YES)]);
    assert_eq!((end.verdict(), end.part("auth_source")), (("allow", "verified"), "x-api-key"));
    let end = talk(&policy, request, &[("second", BLOCKED)]);
    assert_eq!((end.verdict(), end.part("auth_source")), (("deny", "disabled_api_key"), "x-api-key"));
}

#[test]
fn no_answer_is_a_refusal_in_every_mode_that_asks() {
    for mode in ["", r#""mode": "auto", "hide_credentials": false,"#] {
        let policy = policy(mode, BY_DIGEST);
        let end =
            talk(&policy, "POST /v1\nx-litellm-api-key: first\nx-api-key: second", &[("first", DOWN), ("second", YES)]);
        assert_eq!(end.verdict(), ("deny", "verification_unavailable"));
        assert_eq!((end.part("auth_source"), end.part("consumer")), ("x-litellm-api-key", "-"));
        let refused = end.refused.expect("a refusal");
        assert_eq!(refused.status, 503);
        let headers = [("content-type", "application/json"), ("retry-after", "1")];
        assert_eq!(refused.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}

#[test]
fn no_answer_is_told_in_the_words_of_the_route() {
    let more = r#""default_provider": "anthropic", "identity_headers": { "provider": "x-byok-provider" },
        "providers": { "anthropic": {}, "openai": {}, "gemini": {}, "litellm": {} },
        "routes": [ { "match": { "path_prefix": "/openai" }, "provider": "openai" },
                    { "match": { "path_prefix": "/gemini" }, "provider": "gemini" },
                    { "match": { "path_prefix": "/litellm" }, "provider": "litellm" } ],"#;
    let policy = policy(more, BY_DIGEST);
    for (path, words) in [
        ("/v1", r#"{"type":"error","error":{"type":"api_error","message":""#),
        ("/openai", r#""type":"server_error","param":null,"code":"verification_unavailable"}}"#),
        ("/gemini", r#"{"error":{"code":503,"message":""#),
        ("/litellm", r#""type":"internal_server_error","param":null,"code":"503"}}"#),
    ] {
        let end = talk(&policy, &format!("POST {path}\nx-litellm-api-key: first"), &[("first", DOWN)]);
        let body = end.refused.expect("a refusal").body;
        assert!(body.contains(words), "{body}");
        assert!(body.contains("the proxy key in x-litellm-api-key can't be checked right now"), "{body}");
        assert!(!body.contains("first"), "{body}");
    }
    let grpc = "POST /v1\ncontent-type: application/grpc\nx-litellm-api-key: first";
    let body = talk(&policy, grpc, &[("first", DOWN)]).refused.expect("a refusal").body;
    assert!(body.starts_with("the proxy key in x-litellm-api-key can't be checked"), "{body}");
}

#[test]
fn in_mode_auto_what_is_no_key_goes_on_unverified() {
    let policy = policy(r#""mode": "auto", "hide_credentials": false,"#, BY_DIGEST);
    let request = "POST /v1\nx-litellm-api-key: first";
    let end = talk(&policy, request, &[]);
    assert_eq!((end.asked.len(), end.verdict(), end.part("consumer")), (1, ("allow", "unverified"), "-"));
    assert_eq!(talk(&policy, request, &[("first", BLOCKED)]).verdict(), ("deny", "disabled_api_key"));
    assert_eq!(talk(&policy, request, &[("first", YES)]).verdict(), ("allow", "verified"));
}

#[test]
fn in_mode_off_nobody_is_asked() {
    let policy = policy(r#""mode": "off", "hide_credentials": false,"#, BY_DIGEST);
    let end = talk(&policy, "POST /v1\nx-litellm-api-key: first", &[("first", DOWN)]);
    assert_eq!((end.asked.len(), end.verdict()), (0, ("allow", "unverified")));
}

#[test]
fn a_route_may_ask_where_the_rest_does_not_and_the_other_way_round() {
    let policy = policy(r#""routes": [ { "match": { "path": "/health" }, "mode": "off" } ],"#, BY_DIGEST);
    assert_eq!(talk(&policy, "GET /health\nx-api-key: first", &[]).asked.len(), 0);
    assert_eq!(talk(&policy, "GET /v1\nx-api-key: first", &[]).asked.len(), 1);
}

#[test]
fn a_request_that_is_refused_anyway_asks_nobody() {
    let policy = policy("", BY_DIGEST);
    let end = talk(&policy, "POST /v1\nx-api-key: first\nx-api-key: second", &[("first", YES)]);
    assert_eq!((end.asked.len(), end.verdict()), (0, ("deny", "ambiguous_credential")));
}

#[test]
fn in_shadow_the_service_is_asked_and_nobody_is_refused() {
    let policy = policy(r#""shadow": true,"#, BY_DIGEST);
    let request = "POST /v1\nx-litellm-api-key: first";
    for (says, reason) in [(YES, "verified"), (BLOCKED, "disabled_api_key"), (DOWN, "verification_unavailable")] {
        let end = talk(&policy, request, &[("first", says)]);
        assert_eq!(end.asked.len(), 1);
        assert_eq!(end.verdict(), (if reason == "verified" { "allow" } else { "shadow_deny" }, reason));
        assert!(end.refused.is_none());
        assert!(end.upstream.contains(&(b"x-litellm-api-key".to_vec(), b"first".to_vec())), "{end:?}");
    }
}

#[test]
fn a_consumer_of_the_service_is_one_like_others() {
    let more = r#""forward_llm_provider_auth_headers": true,
        "identity_headers": { "consumer": "x-consumer-username", "key_id": "x-credential-identifier" },
        "routes": [ { "match": { "path_prefix": "/alice" }, "consumers": ["service:alice"] },
                    { "match": { "path_prefix": "/a" }, "consumers": ["team-a"] } ],"#;
    let policy = policy(more, &by_alias());
    let ask = |path: &str| {
        let request =
            format!("POST {path}\nx-litellm-api-key: first\nx-api-key: {CLIENT_KEY}\nx-consumer-username: root");
        talk(&policy, &request, &[("first", YES)])
    };
    let end = ask("/alice");
    let id = KeyDigest::of(b"first").fingerprint();
    assert_eq!(
        (end.verdict(), end.part("key_id"), end.part("credential_source")),
        (("allow", "verified"), &*id, "client")
    );
    for (name, value) in
        [("x-consumer-username", "service:alice"), ("x-credential-identifier", &*id), ("x-api-key", CLIENT_KEY)]
    {
        assert!(end.upstream.contains(&(name.into(), value.into())), "{name}: {end:?}");
    }
    assert_eq!(ask("/a").verdict(), ("deny", "consumer_not_allowed"));
}

#[test]
fn after_an_internal_redirect_the_service_is_not_asked_again() {
    let more = r#""routes": [ { "match": { "path_prefix": "/bob" }, "consumers": ["service:bob"] } ],"#;
    let policy = policy(more, &by_alias());
    let first = talk(&policy, "POST /v1\nx-litellm-api-key: first", &[("first", YES)]);
    let again = talk_after(&policy, "POST /v2", &[], Some(&first.state));
    assert_eq!((again.asked.len(), again.verdict()), (0, ("allow", "verified")));
    assert_eq!((again.part("consumer"), again.part("key_id")), (first.part("consumer"), first.part("key_id")));
    assert_eq!(talk_after(&policy, "POST /bob", &[], Some(&first.state)).verdict(), ("deny", "consumer_not_allowed"));
}

#[test]
fn without_a_service_a_consumer_may_have_its_names_after_an_internal_redirect_too() {
    let json = format!(
        r#"{{ "consumers": [ {{ "name": "service:a", "keys": [ {{ "id": "1", "sha256": "{}" }} ] }} ] }}"#,
        KeyDigest::of(b"proxy-a").to_hex()
    );
    let policy = Policy::from_json(json.as_bytes(), &|_| None).unwrap().policy;
    for (state, expected) in [("service:a\n1\n\n\n", "verified"), ("service:b\n1\n\n\n", "unknown_api_key")] {
        let context = Context { redirect: RedirectState::parse(state.as_bytes()), ..Context::default() };
        let request = RequestHeaders::from_lines([(&b":method"[..], &b"GET"[..]), (b":path", b"/v1")]);
        let (Decision::Allow { effect, .. } | Decision::Deny { effect, .. }) = decide(&policy, &request, &context)
        else {
            panic!("there is no service")
        };
        let reason = effect.entries().find(|(name, _)| *name == "byok.reason").unwrap().1.to_owned();
        assert_eq!(reason, expected, "{state:?}");
    }
}
