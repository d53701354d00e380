//! Callers that Envoy itself has authenticated: the identities of the configuration, and those of a request.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Consumer, Key, KeyRing, KeySource, Location, Policy};
use crate::http::{RequestHeaders, is_visible_ascii};
use crate::secret::KeyDigest;

/// A property in which Envoy names the caller that it has authenticated, and the consumers of its values.
#[derive(Debug)]
pub struct Identity {
    /// A token without colons; the key id of the callers.
    pub name: Box<str>,
    /// The path of an attribute of Envoy's
    /// (<https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes>).
    pub property: Box<[Box<str>]>,
    /// Where the credential travels that Envoy has verified; it never goes upstream.
    pub credential: Option<KeySource>,
    /// The `auth_source` token.
    pub label: Box<str>,
    pub(crate) listed: ListedValues,
    /// Whether it admits values that no consumer lists, as consumers of their own.
    pub(crate) allow_unlisted: bool,
}

/// The values that consumers list, each with a key that stands for the consumer's callers. They are found by their digests,
/// as keys are.
#[derive(Debug, Default)]
pub(crate) struct ListedValues {
    exact: KeyRing,
    by_prefix: KeyRing,
    /// The lengths of the prefixes, longer ones first, so that a request costs as many looks as there are lengths.
    prefix_lengths: Vec<usize>,
}

impl ListedValues {
    /// Adds a value, which may end in `*`; returns whether it is new.
    pub(crate) fn insert(&mut self, value: &str, key: Key) -> bool {
        let Some(prefix) = value.strip_suffix('*') else { return self.exact.insert(digest(value), key).is_ok() };
        if let Err(at) = self.prefix_lengths.binary_search_by(|length| prefix.len().cmp(length)) {
            self.prefix_lengths.insert(at, prefix.len());
        }
        self.by_prefix.insert(digest(prefix), key).is_ok()
    }

    /// Whether no consumer lists any.
    pub(crate) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.by_prefix.is_empty()
    }

    /// Returns the key of the first value that is listed: exact values first, then longer prefixes first.
    fn find(&self, values: &[String]) -> Option<&Key> {
        let exact = values.iter().find_map(|value| self.exact.find(digest(value)));
        exact.or_else(|| self.prefix_lengths.iter().find_map(|length| self.with_prefix(*length, values)))
    }

    fn with_prefix(&self, length: usize, values: &[String]) -> Option<&Key> {
        let mut starts = values.iter().filter_map(|value| value.get(..length));
        starts.find_map(|start| self.by_prefix.find(digest(start)))
    }
}

fn digest(value: &str) -> KeyDigest {
    KeyDigest::of(value.as_bytes())
}

impl Identity {
    /// Returns the `auth_source` token of the identity of that name.
    pub(crate) fn label(name: &str) -> String {
        format!("{LABEL_PREFIX}{name}")
    }

    /// Whether a label is one of an identity.
    pub(crate) fn is_label(label: &str) -> bool {
        label.starts_with(LABEL_PREFIX)
    }

    /// Whether a consumer's name is one that only values which no consumer lists get.
    pub(crate) fn gives_name(&self, consumer: &str) -> bool {
        self.allow_unlisted && consumer.strip_prefix(&*self.name).is_some_and(|rest| rest.starts_with(':'))
    }

    /// Whether anybody can be authenticated by it.
    pub(crate) fn admits_anybody(&self) -> bool {
        self.allow_unlisted || !self.listed.is_empty()
    }

    /// Returns the key that stands for a consumer's callers.
    pub(crate) fn key_of(&self, consumer: &str) -> Option<&Key> {
        let listed = &self.listed;
        listed.exact.named(consumer, &self.name).or_else(|| listed.by_prefix.named(consumer, &self.name))
    }

    /// Returns a key of the consumer that the first value is the name of, if such callers are admitted and the value can be
    /// part of a name.
    fn unlisted(&self, values: &[String]) -> Option<Key> {
        let value = values.first().filter(|_| self.allow_unlisted)?;
        let name = format!("{}:{value}", self.name);
        let is_name = name.len() <= 128 && is_visible_ascii(name.as_bytes());
        is_name.then(|| Key::of_default_consumer(name.into(), self.name.clone()))
    }
}

const LABEL_PREFIX: &str = "identity:";

/// What identified the caller.
#[derive(Clone, Copy, Debug)]
pub enum AuthSource<'a> {
    /// A key source, by its value.
    Key(&'a KeySource),
    /// Envoy.
    Identity(&'a Identity),
}

impl<'a> AuthSource<'a> {
    /// Returns the `auth_source` token.
    pub fn label(self) -> &'a str {
        match self {
            Self::Key(source) => &source.label,
            Self::Identity(identity) => &identity.label,
        }
    }

    /// Returns where the proxy key is, if it was one.
    pub(crate) fn proxy_key_location(self) -> Option<&'a Location> {
        match self {
            Self::Key(source) => Some(&source.location),
            Self::Identity(_) => None,
        }
    }
}

/// What Envoy says about the caller of one request, for each identity of the policy.
#[derive(Debug, Default)]
pub struct RequestIdentities(Vec<RequestIdentity>);

#[derive(Debug)]
struct RequestIdentity {
    /// Not empty if the property is present.
    values: Vec<String>,
    /// The caller, if no consumer lists it and it is admitted all the same.
    unlisted: Option<Key>,
}

impl RequestIdentities {
    /// Reads the property of each identity by a function that returns its values: none if it is absent, several if it is a
    /// list. A value that is not text is none.
    pub fn read<V: AsRef<[u8]>>(policy: &Policy, mut property: impl FnMut(&Identity) -> Vec<V>) -> Self {
        let read = |identity: &Identity| {
            let values: Vec<String> = property(identity).iter().filter_map(|value| text(value.as_ref())).collect();
            let unlisted = if identity.listed.find(&values).is_some() { None } else { identity.unlisted(&values) };
            RequestIdentity { values, unlisted }
        };
        Self(policy.identities.iter().map(read).collect())
    }

    /// Returns the policy's identities with what is known of each: whether its property is present, and whom it stands for.
    pub(crate) fn of<'a>(&'a self, policy: &'a Policy) -> impl Iterator<Item = (&'a Identity, bool, Option<&'a Key>)> {
        policy.identities.iter().zip(&self.0).map(|(identity, request)| {
            let key = identity.listed.find(&request.values).or(request.unlisted.as_ref());
            (identity, !request.values.is_empty(), key)
        })
    }

    /// Returns the credentials of the request that Envoy has verified.
    pub(crate) fn credentials<'a>(&self, policy: &Policy, request: &RequestHeaders<'a>) -> Vec<Cow<'a, [u8]>> {
        let present = policy.identities.iter().zip(&self.0).filter(|(_, request)| !request.values.is_empty());
        let credentials = present.filter_map(|(identity, _)| identity.credential.as_ref());
        credentials.filter_map(|credential| credential.secret(request)).collect()
    }
}

/// Returns a value that is not empty, and text without control characters.
fn text(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

impl Key {
    /// Returns a key, valid at any time, of a consumer that the configuration does not list.
    pub(crate) fn of_default_consumer(consumer: Box<str>, id: Box<str>) -> Self {
        Self::unlimited(Arc::new(Consumer::with_defaults(consumer)), id)
    }
}
