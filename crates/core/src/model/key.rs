//! Consumers, their proxy keys, and the index that finds a key by its digest.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use indexmap::IndexMap;
use indexmap::map::Entry;

use super::{AllowList, Byok, DenyReason};
use crate::secret::{KeyDigest, Secret};
use crate::time::Timestamp;

/// The named owner of proxy keys, and what it may do.
#[derive(Debug)]
pub struct Consumer {
    /// Printable ASCII without spaces, at most 128 bytes.
    pub name: Box<str>,
    /// The names of the providers that it may use.
    pub providers: AllowList,
    /// Overrides the policy of route and provider.
    pub byok: Option<Byok>,
    /// By provider name: replaces the provider's own deployment key.
    pub(crate) deployment_keys: Box<[(Box<str>, Secret)]>,
    /// What is recorded and sent about its callers besides.
    pub labels: Box<[Label]>,
}

impl Consumer {
    /// Returns a consumer of which nothing but the name is known.
    pub(crate) fn with_defaults(name: Box<str>) -> Self {
        Self { name, providers: AllowList::All, byok: None, deployment_keys: Box::default(), labels: Box::default() }
    }
}

/// A word about a consumer, such as its tier.
#[derive(Debug)]
pub struct Label {
    /// The name of its property in filter state, which ends in the label's name.
    pub(crate) property: Box<str>,
    /// Printable ASCII, at most 128 bytes.
    pub value: Box<str>,
}

impl Label {
    const PROPERTY_PREFIX: &str = "byok.label.";

    pub(crate) fn new(name: &str, value: Box<str>) -> Self {
        Self { property: format!("{}{name}", Self::PROPERTY_PREFIX).into(), value }
    }

    /// Returns the name: 1 to 32 lower-case letters, digits and underscores.
    pub fn name(&self) -> &str {
        self.property.strip_prefix(Self::PROPERTY_PREFIX).unwrap_or_default()
    }
}

/// A proxy key that is known.
#[derive(Debug)]
pub struct Key {
    /// Unique within its consumer.
    pub id: Box<str>,
    /// The owner.
    pub consumer: Arc<Consumer>,
    /// `None` for a key that is valid at any time, as most are.
    limits: Option<Box<KeyLimits>>,
}

/// When a key is valid.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeyLimits {
    pub(crate) not_before: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) disabled: bool,
}

impl KeyLimits {
    const NONE: Self = Self { not_before: Timestamp::MIN, expires_at: Timestamp::MAX, disabled: false };

    fn check(&self, now: Timestamp) -> Result<(), DenyReason> {
        if self.disabled {
            return Err(DenyReason::DisabledApiKey);
        }
        if now >= self.expires_at {
            return Err(DenyReason::ExpiredApiKey);
        }
        if now < self.not_before {
            return Err(DenyReason::NotYetValidApiKey);
        }
        Ok(())
    }
}

impl Key {
    /// Returns a key that is valid at any time.
    pub(crate) fn unlimited(consumer: Arc<Consumer>, id: Box<str>) -> Self {
        Self { id, consumer, limits: None }
    }

    /// Limits when the key is valid.
    pub(crate) fn limited(self, limits: KeyLimits) -> Self {
        let limits = (limits != KeyLimits::NONE).then(|| Box::new(limits));
        Self { limits, ..self }
    }

    /// # Errors
    /// The key is disabled, has expired, or is not valid yet.
    pub(crate) fn check_validity(&self, now: Timestamp) -> Result<(), DenyReason> {
        self.limits.as_ref().map_or(Ok(()), |limits| limits.check(now))
    }

    fn has_dates(&self) -> bool {
        let has_dates = |limits: &KeyLimits| limits.not_before != Timestamp::MIN || limits.expires_at != Timestamp::MAX;
        self.limits.as_deref().is_some_and(has_dates)
    }
}

/// All configured proxy keys, by digest.
///
/// The index is small and separate from the keys, so that a value which is no key costs one look at the index.
#[derive(Debug, Default)]
pub struct KeyRing {
    keys: IndexMap<KeyDigest, Key, BuildHasherDefault<FirstBytes>>,
    has_dates: bool,
}

impl KeyRing {
    pub(crate) fn with_capacity(keys: usize) -> Self {
        Self { keys: IndexMap::with_capacity_and_hasher(keys, BuildHasherDefault::default()), has_dates: false }
    }

    /// Adds a key.
    ///
    /// # Errors
    /// Another key has the same digest; returns how many keys were added before that one.
    pub(crate) fn insert(&mut self, digest: KeyDigest, key: Key) -> Result<(), usize> {
        match self.keys.entry(digest) {
            Entry::Occupied(earlier) => Err(earlier.index()),
            Entry::Vacant(entry) => {
                self.has_dates |= key.has_dates();
                entry.insert(key);
                Ok(())
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns the key of that digest.
    pub fn find(&self, digest: KeyDigest) -> Option<&Key> {
        self.keys.get(&digest)
    }

    /// Returns how many keys were added before the key of that digest.
    pub(crate) fn position(&self, digest: KeyDigest) -> Option<usize> {
        self.keys.get_index_of(&digest)
    }

    /// Whether a value is a configured key, whatever its dates.
    pub(crate) fn contains_secret(&self, secret: &[u8]) -> bool {
        !self.is_empty() && self.find(KeyDigest::of(secret)).is_some()
    }

    /// Returns the key of that consumer and id.
    pub(crate) fn named(&self, consumer: &str, id: &str) -> Option<&Key> {
        self.keys.values().find(|key| *key.id == *id && *key.consumer.name == *consumer)
    }

    /// Whether any key has a date, so that the time of a request matters.
    pub(crate) fn has_dates(&self) -> bool {
        self.has_dates
    }
}

/// Hashes a digest to its first bytes, which are as good as random: nobody chooses the digest of a key.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.first_chunk().map_or(self.0, |first| u64::from_le_bytes(*first));
    }

    /// The length of a digest is constant.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
