//! The demo's output in the documentation, held against the core with the configuration of `envoy/envoy.yaml`.
//!
//! `make demo` holds a real Envoy against the same five questions.

use std::collections::BTreeMap;
use std::time::SystemTime;

use byok_core::{Context, Decision, HeaderMutation, Policy, Reply, RequestHeaders, decide};
use serde_json::{Map, Value, json};

use crate::markdown::{blocks, file, quoted, table};

const LOG: &str = "# the access log says";

/// A question of the demo as the README shows it.
struct Shown {
    sentence: String,
    headers: Vec<(String, String)>,
    status: u16,
    body: Value,
    logged: Value,
}

#[test]
fn the_demo_answers_as_the_readme_shows() {
    let example = file("envoy/envoy.yaml");
    let environment = |name: &str| (name == "ANTHROPIC_API_KEY").then(|| byok_testkit::demo::DEPLOYMENT_KEY.to_owned());
    let policy = Policy::from_json(configuration(&example).as_bytes(), &environment).unwrap().policy;
    for shown in shown() {
        let (status, body, logged) = answer(&policy, &shown);
        assert_eq!((status, &body), (shown.status, &shown.body), "{}", shown.sentence);
        assert_eq!(logged, shown.logged, "{}", shown.sentence);
    }
}

#[test]
fn the_readme_shows_what_the_demo_asks() {
    let source = file("crates/testkit/src/demo/questions.rs");
    let asked: Vec<&str> =
        source.lines().filter_map(|line| line.trim().strip_prefix("sentence: \"")?.strip_suffix("\",")).collect();
    let shown: Vec<String> = shown().into_iter().map(|shown| shown.sentence).collect();
    assert_eq!(shown, asked);
}

#[test]
fn every_part_of_filter_state_is_in_its_table() {
    let mut described: Vec<String> = table("filter state").iter().flat_map(|row| quoted(&row[0])).collect();
    // The first question is answered with every part set but labels; the log adds status, details and path.
    described.retain(|name| name != "wasm.byok.label.<name>");
    let mut known: Vec<String> = parts(&shown()[0].logged).map(|part| format!("wasm.byok.{part}")).collect();
    described.sort();
    known.sort();
    assert_eq!(described, known);
}

#[test]
fn counters_are_named_as_the_readme_says() {
    let readme = file("docs/observability.md");
    let start = readme.find("wasmcustom.byok.decision.<").expect("the name of a counter");
    let (pattern, _) = readme[start..].split_once('`').unwrap();
    let policy = Policy::from_json(configuration(&file("envoy/envoy.yaml")).as_bytes(), &|_| Some("EXAMPLE".into()));
    let policy = policy.unwrap().policy;
    let context = Context::default();
    let Decision::Deny { effect, .. } = decide(&policy, &RequestHeaders::from_lines(Vec::new()), &context) else {
        panic!("a request without a key passes");
    };
    let name = pattern
        .replace("<decision>", "deny")
        .replace("<reason>", "missing_api_key")
        .replace("<source>", "none")
        .replace("<credential source>", "none");
    assert_eq!(name, format!("wasmcustom.{}", effect.counter()));
}

fn parts(logged: &Value) -> impl Iterator<Item = &String> {
    let parts = logged.as_object().unwrap().keys();
    parts.filter(|name| !["status", "details", "path"].contains(&name.as_str()))
}

/// Answers as the demo's Envoy does: the upstream shows the credentials that reached it.
fn answer(policy: &Policy, shown: &Shown) -> (u16, Value, Value) {
    let id = shown.body.get("request_id").and_then(Value::as_str).unwrap_or("none");
    let own = [(":method", "GET"), (":path", "/v1/messages"), (":authority", "127.0.0.1:10000"), ("x-request-id", id)];
    let own = own.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let sent = shown.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let request = RequestHeaders::from_lines(own.into_iter().chain(sent));

    let context = Context { now: SystemTime::now().into(), ..Context::default() };
    let (status, body, details, effect) = match decide(policy, &request, &context) {
        Decision::Allow { effect, edits } => (200, upstream(&request, &edits), "via_upstream".to_owned(), effect),
        Decision::Deny { effect, reason } => {
            let reply = Reply::new(reason, policy, &effect, &request);
            (reply.status, serde_json::from_slice(&reply.body).unwrap(), reply.details, effect)
        }
        Decision::Lookup(_) => panic!("the demo has no verification service"),
    };
    let mut logged = json!({ "status": status, "details": details, "path": "/v1/messages" });
    let record = effect.entries().map(|(name, value)| (name.trim_start_matches("byok.").to_owned(), value.into()));
    logged.as_object_mut().unwrap().extend(record);
    (status, body, logged)
}

fn upstream(request: &RequestHeaders<'_>, edits: &[HeaderMutation<'_>]) -> Value {
    let mut headers: BTreeMap<Vec<u8>, Vec<u8>> =
        request.lines().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
    for edit in edits {
        match &edit.value {
            None => drop(headers.remove(&*edit.name)),
            Some(value) => drop(headers.insert(edit.name.to_vec(), value.to_vec())),
        }
    }
    let shown = ["authorization", "x-api-key", "x-litellm-api-key"].map(|name| {
        let value = headers.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned());
        (name.to_owned(), Value::from(value))
    });
    Value::Object(Map::from_iter(shown))
}

/// Reads the block: for each question a sentence, a command and an answer; then the log, a line each.
fn shown() -> Vec<Shown> {
    let block = blocks("text").into_iter().find(|block| block.text.contains(LOG)).expect("the demo's output");
    let (questions, log) = block.text.split_once(LOG).unwrap();
    let shown: Vec<Shown> = questions
        .trim()
        .split("\n\n")
        .zip(log.trim().lines())
        .map(|(question, logged)| {
            let [sentence, command, answer] = question.lines().collect::<Vec<_>>()[..] else { panic!("{question}") };
            let (status, body) = answer.split_once(' ').unwrap();
            Shown {
                sentence: sentence.trim_start_matches("# ").to_owned(),
                headers: headers_of(command),
                status: status.parse().unwrap(),
                body: serde_json::from_str(body).unwrap(),
                logged: serde_json::from_str(logged).unwrap(),
            }
        })
        .collect();
    assert_eq!(shown.len(), log.trim().lines().count());
    shown
}

fn headers_of(command: &str) -> Vec<(String, String)> {
    assert!(command.starts_with("curl http://127.0.0.1:10000/v1/messages"), "{command}");
    let headers = command.split(" -H '").skip(1).map(|rest| rest.trim_end_matches('\'').split_once(": ").unwrap());
    headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Cuts the filter's configuration out of the example.
fn configuration(example: &str) -> String {
    let (_, rest) = example.split_once("value: |\n").unwrap();
    let indent = rest.len() - rest.trim_start().len();
    rest.lines().take_while(|line| line.len() - line.trim_start().len() >= indent).collect::<Vec<_>>().join("\n")
}
