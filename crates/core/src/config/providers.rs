//! `providers` and `default_provider`: which upstream APIs there are.

use std::sync::Arc;

use super::consumers::{Keys, header_secret};
use super::findings::Findings;
use super::forms::Named;
use super::names::{EXPECTED_HEADER, EXPECTED_NAME, EXPECTED_TOKEN, credential_header, is_name, is_token};
use super::path::Path;
use super::{Environment, wire};
use crate::policy::{KeySource, Location};
use crate::provider::{CUSTOM, PROFILES, Profile, Provider, custom_profile};
use crate::request::is_visible_ascii;

/// The provider of a configuration that names none.
const ONLY: &str = "anthropic";

const ALL: Path<'static> = Path::Top("providers");

/// Returns the providers as written, or the one that stands for none.
pub(super) fn written(providers: Option<Named<wire::Provider>>) -> Vec<(Box<str>, wire::Provider)> {
    providers.map_or_else(|| vec![(ONLY.into(), wire::Provider::default())], |providers| providers.0)
}

/// Checks all providers; [`guard`] completes them.
pub(super) fn check(
    providers: Vec<(Box<str>, wire::Provider)>,
    keys: &Keys,
    environment: Environment<'_>,
    findings: &mut Findings,
) -> Vec<Provider> {
    if providers.is_empty() {
        findings.error(ALL, "expected at least one provider");
    }
    providers.into_iter().filter_map(|(name, wire)| check_one(name, wire, keys, environment, findings)).collect()
}

fn check_one(
    name: Box<str>,
    wire: wire::Provider,
    keys: &Keys,
    environment: Environment<'_>,
    findings: &mut Findings,
) -> Option<Provider> {
    let path = ALL.named(&name);
    if !is_name(&name) {
        findings.error(ALL, &format!("a name: {EXPECTED_NAME}"));
    }
    let profile = profile(&name, wire.api.as_deref(), wire.headers, path, findings);
    if wire.client_key_prefixes.as_ref().is_some_and(Vec::is_empty) {
        findings.warn(path.field("client_key_prefixes"), "takes any value for a client key, a dummy one too");
    }
    for (at, prefix) in wire.client_key_prefixes.iter().flatten().enumerate() {
        if prefix.is_empty() || !is_visible_ascii(prefix.as_bytes()) {
            findings.error(
                path.field("client_key_prefixes").item(at),
                "expected the beginning of a key, of visible ASCII characters",
            );
        }
    }
    if wire.clusters.as_ref().is_some_and(Vec::is_empty) {
        findings.error(path.field("clusters"), "expected at least one cluster");
    }
    for (at, cluster) in wire.clusters.iter().flatten().enumerate() {
        if cluster.is_empty() {
            findings.error(path.field("clusters").item(at), "expected the name of a cluster");
        }
    }
    let deployment_key =
        wire.deployment_key.and_then(|key| header_secret(key, path.field("deployment_key"), environment, findings));
    if let Some(key) = &deployment_key {
        keys.refuse_as_deployment_key(key, path.field("deployment_key"), findings);
    }
    let profile = profile?;
    let by_default = || profile.client_key_prefixes.iter().map(|prefix| Box::from(*prefix)).collect();
    Some(Provider {
        name,
        byok: wire.byok,
        oauth: wire.oauth,
        client_key_prefixes: wire.client_key_prefixes.unwrap_or_else(by_default),
        clusters: wire.clusters,
        deployment_key,
        guarded_places: Vec::new(),
        profile,
    })
}

fn profile(
    name: &str,
    api: Option<&str>,
    headers: Option<Vec<wire::CredentialHeader>>,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<Profile> {
    let api = api.unwrap_or(name);
    if api == CUSTOM {
        return custom(headers.unwrap_or_default(), path, findings);
    }
    if headers.is_some() {
        findings.error(path.field("headers"), "expected headers with the api \"custom\" alone");
    }
    let Some((_, profile)) = PROFILES.iter().find(|(name, _)| *name == api) else {
        let names: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).chain([CUSTOM]).collect();
        findings.error(path.field("api"), &format!("expected one of {}", names.join(", ")));
        return None;
    };
    Some(profile())
}

fn custom(headers: Vec<wire::CredentialHeader>, path: Path<'_>, findings: &mut Findings) -> Option<Profile> {
    if headers.is_empty() {
        findings.error(path.field("headers"), "expected the headers in which the api takes its credential");
    }
    let mut checked = Vec::new();
    for (at, wire) in headers.into_iter().enumerate() {
        let header = credential_header(&wire.header);
        if header.is_none() {
            findings.error(path.field("headers").item(at).field("header"), EXPECTED_HEADER);
        }
        if wire.scheme.as_deref().is_some_and(|scheme| !is_token(scheme)) {
            findings.error(path.field("headers").item(at).field("scheme"), EXPECTED_TOKEN);
        }
        checked.extend(header.map(|header| (header, wire.scheme.map(Box::from))));
    }
    let mut checked = checked.into_iter();
    Some(custom_profile(checked.next()?, checked.collect()))
}

/// Returns the provider of requests that no route assigns.
pub(super) fn default_provider(
    name: Option<&str>,
    providers: &[Arc<Provider>],
    findings: &mut Findings,
) -> Option<Arc<Provider>> {
    match (name, providers) {
        (None, []) => None,
        (None, [only]) => Some(Arc::clone(only)),
        (None, _) => {
            findings.error(Path::Top("default_provider"), "expected the name of a provider, as there are several");
            None
        }
        (Some(name), _) => {
            let provider = providers.iter().find(|provider| *provider.name == *name);
            if provider.is_none() {
                findings.error(Path::Top("default_provider"), "expected the name of a provider");
            }
            provider.cloned()
        }
    }
}

/// Notes the places in which a request to each provider may not carry two values.
pub(super) fn guard(providers: Vec<Provider>, key_sources: &[KeySource]) -> Vec<Arc<Provider>> {
    let with_places = |mut provider: Provider| {
        let mut places: Vec<Location> = Vec::new();
        for place in key_sources.iter().map(|source| source.location.clone()).chain(provider.profile.places()) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        provider.guarded_places = places;
        Arc::new(provider)
    };
    providers.into_iter().map(with_places).collect()
}
