//! Typed view of the request: headers that repeat, a path that may have two readings, query, cookies.

pub(crate) mod cookies;
mod name;
pub(crate) mod path;
pub(crate) mod query;

pub(crate) use name::{HeaderName, NameSketch, separators_as_dashes};

/// The request's header lines as they came, names in lower case, pseudo-headers included.
pub struct RequestHeaders<'a> {
    lines: Vec<Line<'a>>,
    /// By the bucket that a name's hash falls into: the number of the first line with such a name.
    first: [usize; BUCKETS],
}

const BUCKETS: usize = 32;

struct Line<'a> {
    name: HeaderName<'a>,
    value: &'a [u8],
    /// The number of the next line in the same bucket. Numbers count from 1; 0 is none.
    next: usize,
}

impl<'a> RequestHeaders<'a> {
    /// Takes lines as name and value; names are lower-case, as HTTP/2 and Envoy have them.
    pub fn from_lines(lines: Vec<(&'a [u8], &'a [u8])>) -> Self {
        Self::indexed(lines.into_iter().map(|(name, value)| Line { name: name.into(), value, next: 0 }).collect())
    }

    fn indexed(mut lines: Vec<Line<'a>>) -> Self {
        let mut first = [0; BUCKETS];
        for (number, line) in lines.iter_mut().enumerate().rev() {
            if let Some(first) = first.get_mut(bucket(line.name)) {
                line.next = std::mem::replace(first, number + 1);
            }
        }
        Self { lines, first }
    }

    /// Reads the serialised header map of the proxy-wasm ABI: a count, two sizes an entry, then the
    /// names and values, each with a NUL behind it; all numbers are 32 bits, little-endian.
    ///
    /// Returns `None` for a buffer that is not of this form.
    pub fn from_map(buffer: &'a [u8]) -> Option<Self> {
        if buffer.is_empty() {
            return Some(Self::indexed(Vec::new()));
        }
        let (count, rest) = split_u32(buffer)?;
        let (mut sizes, mut bytes) = rest.split_at_checked(count.checked_mul(8)?)?;
        let mut lines = Vec::with_capacity(count);
        while !sizes.is_empty() {
            let (name_size, after_name_size) = split_u32(sizes)?;
            let (value_size, after_value_size) = split_u32(after_name_size)?;
            sizes = after_value_size;
            let (name, after_name) = split_field(bytes, name_size)?;
            let (value, after_value) = split_field(after_name, value_size)?;
            bytes = after_value;
            lines.push(Line { name: name.into(), value, next: 0 });
        }
        Some(Self::indexed(lines))
    }

    /// Returns all lines in order, pseudo-headers included.
    pub fn lines(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.named_lines().map(|(name, value)| (name.bytes, value))
    }

    /// Returns the same with each name as it was hashed.
    pub(crate) fn named_lines(&self) -> impl Iterator<Item = (HeaderName<'a>, &'a [u8])> {
        self.lines.iter().map(|line| (line.name, line.value))
    }

    /// Returns the lines of one name in order, each value without the blanks around it.
    pub(crate) fn values(&self, name: &[u8]) -> impl Iterator<Item = &'a [u8]> {
        let first = self.first.get(bucket(name.into())).copied().unwrap_or_default();
        std::iter::successors(self.line(first), |line| self.line(line.next))
            .filter(move |line| line.name.bytes == name)
            .map(|line| trim(line.value))
    }

    fn line(&self, number: usize) -> Option<&Line<'a>> {
        self.lines.get(number.checked_sub(1)?)
    }

    /// Returns the first line of one name that is not empty.
    pub(crate) fn value(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.values(name).find(|value| !value.is_empty())
    }

    pub(crate) fn method(&self) -> &'a [u8] {
        self.value(b":method").unwrap_or_default()
    }

    pub(crate) fn authority(&self) -> &'a [u8] {
        self.value(b":authority").unwrap_or_default()
    }

    /// Returns `:path`, which a `CONNECT` request lacks.
    pub(crate) fn path(&self) -> Option<&'a [u8]> {
        self.value(b":path")
    }

    pub(crate) fn is_grpc(&self) -> bool {
        let grpc: &[u8] = b"application/grpc";
        self.value(b"content-type").and_then(|value| value.strip_prefix(grpc)).is_some_and(|rest| {
            // https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: "application/grpc" [("+proto" / …)]
            matches!(rest.first(), None | Some(b'+' | b';'))
        })
    }

    /// Returns the request id that Envoy gave, if it can be shown as it is.
    pub(crate) fn id(&self) -> Option<&'a str> {
        let id = self.value(b"x-request-id").filter(|id| id.len() <= 128 && is_visible_ascii(id))?;
        std::str::from_utf8(id).ok()
    }
}

