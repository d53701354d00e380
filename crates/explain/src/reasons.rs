//! The words for outcomes, verdicts and edits.

use byok_core::http::{cookies, query, trim};
use byok_core::model::{KeySource, Location};
use byok_core::{
    CandidateOutcome, ClientCredentialVerdict, EditReason, HeaderMutation, IdentityOutcome, KnownBy, Policy,
    RequestHeaders, Step,
};

use crate::report::is_auth_source;

/// Says what a key source has.
pub(crate) fn candidate(source: &KeySource, outcome: &CandidateOutcome<'_>, request: &RequestHeaders<'_>) -> String {
    let by = |known_by: &KnownBy| if *known_by == KnownBy::Service { ", says the verification service" } else { "" };
    match outcome {
        CandidateOutcome::Absent if has_other_scheme(source, request) => "a value of another scheme".to_owned(),
        CandidateOutcome::Absent => "no value".to_owned(),
        CandidateOutcome::ProviderCredential => "an OAuth token: a provider credential, never a proxy key".to_owned(),
        CandidateOutcome::NotChecked => "not looked up: mode off".to_owned(),
        CandidateOutcome::Verified(key, known_by) => {
            format!("verified: {}, key {}{}", key.consumer.name, key.id, by(known_by))
        }
        CandidateOutcome::AlsoValid(key, known_by) => {
            format!("valid too ({}, key {}{}); the earlier source counts", key.consumer.name, key.id, by(known_by))
        }
        CandidateOutcome::Invalid(key, known_by, reason) => {
            format!("{} ({}, key {}{})", reason.as_str(), key.consumer.name, key.id, by(known_by))
        }
        CandidateOutcome::Unknown => "not a configured key".to_owned(),
        CandidateOutcome::NeverLookedUp => {
            "not a configured key; the verification service is never asked about such a value".to_owned()
        }
        CandidateOutcome::LookupNeeded => "not a configured key; the verification service is asked".to_owned(),
        CandidateOutcome::NotAKey => "not a key, says the verification service".to_owned(),
        CandidateOutcome::Unavailable => "the verification service does not say".to_owned(),
    }
}

/// Says what Envoy says about the caller.
pub(crate) fn identity(outcome: &IdentityOutcome<'_>) -> String {
    match outcome {
        IdentityOutcome::Absent => "Envoy has authenticated nobody by it".to_owned(),
        IdentityOutcome::Unlisted => "authenticated by Envoy; no consumer lists the value".to_owned(),
        IdentityOutcome::Verified(key) => format!("verified: {}, by Envoy", key.consumer.name),
        IdentityOutcome::EarlierCounts(key) => {
            format!("valid too ({}); the earlier identity counts", key.consumer.name)
        }
        IdentityOutcome::KeyCounts(key) => format!("valid too ({}); the configured key counts", key.consumer.name),
    }
}

/// Whether the header of a source that wants a scheme has a value with another one, such as a signature of AWS.
fn has_other_scheme(source: &KeySource, request: &RequestHeaders<'_>) -> bool {
    let (Some(scheme), Location::Header(name)) = (&source.scheme, &source.location) else { return false };
    let mut values = request.values(name.as_bytes()).map(trim).filter(|value| !value.is_empty());
    values.any(|value| !value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes())))
}

/// Says whether a value is used as the client's own credential.
pub(crate) fn verdict(verdict: ClientCredentialVerdict, is_refused: bool) -> &'static str {
    match verdict {
        ClientCredentialVerdict::Selected if is_refused => "the client's own: not sent, since the request is refused",
        ClientCredentialVerdict::Selected => "the client's own: goes upstream",
        ClientCredentialVerdict::NotNeeded => "could go upstream; the earlier one does",
        ClientCredentialVerdict::CallerUnknown => {
            "dropped: no proxy key was presented, so nothing is known about the caller"
        }
        ClientCredentialVerdict::NotKeptForProvider => "dropped: before the redirect it was for another provider",
        ClientCredentialVerdict::ByokOff => "dropped: byok is off",
        ClientCredentialVerdict::OauthOff => "dropped: OAuth tokens are off",
        ClientCredentialVerdict::ProxyKey => "the caller's proxy key, never a client credential",
        ClientCredentialVerdict::IdentityCredential => {
            "the credential by which Envoy has authenticated the caller, never a client credential"
        }
        ClientCredentialVerdict::WrongFormat => {
            "dropped: fits no client_key_prefixes, is another vendor's, or is shorter than 16 characters"
        }
        ClientCredentialVerdict::NotSingleToken => "dropped: not a single token of visible ASCII",
        ClientCredentialVerdict::OverwritesProxyKey => "dropped: it would overwrite the proxy key, which is kept",
        ClientCredentialVerdict::ConfiguredKey => "a configured proxy key, never a client credential",
    }
}

