//! Secrets and their digests, the only two forms in which the filter keeps a key.

use std::fmt;

use sha2::{Digest, Sha256};

/// A credential that the operator configured. [`Secret::expose`] is the only way to read it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<Box<str>>) -> Self {
        Self(secret.into())
    }

    /// Returns the secret: for the upstream, never for a log.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The SHA-256 of a proxy key.
///
/// Digests are compared with ordinary comparisons: the time that one takes depends on the digest of the guess, which the
/// guesser knows, and reveals nothing about a key whose digest begins alike.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// Digests a secret.
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Reads 64 hex digits, in either case.
    pub fn from_hex(text: &str) -> Option<Self> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return None;
        }
        let mut digest = [0; 32];
        for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
            *byte = hex_digit(*high)? << 4 | hex_digit(*low)?;
        }
        Some(Self(digest))
    }

    /// Writes the 64 lower-case hex digits.
    pub fn to_hex(self) -> String {
        use fmt::Write;
        self.0.iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a `String` does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// Returns the first 8 hex digits: tells keys apart without showing one.
    pub fn fingerprint(self) -> String {
        let mut hex = self.to_hex();
        hex.truncate(8);
        hex
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyDigest({}…)", self.fingerprint())
    }
}

/// Reads one hex digit, in either case.
fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_digest_is_read_in_either_case_and_written_in_lower_case() {
        assert_eq!(KeyDigest::from_hex(ABC), Some(KeyDigest::of(b"abc")));
        assert_eq!(KeyDigest::from_hex(&ABC.to_uppercase()), Some(KeyDigest::of(b"abc")));
        assert_eq!(KeyDigest::of(b"abc").to_hex(), ABC);
    }

    #[test]
    fn anything_but_64_hex_digits_is_no_digest() {
        for text in ["", "ba", ABC.split_at(1).1, &format!("{ABC}0"), &ABC.replace('a', "g"), &"é".repeat(32)] {
            assert_eq!(KeyDigest::from_hex(text), None, "{text}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", Secret::new("proxy-a")), "[redacted]");
        assert_eq!(format!("{:?}", KeyDigest::of(b"abc")), "KeyDigest(ba7816bf…)");
    }
}
