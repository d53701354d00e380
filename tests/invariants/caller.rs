//! Who is calling, by the documentation: the first candidate that is a valid key, else what the mode says.

use byok_testkit::corpus::Line;

use super::facts::{Facts, Level, Provider};
use super::identity::Identity;
use super::places::{self, is_oauth_token, secret_at, values_at};

/// What must be recorded of a caller, whether the request passes or not.
pub(super) struct Caller {
    /// `verified`, `anonymous`, `unverified`, or why nobody is let in.
    pub(super) reason: &'static str,
    /// The auth source; empty if there is none.
    pub(super) source: String,
    /// The proxy key; unverified, the first value in a key source.
    pub(super) key: Option<Vec<u8>>,
    pub(super) consumer: Option<String>,
    pub(super) key_id: Option<String>,
    /// Whether Envoy says who the caller is, and that stands for a consumer.
    pub(super) is_identified: bool,
    /// The credential that Envoy has verified.
    pub(super) of_identity: Option<Vec<u8>>,
}

impl Caller {
    pub(super) fn passes(&self) -> bool {
        ["verified", "anonymous", "unverified"].contains(&self.reason)
    }

    fn of(reason: &'static str, first: Option<&(String, Vec<u8>)>) -> Self {
        Self {
            reason,
            source: first.map(|(source, _)| source.clone()).unwrap_or_default(),
            key: first.map(|(_, secret)| secret.clone()),
            consumer: None,
            key_id: None,
            is_identified: false,
            of_identity: None,
        }
    }
}

/// Who sends a request, of which Envoy says that identity.
pub(super) fn caller(facts: &Facts, level: &Level, request: &[Line], identity: Option<&str>) -> Caller {
    let identified = facts.identity.as_ref().zip(identity.filter(|value| !value.is_empty()));
    let of_identity = identified.and_then(|(identity, _)| identity.credential_in(request));
    let consumer = identified.and_then(|(identity, value)| Some((identity, identity.consumer(value)?)));
    Caller { is_identified: consumer.is_some(), of_identity, ..by_key_or_identity(facts, level, request, consumer) }
}

fn by_key_or_identity(
    facts: &Facts,
    level: &Level,
    request: &[Line],
    identified: Option<(&Identity, String)>,
) -> Caller {
    let candidates = candidates(level, request);
    let first = candidates.first();
    if level.mode != "off" {
        let key_of = |secret: &[u8]| facts.keys.iter().find(|key| key.secret == secret);
        let known: Vec<_> = candidates.iter().filter_map(|one| Some((one, key_of(&one.1)?))).collect();
        let valid = known.iter().find(|(_, key)| key.reason == "verified");
        if let Some((candidate, key)) = valid.or(known.first()) {
            return Caller {
                consumer: Some(key.consumer.clone()),
                key_id: Some(key.id.clone()),
                ..Caller::of(key.reason, Some(candidate))
            };
        }
        if let Some((identity, consumer)) = identified {
            return Caller {
                source: format!("identity:{}", identity.name),
                key: identity.credential_in(request),
                consumer: Some(consumer),
                key_id: Some(identity.name.clone()),
                ..Caller::of("verified", None)
            };
        }
        match (&*level.mode, first) {
            ("on" | "optional", Some(_)) => return Caller::of("unknown_api_key", first),
            ("on", None) => return Caller::of("missing_api_key", None),
            _ => {}
        }
    }
    let reason = if level.anonymous.is_some() { "anonymous" } else { "unverified" };
    Caller { consumer: level.anonymous.clone(), ..Caller::of(reason, first) }
}

/// The secrets in the key sources, with the place of each.
fn candidates(level: &Level, request: &[Line]) -> Vec<(String, Vec<u8>)> {
    let candidate = |source: &places::Place| {
        let secret = values_at(request, &source.at).iter().find_map(|value| {
            // Only headers have schemes.
            if source.at.contains(':') { Some(value.clone()) } else { secret_at(value, &source.scheme) }
                .filter(|secret| !secret.is_empty())
        });
        secret.filter(|secret| !is_oauth_token(secret)).map(|secret| (source.at.clone(), secret))
    };
    level.sources.iter().filter_map(candidate).collect()
}

/// Tells whether a request has two values where one may be.
pub(super) fn is_ambiguous(facts: &Facts, level: &Level, provider: &Provider, request: &[Line]) -> bool {
    let tokens = [places::place("authorization", "Bearer"), places::place("x-api-key", "Bearer")];
    let tokens = tokens.iter().filter(|_| provider.api.oauth);
    let single: Vec<_> =
        level.sources.iter().chain(provider.all_places()).chain(tokens).chain(facts.identity_place()).collect();
    let differ = |place: &&&places::Place| {
        let mut values = values_at(request, &place.at);
        values.retain(|value| !value.is_empty());
        values.iter().any(|value| *value != values[0])
    };
    if single.iter().any(|place| differ(&place)) {
        return true;
    }
    // Envoy has joined its lines.
    let here: Vec<&str> =
        single.iter().filter(|place| place.at == "authorization").map(|place| &*place.scheme).collect();
    let is_accepted = |part: &[u8]| {
        here.iter().any(|scheme| places::behind(part, scheme).is_some())
            || provider.api.oauth && is_oauth_token(part.trim_ascii())
    };
    let is_list = |value: &Vec<u8>| {
        value.contains(&b',') && (here.contains(&"") || value.split(|byte| *byte == b',').any(is_accepted))
    };
    !here.is_empty() && values_at(request, "authorization").iter().any(is_list)
}
