//! What holds and is probably not meant.

use std::sync::Arc;

use super::findings::Findings;
use super::path::Path;
use crate::policy::{Byok, Consumer, Mode, Policy};
use crate::provider::Provider;

/// Warns of what only shows when all fields are seen together.
pub(super) fn warn(policy: &Policy, consumers: &[Arc<Consumer>], findings: &mut Findings) {
    idle_keys(policy, consumers, findings);
    hidden_credentials(policy, findings);
    unbound_providers(policy, findings);
}

/// Warns of deployment keys that no request is ever paid with, as every caller must bring a key.
fn idle_keys(policy: &Policy, consumers: &[Arc<Consumer>], findings: &mut Findings) {
    const IDLE: &str = "is never used, as byok is \"required\"";
    let routes_require = policy.routes.iter().filter_map(|route| route.byok).all(|byok| byok == Byok::Required);
    let always_required =
        |provider: &Provider, consumer: Option<&Consumer>| match consumer.and_then(|consumer| consumer.byok) {
            Some(byok) => byok == Byok::Required,
            None => provider.byok == Some(Byok::Required) && routes_require,
        };
    let needs_none = |provider: &&Arc<Provider>| !provider.profile.deployment_key_beside_client;
    for provider in policy.providers.iter().filter(needs_none) {
        let idle = consumers.iter().all(|consumer| always_required(provider, Some(consumer)))
            && (!consumers.is_empty() || always_required(provider, None));
        if idle && provider.deployment_key.is_some() {
            findings.warn(Path::Top("providers").named(&provider.name).field("deployment_key"), IDLE);
        }
        for (index, consumer) in consumers.iter().enumerate() {
            let has_own = consumer.deployment_keys.iter().any(|(name, _)| *name == provider.name);
            if has_own && always_required(provider, Some(consumer)) {
                let consumer = Path::Top("consumers");
                let consumer = consumer.item(index);
                findings.warn(consumer.field("deployment_keys").named(&provider.name), IDLE);
            }
        }
    }
}

/// Warns where callers pass unverified to a next hop that does not see their key.
fn hidden_credentials(policy: &Policy, findings: &mut Findings) {
    let mut check = |path: Path<'_>, mode: Mode, hide: Option<bool>, provider: &Provider| {
        let passed_on = hide.is_none() && provider.profile.deployment_key_beside_client;
        let doubtful = match mode {
            Mode::On => false,
            Mode::Auto => hide != Some(false),
            Mode::Off => hide.is_none(),
        };
        if doubtful && !passed_on {
            findings.warn(path, "hides the proxy key from the next hop, which is left to check it: set it to false");
        }
    };
    check(Path::Top("hide_credentials"), policy.mode, policy.hide_credentials, &policy.default_provider);
    for (index, route) in policy.routes.iter().enumerate() {
        if route.mode.is_some() || route.provider.is_some() || route.hide_credentials.is_some() {
            check(
                Path::Top("routes").item(index).field("hide_credentials"),
                route.mode.unwrap_or(policy.mode),
                route.hide_credentials.or(policy.hide_credentials),
                route.provider.as_ref().unwrap_or(&policy.default_provider),
            );
        }
    }
}

/// Warns where nothing ties the choice of provider to Envoy's choice of cluster.
fn unbound_providers(policy: &Policy, findings: &mut Findings) {
    let bound_by_route = policy.identity_headers.provider.is_some();
    let bound_by_cluster = policy.providers.iter().all(|provider| provider.clusters.is_some());
    if policy.providers.len() > 1 && !bound_by_route && !bound_by_cluster {
        findings.warn(
            Path::Top("providers"),
            "nothing keeps one provider's credentials from another's cluster: let Envoy's routes match on identity_headers.provider, or set clusters",
        );
    }
}
