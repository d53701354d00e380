//! Routes: which requests an entry matches, and the finished policy that it gives them.

use std::sync::Arc;

use super::{Byok, ClientCredentialPolicy, Consumer, KeySource, Provider, SingleValueLocation};

/// One entry of `routes`.
#[derive(Debug)]
pub struct Route {
    /// Which requests it is for.
    pub matcher: RouteMatch,
    /// What applies to them.
    pub policy: RoutePolicy,
}

/// What applies to the requests of one entry of `routes`, or to those that no entry matches. Everything that the entry
/// leaves out has been filled in from the top level.
#[derive(Debug)]
pub struct RoutePolicy {
    /// How callers are authenticated.
    pub mode: Mode,
    /// Whose credentials the requests carry.
    pub provider: Arc<Provider>,
    /// The names of the consumers that may pass.
    pub consumers: AllowList,
    /// Where proxy keys are looked for, in order. If there is none, the network authenticates callers.
    pub key_sources: Arc<[KeySource]>,
    /// The key sources and the provider's locations.
    pub(crate) single_value_locations: Vec<SingleValueLocation>,
    /// Whose policy applies to callers without a valid key, where the mode lets them pass.
    pub anonymous: Option<Arc<Consumer>>,
    /// What becomes of the proxy key.
    pub proxy_key: ProxyKeyHandling,
    /// Which credentials of the client's may go upstream, if the consumer does not say otherwise.
    pub client_credentials: ClientCredentialPolicy,
}

impl RoutePolicy {
    /// Returns which credentials of this caller's may go upstream: a consumer's `byok` overrides the route's.
    pub(crate) fn client_credentials_of(&self, consumer: Option<&Consumer>) -> ClientCredentialPolicy {
        let own: Option<Byok> = consumer.and_then(|consumer| consumer.byok);
        own.map_or(self.client_credentials, |byok| self.provider.client_credentials(byok))
    }
}

/// What becomes of a request whose proxy key is not valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It is refused.
    #[default]
    On,
    /// A request with a key that is not valid is refused; one without a key continues unverified.
    Optional,
    /// It continues unverified, unless its key is known and not valid: the next hop decides.
    Auto,
    /// It continues unverified, and nothing is looked up: the next hop authenticates.
    Off,
}

impl Mode {
    /// Returns the word that the configuration uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Optional => "optional",
            Self::Auto => "auto",
            Self::Off => "off",
        }
    }
}

/// What becomes of the proxy key once it has served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKeyHandling {
    /// It is removed.
    Hide,
    /// It stays in the auth source, for the next hop.
    Keep,
    /// It is removed if it was verified here; otherwise it stays, for the next hop that authenticates.
    HideIfVerified,
    /// It is removed if the caller has a deployment key, which the next hop receives instead; otherwise it stays.
    HideIfReplaced,
}

/// The names that a rule allows.
#[derive(Debug, PartialEq, Eq)]
pub enum AllowList {
    /// Every one, and none.
    All,
    /// These alone.
    Only(Box<[Box<str>]>),
}

impl AllowList {
    /// Whether a name is allowed; `None` is allowed only where every name is.
    pub fn allows(&self, name: Option<&[u8]>) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => name.is_some_and(|name| names.iter().any(|allowed| allowed.as_bytes() == name)),
        }
    }
}

impl<T: Into<Box<[Box<str>]>>> From<Option<T>> for AllowList {
    fn from(names: Option<T>) -> Self {
        names.map_or(Self::All, |names| Self::Only(names.into()))
    }
}

/// What a request must look like; a part that is `None` matches every request.
#[derive(Debug)]
pub struct RouteMatch {
    /// The path.
    pub path: Option<PathMatch>,
    /// The host.
    pub host: Option<HostMatch>,
    /// The methods.
    pub methods: Option<Vec<Box<str>>>,
}

/// Paths have no trailing slash.
#[derive(Debug, PartialEq)]
pub enum PathMatch {
    /// The whole path.
    Exact(Box<str>),
    /// Whole segments: `/v1` matches `/v1` and `/v1/messages`, not `/v1x`.
    Prefix(Box<str>),
}

/// Hosts are in lower case.
#[derive(Debug, PartialEq)]
pub enum HostMatch {
    /// This host.
    Exact(Box<str>),
    /// Names of any depth below: `*.example.com` is stored as `.example.com`.
    Below(Box<str>),
}

impl RouteMatch {
    /// Whether a request matches: its path without query, its normalized host, its method in any case.
    pub(crate) fn matches(&self, path: Option<&[u8]>, host: &[u8], method: &[u8]) -> bool {
        self.path.as_ref().is_none_or(|matcher| path.is_some_and(|path| matcher.matches(path)))
            && self.host.as_ref().is_none_or(|matcher| matcher.matches(host))
            && self
                .methods
                .as_ref()
                .is_none_or(|methods| methods.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(method)))
    }
}

impl PathMatch {
    fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => path.strip_suffix(b"/").unwrap_or(path) == exact.as_bytes(),
            Self::Prefix(prefix) => {
                path.strip_prefix(prefix.as_bytes()).is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
            }
        }
    }
}

impl HostMatch {
    fn matches(&self, host: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => host == exact.as_bytes(),
            Self::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_matches_whole_segments() {
        let prefix = PathMatch::Prefix("/v1/messages".into());
        for (path, matches) in [
            ("/v1/messages", true),
            ("/v1/messages/", true),
            ("/v1/messages/count_tokens", true),
            ("/v1/messagesX", false),
            ("/v1", false),
        ] {
            assert_eq!(prefix.matches(path.as_bytes()), matches, "{path}");
        }
        assert!(PathMatch::Prefix("".into()).matches(b"/anything"));
    }

    #[test]
    fn an_exact_path_ignores_one_trailing_slash() {
        let exact = PathMatch::Exact("/health".into());
        assert!(exact.matches(b"/health") && exact.matches(b"/health/"));
        assert!(!exact.matches(b"/health//") && !exact.matches(b"/healthz"));
        assert!(PathMatch::Exact("".into()).matches(b"/"));
    }

    #[test]
    fn a_wildcard_matches_names_below_alone() {
        let below = HostMatch::Below(".example.com".into());
        assert!(below.matches(b"a.example.com") && below.matches(b"a.b.example.com"));
        assert!(!below.matches(b"example.com") && !below.matches(b".example.com") && !below.matches(b"xexample.com"));
    }
}
