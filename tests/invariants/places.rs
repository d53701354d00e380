//! Where credentials stand, by the names that the documentation gives.

use byok_testkit::corpus::Line;

/// Headers that tell the upstream who is calling.
pub(super) const IDENTITY: [&str; 4] =
    ["x-consumer-username", "x-credential-identifier", "x-byok-credential-source", "x-byok-provider"];

const CREDENTIALS: [&str; 9] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
    "x-litellm-api-key",
    "litellm-user-api-key",
    "proxy-authorization",
    "x-amz-security-token",
];

/// Tells whether a header is a credential place: one of the known ones or of the configured ones, an `x-pass-` form, a
/// twin with `_`.
pub(super) fn is_credential_place(name: &[u8], further: &[String]) -> bool {
    let name = dashed(name);
    let forms = [Some(&*name), name.strip_prefix("x-pass-")];
    forms
        .into_iter()
        .flatten()
        .any(|form| CREDENTIALS.contains(&form) || further.iter().any(|place| dashed(place.as_bytes()) == form))
}

/// A name in lower case with `-` for `_`.
pub(super) fn dashed(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_ascii_lowercase().replace('_', "-")
}

/// Tells whether a value is the secret, or a scheme and the secret.
pub(crate) fn carries(value: &[u8], secret: &[u8]) -> bool {
    let value = value.trim_ascii();
    let Some(before) = value.strip_suffix(secret) else { return false };
    let scheme = before.trim_ascii();
    let blank = |byte: &u8| b" \t".contains(byte);
    scheme.is_empty() || before.last().is_some_and(blank) && !scheme.iter().any(blank)
}

/// The secret in a value of a key source: what is behind `Bearer`, else all of it.
pub(super) fn secret_of(value: &[u8]) -> Option<&[u8]> {
    let value = value.trim_ascii();
    let bearer = value.get(..6).filter(|head| head.eq_ignore_ascii_case(b"bearer"));
    let behind = bearer.and(value.get(6..)).filter(|rest| rest.is_empty() || rest.starts_with(b" "));
    let secret = behind.unwrap_or(value).trim_ascii();
    (!secret.is_empty()).then_some(secret)
}

/// The secret that a key source sees in a value; OAuth tokens are none.
pub(super) fn candidate(value: &[u8], scheme: Option<&str>) -> Option<Vec<u8>> {
    let secret = match scheme {
        None => secret_of(value)?,
        Some(scheme) => {
            let value = value.trim_ascii();
            value.get(..scheme.len()).filter(|head| head.eq_ignore_ascii_case(scheme.as_bytes()))?;
            let behind = &value[scheme.len()..];
            if !behind.starts_with(b" ") {
                return None;
            }
            behind.trim_ascii()
        }
    };
    (!secret.is_empty() && !secret.starts_with(b"sk-ant-oat")).then(|| secret.to_vec())
}

/// All places that hold a secret, named as the record names an auth source.
pub(super) fn places_of<'a>(lines: &'a [Line], secret: &'a [u8]) -> impl Iterator<Item = String> + 'a {
    let headers = lines
        .iter()
        .filter(|(name, value)| !name.starts_with(b":") && carries(value, secret))
        .map(|(name, _)| String::from_utf8_lossy(name).into_owned());
    let parameters = parameters(lines).into_iter().map(|(name, value)| ("query", name, value));
    let cookies = cookies(lines).into_iter().map(|(name, value)| ("cookie", name, value));
    let others = parameters
        .chain(cookies)
        .filter(move |(_, _, value)| value == secret)
        .map(|(kind, name, _)| format!("{kind}:{}", String::from_utf8_lossy(&name)));
    headers.chain(others)
}

/// Tells whether a secret stands in any place.
pub(super) fn holds_anywhere(lines: &[Line], secret: &[u8]) -> bool {
    places_of(lines, secret).next().is_some()
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
    named(lines.to_vec(), place)
}

/// The query's parameters, decoded.
fn parameters(lines: &[Line]) -> Vec<Line> {
    let path = lines.iter().find(|(name, _)| name == b":path").map(|(_, path)| path.as_slice()).unwrap_or_default();
    let Some(at) = path.iter().position(|byte| *byte == b'?') else { return Vec::new() };
    path[at + 1..]
        .split(|byte| *byte == b'&')
        .map(halves)
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// All cookies, without the quotes around their values.
fn cookies(lines: &[Line]) -> Vec<Line> {
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
