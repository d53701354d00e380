//! `key_sources`, `strip_request_headers` and `identity_headers`: what headers mean.

use super::names::{
    EXPECTED_HEADER, EXPECTED_LABEL_NAME, EXPECTED_TOKEN, credential_header, is_label_name, is_name, is_token,
};
use crate::config::diagnostics::Diagnostics;
use crate::config::path::Path;
use crate::config::wire;
use crate::model::{CredentialLocations, IdentityHeaders, KeySource, Location, StripList};
use crate::providers::{self, Profile};

/// Checks the key sources of the top level or of a route.
pub(super) fn key_sources(
    sources: Vec<wire::KeySource>,
    all: Path<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<KeySource> {
    let mut checked: Vec<KeySource> = Vec::new();
    for (index, wire) in sources.into_iter().enumerate() {
        let path = all.item(index);
        let Some(source) = key_source(wire, path, diagnostics) else { continue };
        if checked.contains(&source) {
            diagnostics.error(path, "expected a source that is not listed before");
        }
        checked.push(source);
    }
    checked
}

/// Checks where a credential travels.
pub(super) fn key_source(wire: wire::KeySource, path: Path<'_>, diagnostics: &mut Diagnostics) -> Option<KeySource> {
    if wire.scheme.as_deref().is_some_and(|scheme| !is_token(scheme)) {
        diagnostics.error(path.field("scheme"), EXPECTED_TOKEN);
    }
    let location = match (wire.header, wire.query, wire.cookie, wire.websocket_protocol) {
        (Some(header), None, None, None) => {
            let header = credential_header(&header);
            if header.is_none() {
                diagnostics.error(path.field("header"), EXPECTED_HEADER);
            }
            header.map(Location::Header)
        }
        (None, Some(_), None, None) | (None, None, Some(_), None) | (None, None, None, Some(_))
            if wire.scheme.is_some() =>
        {
            diagnostics.error(path.field("scheme"), "expected a scheme with a header alone");
            None
        }
        (None, Some(query), None, None) if is_name(&query) => Some(Location::Query(query.into())),
        (None, None, Some(cookie), None) if is_token(&cookie) => Some(Location::Cookie(cookie.into())),
        (None, None, None, Some(prefix)) if is_token(&prefix) => Some(Location::WebSocketProtocol(prefix.into())),
        (None, None, None, Some(_)) => {
            diagnostics.error(path.field("websocket_protocol"), "expected the beginning of a subprotocol");
            None
        }
        (None, Some(_), None, None) => {
            diagnostics.error(path.field("query"), "expected the name of a parameter");
            None
        }
        (None, None, Some(_), None) => {
            diagnostics.error(path.field("cookie"), "expected the name of a cookie");
            None
        }
        _ => {
            diagnostics.error(path, "expected exactly one of header, query, cookie, websocket_protocol");
            None
        }
    };
    location.map(|location| KeySource::new(location, wire.scheme.map(Into::into)))
}

/// Returns the key sources of a configuration that lists none: those that every gateway has, then those of its providers.
pub(super) fn default_key_sources<'a>(profiles: impl Iterator<Item = &'a Profile>) -> Vec<KeySource> {
    let mut sources = providers::default_key_sources();
    for source in profiles.flat_map(Profile::key_sources) {
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources
}

pub(super) fn strip_list(
    entries: Vec<String>,
    locations: &CredentialLocations,
    diagnostics: &mut Diagnostics,
) -> StripList {
    let all = Path::Top("strip_request_headers");
    let mut list = StripList::default();
    for (index, entry) in entries.into_iter().enumerate() {
        let path = all.item(index);
        let entry = entry.to_ascii_lowercase();
        let (name, is_prefix) = entry.strip_suffix('*').map_or((&*entry, false), |prefix| (prefix, true));
        if !is_token(name) || name.contains('*') {
            diagnostics.error(path, "expected a header name, or the beginning of one and *");
        } else if !is_prefix && locations.contains(name.as_bytes()) {
            diagnostics.error(
                path,
                "expected a header that carries no credential: those go anyway, or stay by the other rules",
            );
        } else if name == StripList::NEEDED_BY_ENVOY {
            diagnostics.error(path, "expected a header that Envoy can route without");
        } else if is_prefix {
            list.prefixes.push(name.into());
        } else {
            list.names.push(name.into());
        }
    }
    list
}

pub(super) fn identity_headers(
    wire: wire::IdentityHeaders,
    locations: &CredentialLocations,
    diagnostics: &mut Diagnostics,
) -> IdentityHeaders {
    let mut taken: Vec<Box<str>> = Vec::new();
    let all = Path::Top("identity_headers");
    let mut check_at = |path: Path<'_>, name: &str| {
        let name = credential_header(name).filter(|name| !locations.contains(name.as_bytes()));
        match &name {
            None => diagnostics.error(path, "expected the name of a header that carries no credential"),
            Some(name) if taken.contains(name) => {
                diagnostics.error(path, "expected a name that no other identity header has")
            }
            Some(name) => taken.push(name.clone()),
        }
        name
    };
    let mut check = |field: &'static str, name: Option<String>| check_at(all.field(field), &name?);
    let (consumer, key_id) = (check("consumer", wire.consumer), check("key_id", wire.key_id));
    let (credential_source, provider) =
        (check("credential_source", wire.credential_source), check("provider", wire.provider));
    let all = all.field("labels");
    let mut labels = Vec::new();
    for (label, name) in wire.labels.0 {
        labels.extend(check_at(all.named(&label), &name).map(|name| (label, name)));
    }
    for (label, _) in labels.iter().filter(|(label, _)| !is_label_name(label)) {
        diagnostics.error(all.named(label), EXPECTED_LABEL_NAME);
    }
    IdentityHeaders::new(consumer, key_id, credential_source, provider, labels)
}
