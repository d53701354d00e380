//! Routes: which mode, provider and policy a request is held against.

use std::sync::Arc;

use crate::policy::{Byok, Mode, Policy};
use crate::provider::Provider;
use crate::request::{RequestHeaders, path};

/// One entry of `routes`; what it leaves out, the top level says.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) matcher: RouteMatch,
    pub(crate) mode: Option<Mode>,
    pub(crate) provider: Option<Arc<Provider>>,
    pub(crate) byok: Option<Byok>,
    pub(crate) hide_credentials: Option<bool>,
    /// The names of the consumers who may pass; `None` means all.
    pub(crate) consumers: Option<Vec<Box<str>>>,
}

/// What a request must look like for a route; what is `None` matches all.
#[derive(Debug)]
pub(crate) struct RouteMatch {
    pub(crate) path: Option<PathMatch>,
    pub(crate) host: Option<HostMatch>,
    pub(crate) methods: Option<Vec<Box<str>>>,
}

/// Paths are held without their trailing slash.
#[derive(Debug, PartialEq)]
pub(crate) enum PathMatch {
    Exact(Box<str>),
    /// Whole segments: `/v1` matches `/v1` and `/v1/messages`, not `/v1x`.
    Prefix(Box<str>),
}

/// Hosts are held in lower case.
#[derive(Debug, PartialEq)]
pub(crate) enum HostMatch {
    Exact(Box<str>),
    /// `*.example.com` is held as `.example.com`; it matches names of any depth below.
    Below(Box<str>),
}

/// What the matching route, or without one the top level, says about a request.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'p> {
    pub(crate) mode: Mode,
    pub(crate) provider: &'p Provider,
    pub(crate) route_byok: Option<Byok>,
    pub(crate) hide_credentials: Option<bool>,
    pub(crate) consumers: Option<&'p [Box<str>]>,
}

/// Two forms of the path match different routes, or servers disagree about its form: the next hop may serve another
/// route than the one that was checked.
#[derive(Debug)]
pub(crate) struct AmbiguousPath;

impl Policy {
    /// Returns the terms of the first route that matches, by the raw and by the normalized path.
    pub(crate) fn terms(&self, request: &RequestHeaders<'_>) -> Result<Terms<'_>, AmbiguousPath> {
        Ok(match self.route(request)? {
            None => Terms {
                mode: self.mode,
                provider: &self.default_provider,
                route_byok: None,
                hide_credentials: self.hide_credentials,
                consumers: None,
            },
            Some(route) => Terms {
                mode: route.mode.unwrap_or(self.mode),
                provider: route.provider.as_ref().unwrap_or(&self.default_provider),
                route_byok: route.byok,
                hide_credentials: route.hide_credentials.or(self.hide_credentials),
                consumers: route.consumers.as_deref(),
            },
        })
    }

    pub(crate) fn route(&self, request: &RequestHeaders<'_>) -> Result<Option<&Route>, AmbiguousPath> {
        if self.routes.is_empty() {
            return Ok(None);
        }
        let host = normalized_host(request.authority());
        let first_match =
            |path: Option<&[u8]>| self.routes.iter().find(|route| route.matcher.matches(path, &host, request.method()));
        let Some(raw) = request.path().map(path::without_query) else { return Ok(first_match(None)) };
        let route = first_match(Some(raw));
        let normalized = path::normalize(raw);
        if normalized.path == raw {
            return Ok(route);
        }
        if normalized.depends_on_order && self.routes.iter().any(|route| route.matcher.path.is_some()) {
            return Err(AmbiguousPath);
        }
        let other = first_match(Some(&normalized.path));
        let same = match (route, other) {
            (Some(route), Some(other)) => std::ptr::eq(route, other),
            (None, None) => true,
            _ => false,
        };
        if same { Ok(route) } else { Err(AmbiguousPath) }
    }
}

impl RouteMatch {
    fn matches(&self, path: Option<&[u8]>, host: &[u8], method: &[u8]) -> bool {
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

/// Takes port, trailing dot or colon, and case from a host.
fn normalized_host(authority: &[u8]) -> Vec<u8> {
    let port_at = authority.iter().rposition(|byte| *byte == b':');
    let host = match port_at.and_then(|at| authority.split_at_checked(at)) {
        // Not within an IPv6 address, which stands in brackets (RFC 3986, 3.2.2).
        Some((host, port)) if port.iter().skip(1).all(u8::is_ascii_digit) => host,
        _ => authority,
    };
    host.strip_suffix(b".").unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_loses_port_trailing_dot_or_colon_and_case() {
        for (authority, host) in [
            ("LLM.example.com", "llm.example.com"),
            ("llm.example.com:8443", "llm.example.com"),
            ("llm.example.com.:8443", "llm.example.com"),
            ("llm.example.com.", "llm.example.com"),
            ("llm.example.com:", "llm.example.com"),
            ("[2001:DB8::1]:80", "[2001:db8::1]"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("", ""),
        ] {
            assert_eq!(normalized_host(authority.as_bytes()), host.as_bytes(), "{authority}");
        }
    }

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
