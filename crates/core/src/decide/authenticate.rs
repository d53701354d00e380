//! Who is calling: the candidates in the key sources, and the one that is valid.

use std::borrow::Cow;

use super::{CandidateOutcome, Context, IdentityOutcome, KnownBy, Step, Trace};
use crate::http::{RequestHeaders, starts_with_any};
use crate::model::{
    AuthSource, Consumer, DenyReason, Key, KeySource, Location, Lookup, LookupResult, Mode, Policy, RoutePolicy,
    VerificationService,
};
use crate::secret::KeyDigest;
use crate::time::Timestamp;

/// Who is calling, as far as that is known.
pub(super) struct Caller<'a> {
    /// The key that was verified; `None` for a caller who passes without.
    pub(super) key: Option<&'a Key>,
    /// Whose policy applies: the key's owner, or else the route's anonymous consumer.
    pub(super) consumer: Option<&'a Consumer>,
    pub(super) auth_source: Option<AuthSource<'a>>,
    /// The proxy key as it is in the request, or the credential that Envoy has verified; unverified, the first value in a key
    /// source.
    pub(super) proxy_key: Option<Cow<'a, [u8]>>,
}

impl<'a> Caller<'a> {
    pub(super) fn verified(
        key: &'a Key,
        auth_source: Option<AuthSource<'a>>,
        proxy_key: Option<Cow<'a, [u8]>>,
    ) -> Self {
        Self { key: Some(key), consumer: Some(&key.consumer), auth_source, proxy_key }
    }

    /// Returns a caller without a valid key, in a mode that lets such callers pass.
    pub(super) fn without_key(
        route: &'a RoutePolicy,
        auth_source: Option<AuthSource<'a>>,
        proxy_key: Option<Cow<'a, [u8]>>,
    ) -> Self {
        Self { key: None, consumer: route.anonymous.as_deref(), auth_source, proxy_key }
    }

    /// Returns where the proxy key is in this request.
    pub(super) fn proxy_key_location(&self) -> Option<&'a Location> {
        self.auth_source.filter(|_| self.proxy_key.is_some()).and_then(AuthSource::proxy_key_location)
    }
}

/// Why there is no caller, or none yet.
pub(super) enum Unauthenticated<'a> {
    Rejected(Rejection<'a>),
    /// Only the verification service can tell.
    Lookup(Lookup<'a>),
}

/// Why nobody was authenticated, and what is recorded about it.
pub(super) struct Rejection<'a> {
    pub(super) reason: DenyReason,
    pub(super) auth_source: Option<AuthSource<'a>>,
    /// The key that is known and not valid.
    pub(super) key: Option<&'a Key>,
}

impl<'a> From<Rejection<'a>> for Unauthenticated<'a> {
    fn from(rejection: Rejection<'a>) -> Self {
        Self::Rejected(rejection)
    }
}

/// A value in a key source of this request.
struct Candidate<'a> {
    source: &'a KeySource,
    secret: Cow<'a, [u8]>,
    digest: KeyDigest,
}

