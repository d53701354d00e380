//! The checked configuration: whatever a request sees has been held against every rule before.

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use indexmap::IndexMap;
use indexmap::map::Entry;

use crate::provider::Provider;
use crate::request::secret_behind;
use crate::route::Route;
use crate::secret::{KeyDigest, Secret};
use crate::timestamp::Timestamp;
use crate::upstream::{CredentialPlaces, IdentityHeaders, StripList};
use crate::verify::VerificationService;

/// Everything that decides about a request, as one configuration says it.
#[derive(Debug)]
pub struct Policy {
    pub(crate) mode: Mode,
    pub(crate) shadow: bool,
    pub(crate) hide_credentials: Option<bool>,
    pub(crate) key_sources: Vec<KeySource>,
    pub(crate) keys: KeyRing,
    pub(crate) verification_service: Option<VerificationService>,
    pub(crate) default_byok: Byok,
    pub(crate) providers: Vec<Arc<Provider>>,
    pub(crate) default_provider: Arc<Provider>,
    pub(crate) routes: Vec<Route>,
    pub(crate) credential_places: CredentialPlaces,
    pub(crate) strip_list: StripList,
    pub(crate) identity_headers: IdentityHeaders,
    pub(crate) realm: Box<str>,
    /// A digest of the configuration and of the variables that it names, in hex.
    pub(crate) digest: Box<str>,
}

impl Policy {
    /// Whether any provider names the clusters that may receive its credentials.
    pub fn reads_cluster(&self) -> bool {
        self.providers.iter().any(|provider| provider.clusters.is_some())
    }

    /// Returns who is asked about keys that the configuration does not list.
    pub fn verification_service(&self) -> Option<&VerificationService> {
        self.verification_service.as_ref()
    }

    /// Whether requests are only watched: nothing is changed and nobody refused.
    pub fn is_shadow(&self) -> bool {
        self.shadow
    }

    /// Returns the name of the property that carries the caller over an internal redirect.
    ///
    /// It differs between configurations: of two filters in one chain, neither reads what the other has verified.
    pub fn redirect_state_property(&self) -> String {
        format!("byok.redirect_state.{}", self.digest)
    }

    /// Whether any configured key has a date.
    pub fn reads_clock(&self) -> bool {
        self.keys.has_dates
    }
}

/// What becomes of a request whose proxy key does not verify.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It is refused.
    #[default]
    On,
    /// It goes on unverified, unless the key is known and does not hold: the next hop decides.
    Auto,
    /// It goes on unverified, and nothing is looked up: the next hop authenticates.
    Off,
}

/// Whether a client's own provider credential is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Byok {
    /// Never: it is dropped.
    Off,
    /// Where there is one; else the deployment key.
    Preferred,
    /// Always: without one the request is refused.
    Required,
}

/// A place where a credential may ride.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// A header, its name in lower case.
    Header(Box<str>),
    /// A query parameter.
    Query(Box<str>),
    /// A cookie.
    Cookie(Box<str>),
}

impl Location {
    pub(crate) fn header(&self) -> Option<&str> {
        match self {
            Self::Header(name) => Some(name),
            Self::Query(_) | Self::Cookie(_) => None,
        }
    }

    pub(crate) fn is_header(&self, name: &[u8]) -> bool {
        self.header().is_some_and(|header| header.as_bytes() == name)
    }
}

/// Writes the `auth_source` token: the name of a header, `query:NAME` or `cookie:NAME`.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => f.write_str(name),
            Self::Query(name) => write!(f, "query:{name}"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
        }
    }
}

/// A place where a proxy key may ride, and the scheme before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeySource {
    pub(crate) location: Location,
    /// In a header: only values of this scheme count. Without one the bare value does, or what stands behind `Bearer`.
    pub(crate) scheme: Option<Box<str>>,
    /// The `auth_source` token.
    pub(crate) label: Box<str>,
}

impl KeySource {
    pub(crate) fn new(location: Location, scheme: Option<Box<str>>) -> Self {
        Self { label: location.to_string().into(), location, scheme }
    }

    /// Returns the secret in a header's value; it may be empty.
    pub(crate) fn secret_in<'a>(&self, value: &'a [u8]) -> Option<&'a [u8]> {
        match &self.scheme {
            Some(scheme) => secret_behind(scheme, value),
            None => Some(secret_behind("Bearer", value).unwrap_or(value)),
        }
    }
}

/// The named owner of proxy keys, and what it may do.
#[derive(Debug)]
pub(crate) struct Consumer {
    pub(crate) name: Box<str>,
    /// The names of the providers it may reach; `None` means all.
    pub(crate) providers: Option<Vec<Box<str>>>,
    pub(crate) byok: Option<Byok>,
    /// By provider name: replaces the provider's own deployment key.
    pub(crate) deployment_keys: Vec<(Box<str>, Secret)>,
}

/// A proxy key that is known.
#[derive(Debug)]
pub struct Key {
    pub(crate) id: Box<str>,
    pub(crate) consumer: Arc<Consumer>,
    pub(crate) not_before: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) disabled: bool,
}

/// All configured proxy keys, by digest.
///
/// An index into a list: a value that is no key is known for one after a look at the index alone, which is small.
#[derive(Debug, Default)]
pub(crate) struct KeyRing {
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
    /// Returns how many keys were added before the one that has the same digest.
    pub(crate) fn insert(&mut self, digest: KeyDigest, key: Key) -> Result<(), usize> {
        match self.keys.entry(digest) {
            Entry::Occupied(earlier) => Err(earlier.index()),
            Entry::Vacant(place) => {
                self.has_dates |= key.not_before != Timestamp::MIN || key.expires_at != Timestamp::MAX;
                place.insert(key);
                Ok(())
            }
        }
    }

    pub(crate) fn find(&self, digest: KeyDigest) -> Option<&Key> {
        self.keys.get(&digest)
    }

    /// Returns how many keys were added before the one with that digest.
    pub(crate) fn position(&self, digest: KeyDigest) -> Option<usize> {
        self.keys.get_index_of(&digest)
    }

    /// Whether a value is a configured key, whatever its dates.
    pub(crate) fn lists(&self, secret: &[u8]) -> bool {
        !self.keys.is_empty() && self.find(KeyDigest::of(secret)).is_some()
    }

    pub(crate) fn named(&self, consumer: &str, id: &str) -> Option<&Key> {
        self.keys.values().find(|key| *key.id == *id && *key.consumer.name == *consumer)
    }
}

/// Hashes a digest to its first bytes, which are as good as random: nobody chooses the digest of a key.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.first_chunk().map_or(self.0, |first| u64::from_le_bytes(*first));
    }

    /// The length of the digest says nothing.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
