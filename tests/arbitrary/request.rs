//! Requests: every place that may carry a credential, every form that a credential may have.

use byok_testkit::corpus::Line;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{ACTIVE, ANTHROPIC_KEY, DISABLED, EXPIRED, OAUTH_TOKEN, OPENAI_KEY, OTHER_KEY, SECOND, UNKNOWN};
use crate::invariants::FORGED;

const CREDENTIAL_HEADERS: [&str; 20] = [
    "x-litellm-api-key",
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
    "litellm_user_api_key",
    "proxy-authorization",
    "x-amz-security-token",
    "x-own-key",
    "x-token",
    "x-corp-key",
    "x_api_key",
    "x-api_key",
    "x_litellm_api_key",
    "x_own_key",
    "x-pass-x-api-key",
    "x-pass-authorization",
    "x_pass_x-goog-api-key",
    "litellm-user-api-key",
];
const IDENTITY_HEADERS: [&str; 8] = [
    "x-consumer-username",
    "x-credential-identifier",
    "x-byok-credential-source",
    "x-byok-provider",
    "x-consumer_username",
    "x_byok_provider",
    "x-gateway-consumer",
    "x_gateway_consumer",
];
const PLAIN_HEADERS: [&str; 7] =
    ["x-plain", "x-listed", "referer", "anthropic-version", "anthropic-beta", "x-session", "accept"];
const PATHS: [&str; 10] = [
    "/v1/messages",
    "/auto/v1/messages",
    "/off",
    "/openai/v1/chat/completions",
    "/gemini/v1",
    "/litellm",
    "/v1//messages",
    "/%61uto/x",
    "/off/..;/openai/v1",
    "/",
];

/// A request that Envoy would let in: pseudo-headers, then any lines.
pub(crate) fn request() -> impl Strategy<Value = Vec<Line>> {
    (path(), vec(line(), 0..7)).prop_map(|(path, lines)| {
        let mut request: Vec<Line> = vec![
            (b":method".to_vec(), b"POST".to_vec()),
            (b":authority".to_vec(), b"llm.example.com".to_vec()),
            (b":path".to_vec(), path),
        ];
        for (name, value) in lines {
            // Envoy joins repeated lines of this name before any filter sees them.
            match request.iter_mut().find(|(own, _)| name == b"authorization" && *own == name) {
                Some((_, joined)) => joined.extend([b",", &*value].concat()),
                None => request.push((name, value)),
            }
        }
        request
    })
}

/// Any lines at all, of any bytes.
pub(crate) fn lines() -> impl Strategy<Value = Vec<Line>> {
    let name = prop_oneof![
        select(&CREDENTIAL_HEADERS[..]).prop_map(|name| name.as_bytes().to_vec()),
        select(&[":path", ":method", ":authority", "cookie", "content-type", "sec-websocket-protocol"][..])
            .prop_map(|name| name.as_bytes().to_vec()),
        vec(any::<u8>(), 0..12),
    ];
    vec((name, prop_oneof![value(), vec(any::<u8>(), 0..40)]), 0..12)
}

fn line() -> impl Strategy<Value = Line> {
    let of = |names: &'static [&'static str]| select(names).prop_map(|name| name.as_bytes().to_vec());
    prop_oneof![
        6 => (of(&CREDENTIAL_HEADERS), value()),
        1 => (of(&IDENTITY_HEADERS), Just(FORGED.to_vec())),
        2 => (of(&PLAIN_HEADERS), prop_oneof![value(), Just(b"oauth-2025-04-20".to_vec()), junk()]),
        1 => (Just(b"cookie".to_vec()), vec(pair(), 0..4).prop_map(|pairs| pairs.join(&b"; "[..]))),
        1 => (Just(b"sec-websocket-protocol".to_vec()), vec(subprotocol(), 1..4).prop_map(|items| items.join(&b", "[..]))),
        1 => (Just(b"content-type".to_vec()), select(&["application/json", "application/grpc"][..]).prop_map(bytes)),
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let scheme = select(&["", "", "", "Bearer ", "Bearer ", "bearer ", "BEARER   ", "Basic ", "Token "][..]);
    prop_oneof![
        12 => (scheme, secret()).prop_map(|(scheme, secret)| [scheme.as_bytes(), &secret].concat()),
        1 => Just(Vec::new()),
        1 => Just(b"Bearer".to_vec()),
        1 => (secret(), secret()).prop_map(|(one, other)| [&*one, b", ", &*other].concat()),
        1 => junk(),
    ]
}

fn secret() -> impl Strategy<Value = Vec<u8>> {
    let known = [ACTIVE, SECOND, DISABLED, EXPIRED, ANTHROPIC_KEY, OPENAI_KEY, OTHER_KEY, OAUTH_TOKEN, UNKNOWN];
    prop_oneof![
        3 => Just(ACTIVE.into()),
        6 => select(known.to_vec()).prop_map(bytes),
        1 => junk(),
    ]
}

/// Bytes that HTTP lets into a value, without blanks around them.
fn junk() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(0xFF_u8), 0x20_u8..0x7F, 0x80_u8..], 0..12).prop_map(|bytes| bytes.trim_ascii().to_vec())
}

fn path() -> impl Strategy<Value = Vec<u8>> {
    (select(&PATHS[..]), vec(pair(), 0..4)).prop_map(|(path, pairs)| {
        let mut bytes = path.as_bytes().to_vec();
        if !pairs.is_empty() {
            bytes.push(b'?');
            bytes.extend(pairs.join(&b"&"[..]));
        }
        bytes
    })
}

/// A query parameter or cookie.
fn pair() -> impl Strategy<Value = Vec<u8>> {
    let name = select(&["key", "k%65y", "api_key", "session", "beta", "x"][..]);
    let secrets =
        select(&[ACTIVE, SECOND, DISABLED, OTHER_KEY, OPENAI_KEY, UNKNOWN, "true", "", "proxy%2DEXAMPLE-active"][..]);
    (name, secrets).prop_map(|(name, secret)| format!("{name}={secret}").into_bytes())
}

fn subprotocol() -> impl Strategy<Value = Vec<u8>> {
    select(&["realtime", "openai-insecure-api-key.sk-EXAMPLE", "openai-beta.realtime-v1", ACTIVE][..]).prop_map(bytes)
}

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}
