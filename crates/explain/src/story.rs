//! What became of a request, step by step: the decision comes from [`decide`], the steps from the functions that it
//! calls.

use std::collections::BTreeMap;

use serde::Serialize;

use super::masked;
use super::request::Request;
use crate::authenticate::{Caller, authenticate, candidates, is_ambiguous};
use crate::decide::{Circumstances, Decision, choose_credentials, decide};
use crate::policy::{Key, KeySource, Mode, Policy};
use crate::provider::{CredentialRules, Standing, considered};
use crate::record::{CredentialSource, Record};
use crate::request::{RequestHeaders, path};
use crate::route::Terms;
use crate::secret::KeyDigest;
use crate::timestamp::Timestamp;
use crate::upstream::{Credentials, HeaderMutation, mutations, reason};
use crate::verify::{Answer, VerificationService};

/// A decision and how it came about; it shows no secret.
#[derive(Debug, Default, Serialize)]
pub struct Explanation {
    pub(super) request: String,
    pub(super) route: String,
    pub(super) candidates: Vec<Told>,
    pub(super) client_credentials: Vec<Told>,
    /// What else there is to know.
    pub(super) notes: Vec<String>,
    pub(super) record: BTreeMap<String, String>,
    pub(super) counter: Option<String>,
    pub(super) edits: Vec<Edit>,
    pub(super) upstream: Option<Upstream>,
    pub(super) refusal: Option<Answered>,
    /// The header lines that go upstream, pseudo-headers included, as they are.
    #[serde(skip)]
    pub(super) upstream_lines: Option<Vec<(Vec<u8>, Vec<u8>)>>,
}

/// A value in a place, and what became of it.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    pub(super) place: String,
    pub(super) fingerprint: Option<String>,
    pub(super) fate: String,
}

/// A header edit and why.
#[derive(Debug, Serialize)]
pub(super) struct Edit {
    pub(super) action: &'static str,
    pub(super) header: String,
    pub(super) value: Option<String>,
    pub(super) reason: String,
}

/// What goes upstream.
#[derive(Debug, Serialize)]
pub(super) struct Upstream {
    pub(super) start: String,
    /// Credentials, by their fingerprint, and what the filter has set.
    pub(super) headers: Vec<(String, String)>,
    /// The names of the headers that pass as they came.
    pub(super) unchanged: Vec<String>,
}

/// The answer to a refused request.
#[derive(Debug, Serialize)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The response headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body, empty where Envoy sends none.
    pub body: String,
    /// What Envoy logs as `%RESPONSE_CODE_DETAILS%`.
    pub details: String,
}

impl Explanation {
    /// Decides about a request and tells how.
    pub fn new(policy: &Policy, request: &Request, circumstances: &Circumstances<'_>) -> Self {
        let lines = request.lines();
        let headers = RequestHeaders::from_lines(lines.iter().map(|(name, value)| (&**name, &**value)).collect());
        let mut story = Self { request: start(request), ..Self::default() };
        story.tell_steps(policy, &headers, circumstances);
        match decide(policy, &headers, circumstances) {
            Decision::Allow { record, mutations } => {
                story.note_record(&record);
                story.tell_upstream(policy, &lines, &mutations);
            }
            Decision::Deny { record, refusal } => {
                story.note_record(&record);
                // Envoy drops the body of an answer to HEAD.
                let body = if request.method == b"HEAD" { Vec::new() } else { refusal.body };
                story.refusal = Some(Answered {
                    status: refusal.status,
                    headers: refusal.headers,
                    body: String::from_utf8_lossy(&body).into_owned(),
                    details: refusal.details,
                });
            }
            Decision::AskService { .. } => {
                let service = policy.verification_service().map(VerificationService::cluster).unwrap_or_default();
                story.notes.push(format!("the verification service is asked first (cluster {service})"));
            }
        }
        story
    }

