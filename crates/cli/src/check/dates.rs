//! Keys that have expired or will soon.

use std::time::Duration;

use byok_core::Timestamp;

use crate::diagnostic::Diagnostic;
use crate::document::Node;

const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Warns of keys that have expired or will within 14 days, unless they are disabled.
pub(crate) fn check(configuration: &Node, now: Timestamp) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let consumers = configuration.get("consumers").map(Node::items).unwrap_or_default();
    for (index, consumer) in consumers.iter().enumerate() {
        let keys = consumer.get("keys").map(Node::items).unwrap_or_default();
        for (at, key) in keys.iter().enumerate() {
            let disabled = key.get("disabled").is_some_and(Node::is_true);
            let date = key.get("expires_at").filter(|_| !disabled);
            let Some((date, end)) = date.and_then(|date| Some((date, Timestamp::from_rfc3339(date.text()?)?))) else {
                continue;
            };
            let path = format!("consumers[{index}].keys[{at}].expires_at");
            if end <= now {
                diagnostics.push(Diagnostic::warning(path, "is in the past: the key has expired", Some(date.at)));
            } else if end <= now.after(SOON) {
                diagnostics.push(Diagnostic::warning(path, "is less than 14 days away", Some(date.at)));
            }
        }
    }
    diagnostics
}
