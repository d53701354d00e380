//! Which entry of `routes` a request is for.

use super::{Step, Trace};
use crate::http::{RequestHeaders, path};
use crate::model::{DenyReason, Policy, RoutePolicy};

/// Returns what applies to a request: the first entry that matches, by the raw and by the normalized path.
///
/// # Errors
/// The two match different entries, or servers disagree about the path.
pub(super) fn select<'a, T: Trace<'a>>(
    policy: &'a Policy,
    request: &RequestHeaders<'a>,
    trace: &mut T,
) -> Result<&'a RoutePolicy, DenyReason> {
    let entry = matching_entry(policy, request, trace)?;
    let selected =
        entry.and_then(|entry| policy.routes.get(entry)).map_or(&policy.default_route, |route| &route.policy);
    trace.record(|| Step::Route { entry, policy: selected });
    Ok(selected)
}

fn matching_entry<'a, T: Trace<'a>>(
    policy: &Policy,
    request: &RequestHeaders<'a>,
    trace: &mut T,
) -> Result<Option<usize>, DenyReason> {
    if policy.routes.is_empty() {
        return Ok(None);
    }
    let (host, method) = (normalized_host(request.authority()), request.method());
    let first_match =
        |path: Option<&[u8]>| policy.routes.iter().position(|route| route.matcher.matches(path, &host, method));
    let Some(raw) = request.path().map(path::without_query) else { return Ok(first_match(None)) };
    let entry = first_match(Some(raw));
    let normalized = path::normalize(raw);
    if normalized.path == raw {
        return Ok(entry);
    }
    let any_entry_has_path = || policy.routes.iter().any(|route| route.matcher.path.is_some());
    let depends_on_order = normalized.depends_on_order && any_entry_has_path();
    if depends_on_order || first_match(Some(&normalized.path)) != entry {
        trace.record(|| Step::AmbiguousPath { raw, normalized: normalized.path.into_owned(), depends_on_order });
        return Err(DenyReason::AmbiguousPath);
    }
    Ok(entry)
}

/// Removes port, trailing dot or colon, and case from a host.
fn normalized_host(authority: &[u8]) -> Vec<u8> {
    let port_at = authority.iter().rposition(|byte| *byte == b':');
    let host = match port_at.and_then(|at| authority.split_at_checked(at)) {
        // Not within an IPv6 address, which is in brackets (RFC 3986, 3.2.2).
        Some((host, port)) if port.iter().skip(1).all(u8::is_ascii_digit) => host,
        _ => authority,
    };
    host.strip_suffix(b".").unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_loses_port_trailing_dot_or_colon_and_case() {
        for (authority, host) in [
            ("LLM.example.com", "llm.example.com"),
            ("llm.example.com:8443", "llm.example.com"),
            ("llm.example.com.:8443", "llm.example.com"),
            ("llm.example.com.", "llm.example.com"),
            ("llm.example.com:", "llm.example.com"),
            ("[2001:DB8::1]:80", "[2001:db8::1]"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("", ""),
        ] {
            assert_eq!(normalized_host(authority.as_bytes()), host.as_bytes(), "{authority}");
        }
    }
}
