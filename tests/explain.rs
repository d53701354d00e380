//! The corpus through the report of a decision, one test per case: it must say of every case what the decision says, and
//! show no secret.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod edits;
mod through_core;

use std::sync::Arc;
use std::time::SystemTime;

use byok_core::{Context, Decision, RequestHeaders, Timestamp, decide};
use byok_explain::{Report, Request, explain};
use byok_testkit::corpus::{
    Case, Corpus, Message, Outcome, Protocol, Refused, Verdict, assert_no_secret_in, secrets_of, trials,
};
use libtest_mimic::Arguments;
use serde_json::Value;

fn main() {
    let arguments = Arguments::from_args();
    let corpus = Arc::new(Corpus::load());
    let now = SystemTime::now().into();
    let of = |corpus: &Arc<Corpus>| Arc::clone(corpus);
    let (for_cases, for_refused, for_warnings) = (of(&corpus), of(&corpus), of(&corpus));
    let trials = trials(
        &corpus,
        move |case| outcome(&for_cases, case, now),
        move |refused| through_core::load(&for_refused, &refused.json).map(drop),
        move |warning| through_core::load(&for_warnings, &warning.json).map(|(_, warnings)| warnings),
    );
    libtest_mimic::run(&arguments, trials).exit();
}

fn outcome(corpus: &Corpus, case: &Case, now: Timestamp) -> Result<Outcome, String> {
    let (policy, _) = through_core::load(corpus, &case.configuration.json).map_err(|errors| errors.join("; "))?;
    let identities = through_core::identities(&policy, case);
    let context =
        Context { now, cluster: case.cluster.as_deref().map(str::as_bytes), identities, ..Context::default() };
    let request = request(case);
    let report = explain(&policy, &request, &context);
    assert_no_secret(&report, corpus, case);

    let lines = request.lines();
    let headers = RequestHeaders::from_lines(lines.iter().map(|(name, value)| (&**name, &**value)));
    check_against_decision(&report, &decide(&policy, &headers, &context))?;
    check_against_record(&report)?;
    let json: Value = serde_json::from_str(&report.to_json()).expect("JSON");
    let verdict = match (&report.upstream_lines, &report.reply) {
        (Some(lines), None) => {
            let message = Message::from_map(lines.clone());
            check_edits(&json, &message, case)?;
            Verdict::Passed(message)
        }
        (None, Some(reply)) => {
            let headers = reply.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            let (body, details) = (reply.body.as_bytes().to_vec(), reply.details.clone());
            Verdict::Refused(Refused { status: reply.status, headers, body, details, logged_path: None })
        }
        _ => return Err("neither upstream nor reply, or both".to_owned()),
    };
    Ok(Outcome { verdict, record: report.record })
}

fn request(case: &Case) -> Request {
    let mut headers = case.request.lines.clone();
    if case.protocol == Protocol::Http2 {
        // As Envoy joins the crumbs of HTTP/2 (RFC 9113, 8.2.3).
        let is_cookie = |name: &[u8]| name.eq_ignore_ascii_case(b"cookie");
        let crumbs: Vec<Vec<u8>> =
            headers.iter().filter(|(name, _)| is_cookie(name)).map(|(_, value)| value.clone()).collect();
        headers.retain(|(name, _)| !is_cookie(name));
        if !crumbs.is_empty() {
            headers.push((b"cookie".to_vec(), crumbs.join(&b"; "[..])));
        }
    }
    if !case.request.has("x-request-id") {
        headers.push((b"x-request-id".to_vec(), case.request_id().into_bytes()));
    }
    Request { method: case.request.method.clone(), host: case.host(), path: case.request.path.clone(), headers }
}

