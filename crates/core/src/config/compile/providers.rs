//! `providers` and `default_provider`: the upstream APIs.

use std::sync::Arc;

use super::Environment;
use super::consumers::{Keys, header_secret};
use super::names::{EXPECTED_HEADER, EXPECTED_NAME, EXPECTED_TOKEN, credential_header, is_name, is_token};
use super::routes::{ProviderPolicy, find};
use crate::config::de::Named;
use crate::config::diagnostics::Diagnostics;
use crate::config::path::Path;
use crate::config::wire;
use crate::http::is_visible_ascii;
use crate::model::{Byok, ClientCredentialPolicy, CredentialKind, KeySource, Location, Provider, UpstreamHeader};
use crate::providers::{CUSTOM, DEFAULT_PROVIDER, PROFILES, Profile, custom_profile};
use crate::secret::Secret;

const ALL: Path<'static> = Path::Top("providers");

/// Returns the providers as written, or the default one.
pub(super) fn written(providers: Option<Named<wire::Provider>>) -> Vec<(Box<str>, wire::Provider)> {
    providers.map_or_else(|| vec![(DEFAULT_PROVIDER.into(), wire::Provider::default())], |providers| providers.0)
}

/// A provider that is checked; [`compile`] makes a [`Provider`] of it once all key sources are known.
pub(super) struct Checked {
    pub(super) name: Box<str>,
    pub(super) profile: Profile,
    byok: Option<Byok>,
    oauth: Option<bool>,
    clusters: Option<Vec<Box<str>>>,
    deployment_key: Option<Secret>,
}

/// Checks all providers.
pub(super) fn check(
    providers: Vec<(Box<str>, wire::Provider)>,
    keys: &Keys,
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<Checked> {
    if providers.is_empty() {
        diagnostics.error(ALL, "expected at least one provider");
    }
    providers.into_iter().filter_map(|(name, wire)| check_one(name, wire, keys, environment, diagnostics)).collect()
}

fn check_one(
    name: Box<str>,
    wire: wire::Provider,
    keys: &Keys,
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Checked> {
    let path = ALL.named(&name);
    if !is_name(&name) {
        diagnostics.error(ALL, &format!("a name: {EXPECTED_NAME}"));
    }
    let profile = profile(&name, wire.api.as_deref(), wire.headers, path, diagnostics);
    if wire.client_key_prefixes.as_ref().is_some_and(Vec::is_empty) {
        diagnostics.warn(path.field("client_key_prefixes"), "accepts any value as a client key, even a placeholder");
    }
    for (at, prefix) in wire.client_key_prefixes.iter().flatten().enumerate() {
        if prefix.is_empty() || !is_visible_ascii(prefix.as_bytes()) {
            diagnostics.error(
                path.field("client_key_prefixes").item(at),
                "expected the beginning of a key, of visible ASCII characters",
            );
        }
    }
    if wire.clusters.as_ref().is_some_and(Vec::is_empty) {
        diagnostics.error(path.field("clusters"), "expected at least one cluster");
    }
    for (at, cluster) in wire.clusters.iter().flatten().enumerate() {
        if cluster.is_empty() {
            diagnostics.error(path.field("clusters").item(at), "expected the name of a cluster");
        }
    }
    let deployment_key =
        wire.deployment_key.and_then(|key| header_secret(key, path.field("deployment_key"), environment, diagnostics));
    if let Some(key) = &deployment_key {
        keys.refuse_as_deployment_key(key, path.field("deployment_key"), diagnostics);
    }
    let mut profile = profile?;
    if let Some(prefixes) = wire.client_key_prefixes {
        let api_keys = profile.rules.iter_mut().filter(|rule| rule.kind == CredentialKind::ApiKey);
        api_keys.for_each(|rule| rule.prefixes.clone_from(&prefixes));
    }
    Some(Checked { name, profile, byok: wire.byok, oauth: wire.oauth, clusters: wire.clusters, deployment_key })
}

fn profile(
    name: &str,
    api: Option<&str>,
    headers: Option<Vec<wire::CredentialHeader>>,
    path: Path<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Profile> {
    let api = api.unwrap_or(name);
    if api == CUSTOM {
        return custom(headers.unwrap_or_default(), path, diagnostics);
    }
    if headers.is_some() {
        diagnostics.error(path.field("headers"), "expected headers with the api \"custom\" alone");
    }
    let Some((_, profile)) = PROFILES.iter().find(|(name, _)| *name == api) else {
        let names: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).chain([CUSTOM]).collect();
        diagnostics.error(path.field("api"), &format!("expected one of {}", names.join(", ")));
        return None;
    };
    Some(profile())
}

fn custom(headers: Vec<wire::CredentialHeader>, path: Path<'_>, diagnostics: &mut Diagnostics) -> Option<Profile> {
    if headers.is_empty() {
        diagnostics.error(path.field("headers"), "expected the headers in which the api expects its credential");
    }
    let mut checked = Vec::new();
    for (at, wire) in headers.into_iter().enumerate() {
        let header = credential_header(&wire.header);
        if header.is_none() {
            diagnostics.error(path.field("headers").item(at).field("header"), EXPECTED_HEADER);
        }
        if wire.scheme.as_deref().is_some_and(|scheme| !is_token(scheme)) {
            diagnostics.error(path.field("headers").item(at).field("scheme"), EXPECTED_TOKEN);
        }
        checked.extend(header.map(|name| UpstreamHeader { name, scheme: wire.scheme.map(Box::from) }));
    }
    let mut checked = checked.into_iter();
    Some(custom_profile(checked.next()?, checked.collect()))
}

/// Returns the provider of requests that no route assigns.
pub(super) fn default_provider(
    name: Option<&str>,
    providers: &[ProviderPolicy],
    diagnostics: &mut Diagnostics,
) -> Option<Arc<Provider>> {
    let found = match (name, providers) {
        (None, []) => return None,
        (None, [only]) => Some(only),
        (None, _) => {
            diagnostics.error(Path::Top("default_provider"), "expected the name of a provider, as there are several");
            None
        }
        (Some(name), _) => {
            let found = find(providers, name);
            if found.is_none() {
                diagnostics.error(Path::Top("default_provider"), "expected the name of a provider");
            }
            found
        }
    };
    found.map(|found| Arc::clone(&found.provider))
}

/// Completes a provider: the key sources are locations in which a request to it may have one value only, and `byok` says
/// what applies where the provider does not.
pub(super) fn compile(checked: Checked, key_sources: &[KeySource], byok: Byok) -> ProviderPolicy {
    let Checked { name, profile, byok: own_byok, oauth, clusters, deployment_key } = checked;
    let mut single_value_locations: Vec<Location> = Vec::new();
    for location in key_sources.iter().map(|source| source.location.clone()).chain(profile.locations()) {
        if !single_value_locations.contains(&location) {
            single_value_locations.push(location);
        }
    }
    let byok = own_byok.unwrap_or(byok);
    let provider = Provider {
        name,
        credential_rules: profile.rules,
        foreign_prefixes: profile.foreign_prefixes,
        deployment_header: profile.deployment_header,
        deployment_key,
        is_gateway: profile.is_gateway,
        oauth_if_overridden: oauth != Some(false),
        clusters: clusters.into(),
        dialect: profile.dialect,
        single_value_locations,
    };
    let client_credentials = ClientCredentialPolicy { byok, oauth: oauth.unwrap_or(byok != Byok::Off) };
    ProviderPolicy { provider: Arc::new(provider), client_credentials }
}
