//! Where credentials travel on a request.

use std::borrow::Cow;
use std::fmt;

use crate::http::{RequestHeaders, cookies, query, starts_with_any, strip_scheme, trim};
use crate::secret::Secret;

/// A part of the request that may carry a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A header, its name in lower case.
    Header(Box<str>),
    /// A query parameter.
    Query(Box<str>),
    /// A cookie.
    Cookie(Box<str>),
    /// The item of `sec-websocket-protocol` with this prefix: the value is what follows. Browsers cannot set any other
    /// header of a WebSocket.
    WebSocketProtocol(Box<str>),
}

impl Location {
    /// Returns the name, if this is a header.
    pub fn header(&self) -> Option<&str> {
        match self {
            Self::Header(name) => Some(name),
            Self::Query(_) | Self::Cookie(_) | Self::WebSocketProtocol(_) => None,
        }
    }

    /// Whether this is the header of that name.
    pub fn is_header(&self, name: &[u8]) -> bool {
        self.header().is_some_and(|header| header.as_bytes() == name)
    }

    /// Whether the request has two different non-empty values here.
    fn has_different_values(&self, request: &RequestHeaders<'_>) -> bool {
        match self {
            Self::Header(name) => differ(request.values(name.as_bytes())),
            Self::Query(name) => differ(
                query::parameters(request.path().unwrap_or_default())
                    .filter(|parameter| parameter.is_named(name))
                    .map(query::Parameter::value),
            ),
            Self::Cookie(name) => differ(
                cookies::cookies(request.values(b"cookie"))
                    .filter(|cookie| cookie.is_named(name))
                    .map(cookies::Cookie::value),
            ),
            Self::WebSocketProtocol(prefix) => differ(subprotocols(request).filter_map(|item| after(prefix, item))),
        }
    }
}

/// Returns the items of `sec-websocket-protocol`
/// ([RFC 6455, 11.3.4](https://www.rfc-editor.org/rfc/rfc6455#section-11.3.4)).
pub(crate) fn subprotocols<'a>(request: &RequestHeaders<'a>) -> impl Iterator<Item = &'a [u8]> {
    request.values(b"sec-websocket-protocol").flat_map(|line| line.split(|byte| *byte == b',')).map(trim)
}

/// Returns what follows a prefix.
pub(crate) fn after<'a>(prefix: &str, item: &'a [u8]) -> Option<&'a [u8]> {
    item.strip_prefix(prefix.as_bytes())
}

/// A location in which a request may have one value only.
#[derive(Debug)]
pub struct SingleValueLocation {
    /// The part of the request.
    pub location: Location,
    pub(crate) commas: Commas,
}

/// What a comma in a value means. Envoy joins repeated `authorization` lines with one before any filter sees them.
#[derive(Debug)]
pub(crate) enum Commas {
    /// It is part of the value.
    PartOfValue,
    /// It separates values.
    Separator,
    /// It separates values if one of the parts has one of these schemes, or starts with one of the prefixes. Otherwise it is
    /// part of a value of another scheme, such as an AWS signature, which nobody asked for.
    SeparatorOf { schemes: Vec<Box<str>>, prefixes: Vec<Box<str>> },
}

impl SingleValueLocation {
    /// Whether the request has two different non-empty values here.
    pub(crate) fn has_conflicting_values(&self, request: &RequestHeaders<'_>) -> bool {
        let is_list = |value: &[u8]| value.contains(&b',') && self.commas.separate(value);
        let has_list = || self.location.header().is_some_and(|name| request.values(name.as_bytes()).any(is_list));
        has_list() || self.location.has_different_values(request)
    }
}

impl Commas {
    fn separate(&self, value: &[u8]) -> bool {
        match self {
            Self::PartOfValue => false,
            Self::Separator => true,
            Self::SeparatorOf { schemes, prefixes } => value.split(|byte| *byte == b',').map(trim).any(|part| {
                schemes.iter().any(|scheme| strip_scheme(scheme, part).is_some()) || starts_with_any(part, prefixes)
            }),
        }
    }
}

fn differ<T: AsRef<[u8]>>(values: impl Iterator<Item = T>) -> bool {
    let mut values = values.filter(|value| !value.as_ref().is_empty());
    let first = values.next();
    first.is_some_and(|first| values.any(|value| value.as_ref() != first.as_ref()))
}

/// Writes the `auth_source` token: the name of a header, `query:NAME`, `cookie:NAME` or `websocket_protocol:PREFIX`.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => f.write_str(name),
            Self::Query(name) => write!(f, "query:{name}"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
            Self::WebSocketProtocol(prefix) => write!(f, "websocket_protocol:{prefix}"),
        }
    }
}

/// Where a proxy key may be presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySource {
    /// The part of the request.
    pub location: Location,
    /// In a header: only values of this scheme count. Without one the bare value does, or what follows `Bearer`.
    pub scheme: Option<Box<str>>,
    /// The `auth_source` token.
    pub label: Box<str>,
}

impl KeySource {
    pub(crate) fn new(location: Location, scheme: Option<Box<str>>) -> Self {
        Self { label: location.to_string().into(), location, scheme }
    }

    /// Returns the first secret of the request in this source; an empty value, or a scheme without a secret, is none.
    pub fn secret<'a>(&self, request: &RequestHeaders<'a>) -> Option<Cow<'a, [u8]>> {
        match &self.location {
            Location::Header(name) => request
                .values(name.as_bytes())
                .filter_map(|value| self.secret_of(value))
                .find(|secret| !secret.is_empty())
                .map(Cow::Borrowed),
            Location::Query(name) => query::parameters(request.path()?)
                .filter(|parameter| parameter.is_named(name))
                .map(query::Parameter::value)
                .find(|secret| !secret.is_empty()),
            Location::Cookie(name) => cookies::cookies(request.values(b"cookie"))
                .filter(|cookie| cookie.is_named(name))
                .map(cookies::Cookie::value)
                .find(|secret| !secret.is_empty())
                .map(Cow::Borrowed),
            Location::WebSocketProtocol(prefix) => subprotocols(request)
                .filter_map(|item| after(prefix, item))
                .find(|secret| !secret.is_empty())
                .map(Cow::Borrowed),
        }
    }

    /// Returns the secret of a header's value; it may be empty.
    fn secret_of<'a>(&self, value: &'a [u8]) -> Option<&'a [u8]> {
        match &self.scheme {
            Some(scheme) => strip_scheme(scheme, value),
            None => Some(strip_scheme("Bearer", value).unwrap_or(value)),
        }
    }
}

/// Writes the location, and the scheme in parentheses.
impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)?;
        self.scheme.as_ref().map_or(Ok(()), |scheme| write!(f, " ({scheme})"))
    }
}

/// The header in which an API receives a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamHeader {
    /// The name, in lower case.
    pub name: Box<str>,
    /// What precedes the credential.
    pub scheme: Option<Box<str>>,
}

impl UpstreamHeader {
    /// Returns the header's value for a credential.
    pub(crate) fn value(&self, credential: &[u8]) -> Vec<u8> {
        match &self.scheme {
            Some(scheme) => [scheme.as_bytes(), b" ", credential].concat(),
            None => credential.to_vec(),
        }
    }

    /// Returns the header's value for a configured secret.
    pub(crate) fn value_of(&self, secret: &Secret) -> Vec<u8> {
        self.value(secret.expose().as_bytes())
    }
}
