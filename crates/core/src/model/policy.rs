//! Everything that decides about a request.

use std::sync::Arc;

use super::{
    AllowList, AuthSource, Beta, CredentialLocations, FilterStateParts, Identity, IdentityHeaders, KeyRing, Provider,
    Route, RoutePolicy, StripList, VerificationService,
};

/// A checked configuration.
#[derive(Debug)]
pub struct Policy {
    /// Whether requests are only watched: nothing is changed and nobody is refused.
    pub shadow: bool,
    /// The configured proxy keys.
    pub keys: KeyRing,
    /// How Envoy names the callers that it has authenticated, in the order in which they are tried.
    pub identities: Vec<Identity>,
    /// Who is asked about keys that are not configured.
    pub verification_service: Option<VerificationService>,
    /// All providers, in the order of the configuration.
    pub providers: Vec<Arc<Provider>>,
    /// The first entry that matches applies.
    pub routes: Vec<Route>,
    /// What applies to requests that no entry matches.
    pub default_route: RoutePolicy,
    /// Every location that may carry a credential on any route.
    pub credential_locations: CredentialLocations,
    /// Further headers that do not go upstream.
    pub strip_list: StripList,
    /// The headers that tell the upstream who is calling.
    pub identity_headers: IdentityHeaders,
    /// Prefixes of provider credentials, which are never proxy keys.
    pub(crate) never_candidates: &'static [&'static str],
    /// Features of APIs that only an OAuth token needs: without one their items do not go upstream.
    pub(crate) oauth_betas: &'static [Beta],
    /// Which parts of a decision are set as filter state.
    pub(crate) filter_state: FilterStateParts,
    pub(crate) realm: Box<str>,
    /// The URL of the metadata by which a client finds the authorization server.
    pub(crate) resource_metadata: Option<Box<str>>,
    /// A digest of the configuration and of the variables that it names, in hex.
    pub(crate) digest: Box<str>,
}

impl Policy {
    /// Whether any provider names the clusters that may receive its credentials, so that Envoy's choice matters.
    pub fn reads_cluster(&self) -> bool {
        self.providers.iter().any(|provider| provider.clusters != AllowList::All)
    }

    /// Whether any configured key has a date, so that the time of a request matters.
    pub fn reads_clock(&self) -> bool {
        self.keys.has_dates()
    }

    /// Returns the name of the property that carries the caller over an internal redirect.
    ///
    /// It differs between configurations: of two filters in one chain, neither reads what the other has verified.
    pub fn redirect_state_property(&self) -> String {
        format!("byok.redirect_state.{}", self.digest)
    }

    /// Returns the identity, or the key source of whichever route, that has that label.
    pub(crate) fn auth_source(&self, label: &str) -> Option<AuthSource<'_>> {
        let mut identities = self.identities.iter().map(AuthSource::Identity);
        let mut sources = self.route_policies().flat_map(|route| route.key_sources.iter()).map(AuthSource::Key);
        let has_label = |source: &AuthSource<'_>| source.label() == label;
        identities.find(has_label).or_else(|| sources.find(has_label))
    }

    /// Returns the policies of all entries and, last, the one of requests that no entry matches.
    pub fn route_policies(&self) -> impl Iterator<Item = &RoutePolicy> {
        self.routes.iter().map(|route| &route.policy).chain([&self.default_route])
    }
}
