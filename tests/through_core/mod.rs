//! Runs the corpus through the pure core, natively and under wasm-bindgen-test.

use std::fmt::Display;

use byok_filter::{Circumstances, Decision, Policy, Record, RequestHeaders, Timestamp, decide};

use crate::corpus::{Case, Corpus, Message, Outcome, Refused, Tally, Verdict};
use crate::edits::edited;

/// Runs all cases and configurations.
pub(crate) fn run(runner: &'static str, now: Timestamp) {
    let corpus = Corpus::load();
    let mut tally = Tally::new(runner);
    let environment = |name: &str| corpus.variable(name);
    for configuration in &corpus.configurations {
        let loaded = Policy::from_json(configuration.json.as_bytes(), &environment);
        let policy = loaded.map(|loaded| loaded.policy).map_err(|errors| {
            format!("the configuration `{}` does not load: {}", configuration.name, shown(&errors).join("; "))
        });
        for case in corpus.cases_of(configuration) {
            let outcome = policy.as_ref().map_err(Clone::clone).and_then(|policy| outcome(policy, case, now));
            tally.case(case, outcome);
        }
    }
    for refused in &corpus.refused {
        let loaded = Policy::from_json(refused.json.as_bytes(), &environment);
        tally.refused(refused, loaded.map(drop).map_err(|errors| shown(&errors)));
    }
    for doubtful in &corpus.doubtful {
        let loaded = Policy::from_json(doubtful.json.as_bytes(), &environment);
        let warnings = loaded.map(|loaded| shown(&loaded.warnings)).map_err(|errors| shown(&errors));
        tally.doubtful(doubtful, warnings);
    }
    tally.finish(&corpus);
}

fn outcome(policy: &Policy, case: &Case, now: Timestamp) -> Result<Outcome, String> {
    let lines = case.as_filters_see();
    let request = RequestHeaders::from_lines(lines.iter().map(|(name, value)| (&**name, &**value)).collect());
    // What the policy does not ask for, the shell does not read.
    let circumstances = Circumstances {
        now: if policy.reads_clock() { now } else { Timestamp::default() },
        cluster: case.cluster.as_deref().map(str::as_bytes).filter(|_| policy.reads_cluster()),
        ..Circumstances::default()
    };
    let (record, verdict) = match decide(policy, &request, &circumstances) {
        Decision::Allow { record, mutations } => {
            (record, Verdict::Passed(Message::from_map(edited(lines.clone(), &mutations))))
        }
        Decision::Deny { record, refusal } => {
            let headers = refusal.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            // Envoy drops the body of an answer to HEAD.
            let body = if case.request.method == b"HEAD" { Vec::new() } else { refusal.body };
            let logged_path = refusal.path.or_else(|| case.request.path.clone());
            let details = refusal.details;
            (record, Verdict::Refused(Refused { status: refusal.status, headers, body, details, logged_path }))
        }
        Decision::AskService { .. } => return Err("it asks the verification service".to_owned()),
    };
    let outcome = Outcome { verdict, record: entries(&record) };
    let counter = crate::corpus::counter(&outcome.record);
    if record.counter() == counter {
        Ok(outcome)
    } else {
        Err(format!("counter: expected {counter}, got {}", record.counter()))
    }
}

fn entries(record: &Record<'_>) -> std::collections::BTreeMap<String, String> {
    let part = |name: &str| name.strip_prefix("byok.").unwrap_or(name).to_owned();
    record.entries().map(|(name, value)| (part(name), value.to_owned())).collect()
}

fn shown<T: Display>(findings: &[T]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}
