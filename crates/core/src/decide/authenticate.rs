//! Who is calling: key sources, candidates, and the one that verifies.

use std::borrow::Cow;

use crate::decide::Circumstances;
use crate::earlier::{EarlierPass, KnownKey};
use crate::policy::{Key, KeySource, Location, Mode, Policy};
use crate::refusal::DenyReason;
use crate::request::{RequestHeaders, cookies, query};
use crate::secret::KeyDigest;
use crate::timestamp::Timestamp;
use crate::verify::{Answer, Answers, Question, VerificationService};

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
pub(crate) fn candidates<'a>(policy: &'a Policy, request: &RequestHeaders<'a>) -> impl Iterator<Item = Candidate<'a>> {
    policy.key_sources.iter().filter_map(|source| candidate(source, request))
}

/// Why there is no caller (yet).
pub(crate) enum Unauthenticated<'a> {
    Rejected(Rejection<'a>),
    /// Only the verification service can tell.
    Ask(Question),
}

/// Finds the first candidate that verifies; without one, the mode decides.
///
/// All candidates are looked up among the configured keys before the service is asked about any.
pub(crate) fn authenticate<'a>(
    policy: &'a Policy,
    mode: Mode,
    mut candidates: impl Iterator<Item = Candidate<'a>>,
    circumstances: &'a Circumstances<'_>,
) -> Result<Caller<'a>, Unauthenticated<'a>> {
    if mode == Mode::Off {
        return Ok(unverified(candidates.next()));
    }
    let now = circumstances.now;
    let mut first_bad: Option<Rejection<'a>> = None;
    let mut unknown = Vec::new();
    for candidate in candidates {
        let digest = KeyDigest::of(&candidate.secret);
        match policy.keys.find(digest).map(|key| candidate.verified_by(key, now)) {
            Some(Ok(caller)) => return Ok(caller),
            Some(Err(rejection)) => first_bad = first_bad.or(Some(rejection)),
            None => unknown.push((candidate, digest)),
        }
    }
    if let Some(service) = &policy.verification_service {
        for (candidate, digest) in &unknown {
            match answer(service, candidate, *digest, &circumstances.answers)?
                .map(|key| candidate.verified_by(key, now))
            {
                Some(Ok(caller)) => return Ok(caller),
                Some(Err(rejection)) => first_bad = first_bad.or(Some(rejection)),
                None => {}
            }
        }
    }
    let first = unknown.into_iter().next().map(|(candidate, _)| candidate);
    match (first_bad, mode, first) {
        (Some(rejection), _, _) => Err(rejection.into()),
        (None, Mode::On, Some(first)) => Err(first.rejected(DenyReason::UnknownApiKey).into()),
        (None, Mode::On, None) => {
            Err(Rejection { reason: DenyReason::MissingApiKey, auth_source: None, key: None }.into())
        }
        (None, Mode::Auto | Mode::Off, first) => Ok(unverified(first)),
    }
}

/// Returns the key that the service knows a candidate for, if it is one.
fn answer<'a>(
    service: &VerificationService,
    candidate: &Candidate<'a>,
    digest: KeyDigest,
    answers: &'a Answers,
) -> Result<Option<&'a Key>, Unauthenticated<'a>> {
    if !VerificationService::may_know(&candidate.secret) {
        return Ok(None);
    }
    match answers.find(digest) {
        Some(Answer::Key(key)) => Ok(Some(key)),
        Some(Answer::NotAKey) => Ok(None),
        Some(Answer::Unavailable) => Err(candidate.rejected(DenyReason::VerificationUnavailable).into()),
        None => Err(Unauthenticated::Ask(Question { digest, headers: service.request(&candidate.secret, digest) })),
    }
}

/// Takes the first value in a key source for the proxy key, as the next hop will.
fn unverified(first: Option<Candidate<'_>>) -> Caller<'_> {
    Caller {
        key: None,
        auth_source: first.as_ref().map(|candidate| candidate.source),
        proxy_key: first.map(|candidate| candidate.secret),
    }
}

/// Says who is calling from what an earlier pass found out; the key must still be there and hold.
pub(crate) fn recall<'a>(
    policy: &'a Policy,
    mode: Mode,
    earlier: &'a EarlierPass,
    request: &RequestHeaders<'a>,
    now: Timestamp,
) -> Result<Caller<'a>, Unauthenticated<'a>> {
    let auth_source = policy.key_sources.iter().find(|source| Some(&source.label) == earlier.auth_source.as_ref());
    let rejected = |reason, key| Err(Rejection { reason, auth_source, key }.into());
    let key = match &earlier.verified {
        Some(known) => match policy.recalled(known) {
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

impl Policy {
    fn recalled<'a>(&'a self, known: &'a KnownKey) -> Option<&'a Key> {
        match known {
            KnownKey::Configured { consumer, id } => self.keys.named(consumer, id),
            KnownKey::OfService(key) if self.verification_service.is_some() => Some(key),
            // Without a service its names are anyone's.
            KnownKey::OfService(key) => self.keys.named(&key.consumer.name, &key.id),
        }
    }
}

impl<'a> Candidate<'a> {
    fn verified_by(&self, key: &'a Key, now: Timestamp) -> Result<Caller<'a>, Rejection<'a>> {
        match key.holds(now) {
            Ok(()) => {
                Ok(Caller { key: Some(key), auth_source: Some(self.source), proxy_key: Some(self.secret.clone()) })
            }
            Err(reason) => Err(Rejection { key: Some(key), ..self.rejected(reason) }),
        }
    }

    fn rejected(&self, reason: DenyReason) -> Rejection<'a> {
        Rejection { reason, auth_source: Some(self.source), key: None }
    }
}

impl<'a> From<Rejection<'a>> for Unauthenticated<'a> {
    fn from(rejection: Rejection<'a>) -> Self {
        Self::Rejected(rejection)
    }
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
