//! One case of the corpus through the pure core, natively and on `wasm32-unknown-unknown`.
#![allow(dead_code, reason = "each runner uses its part")]

use std::collections::BTreeMap;
use std::fmt::Display;

use byok_core::{
    Context, Decision, DenyReason, Effect, HeaderMutation, Policy, Reply, RequestHeaders, RequestIdentities, Steps,
    Timestamp, decide, decide_traced,
};
use byok_testkit::corpus::{Case, Corpus, Message, Outcome, Refused, Verdict, counter};

use crate::edits::edited;

/// Loads a configuration; returns its warnings, or its errors.
pub(crate) fn load(corpus: &Corpus, json: &str) -> Result<(Policy, Vec<String>), Vec<String>> {
    let loaded = Policy::from_json(json, &|name| corpus.variable(name)).map_err(|errors| shown(&errors))?;
    Ok((loaded.policy, shown(&loaded.warnings)))
}

/// Decides about the request of a case, with and without a trace.
pub(crate) fn outcome(corpus: &Corpus, case: &Case, now: Timestamp) -> Result<Outcome, String> {
    let (policy, _) = load(corpus, &case.configuration.json).map_err(|errors| format!("it is refused: {errors:?}"))?;
    let lines = case.as_filters_see();
    let request = RequestHeaders::from_lines(lines.iter().map(|(name, value)| (&**name, &**value)));
    // What the policy does not need, the carrier does not read.
    let context = Context {
        now: if policy.reads_clock() { now } else { Timestamp::default() },
        cluster: case.cluster.as_deref().map(str::as_bytes).filter(|_| policy.reads_cluster()),
        identities: identities(&policy, case),
        ..Context::default()
    };
    let decision = decide(&policy, &request, &context);
    let mut steps = Steps::default();
    let traced = decide_traced(&policy, &request, &context, &mut steps);
    if parts(&decision) != parts(&traced) {
        return Err(format!("traced it is {traced:?}, untraced {decision:?}"));
    }
    if steps.0.is_empty() {
        return Err("the trace has no step".to_owned());
    }
    let (effect, verdict) = match decision {
        Decision::Allow { effect, edits } => {
            (effect, Verdict::Passed(Message::from_map(edited(lines.clone(), &edits))))
        }
        Decision::Deny { effect, reason } => {
            let reply = Reply::new(reason, &policy, &effect, &request);
            let headers = reply.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            // Envoy drops the body of an answer to HEAD.
            let body = if case.request.method == b"HEAD" { Vec::new() } else { reply.body };
            let logged_path = reply.path.or_else(|| case.request.path.clone());
            let details = reply.details;
            (effect, Verdict::Refused(Refused { status: reply.status, headers, body, details, logged_path }))
        }
        Decision::Lookup(_) => return Err("it asks the verification service".to_owned()),
    };
    if Some(effect.counter()) != counter(&record(&effect)) {
        return Err(format!("counter: expected {:?}, got {}", counter(&record(&effect)), effect.counter()));
    }
    let part = |name: &str| name.strip_prefix("byok.").unwrap_or(name).to_owned();
    let record = effect.filter_state(&policy).map(|(name, value)| (part(name), value.to_owned())).collect();
    Ok(Outcome { verdict, record })
}

/// Returns what Envoy says about the caller of a case.
pub(crate) fn identities(policy: &Policy, case: &Case) -> RequestIdentities {
    RequestIdentities::read(policy, |identity| {
        let value = case.identities.get(&*identity.name);
        value.map(|value| value.texts().to_vec()).unwrap_or_default()
    })
}

/// Everything in a decision: effect, state for a redirect, edits in order, and reason.
type Parts<'d> = (BTreeMap<String, String>, String, &'d [HeaderMutation<'d>], Option<DenyReason>);

fn parts<'d>(decision: &'d Decision<'_>) -> Option<Parts<'d>> {
    let (effect, edits, reason) = match decision {
        Decision::Allow { effect, edits } => (effect, &**edits, None),
        Decision::Deny { effect, reason } => (effect, &[][..], Some(*reason)),
        Decision::Lookup(_) => return None,
    };
    Some((record(effect), effect.to_redirect_state(), edits, reason))
}

fn record(effect: &Effect<'_>) -> BTreeMap<String, String> {
    let part = |name: &str| name.strip_prefix("byok.").unwrap_or(name).to_owned();
    effect.entries().map(|(name, value)| (part(name), value.to_owned())).collect()
}

fn shown<T: Display>(diagnostics: &[T]) -> Vec<String> {
    diagnostics.iter().map(ToString::to_string).collect()
}
