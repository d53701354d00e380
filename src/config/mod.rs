//! From the configuration as it is written to a [`Policy`]: checked once, whole or not at all.

mod consumers;
mod findings;
mod names;
mod providers;
mod routes;
mod wire;

pub use findings::{ConfigError, Warning};

use findings::Findings;
use names::{EXPECTED_HEADER, EXPECTED_TOKEN, credential_header, is_token};

use crate::policy::{Byok, KeySource, Location, Mode, Policy};
use crate::provider::Provider;
use crate::secret::Secret;
use crate::upstream::{CredentialPlaces, IdentityHeaders, Standing, StripList};

/// A configuration that holds, and what is doubtful about it.
#[derive(Debug)]
pub struct Loaded {
    /// The checked configuration.
    pub policy: Policy,
    /// What is probably not meant.
    pub warnings: Vec<Warning>,
}

/// Where secrets are read that the configuration names and does not show.
#[derive(Clone, Copy)]
struct Environment<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Environment<'_> {
    /// Returns a variable's value without the blanks and line ends around it; empty is none.
    fn secret(self, variable: &str) -> Option<Secret> {
        let value = (self.0)(variable)?;
        let value = value.trim();
        (!value.is_empty()).then(|| Secret::new(value))
    }
}

impl Policy {
    /// Reads and checks a configuration; `environment` returns the value of a variable that is set.
    ///
    /// # Errors
    /// Returns all that is wrong, in the order of the configuration's fields. A document that is not
    /// of the right form yields the first error alone.
    pub fn from_json(json: &[u8], environment: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, Vec<ConfigError>> {
        let configuration = parse(json).map_err(|error| vec![error])?;
        let mut findings = Findings::default();
        let policy = check(configuration, Environment(environment), &mut findings);
        match policy {
            Some(policy) if findings.errors.is_empty() => Ok(Loaded { policy, warnings: findings.warnings }),
            _ => Err(findings.errors),
        }
    }
}

fn parse(json: &[u8]) -> Result<wire::Configuration, ConfigError> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let configuration = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| findings::from_json(&error.path().to_string(), error.inner()))?;
    deserializer.end().map_err(|error| findings::from_json(".", &error))?;
    Ok(configuration)
}

/// Checks field by field; returns `None` only where something is wrong.
fn check(wire: wire::Configuration, environment: Environment<'_>, findings: &mut Findings) -> Option<Policy> {
    let custom_sources = wire.key_sources.map(|sources| key_sources(sources, findings));
    let providers = providers::written(wire.providers);
    let names: Vec<Box<str>> = providers.iter().map(|(name, _)| name.clone()).collect();
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    let has_keys = wire.consumers.iter().any(|consumer| !consumer.keys.is_empty());
    let (consumers, keys) = consumers::check(wire.consumers, &names, environment, findings);
    if wire.verification_service.is_some() {
        findings.error("verification_service", "not supported yet");
    }
    let providers = providers::check(providers, environment, findings);
    let key_sources = custom_sources.unwrap_or_else(|| default_key_sources(&providers));
    let providers = providers::guard(providers, &key_sources);
    let default_provider = providers::default_provider(wire.default_provider.as_deref(), &providers, findings);
    let routes = routes::check(wire.routes, wire.mode, &consumers, &providers, findings);

    let authenticates = wire.mode == Mode::On || routes.iter().any(|route| route.mode == Some(Mode::On));
    if authenticates && key_sources.is_empty() {
        findings.error("key_sources", "expected at least one source, as mode \"on\" lets nobody pass without a key");
    }
    if authenticates && !has_keys {
        findings.error("consumers", "expected at least one key, as mode \"on\" lets nobody pass without one");
    }

    let places = key_sources.iter().map(|source| source.location.clone());
    let places = places.chain(providers.iter().flat_map(|provider| provider.profile.places()));
    let credential_places = CredentialPlaces::new(places);
    let strip_list = strip_list(wire.strip_request_headers, &credential_places, findings);
    let identity_headers = identity_headers(wire.identity_headers, &credential_places, findings);
    let realm = wire.realm.unwrap_or_else(|| "llm-gateway".to_owned());
    if realm.len() > 128 || !realm.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
        findings.error("realm", "expected at most 128 ASCII characters without quote and backslash");
    }

    let policy = Policy {
        mode: wire.mode,
        shadow: wire.shadow,
        hide_credentials: wire.hide_credentials,
        key_sources,
        keys,
        default_byok: if wire.forward_llm_provider_auth_headers { Byok::Preferred } else { Byok::Off },
        default_provider: default_provider?,
        providers,
        routes,
        credential_places,
        strip_list,
        identity_headers,
        realm: realm.into(),
    };
    let byok_overridden = consumers.iter().any(|consumer| consumer.byok.is_some())
        || policy.routes.iter().any(|route| route.byok.is_some());
    providers::warn_of_idle_keys(&policy.providers, byok_overridden, findings);
    warn_of_hidden_credentials(&policy, findings);
    if policy.providers.len() > 1
        && policy.identity_headers.provider.is_none()
        && policy.providers.iter().any(|provider| provider.clusters.is_none())
    {
        findings.warn(
            "providers",
            "nothing keeps one provider's credentials from another's cluster: let Envoy's routes match on identity_headers.provider, or set clusters",
        );
    }
    Some(policy)
}

