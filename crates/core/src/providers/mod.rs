//! Providers: which places carry a client's own credential, where a deployment key goes, how errors look.
//!
//! What one API is like stands in one file, its [`Profile`]; the decision reads profiles and knows no API.

mod anthropic;
mod azure_openai;
mod bedrock;
mod credential;
mod custom;
mod gemini;
mod litellm;
mod openai;

pub(crate) use credential::{ClientCredential, CredentialRules, client_credential};
#[cfg(not(target_family = "wasm"))]
pub(crate) use credential::{Standing, considered};

use crate::policy::{Byok, Consumer, KeySource, Location};
use crate::refusal::Dialect;
use crate::secret::Secret;

/// An upstream API as the configuration describes it.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) name: Box<str>,
    pub(crate) profile: Profile,
    pub(crate) byok: Option<Byok>,
    pub(crate) oauth: Option<bool>,
    /// A client key that fits none of them is not one; empty means that any value fits.
    pub(crate) client_key_prefixes: Vec<Box<str>>,
    /// The Envoy clusters that may receive credentials; `None` means all.
    pub(crate) clusters: Option<Vec<Box<str>>>,
    pub(crate) deployment_key: Option<Secret>,
    /// The places of key sources and of this provider, in which two values may not stand.
    pub(crate) guarded_places: Vec<Location>,
}

impl Provider {
    /// Returns the key that the gateway pays with for a verified consumer.
    pub(crate) fn deployment_key_of<'a>(&'a self, consumer: &'a Consumer) -> Option<&'a Secret> {
        let own = consumer.deployment_keys.iter().find(|(provider, _)| *provider == self.name);
        own.map(|(_, key)| key).or(self.deployment_key.as_ref())
    }

    pub(crate) fn receives(&self, cluster: Option<&[u8]>) -> bool {
        self.clusters.as_ref().is_none_or(|clusters| {
            cluster.is_some_and(|chosen| clusters.iter().any(|cluster| cluster.as_bytes() == chosen))
        })
    }
}

/// What is particular to one API.
#[derive(Debug)]
pub(crate) struct Profile {
    /// Where a client key is looked for, in this order.
    pub(crate) client_places: Vec<ClientPlace>,
    /// The headers in which an Anthropic OAuth token is looked for before that; none if the API takes no such token.
    pub(crate) oauth_places: Vec<Location>,
    pub(crate) deployment_slot: Slot,
    /// The next hop is a gateway itself: it gets its own key beside the client's credential.
    pub(crate) deployment_key_beside_client: bool,
    /// Whether a key that starts with `sk-ant-` may be meant for this API.
    pub(crate) takes_anthropic_keys: bool,
    pub(crate) client_key_prefixes: &'static [&'static str],
    pub(crate) dialect: Dialect,
}

impl Profile {
    /// Returns all places in which this API looks for credentials.
    pub(crate) fn places(&self) -> impl Iterator<Item = Location> {
        let client_places = self.client_places.iter().map(|place| place.location.clone());
        let slot = Location::Header(self.deployment_slot.header.clone());
        client_places.chain(self.oauth_places.iter().cloned()).chain([slot])
    }

    /// Returns the places as key sources: a stock client can carry the proxy key where it carries its own.
    pub(crate) fn key_sources(&self) -> impl Iterator<Item = KeySource> {
        self.client_places.iter().map(|place| KeySource::new(place.location.clone(), place.scheme.clone()))
    }
}

/// A place in which a client key may stand.
#[derive(Debug)]
pub(crate) struct ClientPlace {
    pub(crate) location: Location,
    pub(crate) scheme: Option<Box<str>>,
    /// The header that the API wants it in, where that is another one.
    pub(crate) sent_as: Option<Box<str>>,
}

impl ClientPlace {
    fn header(name: &str) -> Self {
        Self { location: Location::Header(name.into()), scheme: None, sent_as: None }
    }

    fn bearer() -> Self {
        Self { scheme: Some("Bearer".into()), ..Self::header("authorization") }
    }

    fn query(name: &str) -> Self {
        Self { location: Location::Query(name.into()), scheme: None, sent_as: None }
    }
}

/// The header that a deployment key goes into.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) header: Box<str>,
    pub(crate) scheme: Option<Box<str>>,
}

impl Slot {
    fn header(name: &str) -> Self {
        Self { header: name.into(), scheme: None }
    }

    fn bearer() -> Self {
        Self { header: "authorization".into(), scheme: Some("Bearer".into()) }
    }

    pub(crate) fn value(&self, key: &Secret) -> Vec<u8> {
        match &self.scheme {
            Some(scheme) => [scheme, " ", key.expose()].concat().into_bytes(),
            None => key.expose().as_bytes().to_vec(),
        }
    }
}

/// The name of each API, as `api` in the configuration has it, and its profile.
pub(crate) const PROFILES: &[Named] = &[
    ("anthropic", anthropic::profile),
    ("openai", openai::profile),
    ("azure_openai", azure_openai::profile),
    ("gemini", gemini::profile),
    ("bedrock", bedrock::profile),
    ("litellm", litellm::profile),
];

type Named = (&'static str, fn() -> Profile);

/// The name of the profile whose headers the configuration gives.
pub(crate) const CUSTOM: &str = "custom";
pub(crate) use custom::profile as custom_profile;
