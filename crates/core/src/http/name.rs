//! Header names, hashed once per request: most of them are in none of the sets that they are looked up in.

/// A header's name with its hash, which is the same for all names that [`reads_like`] finds alike.
#[derive(Clone, Copy)]
pub struct HeaderName<'a> {
    /// The name in lower case.
    pub bytes: &'a [u8],
    /// Below [`HASHES`].
    pub(crate) hash: u16,
}

/// As many as a cache line has bits.
const HASHES: usize = 512;

impl<'a> From<&'a [u8]> for HeaderName<'a> {
    /// Tells names apart by their length and two of their bytes.
    #[inline]
    fn from(bytes: &'a [u8]) -> Self {
        let byte = |at: Option<&u8>| at.map_or(0, |byte| u32::from(separator_as_dash(*byte)));
        let sample = byte(bytes.get(bytes.len() / 2)) | byte(bytes.last()) << 8 | (bytes.len() as u32) << 16;
        // Fibonacci hashing: the upper bits of the product depend on all bits of the sample.
        let hash = sample.wrapping_mul(0x9e37_79b9) >> (u32::BITS - HASHES.ilog2());
        Self { bytes, hash: hash as u16 }
    }
}

/// Whether two names differ in nothing but bytes that are no ASCII letters or digits.
///
/// CGI ([RFC 3875, 4.1.18](https://www.rfc-editor.org/rfc/rfc3875#section-4.1.18)), WSGI and some proxies do not tell
/// such names apart, so a credential or an identity under another spelling reaches the application all the same.
///
/// They are compared from their ends: many names begin alike.
pub fn reads_like(name: &[u8], other: &[u8]) -> bool {
    let is_alike = |(one, other): (&u8, &u8)| one == other || separator_as_dash(*one) == separator_as_dash(*other);
    name.len() == other.len() && name.iter().zip(other).rev().all(is_alike)
}

#[inline]
fn separator_as_dash(byte: u8) -> u8 {
    SEPARATORS_AS_DASH.get(usize::from(byte)).copied().unwrap_or(b'-')
}

/// By a byte: what it is compared as.
const SEPARATORS_AS_DASH: [u8; 256] = {
    let mut table = [b'-'; 256];
    let mut rest: &mut [u8] = &mut table;
    let mut byte = 0;
    while let Some((first, others)) = rest.split_first_mut() {
        if u8::is_ascii_alphanumeric(&byte) {
            *first = byte;
        }
        byte = byte.wrapping_add(1);
        rest = others;
    }
    table
};

/// A set of header names that admits every name in it, and few others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NameSketch([u64; HASHES / 64]);

impl NameSketch {
    pub(crate) fn insert(&mut self, name: HeaderName<'_>) {
        if let Some(word) = self.0.get_mut(usize::from(name.hash / 64)) {
            *word |= 1 << (name.hash % 64);
        }
    }

    pub(crate) fn may_contain(&self, name: HeaderName<'_>) -> bool {
        self.0.get(usize::from(name.hash / 64)).is_none_or(|word| word >> (name.hash % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_sketch_is_admitted_under_every_separator() {
        let mut sketch = NameSketch::default();
        for name in ["", "a", "x-api-key", "_", "litellm_user_api_key", &"x".repeat(300)] {
            sketch.insert(name.as_bytes().into());
            assert!(sketch.may_contain(name.as_bytes().into()), "{name}");
            for separator in ["-", "_", ".", "~", "!"] {
                let spelled = name.replace(['-', '_'], separator);
                assert!(sketch.may_contain(spelled.as_bytes().into()), "{spelled}");
            }
        }
    }

    #[test]
    fn of_other_names_few_are_admitted() {
        let mut sketch = NameSketch::default();
        for name in ["authorization", "x-api-key", "api-key", "x-goog-api-key", "x-litellm-api-key"] {
            sketch.insert(name.as_bytes().into());
        }
        let others = ["accept", "accept-encoding", "content-type", "user-agent", "x-app", "x-stainless-os", ":path"];
        assert!(others.iter().filter(|name| sketch.may_contain(name.as_bytes().into())).count() <= 1);
    }
}
