//! What the service's answer means.

use std::sync::Arc;

use serde_json::Value;

use super::service::{VerificationService, consumer_name};
use crate::policy::Key;
use crate::secret::KeyDigest;
use crate::timestamp::Timestamp;

/// What the service knows about a key.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It is one; it may have expired or be disabled.
    Key(Arc<Key>),
    /// It is none.
    NotAKey,
    /// The service did not say: the request is refused, as nobody knows.
    Unavailable,
}

impl VerificationService {
    /// Reads the status, in digits, and the body of an answer; anything but a clear yes or no is none.
    pub fn answer(&self, digest: KeyDigest, status: &[u8], body: &[u8]) -> Answer {
        match status {
            b"200" => self.key(digest, body).map_or(Answer::Unavailable, |key| Answer::Key(Arc::new(key))),
            b"400" | b"401" | b"403" | b"404" => Answer::NotAKey,
            _ => Answer::Unavailable,
        }
    }

    /// Reads who owns the key and what LiteLLM says of it in `info`: `expires`, `blocked`, `status`.
    fn key(&self, digest: KeyDigest, body: &[u8]) -> Option<Key> {
        if body.is_empty() && self.consumer_from.is_none() {
            return Some(Key::of_service(consumer_name(None), digest.fingerprint().into()));
        }
        let answer: Value = serde_json::from_slice(body).ok().filter(Value::is_object)?;
        let info = |field: &str| answer.get("info").and_then(|info| info.get(field)).filter(|value| !value.is_null());
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
        let name = self.consumer_from.as_deref().and_then(|pointer| answer.pointer(pointer)).and_then(Value::as_str);
        let key = Key::of_service(consumer_name(name), digest.fingerprint().into());
        Some(Key { expires_at, disabled: blocked || !active, ..key })
    }
}
