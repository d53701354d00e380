//! Holds an outcome against what a case expects.

use std::collections::BTreeMap;

use super::message::escape;
use super::{Case, Expected, Message, Outcome, Refused, Verdict};

/// Never compared: they name the connection or the single request.
const IGNORED: [&str; 4] = ["host", ":authority", "content-length", "x-request-id"];
/// Added by Envoy: compared only where the client sent the name itself.
const ENVOY_ADDS: [&str; 3] = ["x-forwarded-proto", "x-forwarded-for", "x-envoy-"];

impl Case {
    /// Everything in which the outcome is not the expected one; empty where it is.
    pub(crate) fn differences(&self, outcome: &Outcome) -> Vec<String> {
        let mut differences = match (&self.expected, &outcome.verdict) {
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
            let details = format!("byok_{}", outcome.record.get("reason").map_or("-", String::as_str));
            if refused.details != details {
                differences.push(format!("details: expected {details}, got {}", refused.details));
            }
        }
        differences
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

fn list(values: &[&[u8]]) -> String {
    if values.is_empty() {
        return "none".to_owned();
    }
    values.iter().map(|value| format!("`{}`", escape(value))).collect::<Vec<_>>().join(", ")
}