    fn note_record(&mut self, record: &Record<'_>) {
        let part = |name: &str| name.strip_prefix("byok.").unwrap_or(name).to_owned();
        self.record = record.entries().map(|(name, value)| (part(name), value.to_owned())).collect();
        self.counter = Some(format!("wasmcustom.{}", record.counter()));
    }

    /// Follows the decision's own steps, as far as the request gets.
    fn tell_steps(&mut self, policy: &Policy, request: &RequestHeaders<'_>, circumstances: &Circumstances<'_>) {
        let Ok(terms) = policy.terms(request) else {
            let raw = request.path().map(path::without_query).unwrap_or_default();
            let normalized = path::normalize(raw);
            self.route = if normalized.depends_on_order {
                format!("servers disagree about {}: it has `..` or `;`, perhaps percent-encoded", super::text(raw))
            } else {
                let normalized = super::text(&normalized.path);
                format!("{} and {normalized}, its normalized form, reach different entries", super::text(raw))
            };
            return;
        };
        self.route = route(policy, request, &terms);
        self.candidates = told_candidates(policy, terms.mode, request, circumstances);
        let ambiguous = terms.provider.guarded_places.iter().filter(|place| is_ambiguous(&[(*place).clone()], request));
        let ambiguous: Vec<String> = ambiguous.map(ToString::to_string).collect();
        if !ambiguous.is_empty() {
            self.notes.push(format!("two values stand in {}", ambiguous.join(", ")));
            return;
        }
        let authenticated = || authenticate(policy, terms.mode, candidates(policy, request), circumstances).ok();
        let (Some(caller), Some(again)) = (authenticated(), authenticated()) else { return };
        self.notes.push(who_is(&caller));
        let rules = CredentialRules::new(policy, &terms, caller.key.map(|key| &*key.consumer));
        let chosen = choose_credentials(policy, &terms, again, request, None);
        let kept = chosen.as_ref().ok().and_then(|credentials| credentials.kept);
        let values = considered(terms.provider, rules, request, &caller, kept, &policy.keys);
        self.client_credentials = told_values(&values, &caller, chosen.as_ref().ok());
        let Ok(credentials) = chosen else { return };
        if policy.is_shadow() {
            self.notes.push("shadow: nothing is changed and nobody is refused".to_owned());
            return;
        }
        let mut record = Record::new(terms.provider);
        record.who_is_calling(caller.key, caller.auth_source);
        record.credential_source = credentials.source();
        self.notes.push(who_pays(record.credential_source, terms.provider.name.as_ref(), &caller));
        let edits = mutations(policy, request, &credentials, &record);
        let edit = |edit: &HeaderMutation<'_>| told_edit(edit, policy, request, &credentials);
        self.edits = edits.iter().map(edit).collect();
    }

    fn tell_upstream(&mut self, policy: &Policy, lines: &[(Vec<u8>, Vec<u8>)], mutations: &[HeaderMutation<'_>]) {
        let edited = edited(lines.to_vec(), mutations);
        let of = |wanted: &[u8]| edited.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_slice());
        let method = super::text(of(b":method").unwrap_or_default());
        let start = of(b":path").map_or(method.clone(), |path| format!("{method} {}", masked::path(path)));
        let is_set = |wanted: &[u8]| {
            mutations.iter().any(|edit| matches!(edit, HeaderMutation::Set { name, .. } if **name == *wanted))
        };
        let mut upstream = Upstream { start, headers: Vec::new(), unchanged: Vec::new() };
        for (name, value) in edited.iter().filter(|(name, _)| !name.starts_with(b":")) {
            if policy.credential_places.contains(&**name) {
                upstream.headers.push((super::text(name), masked::credential(value)));
            } else if is_set(name) {
                upstream
                    .headers
                    .push((super::text(name), masked::value(policy, name, value).unwrap_or_else(|| "…".to_owned())));
            } else {
                upstream.unchanged.push(super::text(name));
            }
        }
        self.upstream = Some(upstream);
        self.upstream_lines = Some(edited);
    }

