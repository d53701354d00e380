//! Who is calling: key sources, candidates, and the one that verifies.

use std::borrow::Cow;

use crate::earlier::EarlierPass;
use crate::policy::{Key, KeySource, Location, Mode, Policy};
use crate::refusal::DenyReason;
use crate::request::{RequestHeaders, cookies, query};
use crate::timestamp::Timestamp;

/// Anthropic's OAuth tokens begin like this; they are provider credentials, never proxy keys.
pub(crate) const ANTHROPIC_OAUTH_PREFIX: &[u8] = b"sk-ant-oat";

/// A credential value that stands in a key source of this request.
pub(crate) struct Candidate<'a> {
    pub(crate) source: &'a KeySource,
    pub(crate) secret: Cow<'a, [u8]>,
}

/// Who is calling, as far as it is known.
pub(crate) struct Caller<'a> {
    /// The key that verified; `None` for a caller who passes unverified.
    pub(crate) key: Option<&'a Key>,
    pub(crate) auth_source: Option<&'a KeySource>,
    /// The proxy key as it stands in the request; unverified, the first value in a key source.
    pub(crate) proxy_key: Option<Cow<'a, [u8]>>,
}

/// Why nobody was authenticated, and what the record may say about it.
pub(crate) struct Rejection<'a> {
    pub(crate) reason: DenyReason,
    pub(crate) auth_source: Option<&'a KeySource>,
    /// The key that is known and does not hold.
    pub(crate) key: Option<&'a Key>,
}

/// Returns what stands in the key sources, in their order.
pub(crate) fn candidates<'a>(policy: &'a Policy, request: &RequestHeaders<'a>) -> Vec<Candidate<'a>> {
    policy.key_sources.iter().filter_map(|source| candidate(source, request)).collect()
}

/// Finds the first candidate that verifies; without one, the mode decides.
pub(crate) fn authenticate<'a>(
    policy: &'a Policy,
    mode: Mode,
    candidates: Vec<Candidate<'a>>,
    now: Timestamp,
) -> Result<Caller<'a>, Rejection<'a>> {
    let mut known_but_bad = None;
    if mode != Mode::Off {
        for candidate in &candidates {
            let Some(key) = policy.keys.find(&candidate.secret) else { continue };
            match key.holds(now) {
                Ok(()) => {
                    return Ok(Caller {
                        key: Some(key),
                        auth_source: Some(candidate.source),
                        proxy_key: Some(candidate.secret.clone()),
                    });
                }
                Err(reason) => {
                    known_but_bad.get_or_insert(Rejection {
                        reason,
                        auth_source: Some(candidate.source),
                        key: Some(key),
                    });
                }
            }
        }
    }
    let first = candidates.into_iter().next();
    match (known_but_bad, mode, first) {
        (Some(rejection), _, _) => Err(rejection),
        (None, Mode::On, None) => Err(Rejection { reason: DenyReason::MissingApiKey, auth_source: None, key: None }),
        (None, Mode::On, Some(first)) => {
            Err(Rejection { reason: DenyReason::UnknownApiKey, auth_source: Some(first.source), key: None })
        }
        (None, Mode::Auto | Mode::Off, first) => Ok(Caller {
            key: None,
            auth_source: first.as_ref().map(|candidate| candidate.source),
            proxy_key: first.map(|candidate| candidate.secret),
        }),
    }
}

/// Says who is calling from what an earlier pass found out; the key must still be there and hold.
pub(crate) fn recall<'a>(
    policy: &'a Policy,
    mode: Mode,
    earlier: &EarlierPass,
    request: &RequestHeaders<'a>,
    now: Timestamp,
) -> Result<Caller<'a>, Rejection<'a>> {
    let auth_source = policy.key_sources.iter().find(|source| Some(&source.label) == earlier.auth_source.as_ref());
    let rejected = |reason, key| Err(Rejection { reason, auth_source, key });
    let key = match &earlier.verified {
        Some((consumer, id)) => match policy.keys.named(consumer, id) {
            Some(key) => Some(key),
            None => return rejected(DenyReason::UnknownApiKey, None),
        },
        None if mode == Mode::On => return rejected(DenyReason::MissingApiKey, None),
        None => None,
    };
    if let Some(Err(reason)) = key.map(|key| key.holds(now)) {
        return rejected(reason, key);
    }
    let proxy_key = auth_source.filter(|_| earlier.proxy_key_kept).and_then(|source| source.secret(request));
    Ok(Caller { key, auth_source, proxy_key })
}

/// Whether two different values stand in one of the places, or a list where one value belongs.
///
/// Envoy joins repeated `authorization` lines with a comma before any filter sees them.
pub(crate) fn is_ambiguous(places: &[Location], request: &RequestHeaders<'_>) -> bool {
    places.iter().any(|place| match place {
        Location::Header(name) => {
            let joined =
                **name == *"authorization" && request.values(name.as_bytes()).any(|value| value.contains(&b','));
            joined || differ(request.values(name.as_bytes()))
        }
        Location::Query(name) => differ(
            query::parameters(request.path().unwrap_or_default())
                .filter(|parameter| parameter.is_named(name))
                .map(query::Parameter::value),
        ),
        Location::Cookie(name) => differ(
            cookies::cookies(request.values(b"cookie"))
                .filter(|cookie| cookie.is_named(name))
                .map(cookies::Cookie::value),
        ),
    })
}

fn differ<T: AsRef<[u8]>>(values: impl Iterator<Item = T>) -> bool {
    let mut values = values.filter(|value| !value.as_ref().is_empty());
    let first = values.next();
    first.is_some_and(|first| values.any(|value| value.as_ref() != first.as_ref()))
}

fn candidate<'a>(source: &'a KeySource, request: &RequestHeaders<'a>) -> Option<Candidate<'a>> {
    let secret = source.secret(request)?;
    (!secret.starts_with(ANTHROPIC_OAUTH_PREFIX)).then_some(Candidate { source, secret })
}

impl<'a> Caller<'a> {
    /// Returns the place in which the proxy key stands in this request.
    pub(crate) fn location_of_proxy_key(&self) -> Option<&'a Location> {
        self.auth_source.filter(|_| self.proxy_key.is_some()).map(|source| &source.location)
    }
}

impl KeySource {
    /// Returns the first secret that stands here; an empty value, or a scheme with nothing behind it, is none.
    pub(crate) fn secret<'a>(&self, request: &RequestHeaders<'a>) -> Option<Cow<'a, [u8]>> {
        match &self.location {
            Location::Header(name) => request
                .values(name.as_bytes())
                .filter_map(|value| self.secret_in(value))
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
}

impl Key {
    /// # Errors
    /// Says why the key does not hold now.
    pub(crate) fn holds(&self, now: Timestamp) -> Result<(), DenyReason> {
        if self.disabled {
            return Err(DenyReason::DisabledApiKey);
        }
        if now >= self.expires_at {
            return Err(DenyReason::ExpiredApiKey);
        }
        if now < self.not_before {
            return Err(DenyReason::NotYetValidApiKey);
        }
        Ok(())
    }
}
