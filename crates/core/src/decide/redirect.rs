//! What carries the caller over an internal redirect: Envoy runs the filter again, on headers that it has changed
//! (<https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/http_connection_management#internal-redirects>).
//! The state travels in Envoy, never in a header.

use super::Effect;
use super::authenticate::{Caller, Rejection, Unauthenticated};
use crate::http::RequestHeaders;
use crate::model::{
    AuthSource, CredentialSource, DenyReason, Identity, Key, Mode, Policy, Reason, RoutePolicy, is_service_name,
};
use crate::time::Timestamp;

/// Who the caller is, and which credentials the first run kept.
#[derive(Debug, Default)]
pub struct RedirectState {
    /// The key that was verified; `None` for a caller who passed unverified.
    verified: Option<KnownKey>,
    /// The label of the auth source; `None` if it is unknown.
    auth_source: Option<Box<str>>,
    /// The provider whose client credential was kept; `None` if none was.
    client_credential_for: Option<Box<str>>,
    /// Whether the proxy key is still in the auth source.
    proxy_key_preserved: bool,
}

/// A key that the first run verified.
#[derive(Debug)]
enum KnownKey {
    /// It is looked up again: the configuration may have changed.
    Configured { consumer: Box<str>, id: Box<str> },
    /// It was valid a moment ago; the service is not asked again.
    OfService(Key),
    /// Of a caller whom Envoy has authenticated; for a consumer that the configuration does not list.
    OfIdentity(Key),
}

impl Effect<'_> {
    /// Writes what the run after an internal redirect must know: one part per line, in UTF-8. No part contains a line end.
    pub fn to_redirect_state(&self) -> String {
        let verified = self.reason == Reason::Verified;
        let client = matches!(self.credential_source, CredentialSource::Client | CredentialSource::ClientOauth);
        [
            self.consumer.filter(|_| verified),
            self.key_id.filter(|_| verified),
            self.auth_source.map(AuthSource::label),
            Some(&*self.route.provider.name).filter(|_| client),
            Some("kept").filter(|_| self.proxy_key_preserved),
        ]
        .map(Option::unwrap_or_default)
        .join("\n")
    }
}

impl RedirectState {
    /// Reads what [`Effect::to_redirect_state`] wrote; `None` if it is something else.
    pub fn parse(state: &[u8]) -> Option<Self> {
        let mut parts =
            std::str::from_utf8(state).ok()?.split('\n').map(|part| (!part.is_empty()).then(|| Box::from(part)));
        let (consumer, key_id) = (parts.next()?, parts.next()?);
        let (auth_source, client_credential_for) = (parts.next()?, parts.next()?);
        let proxy_key_preserved = parts.next()?.is_some();
        let is_identity = auth_source.as_deref().is_some_and(Identity::is_label);
        let verified = consumer.zip(key_id).map(|(consumer, id)| KnownKey::new(consumer, id, is_identity));
        Some(Self { verified, auth_source, client_credential_for, proxy_key_preserved })
    }

    /// Whether a credential of the client's that was meant for this provider is still in the request.
    pub(super) fn kept_client_credential_for(&self, provider: &str) -> bool {
        self.client_credential_for.as_deref() == Some(provider)
    }
}

impl KnownKey {
    fn new(consumer: Box<str>, id: Box<str>, is_identity: bool) -> Self {
        if is_identity {
            Self::OfIdentity(Key::of_default_consumer(consumer, id))
        } else if is_service_name(&consumer) {
            Self::OfService(Key::of_default_consumer(consumer, id))
        } else {
            Self::Configured { consumer, id }
        }
    }

    /// Returns the key, if the policy still knows it, or the consumer that it names by that identity.
    fn find<'a>(&'a self, policy: &'a Policy, auth_source: Option<AuthSource<'a>>) -> Option<&'a Key> {
        match self {
            Self::OfIdentity(key) => {
                let Some(AuthSource::Identity(identity)) = auth_source else { return None };
                let consumer = &key.consumer.name;
                identity.key_of(consumer).or_else(|| identity.gives_name(consumer).then_some(key))
            }
            Self::Configured { consumer, id } => policy.keys.named(consumer, id),
            Self::OfService(key) if policy.verification_service.is_some() => Some(key),
            // Without a service, anybody may have such a name.
            Self::OfService(key) => policy.keys.named(&key.consumer.name, &key.id),
        }
    }
}

/// Returns the caller of the first run. The key must still exist and be valid.
///
/// # Errors
/// It does not or is not, or the caller was not verified and the mode demands it.
pub(super) fn restore_caller<'a>(
    policy: &'a Policy,
    route: &'a RoutePolicy,
    state: &'a RedirectState,
    request: &RequestHeaders<'a>,
    now: Timestamp,
) -> Result<Caller<'a>, Unauthenticated<'a>> {
    let auth_source = state.auth_source.as_deref().and_then(|label| policy.auth_source(label));
    let rejected = |reason, key| Err(Rejection { reason, auth_source, key }.into());
    let key = match &state.verified {
        Some(known) => match known.find(policy, auth_source) {
            Some(key) => Some(key),
            None => return rejected(DenyReason::UnknownApiKey, None),
        },
        None if route.mode == Mode::On => return rejected(DenyReason::MissingApiKey, None),
        None => None,
    };
    if let Some(Err(reason)) = key.map(|key| key.check_validity(now)) {
        return rejected(reason, key);
    }
    let proxy_key = match auth_source {
        Some(AuthSource::Key(source)) if state.proxy_key_preserved => source.secret(request),
        _ => None,
    };
    Ok(match key {
        Some(key) => Caller::verified(key, auth_source, proxy_key),
        None => Caller::without_key(route, auth_source, proxy_key),
    })
}
