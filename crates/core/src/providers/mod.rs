//! Vendors are data: what is particular to an API is in its file here, and no vendor's header, prefix or beta is spelled
//! anywhere else.

mod anthropic;
mod azure_openai;
mod bedrock;
mod custom;
mod gemini;
mod litellm;
mod openai;
mod well_known;

pub(crate) use custom::{CUSTOM, profile as custom_profile};
pub(crate) use well_known::{
    CREDENTIAL_HEADERS, CREDENTIAL_PARAMETERS, DEFAULT_PROVIDER, NEVER_CANDIDATES, NEVER_LOOKED_UP,
    PASS_THROUGH_HEADER_PREFIX, SECRET_PREFIXES, WEBSOCKET_PREFIXES, default_key_sources,
};

use crate::model::{CredentialKind, CredentialRule, Dialect, KeySource, Location, UpstreamHeader};

/// What is particular to one API.
pub(crate) struct Profile {
    /// Where client credentials are looked for, in order of preference.
    pub(crate) rules: Vec<CredentialRule>,
    /// Prefixes of credentials that never belong to this API.
    pub(crate) foreign_prefixes: &'static [&'static str],
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
        api_keys.map(|rule| KeySource::new(rule.location.clone(), rule.scheme.clone()))
    }

    /// Returns all locations in which this API looks for credentials.
    pub(crate) fn locations(&self) -> impl Iterator<Item = Location> {
        let deployment = Location::Header(self.deployment_header.name.clone());
        self.rules.iter().map(|rule| rule.location.clone()).chain([deployment])
    }
}

/// A profile's name, as `api` in the configuration has it, and what makes it.
type NamedProfile = (&'static str, fn() -> Profile);

/// All profiles but `custom`.
pub(crate) const PROFILES: &[NamedProfile] = &[
    ("anthropic", anthropic::profile),
    ("openai", openai::profile),
    ("azure_openai", azure_openai::profile),
    ("gemini", gemini::profile),
    ("bedrock", bedrock::profile),
    ("litellm", litellm::profile),
];

/// An API key in a header of its own.
fn api_key(header: &str, prefixes: &[&str]) -> CredentialRule {
    CredentialRule {
        location: Location::Header(header.into()),
        scheme: None,
        kind: CredentialKind::ApiKey,
        prefixes: prefixes.iter().map(|prefix| (*prefix).into()).collect(),
        sent_as: None,
        beta: None,
    }
}

/// An API key as a bearer token ([RFC 6750, 2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)).
fn bearer(prefixes: &[&str]) -> CredentialRule {
    CredentialRule { scheme: Some("Bearer".into()), ..api_key("authorization", prefixes) }
}

fn header(name: &str) -> UpstreamHeader {
    UpstreamHeader { name: name.into(), scheme: None }
}

fn bearer_header() -> UpstreamHeader {
    UpstreamHeader { name: "authorization".into(), scheme: Some("Bearer".into()) }
}
