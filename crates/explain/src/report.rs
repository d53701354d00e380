//! The report: every part of a decision, each taken from a recorded step or from the decision.

use std::collections::BTreeMap;

use byok_core::model::{AuthSource, CredentialSource, KeySource, Reason};
use byok_core::{CandidateOutcome, Decision, Effect, HeaderMutation, Policy, Reply, RequestHeaders, Step};
use serde::Serialize;

use crate::request::Request;
use crate::{masked, reasons, text_of};

/// A decision and how it came about.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The request's start line and host.
    pub request: String,
    /// Which route was selected, and what applies there.
    pub route: String,
    /// What each key source has, in order, and then what Envoy says about the caller.
    pub candidates: Vec<KeyCandidateReport>,
    /// What was considered as the client's own credential, in order.
    pub client_credentials: Vec<ClientCredentialReport>,
    /// What else there is to know.
    pub notes: Vec<String>,
    /// What is recorded, as filter state names it after `wasm.byok.`; empty if a lookup comes first.
    pub record: BTreeMap<String, String>,
    /// The counter that is incremented.
    pub counter: Option<String>,
    /// The header edits, in order.
    pub edits: Vec<EditReport>,
    /// What goes upstream, if the request continues.
    pub upstream: Option<UpstreamReport>,
    /// The answer, if the request is refused.
    pub reply: Option<ReplyReport>,
    /// The header lines that go upstream, pseudo-headers included. They contain secrets.
    #[serde(skip)]
    pub upstream_lines: Option<Vec<(Vec<u8>, Vec<u8>)>>,
}

/// What a key source has, or what an identity says.
#[derive(Debug, Serialize)]
pub struct KeyCandidateReport {
    /// The source, with its scheme, or the `auth_source` token of the identity.
    pub location: String,
    /// The first 8 hex digits of the value's SHA-256.
    pub fingerprint: Option<String>,
    /// What was found.
    pub outcome: String,
}

/// What became of a value that might have been the client's own credential.
#[derive(Debug, Serialize)]
pub struct ClientCredentialReport {
    /// Where it is.
    pub location: String,
    /// The first 8 hex digits of its SHA-256.
    pub fingerprint: Option<String>,
    /// Whether it is used, or why it is not.
    pub outcome: String,
}

/// A header edit.
#[derive(Debug, Serialize)]
pub struct EditReport {
    /// `set` or `remove`.
    pub action: &'static str,
    /// The name.
    pub header: String,
    /// The value that is set, masked, if it can be shown at all.
    pub value: Option<String>,
    /// Why.
    pub reason: String,
}

/// What goes upstream.
#[derive(Debug, Serialize)]
pub struct UpstreamReport {
    /// The start line.
    pub start: String,
    /// Credentials by their fingerprints, and what the filter has set.
    pub headers: Vec<(String, String)>,
    /// The names of the headers that pass unchanged.
    pub unchanged: Vec<String>,
}

/// The answer to a refused request.
#[derive(Debug, Serialize)]
pub struct ReplyReport {
    /// The HTTP status.
    pub status: u16,
    /// The response headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty where Envoy sends none.
    pub body: String,
    /// What Envoy logs as `%RESPONSE_CODE_DETAILS%`.
    pub details: String,
}

