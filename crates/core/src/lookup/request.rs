//! The service as it is configured, and the request that asks it about a key.

use std::sync::Arc;
use std::time::Duration;

use super::ServiceRequest;
use crate::policy::{Consumer, Key};
use crate::request::is_visible_ascii;
use crate::secret::{KeyDigest, Secret};
use crate::timestamp::Timestamp;

/// Who is asked about unknown keys, how, and how long an answer is good.
#[derive(Debug)]
pub struct VerificationService {
    /// The Envoy cluster.
    pub(crate) cluster: Box<str>,
    pub(crate) authority: Box<str>,
    /// With its query, if it has one.
    pub(crate) path: Box<str>,
    pub(crate) send_as: SendAs,
    pub(crate) service_key: Option<Secret>,
    pub(crate) timeout: Duration,
    pub(crate) cache_ttl: Duration,
    pub(crate) negative_cache_ttl: Duration,
    /// Answers of either kind that are kept.
    pub(crate) cache_max_entries: usize,
    /// Calls under way at once, in each worker.
    pub(crate) max_in_flight: usize,
    /// JSON pointer (RFC 6901) to the consumer's name in the answer.
    pub(crate) consumer_from: Option<Box<str>>,
}

/// How a question names the key.
#[derive(Debug)]
pub(crate) enum SendAs {
    /// By its SHA-256, in a query parameter of this name: no caller's secret leaves the filter.
    Sha256Query(Box<str>),
    /// By itself, in a header, behind a scheme if there is one.
    Header(Box<str>, Option<Box<str>>),
}

impl VerificationService {
    /// Returns the Envoy cluster that the service is reached by.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Returns how long an answer is waited for.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Whether a value may be asked about: a provider's key is nobody else's business.
    pub(crate) fn may_know(secret: &[u8]) -> bool {
        is_visible_ascii(secret) && !secret.starts_with(b"sk-ant-")
    }

    pub(crate) fn request(&self, secret: &[u8], digest: KeyDigest) -> ServiceRequest {
        let mut path = self.path.to_string();
        let mut headers: Vec<(Box<str>, Box<str>)> = Vec::with_capacity(6);
        match &self.send_as {
            SendAs::Sha256Query(parameter) => {
                path.push(if path.contains('?') { '&' } else { '?' });
                path.extend([parameter, "=", &digest.to_hex()]);
            }
            SendAs::Header(name, scheme) => {
                // Visible ASCII alone is asked about.
                let secret = String::from_utf8_lossy(secret);
                let value = scheme.as_ref().map_or(secret.to_string(), |scheme| format!("{scheme} {secret}"));
                headers.push((name.clone(), value.into()));
            }
        }
        headers.extend(
            self.service_key.iter().map(|key| ("authorization".into(), format!("Bearer {}", key.expose()).into())),
        );
        headers.extend([
            (":method".into(), "GET".into()),
            (":path".into(), path.into()),
            (":authority".into(), self.authority.clone()),
            ("accept".into(), "application/json".into()),
        ]);
        ServiceRequest(headers)
    }
}

/// The name before those that a service gives, so that none can take a configured consumer's name.
const SERVICE: &str = "service";

/// Names the consumer as the service does, if that can be a name.
pub(super) fn consumer_name(given: Option<&str>) -> Box<str> {
    let fits = |name: &&str| !name.is_empty() && name.len() + SERVICE.len() < 128 && is_visible_ascii(name.as_bytes());
    given.filter(fits).map_or_else(|| SERVICE.into(), |name| format!("{SERVICE}:{name}").into())
}

/// Whether a consumer's name is one that only the service gives.
pub(crate) fn is_service_name(name: &str) -> bool {
    name.strip_prefix(SERVICE).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

impl Key {
    /// Makes a key that the service knows and that holds; such a key has the id of its fingerprint.
    pub(crate) fn of_service(consumer: Box<str>, id: Box<str>) -> Self {
        let consumer = Consumer { name: consumer, providers: None, byok: None, deployment_keys: Vec::new() };
        Self {
            id,
            consumer: Arc::new(consumer),
            not_before: Timestamp::MIN,
            expires_at: Timestamp::MAX,
            disabled: false,
        }
    }
}
