//! Compiles the wire form, field by field: everything that can be checked, merged or defaulted is.

mod consumers;
mod headers;
mod names;
mod providers;
mod routes;
mod service;

use std::cell::RefCell;
use std::hash::Hasher as _;

use foldhash::fast::FoldHasher;

use self::names::Names;
pub(super) use self::names::repeats;
use self::providers::Checked;
pub(super) use self::routes::OwnSettings;
use super::diagnostics::Diagnostics;
use super::path::Path;
use super::{lint, lint_modes, wire};
use crate::model::{Byok, CredentialLocations, KeySource, Location, Mode, Policy};
use crate::providers::{
    CREDENTIAL_HEADERS, CREDENTIAL_PARAMETERS, NEVER_CANDIDATES, PASS_THROUGH_HEADER_PREFIX, WEBSOCKET_PREFIXES,
};
use crate::secret::Secret;

/// Reads the secrets that the configuration names but does not contain.
#[derive(Clone, Copy)]
pub(super) struct Environment<'a> {
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
    /// Differs between configurations that differ only in the values of their variables.
    pub(super) digest: &'a RefCell<FoldHasher<'static>>,
}

impl Environment<'_> {
    /// Returns a variable's value without surrounding whitespace, or `None` if it is empty.
    fn secret(self, variable: &str) -> Option<Secret> {
        let value = (self.variable)(variable)?;
        let value = value.trim();
        self.digest.borrow_mut().write(value.as_bytes());
        (!value.is_empty()).then(|| Secret::new(value))
    }
}

/// Returns the policy, or `None` if the configuration is too wrong for one.
pub(super) fn compile(
    wire: wire::Configuration,
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Policy> {
    let no_sources = wire.key_sources.as_ref().is_some_and(Vec::is_empty);
    let listed_sources = wire.key_sources.map(|sources| headers::key_sources(sources, diagnostics));
    let written = providers::written(wire.providers);
    let names: Vec<Box<str>> = written.iter().map(|(name, _)| name.clone()).collect();
    let names: Names<'_> = names.iter().map(|name| &**name).collect();
    let has_keys = wire.consumers.iter().any(|consumer| !consumer.keys.is_empty());
    let has_service = wire.verification_service.is_some();
    let (consumers, keys) = consumers::check(wire.consumers, &names, has_service, environment, diagnostics);
    let verification_service =
        wire.verification_service.and_then(|service| service::check(service, environment, diagnostics));

    let checked = providers::check(written, &keys, environment, diagnostics);
    let key_sources =
        listed_sources.unwrap_or_else(|| headers::default_key_sources(checked.iter().map(|one| &one.profile)));
    let credential_locations = credential_locations(&key_sources, &checked);
    let byok = if wire.forward_llm_provider_auth_headers { Byok::Preferred } else { Byok::Off };
    let providers: Vec<_> = checked.into_iter().map(|one| providers::compile(one, &key_sources, byok)).collect();
    let default_provider = providers::default_provider(wire.default_provider.as_deref(), &providers, diagnostics);

    let top_mode = wire.mode;
    let authenticates =
        |routes: &[wire::Route]| top_mode == Mode::On || routes.iter().any(|route| route.mode == Some(Mode::On));
    let authenticates = authenticates(&wire.routes);
    let top = default_provider.or_else(|| providers.first().map(|first| first.provider.clone())).map(|provider| {
        routes::TopLevel { mode: top_mode, hide_credentials: wire.hide_credentials, default_provider: provider }
    });
    let compiled =
        top.as_ref().map(|top| routes::compile(wire.routes, top, &consumers, &providers, has_service, diagnostics));

    if authenticates && no_sources {
        diagnostics.error(
            Path::Top("key_sources"),
            "expected at least one source, since mode \"on\" lets nobody pass without a key",
        );
    }
    if authenticates && !has_keys && !has_service {
        diagnostics
            .error(Path::Top("consumers"), "expected at least one key, since mode \"on\" lets nobody pass without one");
    }
    let strip_list = headers::strip_list(wire.strip_request_headers, &credential_locations, diagnostics);
    let identity_headers = headers::identity_headers(wire.identity_headers, &credential_locations, diagnostics);
    let realm = wire.realm.unwrap_or_else(|| "llm-gateway".to_owned());
    if realm.len() > 128 || !realm.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
        diagnostics.error(Path::Top("realm"), "expected at most 128 ASCII characters without quote and backslash");
    }

    let (top, (routes, own_settings)) = top.zip(compiled)?;
    let policy = Policy {
        shadow: wire.shadow,
        key_sources,
        keys: keys.into_ring(),
        verification_service,
        default_route: routes::default_route(&top, &providers),
        providers: providers.into_iter().map(|one| one.provider).collect(),
        routes,
        credential_locations,
        strip_list,
        identity_headers,
        never_candidates: NEVER_CANDIDATES,
        realm: realm.into(),
        digest: format!("{:016x}", environment.digest.borrow().finish()).into(),
    };
    lint_modes::warn(&policy, diagnostics);
    lint::warn(&policy, &consumers, &own_settings, wire.hide_credentials.is_some(), diagnostics);
    Some(policy)
}

/// Returns every location that may carry a credential on any route.
fn credential_locations(key_sources: &[KeySource], providers: &[Checked]) -> CredentialLocations {
    let headers = CREDENTIAL_HEADERS.iter().map(|name| Location::Header((*name).into()));
    let parameters = CREDENTIAL_PARAMETERS.iter().map(|name| Location::Query((*name).into()));
    let sources = key_sources.iter().map(|source| source.location.clone());
    let of_providers = providers.iter().flat_map(|provider| provider.profile.locations());
    let locations = headers.chain(parameters).chain(sources).chain(of_providers);
    CredentialLocations::new(locations, PASS_THROUGH_HEADER_PREFIX, WEBSOCKET_PREFIXES)
}