impl Report {
    pub(crate) fn new(
        policy: &Policy,
        request: &Request,
        headers: &RequestHeaders<'_>,
        steps: &[Step<'_>],
        decision: &Decision<'_>,
    ) -> Self {
        let mut report = Self { request: start(request), ..Self::default() };
        report.candidates = candidates(steps, headers);
        for step in steps {
            report.add_step(policy, step, matches!(decision, Decision::Deny { .. }));
        }
        match decision {
            Decision::Allow { effect, edits } => {
                report.add_effect(effect, policy);
                report.add_upstream(policy, request, headers, steps, effect, edits);
            }
            Decision::Deny { effect, reason } => {
                report.add_effect(effect, policy);
                report.add_reply(request, Reply::new(*reason, policy, effect, headers));
            }
            Decision::Lookup(_) => {
                let cluster = policy.verification_service.as_ref().map_or("", |service| &service.cluster);
                report.notes.push(format!("the verification service is asked first (cluster {cluster})"));
            }
        }
        report
    }

    fn add_step(&mut self, policy: &Policy, step: &Step<'_>, is_refused: bool) {
        match step {
            Step::Route { entry, policy: selected } => {
                let entry = match (entry, policy.routes.is_empty()) {
                    (Some(entry), _) => format!("routes[{entry}]"),
                    (None, true) => "no routes: the top level".to_owned(),
                    (None, false) => "none of the routes matches: the top level".to_owned(),
                };
                self.route = format!("{entry}; mode {}, provider {}", selected.mode.as_str(), selected.provider.name);
            }
            Step::AmbiguousPath { raw, depends_on_order: true, .. } => {
                let raw = masked::path(raw);
                self.route = format!("servers disagree about {raw}: decoded, it has a `..` segment or a `;`");
            }
            Step::AmbiguousPath { raw, normalized, .. } => {
                let (raw, normalized) = (masked::path(raw), masked::path(normalized));
                self.route = format!("{raw} and {normalized}, its normalized form, match different entries");
            }
            Step::ConflictingValues { locations } => {
                let locations: Vec<String> = locations.iter().map(ToString::to_string).collect();
                self.notes.push(format!("two different values in {}", locations.join(", ")));
            }
            Step::ClientCredential { location, digest, verdict, .. } => {
                let (location, fingerprint) = (location.to_string(), Some(digest.fingerprint()));
                // A value in a location that two rules read is reported once.
                let is_known =
                    |known: &ClientCredentialReport| known.location == location && known.fingerprint == fingerprint;
                if !self.client_credentials.iter().any(is_known) {
                    let outcome = reasons::verdict(*verdict, is_refused).to_owned();
                    self.client_credentials.push(ClientCredentialReport { location, fingerprint, outcome });
                }
            }
            Step::Cluster { cluster, is_allowed: false } => {
                let cluster = cluster.map_or("none".to_owned(), text_of);
                self.notes.push(format!("the cluster ({cluster}) may not receive this provider's credentials"));
            }
            Step::Identity { identity, outcome } => self.candidates.push(KeyCandidateReport {
                location: identity.label.to_string(),
                fingerprint: None,
                outcome: reasons::identity(outcome),
            }),
            Step::KeyCandidate { .. }
            | Step::Authorization(_)
            | Step::DeploymentKey { .. }
            | Step::Cluster { is_allowed: true, .. } => {}
        }
    }

    fn add_effect<'p>(&mut self, effect: &Effect<'p>, policy: &'p Policy) {
        let part = |name: &str| name.strip_prefix("byok.").unwrap_or(name).to_owned();
        self.record = effect.filter_state(policy).map(|(name, value)| (part(name), value.to_owned())).collect();
        self.counter = Some(format!("wasmcustom.{}", effect.counter()));
    }

    fn add_reply(&mut self, request: &Request, reply: Reply) {
        // Envoy drops the body of an answer to HEAD.
        let body = if request.method == b"HEAD" { Vec::new() } else { reply.body };
        self.reply = Some(ReplyReport {
            status: reply.status,
            headers: reply.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
            details: reply.details,
        });
    }

