//! Authentication schemes and the characters of a credential.

/// Removes surrounding spaces and tabs, the optional whitespace of a header value
/// ([RFC 9110, 5.5](https://www.rfc-editor.org/rfc/rfc9110#section-5.5)).
pub fn trim(value: &[u8]) -> &[u8] {
    let is_whitespace = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some(start) = value.iter().position(|byte| !is_whitespace(byte)) else { return &[] };
    let end = value.iter().rposition(|byte| !is_whitespace(byte)).map_or(0, |last| last + 1);
    value.get(start..end).unwrap_or_default()
}

/// Returns the secret after `scheme`, trimmed, or `None` if the value has another scheme or none.
///
/// The scheme is compared without regard to ASCII case and followed by one or more spaces
/// ([RFC 9110, 11.4](https://www.rfc-editor.org/rfc/rfc9110#section-11.4)). A scheme that is repeated, as some clients do
/// with a key that already has one, counts once. The secret may be empty: `Bearer` alone.
pub fn strip_scheme<'a>(scheme: &str, value: &'a [u8]) -> Option<&'a [u8]> {
    let mut secret = strip_one(scheme, value)?;
    while let Some(rest) = strip_one(scheme, secret) {
        secret = rest;
    }
    Some(secret)
}

fn strip_one<'a>(scheme: &str, value: &'a [u8]) -> Option<&'a [u8]> {
    let (head, rest) = value.split_at_checked(scheme.len())?;
    let is_scheme = head.eq_ignore_ascii_case(scheme.as_bytes());
    (is_scheme && !scheme.is_empty() && matches!(rest.first(), None | Some(b' '))).then(|| trim(rest))
}

/// Whether a value is the secret, or a scheme, perhaps repeated, and the secret.
pub fn carries(value: &[u8], secret: &[u8]) -> bool {
    if value.len() < secret.len() {
        return false;
    }
    trim(value).strip_suffix(secret).is_some_and(|before| {
        let is_whitespace = |byte: &u8| matches!(byte, b' ' | b'\t');
        let mut words = before.split(is_whitespace).filter(|word| !word.is_empty());
        let scheme = words.next().unwrap_or_default();
        let is_separate = before.last().is_none_or(is_whitespace);
        is_separate && words.all(|word| word.eq_ignore_ascii_case(scheme))
    })
}

/// Whether all bytes are printable ASCII characters other than the space.
pub fn is_visible_ascii(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_graphic)
}

/// Whether a value starts with any of these. They are compared from their ends: many prefixes begin alike.
pub(crate) fn starts_with_any(value: &[u8], prefixes: &[impl AsRef<str>]) -> bool {
    prefixes.iter().any(|prefix| starts_with(value, prefix.as_ref()))
}

/// Whether a value starts with this, compared from its end.
pub(crate) fn starts_with(value: &[u8], prefix: &str) -> bool {
    let start = value.get(..prefix.len());
    start.is_some_and(|start| start.iter().zip(prefix.as_bytes()).rev().all(|(one, other)| one == other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_followed_by_spaces_and_compared_without_case() {
        assert_eq!(strip_scheme("Bearer", b"bEARER  a "), Some(&b"a"[..]));
        assert_eq!(strip_scheme("Bearer", b"Bearer"), Some(&b""[..]));
        assert_eq!(strip_scheme("Bearer", b"Bearera"), None);
        assert_eq!(strip_scheme("Bearer", b"Bearer\ta"), None);
        assert_eq!(strip_scheme("Bearer", b"Bear"), None);
        assert_eq!(strip_scheme("Bearer", b"Bearer bearer  a"), Some(&b"a"[..]));
        assert_eq!(strip_scheme("Bearer", b"Bearer Bearer"), Some(&b""[..]));
    }
}
