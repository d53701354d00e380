//! Why each header edit is made, for people: told from the same sets and credentials that the edits come from.

use super::{Credentials, HeaderMutation, IdentityHeaders};
use crate::policy::Policy;
use crate::request::{RequestHeaders, cookies, query, secret_behind};

/// Says why an edit is one of those that [`super::mutations`] returns.
pub(crate) fn reason(
    edit: &HeaderMutation<'_>,
    policy: &Policy,
    request: &RequestHeaders<'_>,
    credentials: &Credentials<'_>,
) -> String {
    let name = edit.name();
    match edit {
        HeaderMutation::Set { value, .. } => reason_to_set(name, value, policy, request, credentials),
        HeaderMutation::Remove { .. } => reason_to_remove(name, policy, request, credentials),
    }
}

fn reason_to_set(
    name: &[u8],
    value: &[u8],
    policy: &Policy,
    request: &RequestHeaders<'_>,
    credentials: &Credentials<'_>,
) -> String {
    if let Some(field) = identity_field(&policy.identity_headers, name) {
        return format!("identity_headers.{field}");
    }
    if credentials.deployment.is_some_and(|(slot, _)| slot.header.as_bytes() == name) {
        return "the deployment key".to_owned();
    }
    let client = credentials.client.as_ref();
    if name == b"anthropic-beta" && client.is_some_and(|client| client.is_oauth) {
        return "the API takes no OAuth token without this beta".to_owned();
    }
    let moved = client.filter(|client| client.rewritten.as_ref().is_some_and(|(header, _)| header.as_bytes() == name));
    if let Some(client) = moved {
        return format!("the client's own credential, found in {}, as the API wants it", client.found_in);
    }
    if credentials.kept_places().any(|place| place.is_header(name)) {
        return "equal lines become one".to_owned();
    }
    match name {
        b":path" => query_cut(value, policy, request),
        b"cookie" => cookies_cut(value, policy, request),
        b"sec-websocket-protocol" => WEBSOCKET.to_owned(),
        _ => BY_VALUE.to_owned(),
    }
}

const WEBSOCKET: &str = "keys among the subprotocols";
const BY_VALUE: &str = "the proxy key, by its value";

fn reason_to_remove(
    name: &[u8],
    policy: &Policy,
    request: &RequestHeaders<'_>,
    credentials: &Credentials<'_>,
) -> String {
    if policy.credential_places.contains(name) {
        return credential_removed(name, policy, request, credentials).to_owned();
    }
    if policy.identity_headers.contains(name) {
        return "only the filter says who is calling".to_owned();
    }
    if policy.strip_list.contains(name) {
        return "strip_request_headers".to_owned();
    }
    match name {
        b"cookie" => cookies_cut(b"", policy, request),
        b"sec-websocket-protocol" => WEBSOCKET.to_owned(),
        _ => BY_VALUE.to_owned(),
    }
}

fn credential_removed(
    name: &[u8],
    policy: &Policy,
    request: &RequestHeaders<'_>,
    credentials: &Credentials<'_>,
) -> &'static str {
    let value = request.value(name).unwrap_or_default();
    let secret = secret_behind("Bearer", value).unwrap_or(value);
    let moved = credentials.client.as_ref().is_some_and(|client| client.found_in.is_header(name));
    if value.is_empty() {
        "an empty credential"
    } else if moved {
        "the client's own credential, which goes in another header"
    } else if credentials.is_proxy_key(value) {
        "the proxy key"
    } else if policy.keys.lists(secret) {
        "another proxy key"
    } else {
        "a credential that was not chosen"
    }
}

fn identity_field(headers: &IdentityHeaders, name: &[u8]) -> Option<&'static str> {
    let fields = [
        ("consumer", &headers.consumer),
        ("key_id", &headers.key_id),
        ("credential_source", &headers.credential_source),
        ("provider", &headers.provider),
    ];
    fields
        .into_iter()
        .find(|(_, header)| header.as_ref().is_some_and(|own| own.as_bytes() == name))
        .map(|(field, _)| field)
}

/// Names the key sources among the parameters that are gone; another one's name may be a secret itself.
fn query_cut(value: &[u8], policy: &Policy, request: &RequestHeaders<'_>) -> String {
    let count =
        |target: &[u8], name: &str| query::parameters(target).filter(|parameter| parameter.is_named(name)).count();
    let before = request.path().unwrap_or_default();
    let names = policy.credential_places.query().iter().filter(|name| count(before, name) > count(value, name));
    cut("query", names, query::parameters(before).count() - query::parameters(value).count())
}

fn cookies_cut(value: &[u8], policy: &Policy, request: &RequestHeaders<'_>) -> String {
    let lines = || request.values(b"cookie");
    let before = |name: &str| cookies::cookies(lines()).filter(|cookie| cookie.is_named(name)).count();
    let after = |name: &str| cookies::cookies(std::iter::once(value)).filter(|cookie| cookie.is_named(name)).count();
    let names = policy.credential_places.cookies().iter().filter(|name| before(name) > after(name));
    cut("cookie", names, 1)
}

fn cut<'n>(kind: &str, names: impl Iterator<Item = &'n Box<str>>, gone: usize) -> String {
    let mut names: Vec<&str> = names.map(|name| &**name).collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] if gone > 0 => format!("{kind}: {BY_VALUE}"),
        names => format!("{kind}: {} is a place of credentials", names.join(", ")),
    }
}
