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
use crate::model::{
    Byok, ClientCredentialPolicy, CredentialKind, CredentialRule, Location, NameSet, Provider, UpstreamHeader,
};
use crate::providers::{
    self, CUSTOM, DEFAULT_PROVIDER, Profile, custom_profile, foreign_to, looks_like_another_vendor,
};
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
    named_prefixes: Vec<Box<str>>,
    byok: Option<Byok>,
    oauth: Option<bool>,
    /// Whether OAuth tokens pass if `oauth` is not set, unless `byok` is `off`.
    oauth_by_default: bool,
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
    let api = wire.api.as_deref().unwrap_or(&name);
    let profile = profile(api, wire.headers, path, diagnostics);
    if api == "openai" && looks_like_another_vendor(&name).is_some() {
        let message =
            "is another vendor's by its name: its profile, or \"openai_compatible\", knows how its keys start";
        diagnostics.warn(path.field("api"), message);
    }
    if wire.client_key_prefixes.as_ref().is_some_and(Vec::is_empty) {
        diagnostics
            .warn(path.field("client_key_prefixes"), "accepts any value of 16 characters or more as a client key");
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
    let send_as = wire.send_as.and_then(|header| upstream_header(header, path.field("send_as"), diagnostics));
    let mut profile = profile?;
    if send_as.is_some() && profile.is_gateway {
        diagnostics
            .error(path.field("send_as"), "expected no send_as with the api \"litellm\", which has headers of its own");
    }
    let oauth_by_default = lets_oauth_tokens_in(&profile, wire.client_key_prefixes.as_deref());
    for rule in profile.rules.iter_mut().filter(|rule| rule.kind == CredentialKind::ApiKey) {
        if let Some(prefixes) = &wire.client_key_prefixes {
            rule.prefixes.clone_from(prefixes);
        }
        if let Some(header) = &send_as {
            rule.sent_as = Some(header.clone());
        }
    }
    if let Some(header) = send_as {
        profile.deployment_header = header;
    }
    profile.dialect = wire.dialect.unwrap_or(profile.dialect);
    Some(Checked {
        name,
        profile,
        named_prefixes: wire.client_key_prefixes.unwrap_or_default(),
        byok: wire.byok,
        oauth: wire.oauth,
        oauth_by_default,
        clusters: wire.clusters,
        deployment_key,
    })
}

/// Whether the prefixes that the operator names leave room for OAuth tokens.
fn lets_oauth_tokens_in(profile: &Profile, prefixes: Option<&[Box<str>]>) -> bool {
    let Some(prefixes) = prefixes.filter(|prefixes| !prefixes.is_empty()) else { return true };
    let tokens = profile.rules.iter().filter(|rule| rule.kind == CredentialKind::OauthToken);
    let mut of_tokens = tokens.flat_map(|rule| &rule.prefixes);
    of_tokens.any(|token| prefixes.iter().any(|prefix| prefix.starts_with(&**token) || token.starts_with(&**prefix)))
}

fn profile(
    api: &str,
    headers: Option<Vec<wire::CredentialHeader>>,
    path: Path<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Profile> {
    let headers = headers.map(|headers| checked_headers(headers, path, diagnostics));
    if api == CUSTOM {
        let mut headers = headers.unwrap_or_else(|| checked_headers(Vec::new(), path, diagnostics)).into_iter();
        return Some(custom_profile(headers.next()?, headers.collect()));
    }
    let Some(mut profile) = providers::profile(api) else {
        let names: Vec<&str> = providers::names().collect();
        diagnostics.error(path.field("api"), &format!("expected one of {}", names.join(", ")));
        return None;
    };
    if let Some(headers) = headers {
        // The gateway's own key would overwrite the client's credential.
        if profile.is_gateway && headers.iter().any(|header| header.name == profile.deployment_header.name) {
            diagnostics.error(path.field("headers"), "expected no header in which the gateway takes its own key");
        }
        replace_locations(&mut profile, headers);
    }
    Some(profile)
}

/// Looks for API keys in these headers in place of the profile's locations. OAuth tokens are found as before.
fn replace_locations(profile: &mut Profile, headers: Vec<UpstreamHeader>) {
    let prefixes =
        profile.rules.iter().find(|rule| rule.kind == CredentialKind::ApiKey).map(|rule| rule.prefixes.clone());
    profile.rules.retain(|rule| rule.kind != CredentialKind::ApiKey);
    profile.rules.extend(headers.into_iter().map(|header| CredentialRule {
        location: Location::Header(header.name),
        scheme: header.scheme,
        kind: CredentialKind::ApiKey,
        prefixes: prefixes.clone().unwrap_or_default(),
        sent_as: None,
        beta: None,
    }));
}

fn checked_headers(
    headers: Vec<wire::CredentialHeader>,
    path: Path<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<UpstreamHeader> {
    let all = path.field("headers");
    if headers.is_empty() {
        diagnostics.error(all, "expected the headers in which the api expects its credential");
    }
    let checked =
        headers.into_iter().enumerate().filter_map(|(at, wire)| upstream_header(wire, all.item(at), diagnostics));
    checked.collect()
}

fn upstream_header(
    wire: wire::CredentialHeader,
    path: Path<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<UpstreamHeader> {
    let name = credential_header(&wire.header);
    if name.is_none() {
        diagnostics.error(path.field("header"), EXPECTED_HEADER);
    }
    if wire.scheme.as_deref().is_some_and(|scheme| !is_token(scheme)) {
        diagnostics.error(path.field("scheme"), EXPECTED_TOKEN);
    }
    name.map(|name| UpstreamHeader { name, scheme: wire.scheme.map(Box::from) })
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

/// Completes a provider; `byok` says what applies where the provider does not.
pub(super) fn compile(checked: Checked, byok: Byok) -> ProviderPolicy {
    let Checked { name, profile, named_prefixes, byok: own_byok, oauth, oauth_by_default, clusters, deployment_key } =
        checked;
    let byok = own_byok.unwrap_or(byok);
    let oauth_deployment = profile.oauth_deployment();
    let provider = Provider {
        name,
        foreign_prefixes: foreign_to(profile.vendor),
        named_prefixes,
        companions: NameSet::new(profile.companions.iter().copied()),
        credential_rules: profile.rules,
        deployment_header: profile.deployment_header,
        oauth_deployment,
        deployment_key,
        is_gateway: profile.is_gateway,
        oauth_if_overridden: oauth.unwrap_or(oauth_by_default),
        clusters: clusters.into(),
        dialect: profile.dialect,
    };
    let oauth = oauth.unwrap_or(oauth_by_default && byok != Byok::Off);
    ProviderPolicy { provider: Arc::new(provider), client_credentials: ClientCredentialPolicy { byok, oauth } }
}
