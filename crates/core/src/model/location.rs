//! Where credentials travel on a request.

use std::borrow::Cow;
use std::fmt;

use crate::http::{RequestHeaders, cookies, query, strip_scheme};
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
}

impl Location {
    /// Returns the name, if this is a header.
    pub fn header(&self) -> Option<&str> {
        match self {
            Self::Header(name) => Some(name),
            Self::Query(_) | Self::Cookie(_) => None,
        }
    }

    /// Whether this is the header of that name.
    pub fn is_header(&self, name: &[u8]) -> bool {
        self.header().is_some_and(|header| header.as_bytes() == name)
    }

    /// Whether the request has two different non-empty values here, or a list where one value belongs.
    ///
    /// Envoy joins repeated `authorization` lines with a comma before any filter sees them.
    pub fn has_conflicting_values(&self, request: &RequestHeaders<'_>) -> bool {
        match self {
            Self::Header(name) => {
                let is_joined =
                    **name == *"authorization" && request.values(name.as_bytes()).any(|value| value.contains(&b','));
                is_joined || differ(request.values(name.as_bytes()))
            }
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
        }
    }
}

fn differ<T: AsRef<[u8]>>(values: impl Iterator<Item = T>) -> bool {
    let mut values = values.filter(|value| !value.as_ref().is_empty());
    let first = values.next();
    first.is_some_and(|first| values.any(|value| value.as_ref() != first.as_ref()))
}

/// Writes the `auth_source` token: the name of a header, `query:NAME` or `cookie:NAME`.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => f.write_str(name),
            Self::Query(name) => write!(f, "query:{name}"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
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
