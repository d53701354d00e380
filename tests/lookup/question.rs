//! What the service is asked, and about what it is not.

use byok_core::KeyDigest;

use crate::talk::{BY_DIGEST, CONFIGURED, SERVICE_KEY, policy, policy_at, talk};

const KEY: &str = "key-EXAMPLE";

/// The only question that a request leads to.
fn question(service: &str, request: &str) -> Vec<(String, String)> {
    let mut asked = talk(&policy("", service), request, &[(KEY, ("200", "{}"))]).asked;
    assert_eq!(asked.len(), 1, "{asked:?}");
    asked.remove(0)
}

fn value<'q>(question: &'q [(String, String)], name: &str) -> Option<&'q str> {
    let mut values = question.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str());
    let value = values.next();
    assert_eq!(values.next(), None, "several lines of {name}");
    value
}

#[test]
fn it_names_the_key_by_its_digest_and_holds_no_callers_secret() {
    let service = format!(r#"{BY_DIGEST}, "service_key": {{ "environment_variable": "ISSUER_API_KEY" }}"#);
    let question =
        question(&service, &format!("POST /v1/messages?key=q\nx-litellm-api-key: {KEY}\nx-api-key: sk-ant-K"));
    let path = format!("/key/info?key={}", KeyDigest::of(KEY.as_bytes()).to_hex());
    assert_eq!(value(&question, ":method"), Some("GET"));
    assert_eq!(value(&question, ":path"), Some(&*path));
    assert_eq!(value(&question, ":authority"), Some("issuer"));
    assert_eq!(value(&question, "authorization"), Some(&*format!("Bearer {SERVICE_KEY}")));
    assert_eq!(value(&question, "accept"), Some("application/json"));
    assert_eq!(question.len(), 5, "{question:?}");
}

#[test]
fn without_a_key_of_its_own_the_filter_sends_none() {
    let question = question(BY_DIGEST, &format!("POST /v1/messages\nauthorization: Bearer {KEY}"));
    assert_eq!(value(&question, "authorization"), None);
}

#[test]
fn the_digest_goes_behind_a_query_that_the_path_has() {
    let service = r#""authority": "keys.internal:4000", "send_as": { "sha256_query": "token" }"#;
    let request = format!("POST /v1/messages\nx-api-key: {KEY}");
    let digest = KeyDigest::of(KEY.as_bytes()).to_hex();
    for (path, expected) in [("/info", "/info?token="), ("/info?full=1", "/info?full=1&token=")] {
        let policy = policy_at(path, service);
        let question = talk(&policy, &request, &[]).asked.remove(0);
        assert_eq!(value(&question, ":authority"), Some("keys.internal:4000"));
        assert_eq!(value(&question, ":path"), Some(&*format!("{expected}{digest}")));
    }
}

#[test]
fn it_carries_the_key_itself_where_the_service_knows_no_digest() {
    let scheme = r#""send_as": { "header": "Authorization", "scheme": "Bearer" }"#;
    let by_scheme = question(scheme, &format!("POST /v1/messages\nx-litellm-api-key: {KEY}"));
    assert_eq!(value(&by_scheme, "authorization"), Some(&*format!("Bearer {KEY}")));
    assert_eq!(value(&by_scheme, ":path"), Some("/key/info"));

    let beside = r#""send_as": { "header": "x-key" }, "service_key": { "environment_variable": "ISSUER_API_KEY" }"#;
    let bare = question(beside, &format!("POST /v1/messages\nauthorization: Bearer {KEY}"));
    assert_eq!(value(&bare, "x-key"), Some(KEY));
    assert_eq!(value(&bare, "authorization"), Some(&*format!("Bearer {SERVICE_KEY}")));
}

#[test]
fn there_is_none_about_providers_keys_and_what_is_no_visible_ascii() {
    for service in [BY_DIGEST, r#""send_as": { "header": "x-key" }"#] {
        let policy = policy("", service);
        for (secret, reason) in [
            ("sk-ant-api03-EXAMPLE", "unknown_api_key"),
            ("sk-ant-", "unknown_api_key"),
            ("sk-ant-oat01-EXAMPLE", "missing_api_key"),
            (r"\xFFkey", "unknown_api_key"),
            ("two words", "unknown_api_key"),
            (r"a\x09b", "unknown_api_key"),
            (r"caf\xC3\xA9", "unknown_api_key"),
        ] {
            let end = talk(&policy, &format!("POST /v1/messages\nx-litellm-api-key: {secret}"), &[]);
            assert_eq!(end.verdict(), ("deny", reason), "{secret}");
            assert!(end.asked.is_empty(), "{secret}: {:?}", end.asked);
        }
    }
}

#[test]
fn there_is_none_about_a_configured_key_or_no_key() {
    let policy = policy("", BY_DIGEST);
    let end = talk(&policy, &format!("POST /v1/messages\nx-litellm-api-key: {CONFIGURED}"), &[]);
    assert_eq!((end.verdict(), end.asked.len()), (("allow", "verified"), 0));
    let end = talk(&policy, "POST /v1/messages\nauthorization: Bearer", &[]);
    assert_eq!((end.verdict(), end.asked.len()), (("deny", "missing_api_key"), 0));
}

#[test]
fn keys_in_any_key_source_are_asked_about() {
    let policy = policy(r#""key_sources": [ { "query": "key" }, { "cookie": "k" } ],"#, BY_DIGEST);
    for request in ["GET /v1?key=key%2DEXAMPLE", "GET /v1\ncookie: a=b; k=key-EXAMPLE"] {
        let end = talk(&policy, request, &[(KEY, ("200", "{}"))]);
        assert_eq!((end.verdict(), end.asked.len()), (("allow", "verified"), 1), "{request}");
        assert!(!end.upstream.iter().any(|(_, value)| String::from_utf8_lossy(value).contains("EXAMPLE")), "{end:?}");
    }
}
