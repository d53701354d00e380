//! The verification service as it is configured, and what it has said about the keys of a request.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::Key;
use crate::http::{is_visible_ascii, starts_with_any};
use crate::secret::{KeyDigest, Secret};

/// A key that the configuration does not list, about which the verification service must be asked before the request can
/// be decided.
pub struct Lookup<'a> {
    /// Identifies equal lookups.
    pub digest: KeyDigest,
    /// The key itself.
    pub(crate) secret: Cow<'a, [u8]>,
}

impl std::fmt::Debug for Lookup<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lookup").field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// What the service says about a key.
#[derive(Clone, Debug)]
pub enum LookupResult {
    /// It is one; it may have expired or be disabled.
    Key(Arc<Key>),
    /// It is none.
    NotAKey,
    /// The service did not say: the request is refused.
    Unavailable,
}

/// The results that are known when a request is decided.
#[derive(Debug, Default)]
pub struct LookupResults(Vec<(KeyDigest, LookupResult)>);

impl LookupResults {
    pub(crate) fn find(&self, digest: KeyDigest) -> Option<&LookupResult> {
        self.0.iter().find(|(known, _)| *known == digest).map(|(_, result)| result)
    }

    /// Whether the service has said nothing yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what the service has said.
    pub fn insert(&mut self, digest: KeyDigest, result: LookupResult) {
        self.0.push((digest, result));
    }
}

/// Who is asked about unknown keys, how, and for how long a result is valid.
#[derive(Debug)]
pub struct VerificationService {
    /// The Envoy cluster.
    pub cluster: Box<str>,
    pub(crate) authority: Box<str>,
    /// Including its query, if it has one.
    pub(crate) path: Box<str>,
    pub(crate) send_as: SendAs,
    pub(crate) service_key: Option<Secret>,
    /// How long a call may take.
    pub timeout: Duration,
    pub(crate) cache_ttl: Duration,
    pub(crate) negative_cache_ttl: Duration,
    /// How much longer a key that was valid stays so while the service is unavailable.
    pub(crate) stale_if_error: Duration,
    /// How many results of either kind are cached.
    pub(crate) cache_max_entries: usize,
    /// How many calls that a request waits for are under way at once, per worker. A fifth is for keys that were valid before.
    pub(crate) max_in_flight: usize,
    /// JSON pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)) to the consumer's name in the response.
    pub(crate) consumer_from: Option<Box<str>>,
    /// Prefixes of provider credentials, which are nobody else's business.
    pub(crate) never_sent: Vec<&'static str>,
}

impl VerificationService {
    /// Whether it may be asked about a value.
    pub(crate) fn may_be_asked_about(&self, secret: &[u8]) -> bool {
        is_visible_ascii(secret) && !starts_with_any(secret, &self.never_sent)
    }
}

/// How a lookup names the key.
#[derive(Debug)]
pub enum SendAs {
    /// By its SHA-256, in a query parameter of this name: no caller's secret leaves the filter.
    Sha256Query(Box<str>),
    /// By itself, in a header, after a scheme if there is one.
    Header(Box<str>, Option<Box<str>>),
}

/// What precedes the names that a service gives, so that none can take a configured consumer's name.
const SERVICE: &str = "service";

/// Whether a consumer's name is one that only the service gives.
pub fn is_service_name(name: &str) -> bool {
    name.strip_prefix(SERVICE).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

impl Key {
    /// Returns a key that the service knows, of the consumer that it names; the key's id is its fingerprint.
    pub(crate) fn from_service(consumer: Option<&str>, digest: KeyDigest) -> Self {
        let fits =
            |name: &&str| !name.is_empty() && name.len() + SERVICE.len() < 128 && is_visible_ascii(name.as_bytes());
        let name = consumer.filter(fits).map_or_else(|| SERVICE.to_owned(), |name| format!("{SERVICE}:{name}"));
        Self::of_default_consumer(name.into(), digest.fingerprint().into())
    }
}
