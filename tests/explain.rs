//! Runner: the corpus through `byok explain`, which must say of every case what becomes of it, and show no secret.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod corpus;

use std::time::SystemTime;

use byok_filter::cli::{Explanation, Request};
use byok_filter::{Circumstances, Policy, Timestamp};
use corpus::{Case, Corpus, Message, Outcome, Protocol, Refused, Tally, Verdict, assert_no_secret_in, secrets_of};
use serde_json::Value;

#[test]
fn corpus_through_explain() {
    let now: Timestamp = SystemTime::now().into();
    let corpus = Corpus::load();
    let mut tally = Tally::new("explain");
    let environment = |name: &str| corpus.variable(name);
    for configuration in &corpus.configurations {
        let policy = Policy::from_json(configuration.json.as_bytes(), &environment).expect("a configuration").policy;
        for case in corpus.cases_of(configuration) {
            let cluster = case.cluster.as_deref().map(str::as_bytes);
            let circumstances = Circumstances { now, cluster, ..Circumstances::default() };
            let explanation = Explanation::new(&policy, &request(case), &circumstances);
            let mut secrets = secrets_of(&corpus, case);
            // What a client forges may be what the filter then says; a plain word is a scheme, or stands in any text.
            secrets.retain(|word| !explanation.record().values().any(|part| part.as_bytes() == word));
            secrets.retain(|word| !word.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_'));
            // Names of headers are shown.
            let names: Vec<u8> = case.request.lines.iter().flat_map(|(name, _)| name.to_ascii_lowercase()).collect();
            secrets.retain(|word| !names.windows(word.len()).any(|window| window == word.as_slice()));
            assert_no_secret_in([explanation.to_text().as_str(), explanation.to_json().as_str()], &secrets, &case.name);
            tally.case(case, outcome(&explanation, case));
        }
    }
    for refused in &corpus.refused {
        let loaded = Policy::from_json(refused.json.as_bytes(), &environment);
        tally.refused(refused, loaded.map(drop).map_err(|errors| errors.iter().map(ToString::to_string).collect()));
    }
    for doubtful in &corpus.doubtful {
        let loaded = Policy::from_json(doubtful.json.as_bytes(), &environment);
        let warnings = loaded.map(|loaded| loaded.warnings.iter().map(ToString::to_string).collect());
        tally.doubtful(doubtful, warnings.map_err(|errors| errors.iter().map(ToString::to_string).collect()));
    }
    tally.finish(&corpus);
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

/// Reads what the explanation says, and holds its parts against each other.
fn outcome(explanation: &Explanation, case: &Case) -> Result<Outcome, String> {
    let verdict = match (explanation.upstream(), explanation.refusal()) {
        (Some(lines), None) => Verdict::Passed(Message::from_map(lines.to_vec())),
        (None, Some(answer)) => {
            let headers = answer.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            let (body, details) = (answer.body.as_bytes().to_vec(), answer.details.clone());
            Verdict::Refused(Refused { status: answer.status, headers, body, details, logged_path: None })
        }
        _ => return Err("neither upstream nor refusal, or both".to_owned()),
    };
    let record = explanation.record().clone();
    let json: Value = serde_json::from_str(&explanation.to_json()).expect("JSON");
    let part = |name: &str| record.get(name).map(String::as_str);
    let told = |list: &str, start: &str| {
        let list = json[list].as_array().expect("a list");
        list.iter()
            .filter(|entry| entry["fate"].as_str().expect("a fate").starts_with(start))
            .cloned()
            .collect::<Vec<_>>()
    };

    let verifying = told("candidates", "verifies: ");
    let is_caller = part("consumer").is_some() && part("reason").is_some_and(|reason| !reason.ends_with("_api_key"));
    if part("decision") != Some("shadow_deny")
        && is_caller != (verifying.len() == 1)
        && part("reason") != Some("ambiguous_credential")
    {
        return Err(format!("{} candidates verify, and the record says {record:?}", verifying.len()));
    }
    if let [one] = &verifying[..] {
        let place = one["place"].as_str().expect("a place");
        let source = part("auth_source").unwrap_or("none");
        if part("reason") != Some("ambiguous_credential") && place.split(" (").next() != Some(source) {
            return Err(format!("{place} verifies, and the auth source is {source}"));
        }
    }
    if let Verdict::Passed(message) = &verdict {
        let is_clients = part("credential_source").is_some_and(|source| source.starts_with("client"));
        let going = told("client_credentials", "the client's own").len();
        if usize::from(is_clients) != going && part("decision") == Some("allow") {
            return Err(format!("{going} client credentials go upstream, and the record says {record:?}"));
        }
        check_edits(&json, message, case)?;
    }
    Ok(Outcome { verdict, record })
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
