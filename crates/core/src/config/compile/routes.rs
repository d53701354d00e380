//! `routes`: which requests an entry matches, and what applies to them.

use std::sync::Arc;

use super::names::{
    EXPECTED_HOST, EXPECTED_NO_STAR, EXPECTED_PATH, EXPECTED_TOKEN, EXPECTED_UPPER_CASE, Names, host,
    is_miscased_method, is_token, normalized_path,
};
use crate::config::diagnostics::Diagnostics;
use crate::config::path::Path;
use crate::config::wire;
use crate::model::{
    AllowList, Byok, ClientCredentialPolicy, Consumer, HostMatch, Mode, PathMatch, Provider, ProxyKeyHandling, Route,
    RouteMatch, RoutePolicy, is_service_name,
};

/// What the top level says for entries that say nothing.
pub(super) struct TopLevel {
    pub(super) mode: Mode,
    pub(super) hide_credentials: Option<bool>,
    pub(super) default_provider: Arc<Provider>,
}

/// A provider with what it says about client credentials.
pub(super) struct ProviderPolicy {
    pub(super) provider: Arc<Provider>,
    pub(super) client_credentials: ClientCredentialPolicy,
}

/// Which settings an entry has of its own.
pub(in crate::config) struct OwnSettings {
    pub(in crate::config) mode: bool,
    pub(in crate::config) provider: bool,
    pub(in crate::config) hide_credentials: bool,
}

/// Compiles all entries against the consumers and providers that there are.
pub(super) fn compile(
    routes: Vec<wire::Route>,
    top: &TopLevel,
    consumers: &[Arc<Consumer>],
    providers: &[ProviderPolicy],
    has_service: bool,
    diagnostics: &mut Diagnostics,
) -> (Vec<Route>, Vec<OwnSettings>) {
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
            if !of_service && !names.contains(&**name) {
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
        let policy = policy(
            wire.mode.unwrap_or(top.mode),
            provider,
            client_credentials(providers, provider, wire.byok),
            wire.hide_credentials.or(top.hide_credentials),
            wire.consumers.into(),
        );
        (Route { matcher, policy }, own)
    };
    routes.into_iter().enumerate().map(compile_one).unzip()
}

/// Compiles what applies to requests that no entry matches.
pub(super) fn default_route(top: &TopLevel, providers: &[ProviderPolicy]) -> RoutePolicy {
    let provider = &top.default_provider;
    let client_credentials = client_credentials(providers, provider, None);
    policy(top.mode, provider, client_credentials, top.hide_credentials, AllowList::All)
}

fn policy(
    mode: Mode,
    provider: &Arc<Provider>,
    client_credentials: ClientCredentialPolicy,
    hide_credentials: Option<bool>,
    consumers: AllowList,
) -> RoutePolicy {
    let proxy_key = match hide_credentials {
        Some(true) => ProxyKeyHandling::Hide,
        Some(false) => ProxyKeyHandling::Keep,
        None if provider.is_gateway => ProxyKeyHandling::HideIfReplaced,
        None => ProxyKeyHandling::Hide,
    };
    RoutePolicy { mode, provider: Arc::clone(provider), consumers, proxy_key, client_credentials }
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
