//! Checks of single words: names of headers, consumers, providers and hosts.

use std::collections::HashSet;

use foldhash::fast::FixedState;

use crate::http::{is_visible_ascii, path};

/// What a consumer, a key id and a provider may be called.
pub(super) const EXPECTED_NAME: &str = "expected 1 to 128 visible ASCII characters";
pub(super) const EXPECTED_LABEL_NAME: &str = "expected 1 to 32 lower-case letters, digits and underscores";
pub(super) const EXPECTED_HEADER: &str = "expected a header name";
pub(super) const EXPECTED_TOKEN: &str = "expected a token of visible ASCII characters";
pub(super) const EXPECTED_PATH: &str =
    "expected a path that starts with / and has no query, escape, backslash, semicolon, empty or dot segment";
pub(super) const EXPECTED_NO_STAR: &str = "expected a path without *: path_prefix matches whole segments by itself";
pub(super) const EXPECTED_UPPER_CASE: &str = "expected a standard method in upper case, such as POST";
pub(super) const EXPECTED_HOST: &str = "expected a host name without port, or *. and a host name";

/// The methods of RFC 9110 and RFC 5789, which are written in upper case.
const STANDARD_METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// Headers that Envoy or the filter itself reads, in which no credential can be.
const NOT_FOR_CREDENTIALS: &[&str] = &[
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "sec-websocket-protocol",
    "te",
    "transfer-encoding",
    "upgrade",
    "x-request-id",
];

/// Names to look up; they are the operator's, and nobody aims them at a hash.
pub(super) type Names<'a> = HashSet<&'a str, FixedState>;

/// Returns, in order, the positions of names that are at an earlier position too.
pub(in crate::config) fn repeats<'a>(names: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut seen = Names::default();
    names.enumerate().filter(|(_, name)| !seen.insert(name)).map(|(at, _)| at).collect()
}

pub(super) fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len()) && is_visible_ascii(text.as_bytes())
}

/// Whether the text can name a label: it becomes part of the name of a filter state.
pub(super) fn is_label_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=32).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Whether the text is a token (RFC 9110, 5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether the text is a standard method in another case than its own.
pub(super) fn is_miscased_method(text: &str) -> bool {
    STANDARD_METHODS.iter().any(|method| text != *method && text.eq_ignore_ascii_case(method))
}

/// Returns the name in lower case, if it can name a header with a credential of its own.
pub(super) fn credential_header(name: &str) -> Option<Box<str>> {
    let name = name.to_ascii_lowercase();
    (is_token(&name) && !NOT_FOR_CREDENTIALS.contains(&&*name)).then(|| name.into())
}

/// Returns the path without its trailing slash, if every server reads it as it is.
pub(super) fn normalized_path(text: &str) -> Option<Box<str>> {
    let plain = text.starts_with('/')
        && is_visible_ascii(text.as_bytes())
        && !text.contains(['?', '#'])
        && path::is_normalized(text.as_bytes());
    plain.then(|| text.strip_suffix('/').unwrap_or(text).into())
}

/// Returns the host in lower case and without its trailing dot.
pub(super) fn host(text: &str) -> Option<Box<str>> {
    let host = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let is_address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|address| {
        !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
    });
    (is_address || host.split('.').all(label)).then(|| host.into())
}
