//! Input that no client should send: it gets an answer, and the next request is served.

use byok_testkit::corpus::Message;
use byok_testkit::gateway::{Upstream, exchange_http1, exchange_http2};
use byok_testkit::site::{BYOK, CLIENT_KEY, PROXY_KEY, arrived, ask, assert_clean, gateway_listener, start, value};

const HEADERS: [&str; 16] = [
    "x-litellm-api-key",
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "proxy-authorization",
    "cookie",
    "anthropic-beta",
    "anthropic-version",
    "sec-websocket-protocol",
    "user-agent",
    "accept",
    "referer",
    "x-consumer-username",
    "x-pass-x-api-key",
    "x-anything",
];

#[test]
fn the_byte_ff_in_every_header_is_refused_and_the_next_request_is_served() {
    let upstream = Upstream::start();
    let (gateway, address) = start(&upstream, gateway_listener(BYOK));
    for exchange in [exchange_http1, exchange_http2] {
        let bad = message(HEADERS.map(|name| (name, vec![0xFF])));
        let answer = exchange(address, &bad, &[("host", b"llm.example.com")]).expect("an answer");
        assert!([400, 401].contains(&answer.status), "{}; {}", answer.status, gateway.explanation());
        assert!(upstream.take().is_empty());

        let good = message([("x-litellm-api-key", PROXY_KEY.into())]);
        let answer = exchange(address, &good, &[("host", b"llm.example.com")]).expect("an answer");
        assert_eq!(answer.status, 200, "{}", gateway.explanation());
        assert_clean(&arrived(&upstream));
    }
}

#[test]
fn every_byte_in_a_credential_gets_an_answer() {
    let upstream = Upstream::start();
    let (gateway, address) = start(&upstream, gateway_listener(BYOK));
    for byte in 0..=u8::MAX {
        let key = [PROXY_KEY.as_bytes(), &[byte], b"x"].concat();
        let request = message([("x-api-key", key)]);
        let answer = exchange_http1(address, &request, &[("host", b"llm.example.com")]).expect("an answer");
        assert!([400, 401].contains(&answer.status), "byte {byte:#04x}: {}", answer.status);
    }
    assert!(upstream.take().is_empty());
    let answer = ask(address, &format!("POST /v1/messages\nx-api-key: {PROXY_KEY}"));
    assert_eq!(answer.status, 200, "{}", gateway.explanation());
}

#[test]
fn a_header_of_60_kb_passes_and_as_a_key_is_refused() {
    let upstream = Upstream::start();
    let (_gateway, address) = start(&upstream, gateway_listener(BYOK));
    let large = "x".repeat(60_000);
    let answer = ask(address, &format!("POST /v1/messages\nx-litellm-api-key: {PROXY_KEY}\nx-large: {large}"));
    assert_eq!(answer.status, 200);
    let message = arrived(&upstream);
    assert_clean(&message);
    assert_eq!(value(&message, "x-large"), Some(large.clone()));

    for header in ["authorization: Bearer ", "x-api-key: ", "x-litellm-api-key: "] {
        let answer = ask(address, &format!("POST /v1/messages\n{header}{large}"));
        assert_eq!(answer.status, 401, "{header}");
    }
    assert!(upstream.take().is_empty());
}

#[test]
fn a_hundred_headers_pass_byte_for_byte() {
    let upstream = Upstream::start();
    let (_gateway, address) = start(&upstream, gateway_listener(BYOK));
    let others: Vec<(String, String)> = (0..100).map(|at| (format!("x-other-{at}"), format!("value {at}"))).collect();
    let lines: String = others.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let request = format!("POST /v1/messages\n{lines}authorization: Bearer {PROXY_KEY}\nx-api-key: {CLIENT_KEY}");
    assert_eq!(ask(address, &request).status, 200);
    let message = arrived(&upstream);
    assert_clean(&message);
    assert_eq!(value(&message, "x-api-key").as_deref(), Some(CLIENT_KEY));
    for (name, expected) in others {
        assert_eq!(value(&message, &name), Some(expected), "{name}");
    }
}

fn message<const COUNT: usize>(headers: [(&str, Vec<u8>); COUNT]) -> Message {
    let lines = headers.into_iter().map(|(name, value)| (name.into(), value)).collect();
    Message { method: b"POST".to_vec(), path: Some(b"/v1/messages".to_vec()), lines }
}