fn assert_no_secret(report: &Report, corpus: &Corpus, case: &Case) {
    let mut secrets = secrets_of(corpus, case);
    // What a client forges may be what the filter then says; a plain word is a scheme, or part of any text.
    secrets.retain(|word| !report.record.values().any(|part| part.as_bytes() == word));
    secrets.retain(|word| !word.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_'));
    // The prefixes of key sources are shown.
    let prefixes = || report.candidates.iter().filter_map(|one| one.location.strip_prefix("websocket_protocol:"));
    secrets.retain(|word| !prefixes().any(|prefix| prefix.as_bytes() == word));
    // Names of headers are shown.
    let names: Vec<u8> = case.request.lines.iter().flat_map(|(name, _)| name.to_ascii_lowercase()).collect();
    secrets.retain(|word| !names.windows(word.len()).any(|window| window == word.as_slice()));
    assert_no_secret_in([report.to_text().as_str(), report.to_json().as_str()], &secrets, &case.name);
}

/// The report has the edits of the untraced decision, and none where the request is refused.
fn check_against_decision(report: &Report, decision: &Decision<'_>) -> Result<(), String> {
    let edits = match decision {
        Decision::Allow { edits, .. } => &**edits,
        Decision::Deny { .. } => &[],
        Decision::Lookup(_) => return Err("it asks the verification service".to_owned()),
    };
    let decided: Vec<(&str, String)> = edits
        .iter()
        .map(|edit| {
            let action = if edit.value.is_some() { "set" } else { "remove" };
            (action, String::from_utf8_lossy(&edit.name).into_owned())
        })
        .collect();
    let reported: Vec<(&str, String)> = report.edits.iter().map(|edit| (edit.action, edit.header.clone())).collect();
    if decided != reported {
        return Err(format!("the edits are {decided:?}, reported {reported:?}"));
    }
    let going = client_credentials(report);
    if matches!(decision, Decision::Deny { .. }) && going > 0 {
        return Err(format!("refused, but {going} client credentials go upstream"));
    }
    Ok(())
}

/// What is reported of the candidates and of the client's credentials agrees with what is recorded.
fn check_against_record(report: &Report) -> Result<(), String> {
    let record = &report.record;
    let part = |name: &str| record.get(name).map(String::as_str);
    if byok_testkit::corpus::counter(record).is_none() {
        // Parts of the decision are not recorded: `filter_state` says so.
        return Ok(());
    }
    let verified: Vec<_> = report.candidates.iter().filter(|one| one.outcome.starts_with("verified: ")).collect();
    // Anonymous callers have a consumer and no key.
    let is_caller = part("key_id").is_some() && part("reason").is_some_and(|reason| !reason.ends_with("_api_key"));
    if part("decision") != Some("shadow_deny")
        && is_caller != (verified.len() == 1)
        && part("reason") != Some("ambiguous_credential")
    {
        return Err(format!("{} candidates are verified, and the record is {record:?}", verified.len()));
    }
    if let [one] = &verified[..] {
        let source = part("auth_source").unwrap_or("none");
        if part("reason") != Some("ambiguous_credential") && one.location.split(" (").next() != Some(source) {
            return Err(format!("{} is verified, and the auth source is {source}", one.location));
        }
    }
    let is_clients = part("credential_source").is_some_and(|source| source.starts_with("client"));
    let going = client_credentials(report);
    if usize::from(is_clients) != going && part("decision") == Some("allow") {
        return Err(format!("{going} client credentials go upstream, and the record is {record:?}"));
    }
    Ok(())
}

/// How many of the client's own credentials go upstream.
fn client_credentials(report: &Report) -> usize {
    report.client_credentials.iter().filter(|one| one.outcome == "the client's own: goes upstream").count()
}

/// Every change between the request and what goes upstream is an edit with a reason, and every edit a change.
fn check_edits(json: &Value, upstream: &Message, case: &Case) -> Result<(), String> {
    let edits = json["edits"].as_array().expect("edits");
    for edit in edits {
        if edit["reason"].as_str().is_none_or(str::is_empty) {
            return Err(format!("no reason: {edit}"));
        }
        let name = edit["header"].as_str().expect("a header");
        let is_there = name == ":path" || upstream.has(name);
        if (edit["action"] == "set") != is_there {
            return Err(format!("an edit that was not made: {edit}"));
        }
    }
    for (name, _) in &case.request.lines {
        let Ok(name) = std::str::from_utf8(name) else { continue };
        let name = name.to_ascii_lowercase();
        let values = |message: &Message| message.values(&name).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let joined =
            matches!(&*name, "authorization" | "cookie" | "host" | "connection" | "transfer-encoding" | "keep-alive");
        let is_edited = edits.iter().any(|edit| edit["header"] == name.as_str());
        if !joined && !is_edited && values(&case.request) != values(upstream) {
            return Err(format!("{name} changes without an edit"));
        }
    }
    Ok(())
}
