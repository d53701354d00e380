//! Compares an outcome with what a case expects.

use std::collections::BTreeMap;

use super::message::escape;
use super::{Case, Expected, Message, Outcome, Refused, RefusedConfiguration, Verdict, WarningConfiguration};

/// Never compared: they name the connection or the single request.
const IGNORED: [&str; 4] = ["host", ":authority", "content-length", "x-request-id"];
/// Added by Envoy: compared only where the client sent the name itself.
const ENVOY_ADDS: [&str; 3] = ["x-forwarded-proto", "x-forwarded-for", "x-envoy-"];

impl Case {
    /// Returns a report if the outcome is not the expected one, or if there is none.
    pub fn report(&self, outcome: &Result<Outcome, String>) -> Option<String> {
        let what = match outcome {
            Ok(outcome) => {
                let differences = self.differences(outcome);
                if differences.is_empty() {
                    return None;
                }
                match self.expected {
                    Expected::Missing => {
                        format!("{}\ngot:\n{}", differences.join("\n"), indented(&outcome.to_string()))
                    }
                    _ => format!("expected (-) and got (+):\n{}", indented(&self.diff(&differences, outcome))),
                }
            }
            Err(error) => error.clone(),
        };
        let request = indented(&self.request.to_string());
        Some(format!(
            "{}: {}\nconfiguration `{}`, request:\n{request}\n{what}",
            self.at, self.name, self.configuration.name
        ))
    }

    /// The differences, within the compared part of the outcome.
    #[cfg(not(target_family = "wasm"))]
    fn diff(&self, differences: &[String], outcome: &Outcome) -> String {
        let (expected, got) = self.sides(outcome);
        // What the notation shows alike may be different bytes.
        if expected == got { differences.join("\n") } else { line_diff(&expected, &got) }
    }

    #[cfg(target_family = "wasm")]
    fn diff(&self, differences: &[String], _: &Outcome) -> String {
        differences.join("\n")
    }

    /// Everything in which the outcome is not the expected one; empty where it is.
    pub(super) fn differences(&self, outcome: &Outcome) -> Vec<String> {
        let mut differences = match (&self.expected, &outcome.verdict) {
            (Expected::Missing, _) => vec![
                "neither `upstream` nor `status`: write one of them, or have it filled in for review by \
                 `UPDATE_CASES=1 cargo test --test decide`"
                    .to_owned(),
            ],
            (Expected::Passed(_), Verdict::PassedUnseen) => Vec::new(),
            (Expected::Passed(expected), Verdict::Passed(got)) => self.upstream_differences(expected, got),
            (Expected::Passed(_), Verdict::Refused(refused)) => {
                vec![format!("expected to pass, refused with {}", refused.status)]
            }
            (Expected::Refused { status, headers, body, logged_path }, Verdict::Refused(refused)) => {
                let mut differences = self.refusal_differences(*status, headers, body.as_deref(), refused);
                if let Some(got) = refused.logged_path.as_ref().filter(|got| Some(*got) != logged_path.as_ref()) {
                    let expected = logged_path.as_ref().map_or("none".to_owned(), |path| escape(path));
                    differences.push(format!("logged path: expected {expected}, got {}", escape(got)));
                }
                differences
            }
            (Expected::Refused { status, .. }, _) => vec![format!("expected to be refused with {status}, passed")],
        };
        for (part, expected) in &self.record {
            let got = outcome.record.get(part);
            if got != expected.as_ref() {
                let shown = |value: Option<&String>| value.map_or("-".to_owned(), Clone::clone);
                differences.push(format!("record.{part}: expected {}, got {}", shown(expected.as_ref()), shown(got)));
            }
        }
        if let Verdict::Refused(refused) = &outcome.verdict {
            let details = expected_details(outcome, refused);
            if refused.details != details {
                differences.push(format!("details: expected {details}, got {}", refused.details));
            }
        }
        differences
    }

    /// The compared part of what is expected and of what was got, one fact per line.
    #[cfg(not(target_family = "wasm"))]
    fn sides(&self, outcome: &Outcome) -> (String, String) {
        let (mut expected, mut got) = (Vec::new(), Vec::new());
        match (&self.expected, &outcome.verdict) {
            (Expected::Passed(message), Verdict::PassedUnseen) => {
                expected.extend(self.compared_lines(message));
                got.clone_from(&expected);
            }
            (Expected::Refused { headers, body, logged_path, status }, Verdict::Refused(refused)) => {
                expected.push(format!("status {status}"));
                got.push(format!("status {}", refused.status));
                for (name, value) in headers {
                    expected.push(format!("{name}: {value}"));
                    got.extend(
                        refused.headers.iter().filter(|(own, _)| own == name).map(|(_, v)| format!("{name}: {v}")),
                    );
                }
                if let Some(body) = body {
                    expected.push(body.replace("REQUEST_ID", &self.request_id()));
                    got.push(escape(&refused.body));
                }
                if let Some(path) = &refused.logged_path {
                    let shown = |path: &[u8]| format!("logged_path: {}", escape(path));
                    expected.extend(logged_path.as_deref().map(shown));
                    got.push(shown(path));
                }
            }
            (expectation, verdict) => {
                match expectation {
                    Expected::Passed(message) => expected.extend(self.compared_lines(message)),
                    Expected::Refused { status, .. } => expected.push(format!("status {status}")),
                    Expected::Missing => {}
                }
                match verdict {
                    Verdict::Passed(message) => got.extend(self.compared_lines(message)),
                    Verdict::PassedUnseen => got.push("passed".to_owned()),
                    Verdict::Refused(refused) => {
                        got.push(format!("status {}\n{}", refused.status, escape(&refused.body)))
                    }
                }
            }
        }
        for (part, value) in &self.record {
            let shown = |value: Option<&String>| format!("record.{part}: {}", value.map_or("-", |value| value));
            expected.push(shown(value.as_ref()));
            got.push(shown(outcome.record.get(part)));
        }
        if let Verdict::Refused(refused) = &outcome.verdict {
            expected.push(format!("details: {}", expected_details(outcome, refused)));
            got.push(format!("details: {}", refused.details));
        }
        (expected.join("\n"), got.join("\n"))
    }

