//! Configurations that are valid but probably not what the operator intended.

use std::sync::Arc;

use super::compile::OwnSettings;
use super::diagnostics::Diagnostics;
use super::path::Path;
use crate::model::{
    AllowList, Byok, ClientCredentialPolicy, Consumer, Mode, Policy, Provider, ProxyKeyHandling, RoutePolicy,
};

/// Warns of what only shows when all fields are seen together.
pub(super) fn warn(
    policy: &Policy,
    consumers: &[Arc<Consumer>],
    own_settings: &[OwnSettings],
    hides_explicitly: bool,
    diagnostics: &mut Diagnostics,
) {
    unused_deployment_keys(policy, consumers, diagnostics);
    hidden_credentials(policy, own_settings, hides_explicitly, diagnostics);
    unbound_providers(policy, diagnostics);
    anonymous_deployment_keys(policy, diagnostics);
}

/// Warns of providers that no credential can ever reach.
pub(super) fn unreachable_providers(policy: &Policy, consumers: &[Arc<Consumer>], diagnostics: &mut Diagnostics) {
    for provider in &policy.providers {
        let mut routes = policy.route_policies().filter(|route| Arc::ptr_eq(&route.provider, provider)).peekable();
        let is_used = routes.peek().is_some();
        let takes_none = |credentials: ClientCredentialPolicy| credentials.byok == Byok::Off && !credentials.oauth;
        let clients_pay = !routes.all(|route| takes_none(route.client_credentials))
            || consumers.iter().filter_map(|one| one.byok).any(|byok| !takes_none(provider.client_credentials(byok)));
        let has_own = |one: &Arc<Consumer>| one.deployment_keys.iter().any(|(name, _)| *name == provider.name);
        let operator_pays = provider.deployment_key.is_some() || consumers.iter().any(has_own);
        if is_used && !clients_pay && !operator_pays && !provider.is_gateway {
            let message = "no credential can ever reach it: byok is \"off\", and there is no deployment key";
            diagnostics.warn(Path::Top("providers").named(&provider.name), message);
        }
    }
}

/// Warns of identity headers for labels that no consumer has.
pub(super) fn unknown_labels(policy: &Policy, consumers: &[Arc<Consumer>], diagnostics: &mut Diagnostics) {
    for (name, _) in &policy.identity_headers.labels {
        if !consumers.iter().any(|consumer| consumer.labels.iter().any(|label| label.name() == &**name)) {
            let labels = Path::Top("identity_headers");
            let labels = labels.field("labels");
            diagnostics.warn(labels.named(name), "is never set: no consumer has this label");
        }
    }
}

/// Warns where anybody who reaches a route is given a deployment key.
fn anonymous_deployment_keys(policy: &Policy, diagnostics: &mut Diagnostics) {
    let gives_key = |route: &RoutePolicy| {
        let consumer = route.anonymous.as_deref().filter(|_| route.mode != Mode::On);
        consumer.is_some_and(|consumer| route.provider.deployment_key_for(consumer).is_some())
    };
    let message = "gives a deployment key to every client that reaches the route: let the network authenticate clients";
    if gives_key(&policy.default_route) {
        diagnostics.warn(Path::Top("anonymous"), message);
    }
    for (index, _) in policy.routes.iter().enumerate().filter(|(_, route)| gives_key(&route.policy)) {
        let path = Path::Top("routes");
        let path = path.item(index);
        diagnostics.warn(path.field("anonymous"), message);
    }
}

/// Warns of deployment keys that no request is ever paid with, as every caller must bring a key.
fn unused_deployment_keys(policy: &Policy, consumers: &[Arc<Consumer>], diagnostics: &mut Diagnostics) {
    const UNUSED: &str = "is never used, since byok is \"required\"";
    for provider in policy.providers.iter().filter(|provider| !provider.is_gateway) {
        let mut routes = policy.route_policies().filter(|route| Arc::ptr_eq(&route.provider, provider)).peekable();
        let is_used = routes.peek().is_some();
        let routes_require = is_used && routes.all(|route| route.client_credentials.byok == Byok::Required);
        let requires = |consumer: &Consumer| consumer.byok.map_or(routes_require, |byok| byok == Byok::Required);
        let all_require = if consumers.is_empty() { routes_require } else { consumers.iter().all(|one| requires(one)) };
        if all_require && provider.deployment_key.is_some() {
            diagnostics.warn(Path::Top("providers").named(&provider.name).field("deployment_key"), UNUSED);
        }
        for (index, consumer) in consumers.iter().enumerate() {
            let has_own = consumer.deployment_keys.iter().any(|(name, _)| *name == provider.name);
            if has_own && requires(consumer) {
                let consumer = Path::Top("consumers");
                let consumer = consumer.item(index);
                diagnostics.warn(consumer.field("deployment_keys").named(&provider.name), UNUSED);
            }
        }
    }
}

/// Warns where callers pass unverified to a next hop that does not see their key.
fn hidden_credentials(
    policy: &Policy,
    own_settings: &[OwnSettings],
    hides_explicitly: bool,
    diagnostics: &mut Diagnostics,
) {
    let mut check = |path: Path<'_>, route: &RoutePolicy, is_explicit: bool| {
        let is_unintended = match route.mode {
            Mode::On | Mode::Optional => false,
            Mode::Auto => route.proxy_key == ProxyKeyHandling::Hide,
            Mode::Off => route.proxy_key == ProxyKeyHandling::Hide && !is_explicit,
        };
        if is_unintended {
            diagnostics.warn(path, "removes the proxy key before the next hop, which has to check it: set it to false");
        }
    };
    check(Path::Top("hide_credentials"), &policy.default_route, hides_explicitly);
    for (index, (route, own)) in policy.routes.iter().zip(own_settings).enumerate() {
        if own.mode || own.provider || own.hide_credentials {
            let path = Path::Top("routes");
            let path = path.item(index);
            check(path.field("hide_credentials"), &route.policy, own.hide_credentials || hides_explicitly);
        }
    }
}

/// Warns where nothing ties the choice of provider to Envoy's choice of cluster.
fn unbound_providers(policy: &Policy, diagnostics: &mut Diagnostics) {
    let is_bound = |provider: &Arc<Provider>| provider.clusters != AllowList::All;
    let bound_by_route = policy.identity_headers.provider.is_some();
    if policy.providers.len() > 1 && !bound_by_route && !policy.providers.iter().all(is_bound) {
        diagnostics.warn(
            Path::Top("providers"),
            "nothing keeps one provider's credentials away from another's cluster: match Envoy's routes on identity_headers.provider, or set clusters",
        );
    }
}
