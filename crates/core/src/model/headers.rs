//! Sets of names that do not go upstream.

use super::Location;
use crate::http::{HeaderName, NameSketch, query, reads_like, starts_with_any};

/// Header names, compared by [`reads_like`].
#[derive(Debug, Default)]
pub(crate) struct NameSet {
    sketch: NameSketch,
    /// By their hashes.
    names: Vec<(u16, Box<str>)>,
}

impl NameSet {
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut set = Self::default();
        for entry in names {
            let name = HeaderName::from(entry.as_bytes());
            if !set.contains(name) {
                set.sketch.insert(name);
                set.names.insert(set.first_of(name.hash), (name.hash, entry.into()));
            }
        }
        set
    }

    #[inline]
    pub(crate) fn contains(&self, name: HeaderName<'_>) -> bool {
        self.sketch.may_contain(name) && self.lists(name)
    }

    /// For the few names that the sketch admits.
    fn lists(&self, name: HeaderName<'_>) -> bool {
        let mut alike = self.names.iter().skip(self.first_of(name.hash)).take_while(|(hash, _)| *hash == name.hash);
        alike.any(|(_, entry)| reads_like(entry.as_bytes(), name.bytes))
    }

    /// Returns where the names of that hash begin.
    fn first_of(&self, hash: u16) -> usize {
        self.names.partition_point(|(earlier, _)| *earlier < hash)
    }
}

/// Every location that may carry a credential on any route: only the selected credentials stay.
#[derive(Debug)]
pub struct CredentialLocations {
    headers: NameSet,
    query: Vec<Box<str>>,
    cookies: Vec<Box<str>>,
    /// How an item of `sec-websocket-protocol` starts that is a credential.
    websocket_prefixes: Vec<Box<str>>,
}

impl CredentialLocations {
    /// Takes locations that may repeat, and what precedes the name of such a header to make another one of it.
    pub(crate) fn new(locations: impl Iterator<Item = Location>, header_prefix: &str) -> Self {
        let (mut headers, mut query, mut cookies) = (Vec::<Box<str>>::new(), Vec::new(), Vec::new());
        let mut websocket_prefixes = Vec::new();
        for location in locations {
            match location {
                Location::Header(name) => headers.extend([format!("{header_prefix}{name}").into(), name]),
                Location::Query(name) => query.push(name),
                Location::Cookie(name) => cookies.push(name),
                Location::WebSocketProtocol(prefix) => websocket_prefixes.push(prefix),
            }
        }
        let headers = NameSet::new(headers.iter().map(|name| &**name));
        Self { headers, query, cookies, websocket_prefixes }
    }

    /// Whether a header is such a location, reads like one with other separators, or is one after the prefix.
    pub fn contains<'n>(&self, name: impl Into<HeaderName<'n>>) -> bool {
        self.headers.contains(name.into())
    }

    /// Whether a query parameter is such a location, or reads like one with other separators.
    pub fn contains_parameter(&self, parameter: query::Parameter<'_>) -> bool {
        self.query.iter().any(|name| parameter.reads_like(name))
    }

    /// Whether a query parameter of that name is such a location, or reads like one with other separators.
    pub fn contains_parameter_named(&self, name: &str) -> bool {
        self.query.iter().any(|own| reads_like(own.as_bytes(), name.as_bytes()))
    }

    /// Whether an item of `sec-websocket-protocol` is a credential.
    pub fn contains_subprotocol(&self, item: &[u8]) -> bool {
        starts_with_any(item, &self.websocket_prefixes)
    }

    /// Returns the names of the query parameters.
    pub fn query(&self) -> &[Box<str>] {
        &self.query
    }

    /// Returns the names of the cookies.
    pub fn cookies(&self) -> &[Box<str>] {
        &self.cookies
    }
}

/// The headers that tell the upstream who is calling. Inbound headers of these names are removed.
#[derive(Debug)]
pub struct IdentityHeaders {
    /// The consumer's name.
    pub consumer: Option<Box<str>>,
    /// The key's id.
    pub key_id: Option<Box<str>>,
    /// Whose credential goes upstream.
    pub credential_source: Option<Box<str>>,
    /// The provider's name, on every request that passes.
    pub provider: Option<Box<str>>,
    /// By the name of a label: its value.
    pub labels: Vec<(Box<str>, Box<str>)>,
    inbound: NameSet,
}

impl IdentityHeaders {
    /// Names that are removed even where the configuration sets no identity header.
    const ALWAYS_REMOVED: [&str; 8] = [
        "x-consumer-username",
        "x-credential-identifier",
        "x-byok-credential-source",
        "x-byok-provider",
        "x-consumer-id",
        "x-consumer-custom-id",
        "x-consumer-groups",
        "x-anonymous-consumer",
    ];

    pub(crate) fn new(
        consumer: Option<Box<str>>,
        key_id: Option<Box<str>>,
        credential_source: Option<Box<str>>,
        provider: Option<Box<str>>,
        labels: Vec<(Box<str>, Box<str>)>,
    ) -> Self {
        let configured = [&consumer, &key_id, &credential_source, &provider].into_iter().flatten();
        let configured = configured.chain(labels.iter().map(|(_, header)| header)).map(|name| &**name);
        let inbound = NameSet::new(configured.chain(Self::ALWAYS_REMOVED));
        Self { consumer, key_id, credential_source, provider, labels, inbound }
    }

    /// Whether an inbound header is removed: one of these, or one that reads like it with other separators.
    pub fn contains<'n>(&self, name: impl Into<HeaderName<'n>>) -> bool {
        self.inbound.contains(name.into())
    }
}

/// Further headers that the operator keeps from the upstream.
#[derive(Debug, Default)]
pub struct StripList {
    pub(crate) names: Vec<Box<str>>,
    pub(crate) prefixes: Vec<Box<str>>,
}

impl StripList {
    /// Envoy's router answers 404 to a request without this one, which Envoy itself has set.
    pub(crate) const NEEDED_BY_ENVOY: &str = "x-forwarded-proto";

    /// Whether a header is removed.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.names.iter().any(|entry| entry.as_bytes() == name)
            || (starts_with_any(name, &self.prefixes) && name != Self::NEEDED_BY_ENVOY.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_found_under_every_name_that_servers_take_for_it() {
        let names = ["x_own-key", "x-api-key", "api-key", "litellm_user_api_key"];
        let locations = names.into_iter().map(|name| Location::Header(name.into()));
        let locations = CredentialLocations::new(locations, "x-pass-");
        for (name, is_one) in [
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
            assert_eq!(locations.contains(name.as_bytes()), is_one, "{name}");
        }
    }
}
