//! `key_sources`, `strip_request_headers` and `identity_headers`: which headers mean what.

use super::findings::Findings;
use super::names::{EXPECTED_HEADER, EXPECTED_TOKEN, credential_header, is_name, is_token};
use super::path::Path;
use super::wire;
use crate::policy::{KeySource, Location};
use crate::provider::Provider;
use crate::upstream::{CredentialPlaces, IdentityHeaders, StripList};

pub(super) fn key_sources(sources: Vec<wire::KeySource>, findings: &mut Findings) -> Vec<KeySource> {
    let all = Path::Top("key_sources");
    let mut checked: Vec<KeySource> = Vec::new();
    for (index, wire) in sources.into_iter().enumerate() {
        let path = all.item(index);
        if wire.scheme.as_deref().is_some_and(|scheme| !is_token(scheme)) {
            findings.error(path.field("scheme"), EXPECTED_TOKEN);
        }
        let location = match (wire.header, wire.query, wire.cookie) {
            (Some(header), None, None) => {
                let header = credential_header(&header);
                if header.is_none() {
                    findings.error(path.field("header"), EXPECTED_HEADER);
                }
                header.map(Location::Header)
            }
            (None, Some(_), None) | (None, None, Some(_)) if wire.scheme.is_some() => {
                findings.error(path.field("scheme"), "expected a scheme with a header alone");
                None
            }
            (None, Some(query), None) if is_name(&query) => Some(Location::Query(query.into())),
            (None, None, Some(cookie)) if is_token(&cookie) => Some(Location::Cookie(cookie.into())),
            (None, Some(_), None) => {
                findings.error(path.field("query"), "expected the name of a parameter");
                None
            }
            (None, None, Some(_)) => {
                findings.error(path.field("cookie"), "expected the name of a cookie");
                None
            }
            _ => {
                findings.error(path, "expected exactly one of header, query, cookie");
                None
            }
        };
        let Some(source) = location.map(|location| KeySource::new(location, wire.scheme.map(Into::into))) else {
            continue;
        };
        if checked.contains(&source) {
            findings.error(path, "expected a source that is not listed before");
        }
        checked.push(source);
    }
    checked
}

/// Returns the customary sources, then the places of the providers that are not among them.
pub(super) fn default_key_sources(providers: &[Provider]) -> Vec<KeySource> {
    let header = |name: &str| Location::Header(name.into());
    let mut sources = vec![
        KeySource::new(header("x-litellm-api-key"), None),
        KeySource::new(header("authorization"), Some("Bearer".into())),
        KeySource::new(header("x-api-key"), None),
    ];
    for source in providers.iter().flat_map(|provider| provider.profile.key_sources()) {
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources
}

pub(super) fn strip_list(entries: Vec<String>, places: &CredentialPlaces, findings: &mut Findings) -> StripList {
    let all = Path::Top("strip_request_headers");
    let mut list = StripList::default();
    for (index, entry) in entries.into_iter().enumerate() {
        let path = all.item(index);
        let entry = entry.to_ascii_lowercase();
        let (name, is_prefix) = entry.strip_suffix('*').map_or((&*entry, false), |prefix| (prefix, true));
        if !is_token(name) || name.contains('*') {
            findings.error(path, "expected a header name, or the beginning of one and *");
        } else if !is_prefix && places.contains(name.as_bytes()) {
            findings.error(
                path,
                "expected a header that carries no credential: those go anyway, or stay by the other rules",
            );
        } else if name == StripList::NEEDED_BY_ENVOY {
            findings.error(path, "expected a header that Envoy can route without");
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
    places: &CredentialPlaces,
    findings: &mut Findings,
) -> IdentityHeaders {
    let mut taken: Vec<Box<str>> = Vec::new();
    let all = Path::Top("identity_headers");
    let mut check = |field: &'static str, name: Option<String>| {
        let name = credential_header(&name?).filter(|name| !places.contains(name.as_bytes()));
        let path = all.field(field);
        match &name {
            None => findings.error(path, "expected the name of a header that carries no credential"),
            Some(name) if taken.contains(name) => {
                findings.error(path, "expected a name that no other identity header has")
            }
            Some(name) => taken.push(name.clone()),
        }
        name
    };
    let (consumer, key_id) = (check("consumer", wire.consumer), check("key_id", wire.key_id));
    let (credential_source, provider) =
        (check("credential_source", wire.credential_source), check("provider", wire.provider));
    IdentityHeaders::new(consumer, key_id, credential_source, provider)
}
