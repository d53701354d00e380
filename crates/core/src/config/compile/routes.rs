//! `routes`: which requests an entry matches, and what applies to them.

use std::sync::Arc;

use super::headers::key_sources;
use super::names::{
    EXPECTED_HOST, EXPECTED_NO_STAR, EXPECTED_PATH, EXPECTED_TOKEN, EXPECTED_UPPER_CASE, Names, host,
    is_miscased_method, is_token, normalized_path,
};
use crate::config::de::HideCredentials;
use crate::config::diagnostics::Diagnostics;
use crate::config::path::Path;
use crate::config::wire;
use crate::model::{
    AllowList, Byok, ClientCredentialPolicy, Commas, Consumer, CredentialKind, HostMatch, Identity, KeySource,
    Location, Mode, PathMatch, Provider, ProxyKeyHandling, Route, RouteMatch, RoutePolicy, SingleValueLocation,
    is_service_name,
};

/// What the top level says for entries that say nothing.
pub(super) struct TopLevel {
    pub(super) mode: Mode,
    pub(super) hide_credentials: Option<HideCredentials>,
    pub(super) default_provider: Arc<Provider>,
    pub(super) key_sources: Arc<[KeySource]>,
    pub(super) anonymous: Option<Arc<Consumer>>,
}

/// A provider with what it says about client credentials.
pub(super) struct ProviderPolicy {
    pub(super) provider: Arc<Provider>,
    pub(super) client_credentials: ClientCredentialPolicy,
}

/// What entries refer to.
pub(super) struct Known<'a> {
    pub(super) consumers: &'a [Arc<Consumer>],
    pub(super) providers: &'a [ProviderPolicy],
    pub(super) identities: &'a [Identity],
    pub(super) has_service: bool,
}

/// Which settings an entry has of its own.
pub(in crate::config) struct OwnSettings {
    pub(in crate::config) mode: bool,
    pub(in crate::config) provider: bool,
    pub(in crate::config) hide_credentials: bool,
}