/// Returns the caller of the first candidate that is a valid key, or whom Envoy has authenticated; without one, the mode
/// decides.
///
/// All candidates are looked up among the configured keys before an identity counts, and those before the service is asked
/// about any.
pub(super) fn authenticate<'a, T: Trace<'a>>(
    policy: &'a Policy,
    route: &'a RoutePolicy,
    request: &RequestHeaders<'a>,
    context: &'a Context<'_>,
    trace: &mut T,
) -> Result<Caller<'a>, Unauthenticated<'a>> {
    if route.mode == Mode::Off {
        return Ok(unchecked(policy, route, request, trace));
    }
    let mut findings = Findings { now: context.now, verified: None, first_invalid: None, trace };
    let mut unknown = Vec::new();
    for source in route.key_sources.iter() {
        let Some(secret) = read(policy, source, request, findings.trace) else { continue };
        let candidate = Candidate { source, digest: KeyDigest::of(&secret), secret };
        match policy.keys.find(candidate.digest) {
            Some(key) => findings.known(candidate, key, KnownBy::Configuration),
            None => unknown.push(candidate),
        }
        if findings.is_decided() {
            break;
        }
    }
    identify(policy, request, context, &mut findings);
    match &policy.verification_service {
        Some(service) if findings.verified.is_none() => look_up(service, &unknown, context, &mut findings)?,
        _ => unknown.iter().for_each(|candidate| findings.record(candidate, CandidateOutcome::Unknown)),
    }
    let Findings { verified, first_invalid, .. } = findings;
    let first_unknown = unknown.into_iter().next();
    match (verified, first_invalid, first_unknown, route.mode) {
        (Some(caller), ..) => Ok(caller),
        (None, Some(rejection), ..) => Err(rejection.into()),
        (None, None, Some(first), Mode::On | Mode::Optional) => {
            let auth_source = Some(AuthSource::Key(first.source));
            Err(Rejection { reason: DenyReason::UnknownApiKey, auth_source, key: None }.into())
        }
        (None, None, None, Mode::On) => {
            Err(Rejection { reason: DenyReason::MissingApiKey, auth_source: None, key: None }.into())
        }
        (None, None, Some(first), Mode::Auto | Mode::Off) => {
            // The next hop will take the first value in a key source for the proxy key.
            Ok(Caller::without_key(route, Some(AuthSource::Key(first.source)), Some(first.secret)))
        }
        (None, None, None, Mode::Optional | Mode::Auto | Mode::Off) => Ok(Caller::without_key(route, None, None)),
    }
}

/// What is known about the candidates so far.
struct Findings<'a, 't, T> {
    now: Timestamp,
    verified: Option<Caller<'a>>,
    first_invalid: Option<Rejection<'a>>,
    trace: &'t mut T,
}

impl<'a, T: Trace<'a>> Findings<'a, '_, T> {
    /// Whether no further candidate matters.
    fn is_decided(&self) -> bool {
        self.verified.is_some() && !T::EXHAUSTIVE
    }

    fn known(&mut self, candidate: Candidate<'a>, key: &'a Key, known_by: KnownBy) {
        match key.check_validity(self.now) {
            Ok(()) if self.verified.is_some() => self.record(&candidate, CandidateOutcome::AlsoValid(key, known_by)),
            Ok(()) => {
                self.record(&candidate, CandidateOutcome::Verified(key, known_by));
                let Candidate { source, secret, .. } = candidate;
                self.verified = Some(Caller::verified(key, Some(AuthSource::Key(source)), Some(secret)));
            }
            Err(reason) => {
                self.record(&candidate, CandidateOutcome::Invalid(key, known_by, reason));
                let auth_source = Some(AuthSource::Key(candidate.source));
                let rejection = Rejection { reason, auth_source, key: Some(key) };
                self.first_invalid.get_or_insert(rejection);
            }
        }
    }

    fn record(&mut self, candidate: &Candidate<'a>, outcome: CandidateOutcome<'a>) {
        let (source, digest) = (candidate.source, Some(candidate.digest));
        self.trace.record(|| Step::KeyCandidate { source, digest, outcome });
    }
}

/// Takes the first identity that stands for a consumer, unless a candidate is a configured key.
fn identify<'a, T: Trace<'a>>(
    policy: &'a Policy,
    request: &RequestHeaders<'a>,
    context: &'a Context<'_>,
    findings: &mut Findings<'a, '_, T>,
) {
    let has_configured_key = findings.verified.is_some() || findings.first_invalid.is_some();
    for (identity, is_present, key) in context.identities.of(policy) {
        if !T::EXHAUSTIVE && (has_configured_key || findings.verified.is_some()) {
            break;
        }
        let outcome = match key {
            Some(key) if has_configured_key => IdentityOutcome::KeyCounts(key),
            Some(key) if findings.verified.is_some() => IdentityOutcome::EarlierCounts(key),
            Some(key) => IdentityOutcome::Verified(key),
            None if is_present => IdentityOutcome::Unlisted,
            None => IdentityOutcome::Absent,
        };
        findings.trace.record(|| Step::Identity { identity, outcome });
        if let IdentityOutcome::Verified(key) = outcome {
            let credential = identity.credential.as_ref().and_then(|credential| credential.secret(request));
            findings.verified = Some(Caller::verified(key, Some(AuthSource::Identity(identity)), credential));
        }
    }
}

