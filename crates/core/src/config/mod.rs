//! From the configuration as it is written to a [`Policy`]: checked once, whole or not at all.

mod avoidable;
mod consumers;
mod doubts;
mod findings;
mod forms;
mod headers;
mod names;
mod path;
mod position;
mod providers;
mod routes;
#[cfg(not(target_family = "wasm"))]
mod schema;
#[cfg(test)]
mod sentinel;
mod service;
mod wire;

#[cfg(not(target_family = "wasm"))]
pub(crate) use avoidable::covers_path;
pub use findings::{ConfigError, Warning};
#[cfg(not(target_family = "wasm"))]
pub(crate) use path::Shown;
#[cfg(not(target_family = "wasm"))]
pub(crate) use position::Step;
#[cfg(not(target_family = "wasm"))]
pub(crate) use schema::schema;

use std::cell::RefCell;
use std::hash::{BuildHasher as _, Hasher as _};

use findings::Findings;
use foldhash::fast::{FixedState, FoldHasher};
use names::Names;
use path::Path;

use crate::policy::{Byok, Mode, Policy};
use crate::secret::Secret;
use crate::upstream::CredentialPlaces;

/// A configuration that holds, and what is doubtful about it.
#[derive(Debug)]
pub struct Loaded {
    /// The checked configuration.
    pub policy: Policy,
    /// What is probably not meant.
    pub warnings: Vec<Warning>,
}

/// Reads the secrets that the configuration names but does not contain.
#[derive(Clone, Copy)]
struct Environment<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    /// Tells configurations apart that differ in the values of their variables alone.
    digest: &'a RefCell<FoldHasher<'static>>,
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

impl Policy {
    /// Reads and checks a configuration; `environment` returns the value of a variable that is set.
    ///
    /// # Errors
    /// Returns all that is wrong, in the order of the configuration's fields. A document that is not
    /// of the right form yields the first error alone.
    pub fn from_json(
        json: impl AsRef<[u8]>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Loaded, Vec<ConfigError>> {
        let configuration = parse(json.as_ref()).map_err(|error| vec![error])?;
        let digest = RefCell::new(FixedState::default().build_hasher());
        digest.borrow_mut().write(json.as_ref());
        // Where the text is handed over, its memory serves what is made of it.
        drop(json);
        let mut findings = Findings::default();
        let environment = Environment { variable: environment, digest: &digest };
        let policy = check(configuration, environment, &mut findings);
        match policy {
            Some(policy) if findings.errors.is_empty() => Ok(Loaded { policy, warnings: findings.warnings }),
            _ => Err(findings.errors),
        }
    }
}

fn parse(json: &[u8]) -> Result<wire::Configuration, ConfigError> {
    serde_json::from_slice(json).map_err(|error| findings::from_json(json, &error).0)
}

/// Returns the first error of form, if the document is not of the right one, and the way to where it is.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn error_of_form(json: &[u8]) -> Option<(ConfigError, Vec<Step>)> {
    let error = serde_json::from_slice::<wire::Configuration>(json).err()?;
    Some(findings::from_json(json, &error))
}

/// Checks field by field; returns `None` only where something is wrong.
fn check(wire: wire::Configuration, environment: Environment<'_>, findings: &mut Findings) -> Option<Policy> {
    let no_sources = wire.key_sources.as_ref().is_some_and(Vec::is_empty);
    let custom_sources = wire.key_sources.map(|sources| headers::key_sources(sources, findings));
    let providers = providers::written(wire.providers);
    let names: Vec<Box<str>> = providers.iter().map(|(name, _)| name.clone()).collect();
    let names: Names<'_> = names.iter().map(|name| &**name).collect();
    let has_keys = wire.consumers.iter().any(|consumer| !consumer.keys.is_empty());
    let has_service = wire.verification_service.is_some();
    let (consumers, keys) = consumers::check(wire.consumers, &names, has_service, environment, findings);
    let verification_service =
        wire.verification_service.and_then(|service| service::check(service, environment, findings));
    let providers = providers::check(providers, &keys, environment, findings);
    let key_sources = custom_sources.unwrap_or_else(|| headers::default_key_sources(&providers));
    let providers = providers::guard(providers, &key_sources);
    let default_provider = providers::default_provider(wire.default_provider.as_deref(), &providers, findings);
    let routes = routes::check(wire.routes, wire.mode, &consumers, &providers, has_service, findings);

    let authenticates = wire.mode == Mode::On || routes.iter().any(|route| route.mode == Some(Mode::On));
    if authenticates && no_sources {
        findings.error(
            Path::Top("key_sources"),
            "expected at least one source, as mode \"on\" lets nobody pass without a key",
        );
    }
    if authenticates && !has_keys && !has_service {
        findings
            .error(Path::Top("consumers"), "expected at least one key, as mode \"on\" lets nobody pass without one");
    }

    let places = key_sources.iter().map(|source| source.location.clone());
    let places = places.chain(providers.iter().flat_map(|provider| provider.profile.places()));
    let credential_places = CredentialPlaces::new(places);
    let strip_list = headers::strip_list(wire.strip_request_headers, &credential_places, findings);
    let identity_headers = headers::identity_headers(wire.identity_headers, &credential_places, findings);
    let realm = wire.realm.unwrap_or_else(|| "llm-gateway".to_owned());
    if realm.len() > 128 || !realm.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
        findings.error(Path::Top("realm"), "expected at most 128 ASCII characters without quote and backslash");
    }

    let policy = Policy {
        mode: wire.mode,
        shadow: wire.shadow,
        hide_credentials: wire.hide_credentials,
        key_sources,
        keys: keys.into_ring(),
        verification_service,
        default_byok: if wire.forward_llm_provider_auth_headers { Byok::Preferred } else { Byok::Off },
        default_provider: default_provider?,
        providers,
        routes,
        credential_places,
        strip_list,
        identity_headers,
        realm: realm.into(),
        digest: format!("{:016x}", environment.digest.borrow().finish()).into(),
    };
    avoidable::warn(&policy, findings);
    doubts::warn(&policy, &consumers, findings);
    Some(policy)
}
