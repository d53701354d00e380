//! Keys whose end has come, or is near.

use std::time::Duration;

use crate::cli::document::Node;
use crate::cli::finding::Finding;
use crate::timestamp::Timestamp;

const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Warns of keys that have expired or will within a fortnight, unless they are disabled anyway.
pub(super) fn check(configuration: &Node, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
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
                findings.push(Finding::warning(path, "has passed: the key no longer holds", Some(date.at)));
            } else if end <= now.after(SOON) {
                findings.push(Finding::warning(path, "is less than 14 days ahead", Some(date.at)));
            }
        }
    }
    findings
}
