//! A cheap first look at header names: most names of a request are none that anybody asks for.

/// A set of header names that never denies a name that is in it, and seldom admits one that is not.
///
/// It does not tell `_` from `-`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NameSketch([u64; 4]);

impl NameSketch {
    pub(crate) fn insert(&mut self, name: &[u8]) {
        let (word, bit) = position(name);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    pub(crate) fn may_contain(&self, name: &[u8]) -> bool {
        let (word, bit) = position(name);
        self.0.get(word).is_none_or(|word| word & bit != 0)
    }
}

/// Tells names apart by their length and three of their bytes; returns a word of the sketch and a bit in it.
fn position(name: &[u8]) -> (usize, u64) {
    let byte = |at: usize| match name.get(at) {
        Some(b'_') => u32::from(b'-'),
        Some(byte) => u32::from(*byte),
        None => 0,
    };
    let length = name.len();
    let sample = byte(0) | byte(length / 2) << 8 | byte(length.wrapping_sub(1)) << 16 | (length as u32) << 24;
    // Fibonacci hashing: the upper bits of the product depend on all bits of the sample.
    let hash = sample.wrapping_mul(0x9e37_79b9) >> 24;
    (hash as usize / 64, 1 << (hash % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_it_is_admitted_under_either_spelling() {
        let mut sketch = NameSketch::default();
        for name in ["", "a", "x-api-key", "_", "litellm_user_api_key", &"x".repeat(300)] {
            sketch.insert(name.as_bytes());
            assert!(sketch.may_contain(name.as_bytes()), "{name}");
            assert!(sketch.may_contain(name.replace('_', "-").as_bytes()), "{name}");
            assert!(sketch.may_contain(name.replace('-', "_").as_bytes()), "{name}");
        }
    }

    #[test]
    fn of_other_names_few_are_admitted() {
        let mut sketch = NameSketch::default();
        for name in ["authorization", "x-api-key", "api-key", "x-goog-api-key", "x-litellm-api-key"] {
            sketch.insert(name.as_bytes());
        }
        let others = ["accept", "accept-encoding", "content-type", "user-agent", "x-app", "x-stainless-os", ":path"];
        assert!(others.iter().filter(|name| sketch.may_contain(name.as_bytes())).count() <= 1);
    }
}