fn key_sources(sources: Vec<wire::KeySource>, findings: &mut Findings) -> Vec<KeySource> {
    let mut checked: Vec<KeySource> = Vec::new();
    for (index, wire) in sources.into_iter().enumerate() {
        let path = format!("key_sources[{index}]");
        if wire.scheme.as_deref().is_some_and(|scheme| !is_token(scheme)) {
            findings.error(format_args!("{path}.scheme"), EXPECTED_TOKEN);
        }
        let location = match (wire.header, wire.query, wire.cookie) {
            (Some(header), None, None) => {
                let header = credential_header(&header);
                if header.is_none() {
                    findings.error(format_args!("{path}.header"), EXPECTED_HEADER);
                }
                header.map(Location::Header)
            }
            (None, Some(_), None) | (None, None, Some(_)) if wire.scheme.is_some() => {
                findings.error(format_args!("{path}.scheme"), "expected a scheme with a header alone");
                None
            }
            (None, Some(query), None) if !query.is_empty() => Some(Location::Query(query.into())),
            (None, None, Some(cookie)) if is_token(&cookie) => Some(Location::Cookie(cookie.into())),
            (None, Some(_), None) => {
                findings.error(format_args!("{path}.query"), "expected the name of a parameter");
                None
            }
            (None, None, Some(_)) => {
                findings.error(format_args!("{path}.cookie"), "expected the name of a cookie");
                None
            }
            _ => {
                findings.error(&path, "expected exactly one of header, query, cookie");
                None
            }
        };
        let Some(source) = location.map(|location| KeySource::new(location, wire.scheme.map(Into::into))) else {
            continue;
        };
        if checked.contains(&source) {
            findings.error(&path, "expected a source that is not listed before");
        }
        checked.push(source);
    }
    checked
}

/// Returns the customary sources, then the places of the providers that are not among them.
fn default_key_sources(providers: &[Provider]) -> Vec<KeySource> {
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

fn strip_list(entries: Vec<String>, places: &CredentialPlaces, findings: &mut Findings) -> StripList {
    let mut list = StripList::default();
    for (index, entry) in entries.into_iter().enumerate() {
        let path = format!("strip_request_headers[{index}]");
        let entry = entry.to_ascii_lowercase();
        let (name, is_prefix) = entry.strip_suffix('*').map_or((&*entry, false), |prefix| (prefix, true));
        if !is_token(name) || name.contains('*') {
            findings.error(path, "expected a header name, or the beginning of one and *");
        } else if !is_prefix && places.standing(name.as_bytes()) == Some(Standing::Named) {
            findings.error(
                path,
                "expected a header that carries no credential: those go anyway, or stay by the other rules",
            );
        } else if is_prefix {
            list.prefixes.push(name.into());
        } else {
            list.names.push(name.into());
        }
    }
    list
}

fn identity_headers(
    wire: wire::IdentityHeaders,
    places: &CredentialPlaces,
    findings: &mut Findings,
) -> IdentityHeaders {
    let mut taken: Vec<Box<str>> = Vec::new();
    let mut check = |field: &str, name: Option<String>| {
        let name = credential_header(&name?).filter(|name| places.standing(name.as_bytes()).is_none());
        let path = format!("identity_headers.{field}");
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

/// Warns where callers pass unverified to a next hop that does not see their key.
fn warn_of_hidden_credentials(policy: &Policy, findings: &mut Findings) {
    let mut check = |path: &str, mode: Mode, hide: Option<bool>, provider: &Provider| {
        let passed_on = hide.is_none() && provider.profile.deployment_key_beside_client;
        let doubtful = match mode {
            Mode::On => false,
            Mode::Auto => hide != Some(false),
            Mode::Off => hide.is_none(),
        };
        if doubtful && !passed_on {
            findings.warn(path, "hides the proxy key from the next hop, which is left to check it: set it to false");
        }
    };
    check("hide_credentials", policy.mode, policy.hide_credentials, &policy.default_provider);
    for (index, route) in policy.routes.iter().enumerate() {
        if let Some(mode) = route.mode {
            let provider = route.provider.as_ref().unwrap_or(&policy.default_provider);
            check(
                &format!("routes[{index}].hide_credentials"),
                mode,
                route.hide_credentials.or(policy.hide_credentials),
                provider,
            );
        }
    }
}
