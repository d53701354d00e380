//! Query parameters: split at `&`, compared percent-decoded, passed on byte for byte.

use std::borrow::Cow;

use super::path::escaped;
use super::reads_like;

/// One parameter of a query.
#[derive(Clone, Copy)]
pub struct Parameter<'a> {
    /// As it was sent.
    pub raw: &'a [u8],
}

impl<'a> Parameter<'a> {
    /// Whether this is the name once percent-decoded, by its case.
    pub fn is_named(self, name: &str) -> bool {
        decode(self.split().0) == name.as_bytes()
    }

    /// Whether the name is this one, compared with `-` for every byte but letters and digits.
    pub fn reads_like(self, name: &str) -> bool {
        reads_like(&decode(self.split().0), name.as_bytes())
    }

    /// Returns the percent-decoded value; a `+` stays one (RFC 3986 knows no other).
    pub fn value(self) -> Cow<'a, [u8]> {
        decode(self.split().1)
    }

    /// Whether the value, or the name of a parameter without one, is `secret`: as RFC 3986 reads it, or as HTML forms do,
    /// where `+` is a space.
    pub fn carries(self, secret: &[u8]) -> bool {
        let (name, value) = self.split();
        let raw = if value.is_empty() { name } else { value };
        let with_spaces = || -> Vec<u8> { raw.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect() };
        decode(raw) == secret || (raw.contains(&b'+') && decode(&with_spaces()) == secret)
    }

    fn split(self) -> (&'a [u8], &'a [u8]) {
        match self.raw.iter().position(|byte| *byte == b'=').and_then(|at| self.raw.split_at_checked(at)) {
            Some((name, value)) => (name, value.strip_prefix(b"=").unwrap_or_default()),
            None => (self.raw, &[]),
        }
    }
}

/// Returns the parameters of a `:path` value in order; none without a query.
pub fn parameters(target: &[u8]) -> impl Iterator<Item = Parameter<'_>> {
    let query = target.iter().position(|byte| *byte == b'?').and_then(|at| target.get(at + 1..));
    query.into_iter().flat_map(|query| query.split(|byte| *byte == b'&')).map(|raw| Parameter { raw })
}

/// Returns the `:path` value without the parameters that `cut` selects, or `None` if it selects none.
pub fn without<'a>(target: &'a [u8], cut: &mut dyn FnMut(Parameter<'a>) -> bool) -> Option<Vec<u8>> {
    let path = super::path::without_query(target);
    let mut parameters = parameters(target);
    // Nothing is copied until something goes.
    let mut untouched = path.len();
    parameters.find(|parameter| {
        let goes = cut(*parameter);
        if !goes {
            untouched += 1 + parameter.raw.len();
        }
        goes
    })?;
    let mut rest = target.get(..untouched)?.to_vec();
    for parameter in parameters.filter(|parameter| !cut(*parameter)) {
        rest.push(if rest.len() > path.len() { b'&' } else { b'?' });
        rest.extend_from_slice(parameter.raw);
    }
    Some(rest)
}

fn decode(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.contains(&b'%') {
        return Cow::Borrowed(raw);
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((first, after_first)) = rest.split_first() {
        match rest.split_first_chunk().and_then(|(escape, after)| Some((escaped(escape)?, after))) {
            Some((byte, after)) => {
                decoded.push(byte);
                rest = after;
            }
            None => {
                decoded.push(*first);
                rest = after_first;
            }
        }
    }
    Cow::Owned(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_cut_stays_byte_for_byte() {
        let cut = |target: &str| {
            without(target.as_bytes(), &mut |parameter| parameter.is_named("key"))
                .map(|rest| String::from_utf8(rest).unwrap())
        };
        assert_eq!(cut("/v1?a=%41&key=x&&b"), Some("/v1?a=%41&&b".into()));
        assert_eq!(cut("/v1?key=x"), Some("/v1".into()));
        assert_eq!(cut("/v1?%6bey&a=?key=x"), Some("/v1?a=?key=x".into()));
        assert_eq!(cut("/v1?keys=x&"), None);
        assert_eq!(cut("/v1"), None);
    }

    #[test]
    fn a_value_is_decoded_once() {
        let value = |target: &'static str| parameters(target.as_bytes()).next().unwrap().value();
        assert_eq!(value("/?key=a%2Bb%3d"), &b"a+b="[..]);
        assert_eq!(value("/?key=%2541"), &b"%41"[..]);
        assert_eq!(value("/?key=a+b%"), &b"a+b%"[..]);
        assert_eq!(value("/?key"), &b""[..]);
    }

    #[test]
    fn a_secret_is_found_behind_either_reading_of_a_plus() {
        let parameter = |target: &'static str| parameters(target.as_bytes()).next().unwrap();
        assert!(parameter("/?x=a+b").carries(b"a+b"));
        assert!(parameter("/?x=a+b").carries(b"a b"));
        assert!(!parameter("/?x=a+b").carries(b"ab"));
        assert!(parameter("/?a%2Bb").carries(b"a+b") && parameter("/?a=").carries(b"a"));
        assert!(!parameter("/?a=b").carries(b"a"));
    }
}
