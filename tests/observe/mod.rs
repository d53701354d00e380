//! Sends one request through the core and writes down all that can be seen of it.

use byok_filter::{Circumstances, Decision, Policy, Record, RequestHeaders, decide};

use crate::corpus::Line;
use crate::edits::edited;
use crate::invariants::Observed;

/// Decides about a request, and applies the edits.
pub(crate) fn observe(policy: &Policy, request: &[Line]) -> Observed {
    let headers = RequestHeaders::from_lines(request.iter().map(|(name, value)| (&**name, &**value)).collect());
    let circumstances = Circumstances { cluster: Some(b"upstream"), ..Circumstances::default() };
    match decide(policy, &headers, &circumstances) {
        Decision::Allow { record, mutations } => {
            let upstream = Some(edited(request.to_vec(), &mutations));
            Observed { record: parts(&record), upstream, told: Vec::new() }
        }
        Decision::Deny { record, refusal } => {
            let headers = refusal.headers.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
            let told = headers.chain([&*refusal.body, refusal.details.as_bytes()]).collect::<Vec<_>>().join(&b'\n');
            Observed { record: parts(&record), upstream: None, told }
        }
        Decision::AskService { .. } => panic!("no configuration of these tests has a verification service"),
    }
}

fn parts(record: &Record<'_>) -> std::collections::BTreeMap<&'static str, String> {
    record.entries().map(|(name, value)| (name.strip_prefix("byok.").unwrap_or(name), value.to_owned())).collect()
}
