//! The decision about one request, from its headers to what goes upstream. Its steps are in the order of this file, one
//! file each.

mod authenticate;
mod authorize;
mod credentials;
mod edits;
mod record;
mod redirect;
mod route;
mod trace;

pub use edits::{EditReason, HeaderMutation};
pub use record::{CounterKey, Effect};
pub use redirect::RedirectState;
pub use trace::{CandidateOutcome, ClientCredentialVerdict, IdentityOutcome, KnownBy, NoTrace, Step, Steps, Trace};

pub(crate) use edits::path_without_credentials;

use self::authenticate::{Unauthenticated, authenticate};
use self::authorize::authorize;
use self::credentials::select_credentials;
use self::redirect::restore_caller;
use crate::http::RequestHeaders;
use crate::model::{
    DecisionToken, DenyReason, Lookup, LookupResults, Policy, Provider, Reason, RequestIdentities, RoutePolicy,
};
use crate::time::Timestamp;

/// What matters besides the request.
#[derive(Debug, Default)]
pub struct Context<'a> {
    /// The time of the request; needed if [`Policy::reads_clock`], or if there are lookup results.
    pub now: Timestamp,
    /// The cluster that Envoy has chosen; needed if [`Policy::reads_cluster`]. To be read before any header is changed,
    /// since `xds.cluster_name` is not updated afterwards.
    pub cluster: Option<&'a [u8]>,
    /// Whom Envoy has authenticated; needed if the policy has identities.
    pub identities: RequestIdentities,
    /// What the first run found, if this is the run after an internal redirect.
    pub redirect: Option<RedirectState>,
    /// What the verification service has said about keys of this request.
    pub lookups: LookupResults,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Decision<'a> {
    /// It continues, with these edits in order.
    Allow {
        /// What is recorded.
        effect: Effect<'a>,
        /// At most one edit per name.
        edits: Vec<HeaderMutation<'a>>,
    },
    /// It is answered here: see [`Reply`](crate::Reply).
    Deny {
        /// What is recorded.
        effect: Effect<'a>,
        /// Why.
        reason: DenyReason,
    },
    /// It waits: the verification service must be asked, then it is decided again with the result.
    Lookup(Lookup<'a>),
}

/// Decides about a request: who is calling, whose credential it carries, and what goes upstream.
///
/// ```
/// use byok_core::{Context, Decision, Policy, RequestHeaders, decide};
///
/// let json = r#"{ "forward_llm_provider_auth_headers": true,
///     "consumers": [ { "name": "team-a", "keys": [ { "id": "1", "value": "proxy-EXAMPLE" } ] } ] }"#;
/// let policy = Policy::from_json(json, &|_| None).expect("a valid configuration").policy;
///
/// let request = RequestHeaders::from_lines([
///     (&b":method"[..], &b"POST"[..]),
///     (b":path", b"/v1/messages"),
///     (b"x-litellm-api-key", b"proxy-EXAMPLE"),
///     (b"x-api-key", b"sk-ant-api03-EXAMPLE"),
/// ]);
/// let context = Context::default();
/// let Decision::Allow { effect, edits } = decide(&policy, &request, &context) else { panic!("the key is valid") };
///
/// // The proxy key goes, the client's own key stays.
/// assert_eq!(edits.len(), 1);
/// assert_eq!((&*edits[0].name, &edits[0].value), (&b"x-litellm-api-key"[..], &None));
/// assert!(effect.entries().any(|entry| entry == ("byok.credential_source", "client")));
/// ```
pub fn decide<'a>(policy: &'a Policy, request: &RequestHeaders<'a>, context: &'a Context<'_>) -> Decision<'a> {
    decide_traced(policy, request, context, &mut NoTrace)
}

