//! Requests: every place that may carry a credential, every form that a credential may have.

use byok_testkit::corpus::Line;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{
    ACTIVE, CLIENT_KEYS, DISABLED, EXPIRED, IDENTITY_TOKEN, LONG_ENOUGH, LOOKALIKE, OAUTH_TOKEN, SECOND, TOO_SHORT,
    UNKNOWN,
};
use crate::invariants::FORGED;

const CREDENTIAL_HEADERS: [&str; 33] = [
    "x-sso",
    "x-litellm-api-key",
    "x-litellm-api-key",
    "authorization",
    "authorization",
    "authorization",
    "x-api-key",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
    "litellm_user_api_key",
    "proxy-authorization",
    "x-amz-security-token",
    "xi-api-key",
    "x-portkey-api-key",
    "x-bf-vk",
    "helicone-auth",
    "cf-aig-authorization",
    "x-coder-ai-governance-token",
    "x-gravitee-api-key",
    "x-own-key",
    "x-token",
    "x-corp-key",
    "x-sent-key",
    "x_api_key",
    "x.api~key",
    "x_litellm_api_key",
    "x_own_key",
    "x-pass-x-api-key",
    "x-pass-authorization",
    "x_pass.x-goog-api-key",
    "litellm-user-api-key",
];
const IDENTITY_HEADERS: [&str; 12] = [
    "x-consumer-username",
    "x-credential-identifier",
    "x-byok-credential-source",
    "x-byok-provider",
    "x-consumer_username",
    "x_byok_provider",
    "x-gateway-consumer",
    "x_gateway.consumer",
    "x-consumer-id",
    "x-consumer.custom-id",
    "x-consumer-groups",
    "x_anonymous_consumer",
];
const COMPANIONS: [&str; 5] =
    ["openai-organization", "openai_project", "chatgpt-account-id", "x-goog-user-project", "x.goog.user.project"];
const PLAIN_HEADERS: [&str; 7] =
    ["x-plain", "x-listed", "referer", "anthropic-version", "anthropic-beta", "x-session", "accept"];
const PATHS: [&str; 16] = [
    "/v1/messages",
    "/v1/messages",
    "/auto/v1/messages",
    "/off",
    "/optional",
    "/anonymous",
    "/network/v1",
    "/sources/x",
    "/consumers",
    "/second/v1",
    "/openai/v1/chat/completions",
    "/litellm",
    "/v1//messages",
    "/%61uto/x",
    "/off/..;/second/v1",
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

/// What Envoy says about the caller, if anything.
pub(crate) fn identity() -> impl Strategy<Value = Option<&'static str>> {
    select(&[None, None, Some("alice"), Some("bob-1"), Some("mallory"), Some("no name"), Some("")][..])
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
        1 => (of(&COMPANIONS), prop_oneof![9 => Just(b"org-EXAMPLE".to_vec()), 1 => value()]),
        2 => (of(&PLAIN_HEADERS), prop_oneof![value(), junk()]),
        1 => (Just(b"anthropic-beta".to_vec()), select(&BETAS[..]).prop_map(bytes)),
        1 => (Just(b"connection".to_vec()), select(&["upgrade", "Upgrade, x-api-key", "x-byok-provider"][..]).prop_map(bytes)),
        1 => (Just(b"cookie".to_vec()), vec(pair(), 0..4).prop_map(|pairs| pairs.join(&b"; "[..]))),
        1 => (Just(b"sec-websocket-protocol".to_vec()), vec(subprotocol(), 1..4).prop_map(|items| items.join(&b", "[..]))),
        1 => (Just(b"content-type".to_vec()), select(&["application/json", "application/grpc"][..]).prop_map(bytes)),
    ]
}

const BETAS: [&str; 4] =
    ["oauth-2025-04-20", "other-EXAMPLE,oauth-2025-04-20", "oauth-2025-04-20 , other-EXAMPLE", "other-EXAMPLE"];

/// A signature of several parts, such as AWS's.
const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=EXAMPLE/bedrock, SignedHeaders=host;x-amz-date, Signature=EXAMPLE";

const SCHEMES: [&str; 11] =
    ["", "", "", "Bearer ", "Bearer ", "bearer ", "BEARER   ", "Bearer bearer  ", "Basic ", "Token ", "Token token "];

fn value() -> impl Strategy<Value = Vec<u8>> {
    let scheme = select(&SCHEMES[..]);
    prop_oneof![
        12 => (scheme, secret()).prop_map(|(scheme, secret)| [scheme.as_bytes(), &secret].concat()),
        1 => Just(Vec::new()),
        1 => Just(b"Bearer".to_vec()),
        1 => Just(bytes(SIGNATURE)),
        1 => (secret(), secret()).prop_map(|(one, other)| [&*one, b", ", &*other].concat()),
        1 => junk(),
    ]
}

fn secret() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => Just(ACTIVE.into()),
        3 => select(&[SECOND, DISABLED, EXPIRED, LOOKALIKE, UNKNOWN][..]).prop_map(bytes),
        2 => Just(OAUTH_TOKEN.into()),
        2 => Just(IDENTITY_TOKEN.into()),
        6 => select(&CLIENT_KEYS[..]).prop_map(bytes),
        2 => select(&[LONG_ENOUGH, TOO_SHORT][..]).prop_map(bytes),
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
    let name = select(
        &[
            "key",
            "k%65y",
            "Key",
            "api_key",
            "api-key",
            "api.key",
            "access_token",
            "access-token",
            "session",
            "beta",
            "x",
        ][..],
    );
    let others = select(&["true", "", "proxy%2DEXAMPLE-active", OAUTH_TOKEN, UNKNOWN, DISABLED, SECOND][..]);
    let secret = prop_oneof![2 => Just(ACTIVE), 2 => select(&CLIENT_KEYS[..]), 2 => others];
    (name, secret).prop_map(|(name, secret)| format!("{name}={secret}").into_bytes())
}

fn subprotocol() -> impl Strategy<Value = Vec<u8>> {
    let prefix =
        select(&["openai-insecure-api-key.", "openai-insecure-api-key.", "ai-gateway-auth.", "own-key.", "x."][..]);
    let with_secret = (prefix, secret()).prop_map(|(prefix, secret)| [prefix.as_bytes(), &secret].concat());
    prop_oneof![2 => select(&["realtime", "openai-beta.realtime-v1", ACTIVE][..]).prop_map(bytes), 2 => with_secret]
}

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}