/// Asks for what the service says about candidates that no configured key is.
fn look_up<'a, T: Trace<'a>>(
    service: &VerificationService,
    unknown: &[Candidate<'a>],
    context: &'a Context<'_>,
    findings: &mut Findings<'a, '_, T>,
) -> Result<(), Unauthenticated<'a>> {
    let mut candidates = unknown.iter();
    let mut interrupted = None;
    for candidate in candidates.by_ref() {
        if !service.may_be_asked_about(&candidate.secret) {
            findings.record(candidate, CandidateOutcome::NeverLookedUp);
            continue;
        }
        match context.lookups.find(candidate.digest) {
            Some(LookupResult::Key(key)) => findings.known(candidate.clone(), key, KnownBy::Service),
            Some(LookupResult::NotAKey) => findings.record(candidate, CandidateOutcome::NotAKey),
            Some(LookupResult::Unavailable) => {
                findings.record(candidate, CandidateOutcome::Unavailable);
                let reason = DenyReason::VerificationUnavailable;
                let auth_source = Some(AuthSource::Key(candidate.source));
                interrupted = Some(Rejection { reason, auth_source, key: None }.into());
            }
            None => {
                findings.record(candidate, CandidateOutcome::LookupNeeded);
                let Candidate { digest, secret, .. } = candidate.clone();
                interrupted = Some(Unauthenticated::Lookup(Lookup { digest, secret }));
            }
        }
        if interrupted.is_some() || findings.verified.is_some() {
            break;
        }
    }
    // Nobody is asked about those that follow.
    candidates.for_each(|candidate| findings.record(candidate, CandidateOutcome::Unknown));
    interrupted.map_or(Ok(()), Err)
}

impl Clone for Candidate<'_> {
    fn clone(&self) -> Self {
        Self { source: self.source, secret: self.secret.clone(), digest: self.digest }
    }
}

/// Returns the candidate in a key source, if it has one.
fn read<'a, T: Trace<'a>>(
    policy: &Policy,
    source: &'a KeySource,
    request: &RequestHeaders<'a>,
    trace: &mut T,
) -> Option<Cow<'a, [u8]>> {
    let Some(secret) = source.secret(request) else {
        trace.record(|| Step::KeyCandidate { source, digest: None, outcome: CandidateOutcome::Absent });
        return None;
    };
    if starts_with_any(&secret, policy.never_candidates) {
        let outcome = CandidateOutcome::ProviderCredential;
        trace.record(|| Step::KeyCandidate { source, digest: Some(KeyDigest::of(&secret)), outcome });
        return None;
    }
    Some(secret)
}

/// Returns the caller in mode `off`, which looks nothing up.
fn unchecked<'a, T: Trace<'a>>(
    policy: &Policy,
    route: &'a RoutePolicy,
    request: &RequestHeaders<'a>,
    trace: &mut T,
) -> Caller<'a> {
    let mut caller = None;
    for source in route.key_sources.iter() {
        let Some(secret) = read(policy, source, request, trace) else { continue };
        let outcome = CandidateOutcome::NotChecked;
        trace.record(|| Step::KeyCandidate { source, digest: Some(KeyDigest::of(&secret)), outcome });
        caller.get_or_insert(Caller::without_key(route, Some(AuthSource::Key(source)), Some(secret)));
        if !T::EXHAUSTIVE {
            break;
        }
    }
    caller.unwrap_or_else(|| Caller::without_key(route, None, None))
}
