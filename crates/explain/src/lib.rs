//! Reports what byok-filter decides about a request, and why.
//!
//! The report is made of the steps that the decision itself records, so it cannot differ from what the filter does. It
//! shows no secret: credentials are identified by the first 8 hex digits of their SHA-256.

mod masked;
mod reasons;
mod report;
mod request;
mod text;

pub use report::{ClientCredentialReport, EditReport, KeyCandidateReport, ReplyReport, Report, UpstreamReport};
pub use request::Request;

use byok_core::{Context, Policy, RequestHeaders, Steps, decide_traced};

/// Decides about a request that is not sent, and reports how.
///
/// ```
/// use byok_core::{Context, Policy};
/// use byok_explain::{Request, explain};
///
/// let json = r#"{ "consumers": [ { "name": "team-a", "keys": [ { "id": "1", "value": "proxy-EXAMPLE" } ] } ] }"#;
/// let policy = Policy::from_json(json, &|_| None).expect("a valid configuration").policy;
/// let request = Request {
///     method: b"POST".to_vec(),
///     host: b"llm.example.com".to_vec(),
///     path: Some(b"/v1/messages".to_vec()),
///     headers: vec![(b"x-litellm-api-key".to_vec(), b"proxy-EXAMPLE".to_vec())],
/// };
///
/// let report = explain(&policy, &request, &Context::default());
/// assert_eq!(report.candidates[0].outcome, "verified: team-a, key 1");
/// assert_eq!(report.record["decision"], "allow");
/// ```
pub fn explain(policy: &Policy, request: &Request, context: &Context<'_>) -> Report {
    let lines = request.lines();
    let headers = RequestHeaders::from_lines(lines.iter().map(|(name, value)| (&**name, &**value)));
    let mut steps = Steps::default();
    let decision = decide_traced(policy, &headers, context, &mut steps);
    Report::new(policy, request, &headers, &steps.0, &decision)
}

/// Returns bytes as text; what is not visible ASCII or a space is escaped.
fn text_of(bytes: &[u8]) -> String {
    let shown = |byte: &u8| match byte {
        b' '..=b'~' => char::from(*byte).to_string(),
        _ => format!("\\x{byte:02X}"),
    };
    bytes.iter().map(shown).collect()
}