fn bucket(name: HeaderName<'_>) -> usize {
    usize::from(name.hash) % BUCKETS
}

/// Cuts off the blanks and tabs around a header value (RFC 9110, 5.5: optional white space).
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some(start) = value.iter().position(|byte| !is_blank(byte)) else { return &[] };
    let end = value.iter().rposition(|byte| !is_blank(byte)).map_or(0, |last| last + 1);
    value.get(start..end).unwrap_or_default()
}

/// Returns the secret behind `scheme`, trimmed; it may be empty (`Bearer` alone).
///
/// The scheme is compared without regard to ASCII case and followed by one or more spaces
/// (RFC 9110, 11.4).
pub(crate) fn secret_behind<'a>(scheme: &str, value: &'a [u8]) -> Option<&'a [u8]> {
    let (head, rest) = value.split_at_checked(scheme.len())?;
    let is_scheme = head.eq_ignore_ascii_case(scheme.as_bytes());
    (is_scheme && matches!(rest.first(), None | Some(b' '))).then(|| trim(rest))
}

/// Whether all bytes are ASCII characters that leave ink on paper: no blank, no control byte.
pub(crate) fn is_visible_ascii(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_graphic)
}

fn split_u32(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
}

fn split_field(bytes: &[u8], size: usize) -> Option<(&[u8], &[u8])> {
    let (field, rest) = bytes.split_at_checked(size)?;
    let (_nul, rest) = rest.split_first()?;
    Some((field, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serialised_map_is_read_with_repeats_and_any_bytes() {
        let map = b"\x02\0\0\0\x01\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0a\0\xff\0\0a\0\0";
        let headers = RequestHeaders::from_map(map).unwrap();
        assert_eq!(headers.lines().collect::<Vec<_>>(), [(&b"a"[..], &b"\xff\0"[..]), (b"a", b"")]);
    }

    #[test]
    fn a_map_cut_short_anywhere_is_none() {
        let map = b"\x01\0\0\0\x01\0\0\0\x02\0\0\0a\0bc\0";
        assert!(RequestHeaders::from_map(map).is_some());
        for end in 1..map.len() {
            assert!(RequestHeaders::from_map(&map[..end]).is_none(), "{end}");
        }
        assert!(RequestHeaders::from_map(b"\xff\xff\xff\xff").is_none());
    }

    #[test]
    fn a_scheme_is_followed_by_spaces_and_compared_without_case() {
        assert_eq!(secret_behind("Bearer", b"bEARER  a "), Some(&b"a"[..]));
        assert_eq!(secret_behind("Bearer", b"Bearer"), Some(&b""[..]));
        assert_eq!(secret_behind("Bearer", b"Bearera"), None);
        assert_eq!(secret_behind("Bearer", b"Bearer\ta"), None);
        assert_eq!(secret_behind("Bearer", b"Bear"), None);
    }

    #[test]
    fn only_grpc_content_types_are_grpc() {
        for (value, grpc) in
            [("application/grpc", true), ("application/grpc+proto", true), ("application/grpc-web", false)]
        {
            let headers = RequestHeaders::from_lines(vec![(b"content-type", value.as_bytes())]);
            assert_eq!(headers.is_grpc(), grpc, "{value}");
        }
    }
}