    /// Whether this is what is expected to pass.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn passes_as(&self, message: &Message) -> bool {
        matches!(&self.expected, Expected::Passed(expected) if self.upstream_differences(expected, message).is_empty())
    }

    /// A message without the lines that are never compared, sorted by name.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn compared_lines(&self, message: &Message) -> Vec<String> {
        let start = Message { lines: Vec::new(), ..message.clone() }.to_string();
        let lines = self.by_name(message).into_iter();
        let lines =
            lines.flat_map(|(name, values)| values.into_iter().map(move |value| format!("{name}: {}", escape(value))));
        std::iter::once(start).chain(lines).collect()
    }

    fn upstream_differences(&self, expected: &Message, got: &Message) -> Vec<String> {
        let mut differences = Vec::new();
        if expected.method != got.method {
            differences.push(format!("method: expected {}, got {}", escape(&expected.method), escape(&got.method)));
        }
        let shown = |path: &Option<Vec<u8>>| path.as_ref().map_or("none".to_owned(), |path| escape(path));
        if expected.path != got.path {
            differences.push(format!("path: expected {}, got {}", shown(&expected.path), shown(&got.path)));
        }
        let (expected, mut got) = (self.by_name(expected), self.by_name(got));
        for (name, values) in &expected {
            let arrived = got.remove(name).unwrap_or_default();
            if *values != arrived {
                differences.push(format!("{name}: expected {}, got {}", list(values), list(&arrived)));
            }
        }
        differences.extend(got.iter().map(|(name, values)| format!("{name}: expected none, got {}", list(values))));
        differences
    }

    fn by_name<'m>(&self, message: &'m Message) -> BTreeMap<String, Vec<&'m [u8]>> {
        let mut names: BTreeMap<String, Vec<&[u8]>> = BTreeMap::new();
        for (name, value) in &message.lines {
            let name = escape(&name.to_ascii_lowercase());
            let of_envoy = ENVOY_ADDS.iter().any(|start| name.starts_with(start)) && !self.request.has(&name);
            if !of_envoy && !IGNORED.contains(&name.as_str()) {
                names.entry(name).or_default().push(value);
            }
        }
        names
    }

    fn refusal_differences(
        &self,
        status: u16,
        headers: &[(String, String)],
        body: Option<&str>,
        got: &Refused,
    ) -> Vec<String> {
        let mut differences = Vec::new();
        if status != got.status {
            differences.push(format!("status: expected {status}, got {}", got.status));
        }
        for (name, value) in headers {
            let values: Vec<&str> =
                got.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect();
            if values != [value.as_str()] {
                differences.push(format!("{name}: expected {value:?}, got {values:?}"));
            }
        }
        if let Some(body) = body {
            let body = body.replace("REQUEST_ID", &self.request_id());
            if body.as_bytes() != got.body {
                differences.push(format!("body: expected {body}\n          got {}", escape(&got.body)));
            }
        }
        differences
    }
}

/// The response code details that belong to an outcome; where no reason is recorded, any token is one.
fn expected_details(outcome: &Outcome, refused: &Refused) -> String {
    match outcome.record.get("reason") {
        Some(reason) => format!("byok_{reason}"),
        None if refused.details.starts_with("byok_") => refused.details.clone(),
        None => "byok_…".to_owned(),
    }
}

fn list(values: &[&[u8]]) -> String {
    if values.is_empty() {
        return "none".to_owned();
    }
    values.iter().map(|value| format!("`{}`", escape(value))).collect::<Vec<_>>().join(", ")
}

impl RefusedConfiguration {
    /// Returns a report if the configuration loads or has other errors.
    pub fn report(&self, loaded: &Result<(), Vec<String>>) -> Option<String> {
        let got = match loaded {
            Err(errors) if *errors == self.errors => return None,
            Err(errors) => errors.join("\n"),
            Ok(()) => "it loads".to_owned(),
        };
        Some(format!("{}: {}\n{}", self.at, self.name, list_diff("errors", &self.errors, &got)))
    }
}

impl WarningConfiguration {
    /// Returns a report if the configuration is refused or has other warnings.
    pub fn report(&self, loaded: &Result<Vec<String>, Vec<String>>) -> Option<String> {
        let got = match loaded {
            Ok(warnings) if *warnings == self.warnings => return None,
            Ok(warnings) => warnings.join("\n"),
            Err(errors) => format!("it is refused:\n{}", errors.join("\n")),
        };
        Some(format!("{}: {}\n{}", self.at, self.name, list_diff("warnings", &self.warnings, &got)))
    }
}

fn list_diff(what: &str, expected: &[String], got: &str) -> String {
    format!("expected {what} (-) and got (+):\n{}", indented(&line_diff(&expected.join("\n"), got)))
}

#[cfg(not(target_family = "wasm"))]
fn line_diff(expected: &str, got: &str) -> String {
    let diff = similar::TextDiff::from_lines(expected, got);
    let lines =
        diff.iter_all_changes().map(|change| format!("{}{}", change.tag(), change.value().trim_end_matches('\n')));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(target_family = "wasm")]
fn line_diff(expected: &str, got: &str) -> String {
    format!("{expected}\nbut got\n{got}")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
