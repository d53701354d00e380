//! Providers: which credentials an upstream API takes, from where, and how its errors look.

use super::{AllowList, Consumer, Location, NameSet, UpstreamHeader};
use crate::http::{starts_with, starts_with_any};
use crate::secret::Secret;

/// An upstream API as the configuration describes it: its profile, with the operator's changes applied.
#[derive(Debug)]
pub struct Provider {
    /// The name that the operator gave it.
    pub name: Box<str>,
    /// Where client credentials are looked for, in order of preference.
    pub credential_rules: Vec<CredentialRule>,
    /// Prefixes of credentials of other vendors, and of those that belong to no API.
    pub(crate) foreign_prefixes: Vec<&'static str>,
    /// The prefixes that the operator has named: a value that starts with one of them is never foreign, unless that is an
    /// OAuth token's.
    pub(crate) named_prefixes: Vec<Box<str>>,
    /// Headers that scope the client's credential, and go with it.
    pub(crate) companions: NameSet,
    /// Where a deployment key goes.
    pub deployment_header: UpstreamHeader,
    /// How a deployment key starts that is an OAuth token, and how such a token is sent.
    pub(crate) oauth_deployment: Option<(&'static str, UpstreamHeader, Beta)>,
    pub(crate) deployment_key: Option<Secret>,
    /// Whether the next hop is a gateway itself, which receives its own key beside the client's credential.
    pub is_gateway: bool,
    /// Whether a consumer's or a route's `byok` other than `off` lets OAuth tokens pass too.
    pub(crate) oauth_if_overridden: bool,
    /// The Envoy clusters that may receive credentials.
    pub clusters: AllowList,
    /// The format of errors.
    pub dialect: Dialect,
}

impl Provider {
    /// Returns the key with which the gateway pays for a verified consumer.
    pub(crate) fn deployment_key_for<'a>(&'a self, consumer: &'a Consumer) -> Option<&'a Secret> {
        let own = consumer.deployment_keys.iter().find(|(provider, _)| *provider == self.name);
        own.map(|(_, key)| key).or(self.deployment_key.as_ref())
    }

    /// Whether the cluster that Envoy has chosen may receive this provider's credentials.
    pub(crate) fn allows_cluster(&self, cluster: Option<&[u8]>) -> bool {
        self.clusters.allows(cluster)
    }

    /// Whether an API key looks like one of this provider's.
    pub(crate) fn accepts_key_format(&self, rule: &CredentialRule, secret: &[u8]) -> bool {
        !self.is_foreign(secret) && rule.accepts(secret)
    }

    fn is_foreign(&self, secret: &[u8]) -> bool {
        let is_named = |foreign: &str| {
            let mut named = self.named_prefixes.iter().filter(|named| named.starts_with(foreign));
            named.any(|named| starts_with(secret, named))
        };
        self.foreign_prefixes.iter().any(|foreign| starts_with(secret, foreign) && !is_named(foreign))
    }

    /// Returns the header in which a deployment key goes upstream, and the beta that it needs.
    pub(crate) fn header_for(&self, deployment_key: &Secret) -> (&UpstreamHeader, Option<Beta>) {
        match &self.oauth_deployment {
            Some((prefix, header, beta)) if deployment_key.expose().starts_with(prefix) => (header, Some(*beta)),
            _ => (&self.deployment_header, None),
        }
    }

    /// Returns what a consumer's or a route's `byok` makes of client credentials.
    pub(crate) fn client_credentials(&self, byok: Byok) -> ClientCredentialPolicy {
        ClientCredentialPolicy { byok, oauth: self.oauth_if_overridden && byok != Byok::Off }
    }
}

/// One place where an API's credential is looked for, and what becomes of it.
#[derive(Debug)]
pub struct CredentialRule {
    /// Where it is looked for.
    pub location: Location,
    /// In a header: what must precede an API key; before an OAuth token it may.
    pub scheme: Option<Box<str>>,
    /// What it is.
    pub kind: CredentialKind,
    /// How it may start; if empty, any value of at least [`CredentialRule::MIN_LENGTH`] fits.
    pub prefixes: Vec<Box<str>>,
    /// The header to send it in, where that is not the one it came in.
    pub sent_as: Option<UpstreamHeader>,
    /// The item of a header without which the API refuses it.
    pub beta: Option<Beta>,
}

impl CredentialRule {
    /// Shorter values are placeholders, which some SDKs demand.
    pub const MIN_LENGTH: usize = 16;

    /// Whether a value starts like such a credential.
    pub(crate) fn accepts(&self, secret: &[u8]) -> bool {
        if self.prefixes.is_empty() {
            return secret.len() >= Self::MIN_LENGTH;
        }
        starts_with_any(secret, &self.prefixes)
    }
}

/// What a provider credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A key of the API.
    ApiKey,
    /// The token of a user's login.
    OauthToken,
}

/// An item of a comma-separated request header that enables a feature of an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beta {
    /// The header, in lower case.
    pub header: &'static str,
    /// The item.
    pub item: &'static str,
}

/// Whether a client's own provider credential is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Byok {
    /// Never: it is dropped.
    Off,
    /// If the client sent one; otherwise the deployment key is.
    Preferred,
    /// Always: a request without one is refused.
    Required,
}

/// Which credentials of the client's may go upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientCredentialPolicy {
    /// API keys.
    pub byok: Byok,
    /// Whether OAuth tokens may.
    pub oauth: bool,
}

impl ClientCredentialPolicy {
    /// Whether a credential of this kind may go upstream.
    pub fn allows(self, kind: CredentialKind) -> bool {
        match kind {
            CredentialKind::ApiKey => self.byok != Byok::Off,
            CredentialKind::OauthToken => self.oauth,
        }
    }
}

/// The error format that the clients of an API understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// <https://docs.anthropic.com/en/api/errors>
    Anthropic,
    /// <https://platform.openai.com/docs/guides/error-codes>
    OpenAi,
    /// <https://cloud.google.com/apis/design/errors>
    Google,
    /// LiteLLM's form of OpenAI's.
    LiteLlm,
}