    /// Returns the parts of the record that are set, as filter state names them behind `wasm.byok.`.
    pub fn record(&self) -> &BTreeMap<String, String> {
        &self.record
    }

    /// Returns the header lines that go upstream, pseudo-headers included; `None` where nothing does.
    pub fn upstream(&self) -> Option<&[(Vec<u8>, Vec<u8>)]> {
        self.upstream_lines.as_deref()
    }

    /// Returns the answer to a refused request; `None` where it goes on.
    pub fn refusal(&self) -> Option<&Answered> {
        self.refusal.as_ref()
    }

    /// Returns the explanation as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

fn start(request: &Request) -> String {
    let path = request.path.as_ref().map_or(String::new(), |path| format!(" {}", masked::path(path)));
    format!("{}{path}, host {}", super::text(&request.method), super::text(&request.host))
}

fn route(policy: &Policy, request: &RequestHeaders<'_>, terms: &Terms<'_>) -> String {
    let matched = policy.route(request).ok().flatten();
    let index = matched.and_then(|matched| policy.routes.iter().position(|route| std::ptr::eq(route, matched)));
    let which = match (index, policy.routes.is_empty()) {
        (Some(index), _) => format!("routes[{index}]"),
        (None, true) => "no routes: the top level".to_owned(),
        (None, false) => "none of the routes matches: the top level".to_owned(),
    };
    let mode = match terms.mode {
        Mode::On => "on",
        Mode::Auto => "auto",
        Mode::Off => "off",
    };
    format!("{which}; mode {mode}, provider {}", terms.provider.name)
}

fn told_candidates(
    policy: &Policy,
    mode: Mode,
    request: &RequestHeaders<'_>,
    circumstances: &Circumstances<'_>,
) -> Vec<Told> {
    let found: Vec<_> = candidates(policy, request).collect();
    let mut has_verified = false;
    let mut told = |source: &KeySource| {
        let place = described(source);
        let Some(secret) = source.secret(request) else {
            return Told { place, fingerprint: None, fate: "holds nothing".to_owned() };
        };
        let digest = KeyDigest::of(&secret);
        let is_candidate = found.iter().any(|candidate| std::ptr::eq(candidate.source, source));
        let fate = if !is_candidate {
            "an OAuth token: a provider credential, never a proxy key".to_owned()
        } else if mode == Mode::Off {
            "not looked up: mode off".to_owned()
        } else {
            let answer = circumstances.answers.find(digest);
            match (policy.keys.find(digest), answer) {
                (Some(key), _) => fate_of(key, circumstances.now, &mut has_verified),
                (None, Some(Answer::Key(key))) => {
                    format!("{}, says the service", fate_of(key, circumstances.now, &mut has_verified))
                }
                (None, Some(Answer::NotAKey)) => "not a key, says the service".to_owned(),
                (None, Some(Answer::Unavailable)) => "the service does not say".to_owned(),
                (None, None) if policy.verification_service().is_some() && !has_verified => {
                    let may_know = VerificationService::may_know(&secret);
                    let asked = if may_know { "may know it" } else { "is never asked about such a value" };
                    format!("not configured; the service {asked}")
                }
                (None, None) => "not a configured key".to_owned(),
            }
        };
        Told { place, fingerprint: Some(digest.fingerprint()), fate }
    };
    policy.key_sources.iter().map(&mut told).collect()
}

fn fate_of(key: &Key, now: Timestamp, has_verified: &mut bool) -> String {
    let whose = format!("{}, key {}", key.consumer.name, key.id);
    match key.holds(now) {
        Ok(()) if *has_verified => format!("verifies too ({whose}); the earlier one counts"),
        Ok(()) => {
            *has_verified = true;
            format!("verifies: {whose}")
        }
        Err(reason) => format!("{} ({whose})", reason.as_str()),
    }
}

fn described(source: &KeySource) -> String {
    source.scheme.as_ref().map_or_else(|| source.label.to_string(), |scheme| format!("{} ({scheme})", source.label))
}

fn who_is(caller: &Caller<'_>) -> String {
    match (caller.key, caller.auth_source) {
        (Some(key), Some(source)) => {
            format!("the caller is {}, by the key {} in {}", key.consumer.name, key.id, source.label)
        }
        (_, Some(source)) => {
            format!("the caller is not verified; what stands in {} is taken for the key of the next hop", source.label)
        }
        (_, None) => "the caller is not verified, and no place holds a key".to_owned(),
    }
}

fn told_values(
    values: &[(&crate::policy::Location, std::borrow::Cow<'_, [u8]>, Standing)],
    caller: &Caller<'_>,
    chosen: Option<&Credentials<'_>>,
) -> Vec<Told> {
    let mut has_fit = false;
    let mut told = |(place, secret, standing): &(&crate::policy::Location, std::borrow::Cow<'_, [u8]>, Standing)| {
        let fate = match standing {
            Standing::Fits if caller.auth_source.is_none() => {
                "dropped: with no known proxy key beside it, it may be one itself"
            }
            // Without a choice there was none that could be sent.
            Standing::Fits if chosen.is_none() => "dropped: it would overwrite the proxy key that is kept",
            Standing::Fits if has_fit => "fits too; the earlier one goes",
            Standing::Fits => {
                has_fit = true;
                "the client's own: goes upstream"
            }
            Standing::ByokOff => "dropped: byok is off",
            Standing::OauthOff => "dropped: OAuth tokens are off",
            Standing::NotOfThisApi => "dropped: fits no client_key_prefixes, or is another API's",
            Standing::NotOneToken => "dropped: not one token of visible ASCII",
            Standing::OverwritesKeptKey => "dropped: it would overwrite the proxy key that is kept",
            Standing::ProxyKey => "the caller's proxy key, never a client credential",
            Standing::AnotherProxyKey => "a configured proxy key, never a client credential",
        };
        let fingerprint = Some(KeyDigest::of(secret).fingerprint());
        Told { place: place.to_string(), fingerprint, fate: fate.to_owned() }
    };
    values.iter().map(&mut told).collect()
}

fn who_pays(source: CredentialSource, provider: &str, caller: &Caller<'_>) -> String {
    match source {
        CredentialSource::Client => format!("the client's own key pays at {provider}"),
        CredentialSource::ClientOauth => format!("the client's OAuth token pays at {provider}"),
        CredentialSource::Deployment => format!("the deployment key of {provider} pays"),
        CredentialSource::None if caller.key.is_none() => {
            "no provider credential goes upstream: an unverified caller is given none".to_owned()
        }
        CredentialSource::None => {
            format!("no provider credential goes upstream: {provider} has no deployment key for the caller")
        }
    }
}

fn told_edit(
    edit: &HeaderMutation<'_>,
    policy: &Policy,
    request: &RequestHeaders<'_>,
    credentials: &Credentials<'_>,
) -> Edit {
    let reason = reason(edit, policy, request, credentials);
    match edit {
        HeaderMutation::Remove { name } => Edit { action: "remove", header: super::text(name), value: None, reason },
        HeaderMutation::Set { name, value } => {
            let value = masked::value(policy, name, value);
            Edit { action: "set", header: super::text(name), value, reason }
        }
    }
}

/// The headers after the edits, which act on all lines of a name.
fn edited(mut lines: Vec<(Vec<u8>, Vec<u8>)>, mutations: &[HeaderMutation<'_>]) -> Vec<(Vec<u8>, Vec<u8>)> {
    for edit in mutations {
        lines.retain(|(name, _)| **name != *edit.name());
        if let HeaderMutation::Set { name, value } = edit {
            lines.push((name.to_vec(), value.to_vec()));
        }
    }
    lines
}
