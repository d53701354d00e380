//! What an answer means.

use crate::talk::{BY_DIGEST, Says, policy, talk};

const KEY: &str = "key-EXAMPLE";

/// Reason, and the consumer's name, where the service says this of the key.
fn said(consumer_from: Option<&str>, says: Says) -> (String, String) {
    let from = consumer_from.map(|pointer| format!(r#", "consumer_from": "{pointer}""#)).unwrap_or_default();
    let end = talk(
        &policy("", &format!("{BY_DIGEST}{from}")),
        &format!("POST /v1/messages\nx-litellm-api-key: {KEY}"),
        &[(KEY, says)],
    );
    assert_eq!(end.asked.len(), 1, "each key is asked about once");
    (end.part("reason").to_owned(), end.part("consumer").to_owned())
}

fn reason(status: &'static str, body: &'static str) -> String {
    said(None, (status, body)).0
}

#[test]
fn the_status_decides_whether_it_is_a_key() {
    assert_eq!(reason("200", "{}"), "verified");
    for status in ["400", "404"] {
        assert_eq!(reason(status, r#"{"info":{}}"#), "unknown_api_key", "{status}");
    }
    // Asked by digest, these refuse the filter's own key.
    for status in ["401", "403"] {
        assert_eq!(reason(status, r#"{"info":{}}"#), "verification_unavailable", "{status}");
        let by_header = policy("", r#""send_as": { "header": "x-key" }"#);
        let request = format!("POST /v1/messages\nx-litellm-api-key: {KEY}");
        let end = talk(&by_header, &request, &[(KEY, (status, "{}"))]);
        assert_eq!(end.part("reason"), "unknown_api_key", "{status}");
    }
    for status in [
        "", "0", "100", "201", "204", "301", "302", "402", "405", "408", "422", "429", "500", "502", "503", "504",
        "2000", " 200",
    ] {
        assert_eq!(reason(status, "{}"), "verification_unavailable", "{status}");
    }
}

#[test]
fn a_body_that_is_no_object_is_no_answer() {
    for body in ["", "null", "true", "[]", "\"key\"", "{", "{}}", "{\"info\":{\"blocked\":tru", "\u{feff}{}"] {
        let (reason, _) = said(Some("/info/key_alias"), ("200", body));
        assert_eq!(reason, "verification_unavailable", "{body}");
    }
    // Where nothing is read of it, it may be left out.
    assert_eq!(reason("200", ""), "verified");
    assert_eq!(reason("200", "no JSON"), "verification_unavailable");
}

#[test]
fn a_key_may_have_expired() {
    for (expires, expected) in [
        ("null", "verified"),
        ("\"2999-01-01T00:00:00Z\"", "verified"),
        ("\"2999-01-01T00:00:00.123456+02:00\"", "verified"),
        ("\"2020-01-01T00:00:00Z\"", "expired_api_key"),
        ("\"2020-01-01T00:00:00+00:00\"", "expired_api_key"),
        ("\"\"", "verification_unavailable"),
        ("\"soon\"", "verification_unavailable"),
        ("\"2999-01-01\"", "verification_unavailable"),
        ("4102444800", "verification_unavailable"),
        ("{}", "verification_unavailable"),
    ] {
        let body: &'static str = format!(r#"{{"info":{{"expires":{expires}}}}}"#).leak();
        assert_eq!(reason("200", body), expected, "{expires}");
    }
}

#[test]
fn a_key_may_be_blocked_or_inactive() {
    for (info, expected) in [
        (r#""blocked":null"#, "verified"),
        (r#""blocked":false"#, "verified"),
        (r#""blocked":true"#, "disabled_api_key"),
        (r#""blocked":"true""#, "verification_unavailable"),
        (r#""blocked":1"#, "verification_unavailable"),
        (r#""status":null"#, "verified"),
        (r#""status":"active""#, "verified"),
        (r#""status":"expired","expires":"2999-01-01T00:00:00Z""#, "expired_api_key"),
        (r#""status":"expired","blocked":true"#, "disabled_api_key"),
        (r#""status":"Active""#, "disabled_api_key"),
        (r#""status":"revoked""#, "disabled_api_key"),
        (r#""status":"""#, "disabled_api_key"),
        (r#""status":1"#, "verification_unavailable"),
        (r#""blocked":true,"expires":"2020-01-01T00:00:00Z""#, "disabled_api_key"),
        (r#""blocked":false,"blocked":true"#, "disabled_api_key"),
    ] {
        let body: &'static str = format!(r#"{{"info":{{{info}}}}}"#).leak();
        assert_eq!(reason("200", body), expected, "{info}");
    }
    // Elsewhere than in `info` such words mean nothing.
    assert_eq!(reason("200", r#"{"blocked":true,"status":"off","expires":0}"#), "verified");
}

#[test]
fn the_consumer_is_named_as_the_pointer_says() {
    let longest: &'static str = "x".repeat(120).leak();
    let too_long: &'static str = "x".repeat(121).leak();
    let name = |value: &str| -> String {
        let body: &'static str = format!(r#"{{"info":{{"key_alias":{value}}}}}"#).leak();
        let (reason, consumer) = said(Some("/info/key_alias"), ("200", body));
        assert_eq!(reason, "verified", "{value}");
        consumer
    };
    assert_eq!(name(r#""alice""#), "service:alice");
    assert_eq!(name(r#""team-a""#), "service:team-a");
    assert_eq!(name(r#""service:alice""#), "service:service:alice");
    assert_eq!(name(&format!(r#""{longest}""#)), format!("service:{longest}"));
    for junk in [
        "null",
        "7",
        "true",
        "{}",
        "[\"alice\"]",
        r#""""#,
        r#""two words""#,
        r#""a\nb""#,
        r#""caf\u00e9""#,
        r#""\u0000""#,
    ] {
        assert_eq!(name(junk), "service", "{junk}");
    }
    assert_eq!(name(&format!(r#""{too_long}""#)), "service");
}

#[test]
fn the_pointer_may_lead_through_lists_and_odd_names_or_nowhere() {
    let body = r#"{"keys":[{"a/b":"alice"}]}"#;
    assert_eq!(said(Some("/keys/0/a~1b"), ("200", body)).1, "service:alice");
    assert_eq!(said(Some("/keys/1/a~1b"), ("200", body)).1, "service");
    assert_eq!(said(Some("/nowhere"), ("200", body)).1, "service");
    assert_eq!(said(None, ("200", r#"{"info":{"key_alias":"alice"}}"#)).1, "service");
}