/// Decides as [`decide`] does, and records the steps that led there.
pub fn decide_traced<'a, T: Trace<'a>>(
    policy: &'a Policy,
    request: &RequestHeaders<'a>,
    context: &'a Context<'_>,
    trace: &mut T,
) -> Decision<'a> {
    let mut effect = Effect::new(&policy.default_route);
    match evaluate(policy, request, context, &mut effect, trace) {
        Ok(edits) => Decision::Allow { effect, edits: if policy.shadow { Vec::new() } else { edits } },
        Err(Interrupt::Lookup(lookup)) => Decision::Lookup(lookup),
        Err(Interrupt::Deny(reason)) => {
            effect.reason = Reason::Denied(reason);
            if policy.shadow {
                effect.decision = DecisionToken::ShadowDeny;
                return Decision::Allow { effect, edits: Vec::new() };
            }
            effect.decision = DecisionToken::Deny;
            Decision::Deny { effect, reason }
        }
    }
}

/// Runs all steps; the effect is filled in on the way.
fn evaluate<'a, T: Trace<'a>>(
    policy: &'a Policy,
    request: &RequestHeaders<'a>,
    context: &'a Context<'_>,
    effect: &mut Effect<'a>,
    trace: &mut T,
) -> Result<Vec<HeaderMutation<'a>>, Interrupt<'a>> {
    let route = route::select(policy, request, trace)?;
    effect.route = route;
    check_single_values(route, request, trace)?;

    let caller = match &context.redirect {
        Some(state) => restore_caller(policy, route, state, request, context.now),
        None => authenticate(policy, route, request, context, trace),
    };
    let caller = caller.map_err(|unauthenticated| interrupt(unauthenticated, effect))?;
    effect.set_caller(caller.consumer, caller.key, caller.auth_source);

    let authorized = authorize(caller, route, trace)?;
    let credentials = select_credentials(policy, &authorized, request, context, trace)?;
    check_cluster(&route.provider, context.cluster, trace)?;

    effect.credential_source = credentials.source();
    effect.proxy_key_preserved = credentials.preserved.is_some();
    Ok(edits::edits(policy, request, &credentials, effect))
}

/// Why the evaluation ends early.
enum Interrupt<'a> {
    Deny(DenyReason),
    Lookup(Lookup<'a>),
}

impl From<DenyReason> for Interrupt<'_> {
    fn from(reason: DenyReason) -> Self {
        Self::Deny(reason)
    }
}

fn interrupt<'a>(unauthenticated: Unauthenticated<'a>, effect: &mut Effect<'a>) -> Interrupt<'a> {
    match unauthenticated {
        Unauthenticated::Lookup(lookup) => Interrupt::Lookup(lookup),
        Unauthenticated::Rejected(rejection) => {
            effect.set_caller(rejection.key.map(|key| &*key.consumer), rejection.key, rejection.auth_source);
            Interrupt::Deny(rejection.reason)
        }
    }
}

/// Refuses a request with two different values where only one credential may be.
fn check_single_values<'a, T: Trace<'a>>(
    route: &'a RoutePolicy,
    request: &RequestHeaders<'_>,
    trace: &mut T,
) -> Result<(), DenyReason> {
    let mut conflicting = route.single_value_locations.iter().filter(|one| one.has_conflicting_values(request));
    let Some(first) = conflicting.next() else { return Ok(()) };
    trace.record(|| Step::ConflictingValues {
        locations: std::iter::once(first).chain(conflicting).map(|one| &one.location).collect(),
    });
    Err(DenyReason::AmbiguousCredential)
}

/// Refuses a request whose cluster may not receive the provider's credentials. This is the last check, so that a caller
/// without a key learns nothing about clusters.
fn check_cluster<'a, T: Trace<'a>>(
    provider: &Provider,
    cluster: Option<&'a [u8]>,
    trace: &mut T,
) -> Result<(), DenyReason> {
    let is_allowed = provider.allows_cluster(cluster);
    trace.record(|| Step::Cluster { cluster, is_allowed });
    if is_allowed { Ok(()) } else { Err(DenyReason::ClusterNotAllowed) }
}
