//! Sends one request through the core and records all that can be seen of it.

use std::collections::BTreeMap;

use byok_core::{Context, Decision, Effect, Policy, Reply, RequestHeaders, RequestIdentities, decide};
use byok_testkit::corpus::Line;

use crate::edits::edited;
use crate::invariants::Observed;

/// Decides about a request, and applies the edits.
pub(crate) fn observe(policy: &Policy, request: &[Line]) -> Observed {
    observe_identified(policy, request, None)
}

/// Decides about a request of a caller whom Envoy has authenticated, by that value of every identity.
pub(crate) fn observe_identified(policy: &Policy, request: &[Line], identity: Option<&str>) -> Observed {
    let headers = RequestHeaders::from_lines(request.iter().map(|(name, value)| (&**name, &**value)));
    let identities = RequestIdentities::read(policy, |_| identity.into_iter().collect());
    let context = Context { cluster: Some(b"upstream"), identities, ..Context::default() };
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

fn parts(effect: &Effect<'_>) -> BTreeMap<String, String> {
    let part = |name: &str| name.strip_prefix("byok.").unwrap_or(name).to_owned();
    effect.entries().map(|(name, value)| (part(name), value.to_owned())).collect()
}
