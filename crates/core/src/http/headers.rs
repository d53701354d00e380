//! The request's header lines, found by name in constant time.

use super::name::HeaderName;
use super::{is_visible_ascii, trim};

/// The request's header lines in order, names in lower case, pseudo-headers included.
pub struct RequestHeaders<'a> {
    lines: Vec<Line<'a>>,
    /// By the bucket that a name's hash falls into: the number of the first line with such a name.
    first: [u32; BUCKETS],
}

const BUCKETS: usize = 32;

struct Line<'a> {
    name: HeaderName<'a>,
    value: &'a [u8],
    /// The number of the next line in the same bucket. Numbers count from 1; 0 is none.
    next: u32,
}

impl<'a> RequestHeaders<'a> {
    /// Takes lines as name and value; names are lower-case, as HTTP/2 and Envoy have them.
    pub fn from_lines(lines: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        Self::indexed(lines.into_iter().map(|(name, value)| Line { name: name.into(), value, next: 0 }).collect())
    }

    fn indexed(mut lines: Vec<Line<'a>>) -> Self {
        let mut first = [0; BUCKETS];
        for (index, line) in lines.iter_mut().enumerate().rev() {
            if let Some(first) = first.get_mut(bucket(line.name)) {
                line.next = std::mem::replace(first, index as u32 + 1);
            }
        }
        Self { lines, first }
    }

    /// Reads the serialised header map of the [proxy-wasm ABI](https://github.com/proxy-wasm/spec): a count, two sizes per
    /// entry, then the names and values, each followed by a NUL; all numbers are 32 bits, little-endian.
    ///
    /// Returns `None` for a buffer that is not of this form.
    pub fn from_map(buffer: &'a [u8]) -> Option<Self> {
        if buffer.is_empty() {
            return Some(Self::indexed(Vec::new()));
        }
        let (count, rest) = buffer.split_first_chunk()?;
        let count = size(count)?;
        let (sizes, mut bytes) = rest.split_at_checked(count.checked_mul(8)?)?;
        let mut lines = Vec::with_capacity(count);
        let (sizes, _) = sizes.as_chunks::<4>();
        let (pairs, _) = sizes.as_chunks::<2>();
        for [name, value] in pairs {
            let (name, after_name) = split_field(bytes, size(name)?)?;
            let (value, after_value) = split_field(after_name, size(value)?)?;
            bytes = after_value;
            lines.push(Line { name: name.into(), value, next: 0 });
        }
        Some(Self::indexed(lines))
    }

    /// Returns all lines in order, pseudo-headers included.
    pub fn lines(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.named_lines().map(|(name, value)| (name.bytes, value))
    }

    /// Returns all lines in order, each name with its hash.
    pub fn named_lines(&self) -> impl Iterator<Item = (HeaderName<'a>, &'a [u8])> {
        self.lines.iter().map(|line| (line.name, line.value))
    }

    /// Returns the values of one name in order, without surrounding whitespace.
    pub fn values(&self, name: &[u8]) -> impl Iterator<Item = &'a [u8]> {
        let first = self.first.get(bucket(name.into())).copied().unwrap_or_default();
        std::iter::successors(self.line(first), |line| self.line(line.next))
            .filter(move |line| line.name.bytes == name)
            .map(|line| trim(line.value))
    }

    fn line(&self, number: u32) -> Option<&Line<'a>> {
        self.lines.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    /// Returns the first value of one name that is not empty.
    pub fn value(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.values(name).find(|value| !value.is_empty())
    }

    /// Returns `:method`, or nothing if there is none.
    pub fn method(&self) -> &'a [u8] {
        self.value(b":method").unwrap_or_default()
    }

    /// Returns `:authority`, or nothing if there is none.
    pub fn authority(&self) -> &'a [u8] {
        self.value(b":authority").unwrap_or_default()
    }

    /// Returns `:path`, which a `CONNECT` request lacks.
    pub fn path(&self) -> Option<&'a [u8]> {
        self.value(b":path")
    }

    /// Whether the request is gRPC, by its content type.
    pub fn is_grpc(&self) -> bool {
        let grpc: &[u8] = b"application/grpc";
        self.value(b"content-type").and_then(|value| value.strip_prefix(grpc)).is_some_and(|rest| {
            // https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: "application/grpc" [("+proto" / …)]
            matches!(rest.first(), None | Some(b'+' | b';'))
        })
    }

    /// Returns `x-request-id` if it is at most 128 characters of visible ASCII, so that it can be shown in an answer.
    pub fn id(&self) -> Option<&'a str> {
        let id = self.value(b"x-request-id").filter(|id| id.len() <= 128 && is_visible_ascii(id))?;
        std::str::from_utf8(id).ok()
    }
}

fn bucket(name: HeaderName<'_>) -> usize {
    usize::from(name.hash) % BUCKETS
}

fn size(bytes: &[u8; 4]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
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
    fn only_grpc_content_types_are_grpc() {
        for (value, grpc) in
            [("application/grpc", true), ("application/grpc+proto", true), ("application/grpc-web", false)]
        {
            let headers = RequestHeaders::from_lines([(&b"content-type"[..], value.as_bytes())]);
            assert_eq!(headers.is_grpc(), grpc, "{value}");
        }
    }
}
