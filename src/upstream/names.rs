//! Sets of header names that do not go upstream, and how a name is held against them.

use crate::policy::Location;
use crate::request::{HeaderName, NameSketch, query, separators_as_dashes};

/// Headers that carry credentials at some provider or gateway, whatever the configuration says.
const WELL_KNOWN: &[&str] = &[
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
    "x-litellm-api-key",
    "litellm_user_api_key",
    "proxy-authorization",
    "x-amz-security-token",
];

/// Query parameters that carry credentials at some provider or gateway: Azure's `api-key`, and the `access_token` of
/// [RFC 6750, 2.3](https://www.rfc-editor.org/rfc/rfc6750#section-2.3).
const WELL_KNOWN_QUERY: &[&str] = &["api-key", "access_token"];

/// LiteLLM forwards a header under this prefix to the provider, without the prefix.
const PASS_PREFIX: &[u8] = b"x-pass-";

/// Header names, compared as [`separators_as_dashes`] spells them.
#[derive(Debug, Default)]
struct NameSet {
    sketch: NameSketch,
    names: Vec<Box<str>>,
}

impl NameSet {
    fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut set = Self::default();
        for name in names {
            if !set.contains(name.as_bytes().into()) {
                set.sketch.insert(name.as_bytes().into());
                set.names.push(name.into());
            }
        }
        set
    }

    fn contains(&self, name: HeaderName<'_>) -> bool {
        let reads_like = |entry: &str| separators_as_dashes(entry.as_bytes()).eq(separators_as_dashes(name.bytes));
        self.sketch.may_contain(name) && self.names.iter().any(|entry| reads_like(entry))
    }
}

/// Every place that may carry a credential on any route: nothing stays there but what was chosen to.
#[derive(Debug)]
pub(crate) struct CredentialPlaces {
    headers: NameSet,
    query: Vec<Box<str>>,
    cookies: Vec<Box<str>>,
}

impl CredentialPlaces {
    /// Adds the places of key sources and providers to the well-known ones.
    pub(crate) fn new(places: impl Iterator<Item = Location>) -> Self {
        let mut headers: Vec<Box<str>> = WELL_KNOWN.iter().map(|name| (*name).into()).collect();
        let mut query: Vec<Box<str>> = WELL_KNOWN_QUERY.iter().map(|name| (*name).into()).collect();
        let mut cookies: Vec<Box<str>> = Vec::new();
        for place in places {
            match place {
                Location::Header(name) => headers.push(name),
                Location::Query(name) => query.push(name),
                Location::Cookie(name) => cookies.push(name),
            }
        }
        Self { headers: NameSet::new(headers.iter().map(|name| &**name)), query, cookies }
    }

    /// Whether a header is such a place, reads like one with other separators, or has `x-pass-` before it.
    pub(crate) fn contains<'n>(&self, name: impl Into<HeaderName<'n>>) -> bool {
        let name = name.into();
        let passed = name.bytes.split_at_checked(PASS_PREFIX.len());
        let passed = passed.filter(|(head, _)| separators_as_dashes(head).eq(PASS_PREFIX.iter().copied()));
        self.headers.contains(name) || passed.is_some_and(|(_, rest)| self.headers.contains(rest.into()))
    }

    /// Whether a query parameter of that name is such a place, or reads like one with other separators.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn contains_parameter_named(&self, name: &str) -> bool {
        let reads_like = |own: &str| separators_as_dashes(own.as_bytes()).eq(separators_as_dashes(name.as_bytes()));
        self.query.iter().any(|own| reads_like(own))
    }

    /// Returns the names of the query parameters that are such places.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn query(&self) -> &[Box<str>] {
        &self.query
    }

    /// Whether a query parameter is such a place, or reads like one with other separators.
    pub(crate) fn contains_parameter(&self, parameter: query::Parameter<'_>) -> bool {
        self.query.iter().any(|name| parameter.reads_like(name))
    }

    pub(crate) fn cookies(&self) -> &[Box<str>] {
        &self.cookies
    }
}

/// The headers that tell the upstream who is calling; inbound copies never pass.
#[derive(Debug)]
pub(crate) struct IdentityHeaders {
    pub(crate) consumer: Option<Box<str>>,
    pub(crate) key_id: Option<Box<str>>,
    pub(crate) credential_source: Option<Box<str>>,
    pub(crate) provider: Option<Box<str>>,
    inbound: NameSet,
}

impl IdentityHeaders {
    /// The customary names, removed even where the configuration sets no identity header.
    pub(crate) const CUSTOMARY: [&str; 4] =
        ["x-consumer-username", "x-credential-identifier", "x-byok-credential-source", "x-byok-provider"];

    pub(crate) fn new(
        consumer: Option<Box<str>>,
        key_id: Option<Box<str>>,
        credential_source: Option<Box<str>>,
        provider: Option<Box<str>>,
    ) -> Self {
        let configured = [&consumer, &key_id, &credential_source, &provider];
        let inbound = NameSet::new(configured.into_iter().flatten().map(|name| &**name).chain(Self::CUSTOMARY));
        Self { consumer, key_id, credential_source, provider, inbound }
    }

    pub(crate) fn contains<'n>(&self, name: impl Into<HeaderName<'n>>) -> bool {
        self.inbound.contains(name.into())
    }
}

/// Further headers that the operator keeps from the upstream.
#[derive(Debug, Default)]
pub(crate) struct StripList {
    pub(crate) names: Vec<Box<str>>,
    pub(crate) prefixes: Vec<Box<str>>,
}

impl StripList {
    /// Envoy's router answers 404 to a request without this one, which Envoy itself has set.
    pub(crate) const NEEDED_BY_ENVOY: &str = "x-forwarded-proto";

    pub(crate) fn contains(&self, name: &[u8]) -> bool {
        self.names.iter().any(|entry| entry.as_bytes() == name)
            || (name != Self::NEEDED_BY_ENVOY.as_bytes()
                && self.prefixes.iter().any(|prefix| name.starts_with(prefix.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_under_the_names_that_others_read_for_it() {
        let places = CredentialPlaces::new([Location::Header("x_own-key".into())].into_iter());
        for (name, is_place) in [
            ("x-api-key", true),
            ("x_api_key", true),
            ("x-api_key", true),
            ("x-pass-x-api-key", true),
            ("x_pass_x-api_key", true),
            ("litellm_user_api_key", true),
            ("x_own-key", true),
            ("x_own_key", true),
            ("x-pass-x_own-key", true),
            ("x.api.key", true),
            ("x~pass~x!own|key", true),
            ("xxapi-key", false),
            ("x-api-keys", false),
            ("x-pass-accept", false),
            ("x-pass-", false),
            ("api", false),
            ("", false),
        ] {
            assert_eq!(places.contains(name.as_bytes()), is_place, "{name}");
        }
    }
}