/// Compiles all entries.
pub(super) fn compile(
    routes: Vec<wire::Route>,
    top: &TopLevel,
    known: &Known<'_>,
    diagnostics: &mut Diagnostics,
) -> (Vec<Route>, Vec<OwnSettings>) {
    let Known { consumers, providers, identities, has_service } = *known;
    let has_identity = identities.iter().any(Identity::admits_anybody);
    let all = Path::Top("routes");
    let names: Names<'_> = consumers.iter().map(|consumer| &*consumer.name).collect();
    let compile_one = |(index, wire): (usize, wire::Route)| {
        let path = all.item(index);
        let provider = wire.provider.as_ref().and_then(|name| find(providers, name));
        if wire.provider.is_some() && provider.is_none() {
            diagnostics.error(path.field("provider"), "expected the name of a provider");
        }
        for (at, name) in wire.consumers.iter().flatten().enumerate() {
            let of_service = has_service && is_service_name(name);
            let of_identity = || identities.iter().any(|identity| identity.gives_name(name));
            if !of_service && !names.contains(&**name) && !of_identity() {
                diagnostics.error(path.field("consumers").item(at), "expected the name of a consumer");
            }
        }
        if wire.consumers.is_some() && wire.mode.unwrap_or(top.mode) != Mode::On {
            diagnostics.error(path.field("consumers"), "expected mode \"on\": in other modes, callers pass unverified");
        }
        let own = OwnSettings {
            mode: wire.mode.is_some(),
            provider: wire.provider.is_some(),
            hide_credentials: wire.hide_credentials.is_some(),
        };
        let matcher = check_match(wire.r#match, path.field("match"), diagnostics);
        let provider = provider.map_or(&top.default_provider, |found| &found.provider);
        let mode = wire.mode.unwrap_or(top.mode);
        let key_sources = wire.key_sources.map(|sources| key_sources(sources, path.field("key_sources"), diagnostics));
        if mode == Mode::On && key_sources.as_ref().is_some_and(Vec::is_empty) && !has_identity {
            diagnostics.error(path.field("key_sources"), EXPECTED_SOURCES);
        }
        let key_sources = key_sources.map_or_else(|| Arc::clone(&top.key_sources), Arc::from);
        let anonymous = wire.anonymous.map(|name| anonymous(&name, consumers, path.field("anonymous"), diagnostics));
        let policy = RoutePolicy {
            mode,
            provider: Arc::clone(provider),
            consumers: wire.consumers.into(),
            single_value_locations: single_value_locations(&key_sources, identities, provider),
            key_sources,
            anonymous: anonymous.unwrap_or_else(|| top.anonymous.clone()),
            proxy_key: proxy_key(wire.hide_credentials.or(top.hide_credentials), provider),
            client_credentials: client_credentials(providers, provider, wire.byok),
        };
        (Route { matcher, policy }, own)
    };
    routes.into_iter().enumerate().map(compile_one).unzip()
}

/// Compiles what applies to requests that no entry matches.
pub(super) fn default_route(top: TopLevel, providers: &[ProviderPolicy], identities: &[Identity]) -> RoutePolicy {
    RoutePolicy {
        mode: top.mode,
        consumers: AllowList::All,
        single_value_locations: single_value_locations(&top.key_sources, identities, &top.default_provider),
        key_sources: top.key_sources,
        anonymous: top.anonymous,
        proxy_key: proxy_key(top.hide_credentials, &top.default_provider),
        client_credentials: client_credentials(providers, &top.default_provider, None),
        provider: top.default_provider,
    }
}

/// What is wrong with an empty list of key sources in mode `on`.
pub(super) const EXPECTED_SOURCES: &str =
    "expected at least one source, since mode \"on\" lets nobody pass without a key";

/// Returns the consumer that stands for callers without a valid key.
pub(super) fn anonymous(
    name: &str,
    consumers: &[Arc<Consumer>],
    path: Path<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Arc<Consumer>> {
    let consumer = consumers.iter().find(|consumer| *consumer.name == *name);
    if consumer.is_none() {
        diagnostics.error(path, "expected the name of a consumer");
    }
    consumer.cloned()
}

fn proxy_key(hide: Option<HideCredentials>, provider: &Provider) -> ProxyKeyHandling {
    match hide {
        Some(HideCredentials::Always) => ProxyKeyHandling::Hide,
        Some(HideCredentials::Never) => ProxyKeyHandling::Keep,
        Some(HideCredentials::IfVerified) => ProxyKeyHandling::HideIfVerified,
        None if provider.is_gateway => ProxyKeyHandling::HideIfReplaced,
        None => ProxyKeyHandling::Hide,
    }
}

/// Returns the key sources, the locations of the identities' credentials and the provider's locations, in which a request
/// may have one value only.
fn single_value_locations(
    key_sources: &[KeySource],
    identities: &[Identity],
    provider: &Provider,
) -> Vec<SingleValueLocation> {
    let deployment = [&provider.deployment_header].into_iter();
    let upstream = deployment.chain(provider.oauth_deployment.as_ref().map(|(_, header, _)| header));
    let sent_as = provider.credential_rules.iter().filter_map(|rule| rule.sent_as.as_ref());
    let upstream = upstream.chain(sent_as).map(|header| (Location::Header(header.name.clone()), &header.scheme));
    let rules = provider.credential_rules.iter().map(|rule| (rule.location.clone(), &rule.scheme));
    let of_identities = identities.iter().filter_map(|identity| identity.credential.as_ref());
    let sources = key_sources.iter().chain(of_identities).map(|source| (source.location.clone(), &source.scheme));
    let all: Vec<(Location, &Option<Box<str>>)> = sources.chain(rules).chain(upstream).collect();
    let mut locations: Vec<SingleValueLocation> = Vec::new();
    for (location, _) in &all {
        if locations.iter().all(|known| known.location != *location) {
            let commas = commas(location, &all, provider);
            locations.push(SingleValueLocation { location: location.clone(), commas });
        }
    }
    locations
}

/// Returns what a comma means in a location, by the schemes that are accepted there. Envoy joins lines of `authorization`
/// only, since that header is not a list
/// (<https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers>).
fn commas(location: &Location, accepted: &[(Location, &Option<Box<str>>)], provider: &Provider) -> Commas {
    if !location.is_header(b"authorization") {
        return Commas::PartOfValue;
    }
    let here = || accepted.iter().filter(|(accepted, _)| accepted == location).map(|(_, scheme)| *scheme);
    if here().any(Option::is_none) {
        return Commas::Separator;
    }
    let tokens = provider.credential_rules.iter().filter(|rule| rule.kind == CredentialKind::OauthToken);
    let prefixes = tokens.flat_map(|rule| rule.prefixes.iter().cloned()).collect();
    Commas::SeparatorOf { schemes: here().flatten().cloned().collect(), prefixes }
}

/// Returns what applies to client credentials if the consumer does not say otherwise: the route overrides the provider.
fn client_credentials(
    providers: &[ProviderPolicy],
    provider: &Arc<Provider>,
    byok: Option<Byok>,
) -> ClientCredentialPolicy {
    let of_provider = || providers.iter().find(|known| Arc::ptr_eq(&known.provider, provider));
    match (byok, of_provider()) {
        (None, Some(known)) => known.client_credentials,
        (byok, _) => provider.client_credentials(byok.unwrap_or(Byok::Off)),
    }
}

pub(super) fn find<'a>(providers: &'a [ProviderPolicy], name: &str) -> Option<&'a ProviderPolicy> {
    providers.iter().find(|known| *known.provider.name == *name)
}

