//! The record: what the operator sees of a decision, never a secret.

use crate::policy::{Key, KeySource};
use crate::provider::Provider;
use crate::refusal::DenyReason;

/// What was decided about one request, and why.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    pub(crate) decision: Verdict,
    pub(crate) reason: Reason,
    pub(crate) auth_source: Option<&'a KeySource>,
    pub(crate) consumer: Option<&'a str>,
    pub(crate) key_id: Option<&'a str>,
    pub(crate) provider: &'a Provider,
    pub(crate) credential_source: CredentialSource,
    /// For a later pass: whether the proxy key still stands in its place.
    pub(crate) proxy_key_kept: bool,
}

/// What the name of a counter is made of; the key source by its address, so good for one policy alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CounterKey(Verdict, Reason, Option<*const KeySource>, CredentialSource);

/// Whether the request went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allow,
    Deny,
    /// It went on because the filter only watches.
    ShadowDeny,
}

/// Why the request went on, or did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Verified,
    Unverified,
    Denied(DenyReason),
}

/// Whose provider credential goes upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CredentialSource {
    Client,
    ClientOauth,
    Deployment,
    None,
}

impl<'a> Record<'a> {
    pub(crate) fn new(provider: &'a Provider) -> Self {
        Self {
            decision: Verdict::Allow,
            reason: Reason::Unverified,
            auth_source: None,
            consumer: None,
            key_id: None,
            provider,
            credential_source: CredentialSource::None,
            proxy_key_kept: false,
        }
    }

    /// Notes who is calling, or who it is that may not.
    pub(crate) fn who_is_calling(&mut self, key: Option<&'a Key>, auth_source: Option<&'a KeySource>) {
        self.auth_source = auth_source;
        self.consumer = key.map(|key| &*key.consumer.name);
        self.key_id = key.map(|key| &*key.id);
        if key.is_some() {
            self.reason = Reason::Verified;
        }
    }

    /// Returns the parts that are set, each with the property that shows it.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("byok.decision", Some(self.decision.as_str())),
            ("byok.reason", Some(self.reason.as_str())),
            ("byok.auth_source", Some(self.auth_source_label())),
            ("byok.consumer", self.consumer),
            ("byok.key_id", self.key_id),
            ("byok.provider", Some(&*self.provider.name)),
            ("byok.credential_source", Some(self.credential_source.as_str())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    /// Tells the requests of one counter from others, without writing its name.
    pub fn counter_key(&self) -> CounterKey {
        CounterKey(self.decision, self.reason, self.auth_source.map(std::ptr::from_ref), self.credential_source)
    }

    /// Returns the name of the counter that this request adds to: fixed words, with the
    /// configured key source as the only part that varies; nothing that a client sent is part of it.
    pub fn counter(&self) -> String {
        let auth_source: String = self
            .auth_source_label()
            .chars()
            .map(|character| if character.is_ascii_alphanumeric() || character == '-' { character } else { '_' })
            .collect();
        format!(
            "byok.decision.{}.reason.{}.auth_source.{auth_source}.credential.{}.requests",
            self.decision.as_str(),
            self.reason.as_str(),
            self.credential_source.as_str()
        )
    }

    fn auth_source_label(&self) -> &str {
        self.auth_source.map_or("none", |source| &source.label)
    }
}

impl Verdict {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::ShadowDeny => "shadow_deny",
        }
    }
}

impl Reason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Unverified => "unverified",
            Self::Denied(reason) => reason.as_str(),
        }
    }
}

impl CredentialSource {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::ClientOauth => "client_oauth",
            Self::Deployment => "deployment",
            Self::None => "none",
        }
    }
}
