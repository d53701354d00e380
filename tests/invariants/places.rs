//! Where credentials stand, by the names that the documentation gives.

use byok_testkit::corpus::Line;

/// Headers that tell the upstream who is calling.
pub(super) const IDENTITY: [&str; 8] = [
    "x-consumer-username",
    "x-credential-identifier",
    "x-byok-credential-source",
    "x-byok-provider",
    "x-consumer-id",
    "x-consumer-custom-id",
    "x-consumer-groups",
    "x-anonymous-consumer",
];

const CREDENTIALS: [&str; 16] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "xi-api-key",
    "ocp-apim-subscription-key",
    "x-litellm-api-key",
    "litellm-user-api-key",
    "proxy-authorization",
    "x-amz-security-token",
    "x-portkey-api-key",
    "x-bf-vk",
    "helicone-auth",
    "cf-aig-authorization",
    "x-coder-ai-governance-token",
    "x-gravitee-api-key",
];

const PARAMETERS: [&str; 2] = ["api-key", "access-token"];

const SUBPROTOCOLS: [&str; 2] = ["openai-insecure-api-key.", "ai-gateway-auth."];

/// A place, named as the record names an auth source, and the scheme before a credential there; an empty one is none.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) at: String,
    pub(super) scheme: String,
}

pub(super) fn place(at: &str, scheme: &str) -> Place {
    // The kind of a header is not written.
    Place { at: at.to_owned(), scheme: scheme.to_owned() }
}

/// Tells whether a header is a credential place: one of the known ones or of the configured ones, an `x-pass-` form,
/// with any separators.
pub(super) fn is_credential_place(name: &[u8], further: &[String]) -> bool {
    const PASS: &str = "x-pass-";
    let passed = name.get(..PASS.len()).filter(|head| reads_like(head, PASS)).map(|_| &name[PASS.len()..]);
    let is = |form: &[u8]| {
        CREDENTIALS.iter().any(|known| reads_like(form, known)) || further.iter().any(|known| reads_like(form, known))
    };
    is(name) || passed.is_some_and(is)
}

/// Tells whether two header names differ in their separators at most.
pub(super) fn reads_like(name: &[u8], known: &str) -> bool {
    let dash = |byte: &u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' };
    name.len() == known.len() && name.iter().map(dash).eq(known.as_bytes().iter().map(dash))
}

/// Tells whether a query parameter is a credential place: its case counts, its separators do not.
pub(super) fn is_credential_parameter(name: &[u8], further: &[String]) -> bool {
    let name = dashed(name);
    let mut configured = further.iter().filter_map(|place| place.strip_prefix("query:"));
    PARAMETERS.contains(&&*name) || configured.any(|place| dashed(place.as_bytes()) == name)
}

/// The part of a subprotocol that makes it a credential.
pub(super) fn credential_prefix<'a>(item: &[u8], further: &'a [String]) -> Option<&'a str> {
    let configured = further.iter().filter_map(|place| place.strip_prefix("websocket_protocol:"));
    configured.chain(SUBPROTOCOLS).find(|prefix| item.starts_with(prefix.as_bytes()))
}

/// A name with `-` for all but letters and digits.
pub(super) fn dashed(name: &[u8]) -> String {
    name.iter().map(|byte| if byte.is_ascii_alphanumeric() { char::from(*byte) } else { '-' }).collect()
}

/// Tells whether a value is the secret, or a scheme, once or repeated, and the secret.
pub(crate) fn carries(value: &[u8], secret: &[u8]) -> bool {
    let value = value.trim_ascii();
    let Some(before) = value.strip_suffix(secret) else { return false };
    let blank = |byte: &u8| b" \t".contains(byte);
    let words: Vec<&[u8]> = before.split(blank).filter(|word| !word.is_empty()).collect();
    let separate = before.last().is_none_or(blank);
    separate && words.iter().all(|word| word.eq_ignore_ascii_case(words[0]))
}

/// What is behind a scheme, once or repeated; perhaps nothing.
pub(super) fn behind<'a>(value: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let mut rest = value.trim_ascii();
    let mut found = None;
    while rest.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme.as_bytes())) {
        let after = &rest[scheme.len()..];
        if !after.is_empty() && !after.starts_with(b" ") {
            break;
        }
        rest = after.trim_ascii();
        found = Some(rest);
    }
    found
}

/// The secret in a value of a key source: what is behind `Bearer`, else all of it.
pub(super) fn secret_of(value: &[u8]) -> Option<&[u8]> {
    let secret = behind(value, "Bearer").unwrap_or(value.trim_ascii());
    (!secret.is_empty()).then_some(secret)
}

