//! What the service's response means.

use std::sync::Arc;

use serde_json::Value;

use crate::model::{Key, KeyLimits, LookupResult, SendAs, VerificationService};
use crate::secret::KeyDigest;
use crate::time::Timestamp;

impl VerificationService {
    /// Reads the status, in digits, and the body of a response. Anything but a clear yes or no is
    /// [`LookupResult::Unavailable`].
    pub fn read_response(&self, digest: KeyDigest, status: &[u8], body: &[u8]) -> LookupResult {
        match status {
            b"200" => self.key(digest, body).map_or(LookupResult::Unavailable, |key| LookupResult::Key(Arc::new(key))),
            b"400" | b"404" => LookupResult::NotAKey,
            b"401" | b"403" if !self.asks_by_digest() => LookupResult::NotAKey,
            _ => LookupResult::Unavailable,
        }
    }

    /// Whether a response of that status refuses the filter itself, not the caller's key: asked by digest, the service has
    /// seen no credential but the filter's own `service_key`.
    pub fn refuses_service_key(&self, status: &[u8]) -> bool {
        self.asks_by_digest() && matches!(status, b"401" | b"403")
    }

    fn asks_by_digest(&self) -> bool {
        matches!(self.send_as, SendAs::Sha256Query(_))
    }

    /// Reads who owns the key, and of a LiteLLM's `info` the fields `expires`, `blocked` and `status`.
    fn key(&self, digest: KeyDigest, body: &[u8]) -> Option<Key> {
        if body.is_empty() && self.consumer_from.is_none() {
            return Some(Key::from_service(None, digest));
        }
        let response: Value = serde_json::from_slice(body).ok().filter(Value::is_object)?;
        let info = |field: &str| response.get("info").and_then(|info| info.get(field)).filter(|value| !value.is_null());
        let expires_at = match info("expires") {
            Some(date) => Timestamp::from_rfc3339(date.as_str()?)?,
            None => Timestamp::MAX,
        };
        let status = match info("status") {
            Some(status) => status.as_str()?,
            None => "active",
        };
        let expires_at = if status == "expired" { Timestamp::MIN } else { expires_at };
        let blocked = match info("blocked") {
            Some(blocked) => blocked.as_bool()?,
            None => false,
        };
        let active = matches!(status, "active" | "expired");
        let name = self.consumer_from.as_deref().and_then(|pointer| response.pointer(pointer)).and_then(Value::as_str);
        let limits = KeyLimits { not_before: Timestamp::MIN, expires_at, disabled: blocked || !active };
        Some(Key::from_service(name, digest).limited(limits))
    }
}
