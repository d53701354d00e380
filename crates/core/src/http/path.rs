//! The two forms of a path: raw, and normalized as the most permissive server would.

use std::borrow::Cow;

/// Returns the path of a `:path` value, without its query.
pub fn without_query(target: &[u8]) -> &[u8] {
    target.split(|byte| *byte == b'?').next().unwrap_or_default()
}

/// The normalized form of a path.
pub struct Normalized<'a> {
    /// Percent-decoded until nothing changes, `\` as `/`, each segment cut at its first `;`, empty segments dropped, `.`
    /// and `..` resolved.
    ///
    /// Borrowed where the path is in this form already, except for a trailing slash, which matching ignores.
    pub path: Cow<'a, [u8]>,
    /// Whether the decoded path has a `..` segment or a `;`: a server that decodes less, or resolves dots before it has
    /// decoded everything, may arrive at a path that is neither the raw nor the normalized one.
    pub depends_on_order: bool,
}

/// Returns the normalized form of a path.
pub fn normalize(path: &[u8]) -> Normalized<'_> {
    if is_normalized(path) {
        return Normalized { path: Cow::Borrowed(path), depends_on_order: false };
    }
    let decoded = decode_fully(path);
    let mut depends_on_order = decoded.contains(&b';');
    let mut segments: Vec<&[u8]> = Vec::new();
    for segment in decoded.split(|byte| matches!(byte, b'/' | b'\\')) {
        match segment.split(|byte| *byte == b';').next().unwrap_or_default() {
            b"" | b"." => {}
            b".." => {
                depends_on_order = true;
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    let mut normalized = Vec::with_capacity(decoded.len() + 1);
    for segment in &segments {
        normalized.push(b'/');
        normalized.extend_from_slice(segment);
    }
    if segments.is_empty() {
        normalized.push(b'/');
    }
    Normalized { path: Cow::Owned(normalized), depends_on_order }
}

/// Whether every server reads the path as it is; `*` (of `OPTIONS *`) is such a path.
pub fn is_normalized(path: &[u8]) -> bool {
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
pub fn escaped(escape: &[u8; 3]) -> Option<u8> {
    let [b'%', high, low] = escape else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trick_is_normalized_as_the_most_permissive_server_does() {
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
            assert_eq!(normalize(path.as_bytes()).path, expected.as_bytes(), "{path}");
        }
    }

    #[test]
    fn deep_nesting_is_decoded_in_one_pass() {
        let nested = format!("/%{}41", "25".repeat(20_000));
        assert_eq!(normalize(nested.as_bytes()).path, &b"/A"[..]);
    }

    #[test]
    fn the_order_of_decoding_and_resolving_matters_where_dots_or_parameters_are_left() {
        for (path, depends_on_order) in [
            ("/v1/messages", false),
            ("/v1/./messages", false),
            ("/v1//messages", false),
            ("/v1/...", false),
            ("/v1/a..b", false),
            ("/model/arn%3Aaws%3Abedrock%2Fx/invoke", false),
            ("/v1/../messages", true),
            ("/v1/..", true),
            ("/v1\\..\\messages", true),
            ("/v1/%252e%252e%252fmessages", true),
            ("/v1;a", true),
            ("/v1/x%253by", true),
        ] {
            assert_eq!(normalize(path.as_bytes()).depends_on_order, depends_on_order, "{path}");
        }
    }
}
