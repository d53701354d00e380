//! Header names, hashed once per request: most of them are in none of the sets that they are looked up in.

/// A header's name with its hash, which is the same for all names that [`reads_like`] finds alike.
#[derive(Clone, Copy)]
pub struct HeaderName<'a> {
    /// The name in lower case.
    pub bytes: &'a [u8],
    pub(super) hash: u8,
}

impl<'a> From<&'a [u8]> for HeaderName<'a> {
    /// Tells names apart by their length and three of their bytes.
    fn from(bytes: &'a [u8]) -> Self {
        let byte = |at: usize| bytes.get(at).map_or(0, |byte| u32::from(separator_as_dash(*byte)));
        let length = bytes.len();
        let sample = byte(0) | byte(length / 2) << 8 | byte(length.wrapping_sub(1)) << 16 | (length as u32) << 24;
        // Fibonacci hashing: the upper bits of the product depend on all bits of the sample.
        let [.., hash] = sample.wrapping_mul(0x9e37_79b9).to_le_bytes();
        Self { bytes, hash }
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

fn separator_as_dash(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte } else { b'-' }
}

/// A set of header names that admits every name in it, and few others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NameSketch([u64; 4]);

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
