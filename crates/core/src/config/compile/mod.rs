//! Compiles the wire form, field by field: everything that can be checked, merged or defaulted is.

mod consumers;
mod headers;
mod identities;
mod names;
mod providers;
mod routes;
mod service;

use std::cell::RefCell;
use std::hash::Hasher as _;

use foldhash::fast::FoldHasher;

use self::identities::Identities;
use self::names::Names;
pub(super) use self::names::repeats;
pub(super) use self::routes::OwnSettings;
use super::diagnostics::Diagnostics;
use super::path::Path;
use super::{Secrets, lint, lint_modes, wire};
use crate::http::is_visible_ascii;
use crate::model::{Byok, CredentialLocations, FilterStateParts, Location, Mode, PARTS, Policy};
use crate::providers::{
    CREDENTIAL_HEADERS, CREDENTIAL_PARAMETERS, CREDENTIAL_SUBPROTOCOLS, NEVER_CANDIDATES, OAUTH_BETAS,
    PASS_THROUGH_HEADER_PREFIX,
};
use crate::secret::Secret;

/// Reads the secrets that the configuration names but does not contain.
#[derive(Clone, Copy)]
pub(super) struct Environment<'a> {
    pub(super) secrets: Secrets<'a>,
    /// `sds_config` as it is written; empty without one.
    pub(super) sds_config: &'a str,
    /// Differs between configurations that differ only in the values of their variables. Secrets that Envoy delivers do not
    /// count: the policies before and after a rotation are of one configuration.
    pub(super) digest: &'a RefCell<FoldHasher<'static>>,
}

impl Environment<'_> {
    /// Returns a variable's value without surrounding whitespace; refuses one that is empty.
    fn secret(self, variable: &str, path: Path<'_>, diagnostics: &mut Diagnostics) -> Option<Secret> {
        let value = (self.secrets.variable)(variable).unwrap_or_default();
        let value = value.trim();
        self.digest.borrow_mut().write(value.as_bytes());
        if value.is_empty() {
            diagnostics.error(path, "expected the name of an environment variable that is set and not empty");
            return None;
        }
        Some(Secret::new(value))
    }

    /// Returns a secret of Envoy's without surrounding whitespace; refuses one that there is not, or that is empty.
    fn sds_secret(self, name: &str, path: Path<'_>, diagnostics: &mut Diagnostics) -> Option<Secret> {
        let Some(sds_secret) = self.secrets.sds_secret else {
            diagnostics.error(path, NATIVE_ONLY);
            return None;
        };
        let value = sds_secret(name, self.sds_config).unwrap_or_default();
        let value = value.trim();
        if value.is_empty() {
            diagnostics.error(path, "expected the name of a secret that Envoy has or gets by sds_config");
            return None;
        }
        Some(Secret::new(value))
    }
}

pub(super) const NATIVE_ONLY: &str = "is available in the native module only";

