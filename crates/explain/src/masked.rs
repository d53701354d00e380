//! Values as they may be shown: credentials by their fingerprint, what the filter itself says as it is, the rest not
//! at all.

use crate::policy::Policy;
use crate::request::{path::without_query, trim};
use crate::secret::KeyDigest;

/// Returns a credential by its scheme and fingerprint.
pub(super) fn credential(value: &[u8]) -> String {
    let value = trim(value);
    let blank = value.iter().position(|byte| *byte == b' ');
    match blank.and_then(|at| value.split_at_checked(at)) {
        Some((scheme, secret)) if scheme.iter().all(u8::is_ascii_alphabetic) => {
            format!("{} {}", super::text(scheme), fingerprint(trim(secret)))
        }
        _ => fingerprint(value),
    }
}

/// Returns the value of a header that the filter has set, if there is any way to show it.
pub(super) fn value(policy: &Policy, name: &[u8], value: &[u8]) -> Option<String> {
    let headers = &policy.identity_headers;
    let identity = [&headers.consumer, &headers.key_id, &headers.credential_source, &headers.provider];
    let is_identity = identity.into_iter().flatten().any(|header| header.as_bytes() == name);
    match name {
        b":path" => Some(path(value)),
        _ if is_identity || name == b"anthropic-beta" => Some(super::text(value)),
        _ if policy.credential_places.contains(name) => Some(credential(value)),
        _ => None,
    }
}

/// Returns a path without what its query holds, and without segments that look like a parameter or a key.
pub(super) fn path(target: &[u8]) -> String {
    let path = without_query(target);
    let query = if path.len() < target.len() { "?…" } else { "" };
    let shown = |segment: &[u8]| {
        let may_be_secret = segment.contains(&b'=') || segment.starts_with(b"sk-");
        if may_be_secret { "…".to_owned() } else { super::text(segment) }
    };
    let segments: Vec<String> = path.split(|byte| *byte == b'/').map(shown).collect();
    format!("{}{query}", segments.join("/"))
}

fn fingerprint(secret: &[u8]) -> String {
    format!("sha256:{}…", KeyDigest::of(secret).fingerprint())
}