fn check_match(wire: wire::Match, path: Path<'_>, diagnostics: &mut Diagnostics) -> RouteMatch {
    if wire.path.is_some() && wire.path_prefix.is_some() {
        diagnostics.error(path, "expected one of path, path_prefix, not both");
    }
    if wire.path.is_none() && wire.path_prefix.is_none() && wire.host.is_none() && wire.methods.is_none() {
        diagnostics.error(path, "expected at least one of path, path_prefix, host, methods");
    }
    let exact = wire.path.and_then(|text| checked_path(&text, path.field("path"), diagnostics));
    let prefix = wire.path_prefix.and_then(|text| checked_path(&text, path.field("path_prefix"), diagnostics));
    let host = wire.host.and_then(|text| checked(host_match(&text), path.field("host"), EXPECTED_HOST, diagnostics));
    if wire.methods.as_ref().is_some_and(Vec::is_empty) {
        diagnostics.error(path.field("methods"), "expected at least one method");
    }
    for (at, method) in wire.methods.iter().flatten().enumerate() {
        if !is_token(method) {
            diagnostics.error(path.field("methods").item(at), EXPECTED_TOKEN);
        } else if is_miscased_method(method) {
            diagnostics.error(path.field("methods").item(at), EXPECTED_UPPER_CASE);
        }
    }
    RouteMatch { path: exact.map(PathMatch::Exact).or(prefix.map(PathMatch::Prefix)), host, methods: wire.methods }
}

fn checked_path(text: &str, path: Path<'_>, diagnostics: &mut Diagnostics) -> Option<Box<str>> {
    let expected = if text.contains('*') { EXPECTED_NO_STAR } else { EXPECTED_PATH };
    checked(normalized_path(text).filter(|path| !path.contains('*')), path, expected, diagnostics)
}

fn checked<T>(value: Option<T>, path: Path<'_>, expected: &str, diagnostics: &mut Diagnostics) -> Option<T> {
    if value.is_none() {
        diagnostics.error(path, expected);
    }
    value
}

fn host_match(text: &str) -> Option<HostMatch> {
    match text.strip_prefix("*.") {
        Some(below) => host(below).map(|below| HostMatch::Below(format!(".{below}").into())),
        None => host(text).map(HostMatch::Exact),
    }
}