    fn add_upstream(
        &mut self,
        policy: &Policy,
        request: &Request,
        headers: &RequestHeaders<'_>,
        steps: &[Step<'_>],
        effect: &Effect<'_>,
        edits: &[HeaderMutation<'_>],
    ) {
        if policy.shadow {
            self.notes.push("shadow: nothing is changed and nobody is refused".to_owned());
        } else {
            self.notes.push(caller(effect));
            self.notes.push(payer(effect));
        }
        self.edits = edits
            .iter()
            .map(|edit| EditReport {
                action: if edit.value.is_some() { "set" } else { "remove" },
                header: text_of(&edit.name),
                value: edit.value.as_ref().and_then(|value| masked::value(policy, &edit.name, value)),
                reason: reasons::edit(edit, policy, headers, steps),
            })
            .collect();
        let lines = edited(request.lines(), edits);
        let of = |wanted: &[u8]| lines.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_slice());
        let method = text_of(of(b":method").unwrap_or_default());
        let start = of(b":path").map_or(method.clone(), |path| format!("{method} {}", masked::path(path)));
        let mut upstream = UpstreamReport { start, headers: Vec::new(), unchanged: Vec::new() };
        for (name, value) in lines.iter().filter(|(name, _)| !name.starts_with(b":")) {
            let is_set = edits.iter().any(|edit| edit.value.is_some() && *edit.name == **name);
            if policy.credential_locations.contains(&**name) {
                upstream.headers.push((text_of(name), masked::credential(value)));
            } else if is_set {
                let value = masked::value(policy, name, value).unwrap_or_else(|| "…".to_owned());
                upstream.headers.push((text_of(name), value));
            } else {
                upstream.unchanged.push(text_of(name));
            }
        }
        self.upstream = Some(upstream);
        self.upstream_lines = Some(lines);
    }

    /// Returns the report as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

fn start(request: &Request) -> String {
    let path = request.path.as_ref().map_or(String::new(), |path| format!(" {}", masked::path(path)));
    format!("{}{path}, host {}", text_of(&request.method), text_of(&request.host))
}

/// Returns what the key sources have, in their order, as far as they were read.
fn candidates(steps: &[Step<'_>], headers: &RequestHeaders<'_>) -> Vec<KeyCandidateReport> {
    let found = |wanted: &KeySource| {
        steps.iter().find_map(|step| match step {
            Step::KeyCandidate { source, digest, outcome } if std::ptr::eq(*source, wanted) => {
                Some(KeyCandidateReport {
                    location: source.to_string(),
                    fingerprint: digest.map(|digest| digest.fingerprint()),
                    outcome: reasons::candidate(source, outcome, headers),
                })
            }
            _ => None,
        })
    };
    let sources = steps.iter().find_map(|step| match step {
        Step::Route { policy, .. } => Some(policy.key_sources.iter()),
        _ => None,
    });
    sources.into_iter().flatten().filter_map(found).collect()
}

/// Whether the step is the candidate that authenticated the caller, or that the next hop will check.
pub(crate) fn is_auth_source(step: &Step<'_>, header: &[u8]) -> bool {
    match step {
        Step::KeyCandidate { source, outcome, .. } => {
            matches!(outcome, CandidateOutcome::Verified(..)) && source.location.is_header(header)
        }
        _ => false,
    }
}

fn caller(effect: &Effect<'_>) -> String {
    match (effect.consumer, effect.key_id, effect.auth_source) {
        (Some(consumer), None, _) => {
            format!("the caller has no valid key: the policy of {consumer} applies, as for all anonymous callers")
        }
        (Some(consumer), Some(_), Some(AuthSource::Identity(identity))) => {
            format!("the caller is {consumer}, whom Envoy has authenticated by the identity {}", identity.name)
        }
        (Some(consumer), Some(key), Some(source)) => {
            format!("the caller is {consumer}, by the key {key} in {}", source.label())
        }
        (_, _, Some(source)) => {
            format!("the caller is not verified; the value in {} is taken for the next hop's key", source.label())
        }
        (_, _, None) => "the caller is not verified: no key source has a value".to_owned(),
    }
}

fn payer(effect: &Effect<'_>) -> String {
    let provider = &effect.route.provider.name;
    match effect.credential_source {
        CredentialSource::Client => format!("the client's own key pays at {provider}"),
        CredentialSource::ClientOauth => format!("the client's OAuth token pays at {provider}"),
        CredentialSource::Deployment => format!("the deployment key of {provider} pays"),
        CredentialSource::None if effect.reason == Reason::Unverified => {
            "no provider credential goes upstream: an unverified caller is given none".to_owned()
        }
        CredentialSource::None => {
            format!("no provider credential goes upstream: {provider} has no deployment key for the caller")
        }
    }
}

/// Returns the headers after the edits, which apply to all lines of a name.
fn edited(mut lines: Vec<(Vec<u8>, Vec<u8>)>, edits: &[HeaderMutation<'_>]) -> Vec<(Vec<u8>, Vec<u8>)> {
    for edit in edits {
        lines.retain(|(name, _)| **name != *edit.name);
        if let Some(value) = &edit.value {
            lines.push((edit.name.to_vec(), value.to_vec()));
        }
    }
    lines
}