/// The secret that a key source sees in a value.
pub(super) fn secret_at(value: &[u8], scheme: &str) -> Option<Vec<u8>> {
    let secret = if scheme.is_empty() { secret_of(value)? } else { behind(value, scheme)? };
    (!secret.is_empty()).then(|| secret.to_vec())
}

/// Tells whether a secret is an OAuth token, which is never a proxy key.
pub(super) fn is_oauth_token(secret: &[u8]) -> bool {
    secret.starts_with(b"sk-ant-oat")
}

/// All places that hold a secret, named as the record names an auth source.
pub(super) fn places_of(lines: &[Line], secret: &[u8], further: &[String]) -> Vec<String> {
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = lines.iter().filter(|(name, value)| !name.starts_with(b":") && carries(value, secret));
    let mut places: Vec<String> = headers.map(|(name, _)| shown(name)).collect();
    let named = |kind: &str, pairs: Vec<Line>| {
        let with_secret = pairs.into_iter().filter(|(_, value)| value == secret);
        with_secret.map(|(name, _)| format!("{kind}:{}", shown(&name))).collect::<Vec<_>>()
    };
    places.extend(named("query", parameters(lines)));
    places.extend(named("cookie", cookies(lines)));
    for item in subprotocols(lines) {
        match credential_prefix(&item, further) {
            Some(prefix) if &item[prefix.len()..] == secret => places.push(format!("websocket_protocol:{prefix}")),
            None if carries(&item, secret) => places.push("sec-websocket-protocol".to_owned()),
            _ => {}
        }
    }
    places
}

/// The values at a place that is named as the record names an auth source.
pub(super) fn values_at(lines: &[Line], place: &str) -> Vec<Vec<u8>> {
    let named = |pairs: Vec<Line>, name: &str| {
        pairs.into_iter().filter(|(own, _)| own == name.as_bytes()).map(|(_, value)| value).collect()
    };
    if let Some(name) = place.strip_prefix("query:") {
        return named(parameters(lines), name);
    }
    if let Some(name) = place.strip_prefix("cookie:") {
        return named(cookies(lines), name);
    }
    if let Some(prefix) = place.strip_prefix("websocket_protocol:") {
        let items = subprotocols(lines).into_iter();
        return items.filter_map(|item| item.strip_prefix(prefix.as_bytes()).map(<[u8]>::to_vec)).collect();
    }
    let of_name = lines.iter().filter(|(own, _)| own == place.as_bytes());
    of_name.map(|(_, value)| value.trim_ascii().to_vec()).collect()
}

/// The first value at a place that is not empty.
pub(super) fn value_at(lines: &[Line], place: &str) -> Option<Vec<u8>> {
    values_at(lines, place).into_iter().find(|value| !value.is_empty())
}

/// The items of `sec-websocket-protocol`.
pub(super) fn subprotocols(lines: &[Line]) -> Vec<Vec<u8>> {
    let values = lines.iter().filter(|(name, _)| name == b"sec-websocket-protocol");
    values.flat_map(|(_, value)| value.split(|byte| *byte == b',')).map(|item| item.trim_ascii().to_vec()).collect()
}

/// The path of a request.
pub(super) fn path(lines: &[Line]) -> &[u8] {
    lines.iter().find(|(name, _)| name == b":path").map(|(_, path)| path.as_slice()).unwrap_or_default()
}

/// The query's parameters, decoded.
pub(super) fn parameters(lines: &[Line]) -> Vec<Line> {
    let path = path(lines);
    let Some(at) = path.iter().position(|byte| *byte == b'?') else { return Vec::new() };
    path[at + 1..]
        .split(|byte| *byte == b'&')
        .map(halves)
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// All cookies, without the quotes around their values.
pub(super) fn cookies(lines: &[Line]) -> Vec<Line> {
    lines
        .iter()
        .filter(|(name, _)| name == b"cookie")
        .flat_map(|(_, value)| value.split(|byte| *byte == b';'))
        .map(|cookie| halves(cookie.trim_ascii()))
        .map(|(name, value)| {
            let value = value.trim_ascii();
            let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
            (name.trim_ascii().to_vec(), quoted.unwrap_or(value).to_vec())
        })
        .collect()
}

fn halves(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|byte| *byte == b'=') {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, b""),
    }
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let escaped =
            text.get(at + 1..at + 3).filter(|digits| text[at] == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let byte = escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        out.push(byte.unwrap_or(text[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    out
}
