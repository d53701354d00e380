//! The two readings of a path: as it stands, and as the most obliging server would read it.

use std::borrow::Cow;

use crate::secret::hex_digit;

/// Returns the path of a `:path` value, without its query.
pub(crate) fn without_query(target: &[u8]) -> &[u8] {
    target.split(|byte| *byte == b'?').next().unwrap_or_default()
}

/// Returns the canonical reading: percent-decoded until nothing changes, `\` as `/`, each segment cut
/// at its first `;`, empty segments dropped, `.` and `..` resolved.
///
/// Borrows where the path is canonical already, but for a trailing slash, which matching ignores.
pub(crate) fn canonical(path: &[u8]) -> Cow<'_, [u8]> {
    if is_canonical(path) {
        return Cow::Borrowed(path);
    }
    let decoded = decode_fully(path);
    let mut segments: Vec<&[u8]> = Vec::new();
    for segment in decoded.split(|byte| matches!(byte, b'/' | b'\\')) {
        match segment.split(|byte| *byte == b';').next().unwrap_or_default() {
            b"" | b"." => {}
            b".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    let mut canonical = Vec::with_capacity(decoded.len() + 1);
    for segment in &segments {
        canonical.push(b'/');
        canonical.extend_from_slice(segment);
    }
    if segments.is_empty() {
        canonical.push(b'/');
    }
    Cow::Owned(canonical)
}

/// Whether the path reads the same to everybody; `*` (of `OPTIONS *`) does.
pub(crate) fn is_canonical(path: &[u8]) -> bool {
    let Some(segments) = path.strip_prefix(b"/") else { return path == b"*" };
    let plain = !path.iter().any(|byte| matches!(byte, b'%' | b'\\' | b';'));
    let mut segments = segments.split(|byte| *byte == b'/').peekable();
    plain
        && std::iter::from_fn(|| segments.next().map(|segment| (segment, segments.peek().is_none())))
            .all(|(segment, last)| !matches!(segment, b"." | b"..") && (last || !segment.is_empty()))
}

/// Percent-decodes until nothing changes, in one pass: a byte that completes `%XX` is folded at once,
/// and the result may complete another. (The escapes cannot overlap, so the order does not matter.)
fn decode_fully(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(path.len());
    for byte in path {
        decoded.push(*byte);
        while let Some(byte) = decoded.last_chunk().and_then(escaped) {
            decoded.truncate(decoded.len() - 3);
            decoded.push(byte);
        }
    }
    decoded
}

/// Returns the byte that a percent escape stands for (RFC 3986, 2.1).
pub(crate) fn escaped(escape: &[u8; 3]) -> Option<u8> {
    let [b'%', high, low] = escape else { return None };
    Some(hex_digit(*high)? << 4 | hex_digit(*low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trick_has_the_reading_of_the_most_obliging_server() {
        for (path, expected) in [
            ("/v1/messages", "/v1/messages"),
            ("/v1/messages/", "/v1/messages/"),
            ("/v1//messages", "/v1/messages"),
            ("/v1/./messages", "/v1/messages"),
            ("/v1/x/../messages", "/v1/messages"),
            ("/../../v1", "/v1"),
            ("/v1\\messages", "/v1/messages"),
            ("/v1;a=b/messages;c", "/v1/messages"),
            ("/v1/%6dessages", "/v1/messages"),
            ("/v1/%256dessages", "/v1/messages"),
            ("/v1%2fmessages", "/v1/messages"),
            ("/v1/x/%252e%252E/messages", "/v1/messages"),
            ("/v1/x/..;a/messages", "/v1/messages"),
            ("/%2%35%36d", "/m"),
            ("/100%", "/100%"),
            ("/%zz%6d", "/%zzm"),
            ("v1", "/v1"),
            ("/..", "/"),
            ("/", "/"),
            ("*", "*"),
        ] {
            assert_eq!(canonical(path.as_bytes()), expected.as_bytes(), "{path}");
        }
    }

    #[test]
    fn deep_nesting_is_decoded_in_one_pass() {
        let nested = format!("/%{}41", "25".repeat(20_000));
        assert_eq!(canonical(nested.as_bytes()), &b"/A"[..]);
    }
}
