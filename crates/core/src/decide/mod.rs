//! The whole decision about one request, from its headers to what goes upstream.

use crate::authenticate::{Caller, Unauthenticated, authenticate, candidates, is_ambiguous, recall};
use crate::earlier::EarlierPass;
use crate::policy::{Byok, Policy};
use crate::provider::{CredentialRules, client_credential};
use crate::record::{Reason, Record, Verdict};
use crate::refusal::{DenyReason, Refusal};
use crate::request::RequestHeaders;
use crate::route::{AmbiguousPath, Terms};
use crate::timestamp::Timestamp;
use crate::upstream::{Credentials, HeaderMutation, mutations};
use crate::verify::{Answers, Question};

/// What else than the request counts.
#[derive(Debug, Default)]
pub struct Circumstances<'a> {
    /// The time of the request; read where [`Policy::reads_clock`], and where the service has answered.
    pub now: Timestamp,
    /// The cluster that Envoy has chosen; read where [`Policy::reads_cluster`], before any header changes.
    pub cluster: Option<&'a [u8]>,
    /// What the pass before an internal redirect found out.
    pub earlier: Option<EarlierPass>,
    /// What the verification service has said about keys of this request.
    pub answers: Answers,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Decision<'a> {
    /// It goes on, with these edits.
    Allow {
        /// What the operator sees.
        record: Record<'a>,
        /// In this order.
        mutations: Vec<HeaderMutation<'a>>,
    },
    /// It is answered here.
    Deny {
        /// What the operator sees.
        record: Record<'a>,
        /// What the client sees.
        refusal: Refusal,
    },
    /// It waits: the verification service must be asked, then it is decided anew with the answer.
    AskService {
        /// What to ask.
        question: Question,
    },
}

/// Decides about a request: who is calling, with whose credential it goes on, and what goes upstream.
pub fn decide<'a>(
    policy: &'a Policy,
    request: &RequestHeaders<'a>,
    circumstances: &'a Circumstances<'_>,
) -> Decision<'a> {
    let mut record = Record::new(&policy.default_provider);
    match pass(policy, request, circumstances, &mut record) {
        Ok(_) if policy.shadow => Decision::Allow { record, mutations: Vec::new() },
        Ok(mutations) => Decision::Allow { record, mutations },
        Err(Stop::Ask(question)) => Decision::AskService { question },
        Err(Stop::Deny(reason)) => {
            record.reason = Reason::Denied(reason);
            if policy.shadow {
                record.decision = Verdict::ShadowDeny;
                return Decision::Allow { record, mutations: Vec::new() };
            }
            record.decision = Verdict::Deny;
            let refusal = Refusal::new(reason, policy, &record, request);
            Decision::Deny { record, refusal }
        }
    }
}

/// Takes the request through all steps; the record fills as they go.
fn pass<'a>(
    policy: &'a Policy,
    request: &RequestHeaders<'a>,
    circumstances: &'a Circumstances<'_>,
    record: &mut Record<'a>,
) -> Result<Vec<HeaderMutation<'a>>, Stop> {
    let terms = policy.terms(request).map_err(|AmbiguousPath| DenyReason::AmbiguousPath)?;
    record.provider = terms.provider;
    if is_ambiguous(&terms.provider.guarded_places, request) {
        return Err(Stop::Deny(DenyReason::AmbiguousCredential));
    }

    let caller = match &circumstances.earlier {
        Some(earlier) => recall(policy, terms.mode, earlier, request, circumstances.now),
        None => authenticate(policy, terms.mode, candidates(policy, request), circumstances),
    };
    let caller = caller.map_err(|unauthenticated| stop(unauthenticated, record))?;
    record.who_is_calling(caller.key, caller.auth_source);
    authorize(&terms, &caller)?;

    let credentials = choose_credentials(policy, &terms, caller, request, circumstances.earlier.as_ref())?;
    if !terms.provider.receives(circumstances.cluster) {
        return Err(Stop::Deny(DenyReason::ClusterNotAllowed));
    }

    record.credential_source = credentials.source();
    record.proxy_key_kept = credentials.kept.is_some();
    Ok(mutations(policy, request, &credentials, record))
}

/// Why a request does not go on (yet).
enum Stop {
    Deny(DenyReason),
    Ask(Question),
}

impl From<DenyReason> for Stop {
    fn from(reason: DenyReason) -> Self {
        Self::Deny(reason)
    }
}

fn stop<'a>(unauthenticated: Unauthenticated<'a>, record: &mut Record<'a>) -> Stop {
    match unauthenticated {
        Unauthenticated::Ask(question) => Stop::Ask(question),
        Unauthenticated::Rejected(rejection) => {
            record.who_is_calling(rejection.key, rejection.auth_source);
            Stop::Deny(rejection.reason)
        }
    }
}

/// Checks whether a caller who is known may do what the request asks for.
fn authorize(terms: &Terms<'_>, caller: &Caller<'_>) -> Result<(), DenyReason> {
    let consumer = caller.key.map(|key| &*key.consumer);
    let listed = |names: &[Box<str>], name: &str| names.iter().any(|listed| **listed == *name);
    let may_use_route =
        terms.consumers.is_none_or(|names| consumer.is_some_and(|consumer| listed(names, &consumer.name)));
    if !may_use_route {
        return Err(DenyReason::ConsumerNotAllowed);
    }
    let providers = consumer.and_then(|consumer| consumer.providers.as_deref());
    if !providers.is_none_or(|names| listed(names, &terms.provider.name)) {
        return Err(DenyReason::ProviderNotAllowed);
    }
    Ok(())
}

/// Chooses what pays for the request and whether the proxy key stays.
pub(crate) fn choose_credentials<'a>(
    policy: &'a Policy,
    terms: &Terms<'a>,
    caller: Caller<'a>,
    request: &RequestHeaders<'a>,
    earlier: Option<&EarlierPass>,
) -> Result<Credentials<'a>, DenyReason> {
    let provider = terms.provider;
    let consumer = caller.key.map(|key| &*key.consumer);
    let rules = CredentialRules::new(policy, terms, consumer);
    // Only a verified caller is given a key that the operator pays for.
    let deployment_key = consumer.and_then(|consumer| provider.deployment_key_of(consumer));
    let next_hop_is_gateway = provider.profile.deployment_key_beside_client;

    let hide = terms.hide_credentials.unwrap_or(!next_hop_is_gateway || deployment_key.is_some());
    let kept = if hide { None } else { caller.location_of_proxy_key() };

    // What authenticated an unknown caller is unknown too: it might be any of the credentials.
    let told_apart = caller.auth_source.is_some();
    let sent_for_this_provider = earlier.is_none_or(|earlier| earlier.kept_client_credential_for(&provider.name));
    let client = if told_apart && sent_for_this_provider {
        client_credential(provider, rules, request, &caller, kept, &policy.keys)
    } else {
        None
    };
    if rules.byok == Byok::Required && client.is_none() {
        return Err(DenyReason::MissingProviderKey);
    }

    let slot = &provider.profile.deployment_slot;
    let is_its_turn = next_hop_is_gateway || client.is_none();
    let overwrites_kept = kept.is_some_and(|kept| kept.is_header(slot.header.as_bytes()));
    let deployment = deployment_key.filter(|_| is_its_turn && !overwrites_kept).map(|key| (slot, key));
    Ok(Credentials { proxy_key: caller.proxy_key, kept, client, deployment })
}