/// Says why an edit is made.
pub(crate) fn edit(
    edit: &HeaderMutation<'_>,
    policy: &Policy,
    request: &RequestHeaders<'_>,
    steps: &[Step<'_>],
) -> String {
    let value = edit.value.as_deref().unwrap_or_default();
    match edit.why {
        EditReason::CredentialLocation => removed_credential(&edit.name, request, steps).to_owned(),
        EditReason::InboundIdentity => "only the filter says who is calling".to_owned(),
        EditReason::StripList => "strip_request_headers".to_owned(),
        EditReason::ProxyKeyValue => PROXY_KEY_VALUE.to_owned(),
        EditReason::QueryCredentials => cut_parameters(value, policy, request),
        EditReason::CookieCredentials => cut_cookies(value, policy, request),
        EditReason::Subprotocols => "keys among the subprotocols".to_owned(),
        EditReason::ConnectionOptions => "the next hop would remove the headers that are named there".to_owned(),
        EditReason::EqualLines => "equal lines become one".to_owned(),
        EditReason::ClientCredential => "the client's own credential, as the API wants it".to_owned(),
        EditReason::Beta if has_fewer_items(edit, request) => {
            "the beta of OAuth tokens is removed, since none goes upstream".to_owned()
        }
        EditReason::Beta => "the API takes no OAuth token without this beta".to_owned(),
        EditReason::Companion => "scopes a credential of the client's, which does not go upstream".to_owned(),
        EditReason::DeploymentKey => "the deployment key".to_owned(),
        EditReason::Consumer => "identity_headers.consumer".to_owned(),
        EditReason::KeyId => "identity_headers.key_id".to_owned(),
        EditReason::CredentialSource => "identity_headers.credential_source".to_owned(),
        EditReason::Provider => "identity_headers.provider".to_owned(),
        EditReason::Label => "identity_headers.labels".to_owned(),
    }
}

/// Whether an edit removes items of a list.
fn has_fewer_items(edit: &HeaderMutation<'_>, request: &RequestHeaders<'_>) -> bool {
    let count = |list: &[u8]| list.split(|byte| *byte == b',').filter(|item| !trim(item).is_empty()).count();
    let before: usize = request.values(&edit.name).map(count).sum();
    edit.value.as_deref().map_or(0, count) < before
}

const PROXY_KEY_VALUE: &str = "the proxy key, by its value";

/// Says what a credential was that does not go upstream in its header, by the steps that looked at it.
fn removed_credential(name: &[u8], request: &RequestHeaders<'_>, steps: &[Step<'_>]) -> &'static str {
    if request.value(name).is_none() {
        return "an empty credential";
    }
    if steps.iter().any(|step| is_auth_source(step, name)) {
        return "the proxy key";
    }
    let verdict = steps.iter().find_map(|step| match step {
        Step::ClientCredential { location, verdict, .. } if location.is_header(name) => Some(*verdict),
        _ => None,
    });
    match verdict {
        Some(ClientCredentialVerdict::Selected) => "the client's own credential, which goes in another header",
        Some(ClientCredentialVerdict::ProxyKey) => "the proxy key",
        Some(ClientCredentialVerdict::ConfiguredKey) => "another proxy key",
        Some(ClientCredentialVerdict::IdentityCredential) => {
            "the credential by which Envoy has authenticated the caller"
        }
        _ => "a credential that was not selected",
    }
}

/// Names the credential parameters that were removed. Of another one even the name may be a secret.
fn cut_parameters(value: &[u8], policy: &Policy, request: &RequestHeaders<'_>) -> String {
    let count =
        |target: &[u8], name: &str| query::parameters(target).filter(|parameter| parameter.reads_like(name)).count();
    let before = request.path().unwrap_or_default();
    let names = policy.credential_locations.query().iter().filter(|name| count(before, name) > count(value, name));
    cut("query", names)
}

fn cut_cookies(value: &[u8], policy: &Policy, request: &RequestHeaders<'_>) -> String {
    let lines = || request.values(b"cookie");
    let before = |name: &str| cookies::cookies(lines()).filter(|cookie| cookie.is_named(name)).count();
    let after = |name: &str| cookies::cookies(std::iter::once(value)).filter(|cookie| cookie.is_named(name)).count();
    let names = policy.credential_locations.cookies().iter().filter(|name| before(name) > after(name));
    cut("cookie", names)
}

fn cut<'n>(kind: &str, names: impl Iterator<Item = &'n Box<str>>) -> String {
    let mut names: Vec<&str> = names.map(|name| &**name).collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => format!("{kind}: {PROXY_KEY_VALUE}"),
        [name] => format!("{kind}: {name} is a credential location"),
        names => format!("{kind}: {} are credential locations", names.join(", ")),
    }
}