/// Returns the policy, or `None` if the configuration is too wrong for one.
pub(super) fn compile(
    wire: wire::Configuration,
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Policy> {
    let listed_sources =
        wire.key_sources.map(|sources| headers::key_sources(sources, Path::Top("key_sources"), diagnostics));
    let names_providers = wire.providers.is_some();
    let written = providers::written(wire.providers);
    let names: Vec<Box<str>> = written.iter().map(|(name, _)| name.clone()).collect();
    let names: Names<'_> = names.iter().map(|name| &**name).collect();
    let has_keys = wire.consumers.iter().any(|consumer| !consumer.keys.is_empty());
    let has_service = wire.verification_service.is_some();
    let mut identities = Identities::check(wire.identities, has_service, diagnostics);
    let (consumers, keys) =
        consumers::check(wire.consumers, &names, &mut identities, has_service, environment, diagnostics);
    let verification_service =
        wire.verification_service.and_then(|service| service::check(service, environment, diagnostics));

    let checked = providers::check(written, &keys, environment, diagnostics);
    let key_sources =
        listed_sources.unwrap_or_else(|| headers::default_key_sources(checked.iter().map(|one| &one.profile)));
    let byok = if wire.forward_llm_provider_auth_headers { Byok::Preferred } else { Byok::Off };
    let locations: Vec<Location> = checked.iter().flat_map(|one| one.profile.locations()).collect();
    let providers: Vec<_> = checked.into_iter().map(|one| providers::compile(one, byok)).collect();
    let default_provider = providers::default_provider(wire.default_provider.as_deref(), &providers, diagnostics);

    let top_mode = wire.mode;
    let is_on = |route: &wire::Route| route.mode == Some(Mode::On);
    let authenticates = top_mode == Mode::On || wire.routes.iter().any(is_on);
    let needs_sources =
        top_mode == Mode::On || wire.routes.iter().any(|route| is_on(route) && route.key_sources.is_none());
    let no_sources = key_sources.is_empty();
    let anonymous =
        wire.anonymous.and_then(|name| routes::anonymous(&name, &consumers, Path::Top("anonymous"), diagnostics));
    let top = default_provider.or_else(|| providers.first().map(|first| first.provider.clone())).map(|provider| {
        routes::TopLevel {
            mode: top_mode,
            hide_credentials: wire.hide_credentials,
            default_provider: provider,
            key_sources: key_sources.into(),
            anonymous,
        }
    });
    let has_identity = identities.admit_anybody();
    let identities = identities.finish(diagnostics);
    let known = routes::Known { consumers: &consumers, providers: &providers, identities: &identities, has_service };
    let compiled = top.as_ref().map(|top| routes::compile(wire.routes, top, &known, diagnostics));

    if needs_sources && no_sources && !has_identity {
        diagnostics.error(Path::Top("key_sources"), routes::EXPECTED_SOURCES);
    }
    if authenticates && !has_keys && !has_service && !has_identity {
        diagnostics
            .error(Path::Top("consumers"), "expected at least one key, since mode \"on\" lets nobody pass without one");
    }
    let route_sources =
        compiled.iter().flat_map(|(routes, _)| routes).flat_map(|route| route.policy.key_sources.iter());
    let top_sources = top.iter().flat_map(|top| top.key_sources.iter());
    let of_identities = identities.iter().filter_map(|identity| identity.credential.as_ref());
    let sources = top_sources.chain(route_sources).chain(of_identities).map(|source| source.location.clone());
    let credential_locations = credential_locations(sources.chain(locations));
    let resource_metadata = wire.resource_metadata.inspect(|url| {
        let is_url = url.starts_with("https://") || url.starts_with("http://");
        if !is_url || !is_visible_ascii(url.as_bytes()) || url.contains(['"', '\\']) {
            diagnostics.error(Path::Top("resource_metadata"), "expected a URL that starts with https:// or http://");
        }
    });
    let strip_list = headers::strip_list(wire.strip_request_headers, &credential_locations, diagnostics);
    let identity_headers = headers::identity_headers(wire.identity_headers, &credential_locations, diagnostics);
    let filter_state = filter_state(wire.filter_state, diagnostics);
    let realm = wire.realm.unwrap_or_else(|| "llm-gateway".to_owned());
    if realm.len() > 128 || !realm.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
        diagnostics.error(Path::Top("realm"), "expected at most 128 ASCII characters without quote and backslash");
    }

    let (top, (routes, own_settings)) = top.zip(compiled)?;
    let policy = Policy {
        shadow: wire.shadow,
        keys: keys.into_ring(),
        verification_service,
        default_route: routes::default_route(top, &providers, &identities),
        identities,
        providers: providers.into_iter().map(|one| one.provider).collect(),
        routes,
        credential_locations,
        strip_list,
        identity_headers,
        never_candidates: NEVER_CANDIDATES,
        oauth_betas: OAUTH_BETAS,
        filter_state,
        realm: realm.into(),
        resource_metadata: resource_metadata.map(Into::into),
        digest: format!("{:016x}", environment.digest.borrow().finish()).into(),
    };
    lint_modes::warn(&policy, diagnostics);
    lint::warn(&policy, &consumers, &own_settings, wire.hide_credentials.is_some(), diagnostics);
    lint::unknown_labels(&policy, &consumers, diagnostics);
    if names_providers {
        lint::unreachable_providers(&policy, &consumers, diagnostics);
    }
    Some(policy)
}

fn filter_state(parts: Option<Vec<Box<str>>>, diagnostics: &mut Diagnostics) -> FilterStateParts {
    let Some(parts) = parts else { return FilterStateParts::All };
    for (index, part) in parts.iter().enumerate() {
        let is_label = part.strip_prefix("label.").is_some_and(names::is_label_name);
        if !is_label && !PARTS.contains(&&**part) {
            let message = format!("expected one of {}, or label. and the name of a label", PARTS.join(", "));
            diagnostics.error(Path::Top("filter_state").item(index), &message);
        }
    }
    FilterStateParts::Only(parts)
}

/// Returns every location that may carry a credential on any route.
fn credential_locations(configured: impl Iterator<Item = Location>) -> CredentialLocations {
    let headers = CREDENTIAL_HEADERS.iter().map(|name| Location::Header((*name).into()));
    let parameters = CREDENTIAL_PARAMETERS.iter().map(|name| Location::Query((*name).into()));
    let subprotocols = CREDENTIAL_SUBPROTOCOLS.iter().map(|prefix| Location::WebSocketProtocol((*prefix).into()));
    let locations = headers.chain(parameters).chain(subprotocols).chain(configured);
    CredentialLocations::new(locations, PASS_THROUGH_HEADER_PREFIX)
}
