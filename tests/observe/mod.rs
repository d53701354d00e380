//! Sends one request through the core and records all that can be seen of it.

use byok_core::{Context, Decision, Effect, Policy, Reply, RequestHeaders, decide};
use byok_testkit::corpus::Line;

use crate::edits::edited;
use crate::invariants::Observed;

/// Decides about a request, and applies the edits.
pub(crate) fn observe(policy: &Policy, request: &[Line]) -> Observed {
    let headers = RequestHeaders::from_lines(request.iter().map(|(name, value)| (&**name, &**value)).collect());
    let context = Context { cluster: Some(b"upstream"), ..Context::default() };
    match decide(policy, &headers, &context) {
        Decision::Allow { effect, edits } => {
            let upstream = Some(edited(request.to_vec(), &edits));
            Observed { record: parts(&effect), upstream, told: Vec::new() }
        }
        Decision::Deny { effect, reason } => {
            let reply = Reply::new(reason, policy, &effect, &headers);
            let headers = reply.headers.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
            let told = headers.chain([&*reply.body, reply.details.as_bytes()]).collect::<Vec<_>>().join(&b'\n');
            Observed { record: parts(&effect), upstream: None, told }
        }
        Decision::Lookup(_) => panic!("no configuration of these tests has a verification service"),
    }
}

fn parts(effect: &Effect<'_>) -> std::collections::BTreeMap<&'static str, String> {
    effect.entries().map(|(name, value)| (name.strip_prefix("byok.").unwrap_or(name), value.to_owned())).collect()
}
