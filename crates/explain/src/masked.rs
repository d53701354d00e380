//! Values as they may be shown: credentials by their fingerprints, what the filter itself sets in full, all others not at
//! all.

use byok_core::http::{path::without_query, trim};
use byok_core::{KeyDigest, Policy};

use crate::text_of;

/// Returns a credential by its scheme and fingerprint.
pub(crate) fn credential(value: &[u8]) -> String {
    let value = trim(value);
    let space = value.iter().position(|byte| *byte == b' ');
    match space.and_then(|at| value.split_at_checked(at)) {
        Some((scheme, secret)) if scheme.iter().all(u8::is_ascii_alphabetic) => {
            format!("{} {}", text_of(scheme), fingerprint(trim(secret)))
        }
        _ => fingerprint(value),
    }
}

/// Returns the value of a header that the filter has set, if there is any way to show it.
pub(crate) fn value(policy: &Policy, name: &[u8], value: &[u8]) -> Option<String> {
    let headers = &policy.identity_headers;
    let identity = [&headers.consumer, &headers.key_id, &headers.credential_source, &headers.provider];
    let is_identity = identity.into_iter().flatten().any(|header| header.as_bytes() == name);
    match name {
        b":path" => Some(path(value)),
        _ if is_identity || is_beta(policy, name) => Some(text_of(value)),
        _ if policy.credential_locations.contains(name) => Some(credential(value)),
        _ => None,
    }
}

/// Whether a header enables features of an API, of whichever provider.
fn is_beta(policy: &Policy, name: &[u8]) -> bool {
    let mut rules = policy.providers.iter().flat_map(|provider| &provider.credential_rules);
    rules.any(|rule| rule.beta.is_some_and(|beta| beta.header.as_bytes() == name))
}

/// Returns a path without what its query holds, and without segments that look like a parameter or a key.
pub(crate) fn path(target: &[u8]) -> String {
    let path = without_query(target);
    let query = if path.len() < target.len() { "?…" } else { "" };
    let shown = |segment: &[u8]| {
        let may_be_secret = segment.contains(&b'=') || segment.starts_with(b"sk-");
        if may_be_secret { "…".to_owned() } else { text_of(segment) }
    };
    let segments: Vec<String> = path.split(|byte| *byte == b'/').map(shown).collect();
    format!("{}{query}", segments.join("/"))
}

fn fingerprint(secret: &[u8]) -> String {
    format!("sha256:{}…", KeyDigest::of(secret).fingerprint())
}
