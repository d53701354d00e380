//! Vendors are data: what is particular to an API is in its file here, and no vendor's header, prefix or beta is spelled
//! anywhere else. An API of OpenAI's form is one row of [`openai_form`].

mod anthropic;
mod anthropic_compatible;
mod azure_openai;
mod bedrock;
mod chatgpt;
mod custom;
mod foundry;
mod gemini;
mod litellm;
mod openai;
mod openai_compatible;
mod openai_form;
mod prefixes;
mod vertex;
mod well_known;

pub(crate) use custom::{CUSTOM, profile as custom_profile};
pub(crate) use prefixes::{foreign_to, never_looked_up};
pub(crate) use well_known::{
    CREDENTIAL_HEADERS, CREDENTIAL_PARAMETERS, CREDENTIAL_SUBPROTOCOLS, DEFAULT_PROVIDER, NEVER_CANDIDATES,
    OAUTH_BETAS, PASS_THROUGH_HEADER_PREFIX, SCHEMES, SECRET_PREFIXES, default_key_sources, looks_like_another_vendor,
};

use crate::model::{Beta, CredentialKind, CredentialRule, Dialect, KeySource, Location, UpstreamHeader};

/// What is particular to one API.
pub(crate) struct Profile {
    /// Where client credentials are looked for, in order of preference.
    pub(crate) rules: Vec<CredentialRule>,
    /// Further places in which clients of this API carry a key, which may be a proxy key.
    pub(crate) extra_sources: Vec<KeySource>,
    /// Whose credentials these are; `None` if no vendor's in particular.
    pub(crate) vendor: Option<&'static str>,
    /// Headers that scope the client's credential, and go with it.
    pub(crate) companions: &'static [&'static str],
    /// Where a deployment key goes.
    pub(crate) deployment_header: UpstreamHeader,
    /// Whether the next hop is a gateway itself, which receives its own key beside the client's credential.
    pub(crate) is_gateway: bool,
    pub(crate) dialect: Dialect,
}

impl Profile {
    /// Returns the locations of the API's keys as key sources: a client that can't send any other header can carry the
    /// proxy key where it carries its own.
    pub(crate) fn key_sources(&self) -> impl Iterator<Item = KeySource> {
        let api_keys = self.rules.iter().filter(|rule| rule.kind == CredentialKind::ApiKey);
        let of_rules = api_keys.map(|rule| KeySource::new(rule.location.clone(), rule.scheme.clone()));
        of_rules.chain(self.extra_sources.iter().cloned())
    }

    /// Returns all locations in which this API looks for credentials.
    pub(crate) fn locations(&self) -> impl Iterator<Item = Location> {
        let deployment = Location::Header(self.deployment_header.name.clone());
        self.rules.iter().map(|rule| rule.location.clone()).chain([deployment])
    }

    /// Returns how a deployment key starts that is an OAuth token, and how such a token is sent, if the API takes one.
    pub(crate) fn oauth_deployment(&self) -> Option<(&'static str, UpstreamHeader, Beta)> {
        let mut rules = self.rules.iter().filter(|rule| rule.kind == CredentialKind::OauthToken && !self.is_gateway);
        rules.find_map(|rule| Some((anthropic::OAUTH_TOKEN_PREFIX, rule.sent_as.clone()?, rule.beta?)))
    }
}

/// A profile's name, as `api` in the configuration has it, and what makes it.
type NamedProfile = (&'static str, fn() -> Profile);

/// The profiles with a file of their own, but `custom`.
const PROFILES: &[NamedProfile] = &[
    ("anthropic", anthropic::profile),
    ("anthropic_compatible", anthropic_compatible::profile),
    ("foundry", foundry::profile),
    ("openai", openai::profile),
    ("openai_compatible", openai_compatible::profile),
    ("chatgpt", chatgpt::profile),
    ("azure_openai", azure_openai::profile),
    ("gemini", gemini::profile),
    ("vertex", vertex::profile),
    ("bedrock", bedrock::profile),
    ("litellm", litellm::profile),
];

/// Returns the names of all profiles.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let of_openai_form = openai_form::VENDORS.iter().map(|vendor| vendor.name);
    PROFILES.iter().map(|(name, _)| *name).chain(of_openai_form).chain([CUSTOM])
}

/// Returns the profile of that name, unless it is `custom`.
pub(crate) fn profile(name: &str) -> Option<Profile> {
    let own = PROFILES.iter().find(|(own, _)| *own == name).map(|(_, profile)| profile());
    own.or_else(|| openai_form::profile(name))
}

/// A client's own API key in a header.
fn api_key(header: &str, prefixes: &[&str]) -> CredentialRule {
    key_in(Location::Header(header.into()), prefixes)
}

/// A client's own API key.
fn key_in(location: Location, prefixes: &[&str]) -> CredentialRule {
    CredentialRule {
        location,
        scheme: None,
        kind: CredentialKind::ApiKey,
        prefixes: prefixes.iter().map(|prefix| (*prefix).into()).collect(),
        sent_as: None,
        beta: None,
    }
}

/// A client's own API key with a scheme in `authorization`.
fn with_scheme(scheme: &str, prefixes: &[&str]) -> CredentialRule {
    CredentialRule { scheme: Some(scheme.into()), ..api_key("authorization", prefixes) }
}

/// A client's own API key as a bearer token ([RFC 6750, 2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)).
fn bearer(prefixes: &[&str]) -> CredentialRule {
    with_scheme("Bearer", prefixes)
}

/// A client's own API key in a query parameter.
fn parameter(name: &str, prefixes: &[&str]) -> CredentialRule {
    key_in(Location::Query(name.into()), prefixes)
}

fn header(name: &str) -> UpstreamHeader {
    UpstreamHeader { name: name.into(), scheme: None }
}

fn bearer_header() -> UpstreamHeader {
    UpstreamHeader { name: "authorization".into(), scheme: Some("Bearer".into()) }
}
