//! What an earlier pass of the same request found out: Envoy runs the filter again after an internal redirect,
//! on headers that it has changed. It travels in Envoy's own state, never in a header.

use crate::policy::Key;
use crate::record::{CredentialSource, Reason, Record};
use crate::verify;

/// Who the caller is, and which credential the first pass sent on.
#[derive(Debug, Default)]
pub struct EarlierPass {
    /// The key that verified; `None` for a caller who passed unverified.
    pub(crate) verified: Option<KnownKey>,
    /// The label of the auth source; `None` if it is unknown.
    pub(crate) auth_source: Option<Box<str>>,
    /// The provider whose client credential was kept; `None` if none was.
    client_credential_for: Option<Box<str>>,
    /// Whether the proxy key still stands in the auth source.
    pub(crate) proxy_key_kept: bool,
}

/// A key that an earlier pass has verified.
#[derive(Debug)]
pub(crate) enum KnownKey {
    /// It is looked up again: the configuration may have changed.
    Configured { consumer: Box<str>, id: Box<str> },
    /// It held a moment ago; the service is not asked again.
    OfService(Key),
}

impl Record<'_> {
    /// Writes what a later pass must know, for Envoy's state.
    pub fn to_state(&self) -> String {
        let verified = self.reason == Reason::Verified;
        let client = matches!(self.credential_source, CredentialSource::Client | CredentialSource::ClientOauth);
        [
            self.consumer.filter(|_| verified),
            self.key_id.filter(|_| verified),
            self.auth_source.map(|source| &*source.label),
            Some(&*self.provider.name).filter(|_| client),
            Some("kept").filter(|_| self.proxy_key_kept),
        ]
        // No part holds a line end: names are visible ASCII.
        .map(Option::unwrap_or_default)
        .join("\n")
    }
}

impl EarlierPass {
    /// Reads what [`Record::to_state`] wrote.
    pub fn from_state(state: &[u8]) -> Option<Self> {
        let mut parts =
            std::str::from_utf8(state).ok()?.split('\n').map(|part| (!part.is_empty()).then(|| Box::from(part)));
        let (consumer, key_id) = (parts.next()?, parts.next()?);
        let (auth_source, client_credential_for) = (parts.next()?, parts.next()?);
        let proxy_key_kept = parts.next()?.is_some();
        let verified = consumer.zip(key_id).map(|(consumer, id)| KnownKey::new(consumer, id));
        Some(Self { verified, auth_source, client_credential_for, proxy_key_kept })
    }

    /// Whether a credential of the client's that was meant for this provider is still in the request.
    pub(crate) fn kept_client_credential_for(&self, provider: &str) -> bool {
        self.client_credential_for.as_deref() == Some(provider)
    }
}

impl KnownKey {
    fn new(consumer: Box<str>, id: Box<str>) -> Self {
        if verify::is_service_name(&consumer) {
            Self::OfService(Key::of_service(consumer, id))
        } else {
            Self::Configured { consumer, id }
        }
    }
}
