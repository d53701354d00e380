//! What the operator sees of a decision: filter state and one counter. Never a secret.

use std::borrow::Cow;

use crate::model::{AuthSource, Consumer, CredentialSource, DecisionToken, Key, Label, Policy, Reason, RoutePolicy};

/// What is recorded of a decision.
#[derive(Clone, Debug)]
pub struct Effect<'a> {
    /// Whether the request continues.
    pub decision: DecisionToken,
    /// Why it does, or does not.
    pub reason: Reason,
    /// The key source of the proxy key, or the identity.
    pub auth_source: Option<AuthSource<'a>>,
    /// The consumer, also of a known key that is not valid.
    pub consumer: Option<&'a str>,
    /// The id of the key, also of a known one that is not valid.
    pub key_id: Option<&'a str>,
    /// The consumer's labels.
    pub labels: &'a [Label],
    /// What applied; it names the provider.
    pub route: &'a RoutePolicy,
    /// Whose credential goes upstream.
    pub credential_source: CredentialSource,
    /// For the run after an internal redirect: whether the proxy key is still in the request.
    pub(crate) proxy_key_preserved: bool,
}

/// Identifies a counter. The auth source is identified by the address of its label, so this is valid for one policy only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CounterKey(DecisionToken, Reason, Option<*const u8>, CredentialSource);

impl<'a> Effect<'a> {
    pub(super) fn new(route: &'a RoutePolicy) -> Self {
        Self {
            decision: DecisionToken::Allow,
            reason: Reason::Unverified,
            auth_source: None,
            consumer: None,
            key_id: None,
            labels: &[],
            route,
            credential_source: CredentialSource::None,
            proxy_key_preserved: false,
        }
    }

    /// Sets who is calling, or whose key is not valid.
    pub(super) fn set_caller(
        &mut self,
        consumer: Option<&'a Consumer>,
        key: Option<&'a Key>,
        auth_source: Option<AuthSource<'a>>,
    ) {
        self.auth_source = auth_source;
        self.consumer = consumer.map(|consumer| &*consumer.name);
        self.key_id = key.map(|key| &*key.id);
        self.labels = consumer.map(|consumer| &*consumer.labels).unwrap_or_default();
        self.reason = match (consumer, key) {
            (_, Some(_)) => Reason::Verified,
            (Some(_), None) => Reason::Anonymous,
            (None, None) => Reason::Unverified,
        };
    }

    /// Returns the parts that are set, each with the name of its property: Envoy prepends `wasm.` in filter state
    /// (<https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/wasm_filter>).
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, &str)> {
        let parts = [
            ("byok.decision", Some(self.decision.as_str())),
            ("byok.reason", Some(self.reason.as_str())),
            ("byok.auth_source", Some(self.auth_source_label())),
            ("byok.consumer", self.consumer),
            ("byok.key_id", self.key_id),
            ("byok.provider", Some(&*self.route.provider.name)),
            ("byok.credential_source", Some(self.credential_source.as_str())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
        parts.chain(self.labels.iter().map(|label| (&*label.property, &*label.value)))
    }

    /// Returns the parts that the policy sets as filter state, each with the name of its property.
    pub fn filter_state(&self, policy: &'a Policy) -> impl Iterator<Item = (&'a str, &str)> {
        self.entries().filter(|(name, _)| policy.filter_state.contains(name))
    }

    /// Returns what identifies the counter that this request adds to, without writing its name.
    pub fn counter_key(&self) -> CounterKey {
        CounterKey(
            self.decision,
            self.reason,
            self.auth_source.map(|source| source.label().as_ptr()),
            self.credential_source,
        )
    }

    /// Returns the name of the counter that this request adds to, for a host whose counters have no labels.
    pub fn counter(&self) -> String {
        let [decision, reason, auth_source, credential] = self.counter_labels();
        format!("byok.decision.{decision}.reason.{reason}.auth_source.{auth_source}.credential.{credential}.requests")
    }

    /// Returns the labels of the counter that this request adds to: decision, reason, auth source and credential. They are
    /// fixed words and the configured key source; nothing that a client sends is part of them.
    pub fn counter_labels(&self) -> [Cow<'_, str>; 4] {
        let fits = |character: char| character.is_ascii_alphanumeric() || character == '-';
        let label = self.auth_source_label();
        let auth_source = if label.chars().all(fits) {
            label.into()
        } else {
            label.chars().map(|character| if fits(character) { character } else { '_' }).collect::<String>().into()
        };
        [
            self.decision.as_str().into(),
            self.reason.as_str().into(),
            auth_source,
            self.credential_source.as_str().into(),
        ]
    }

    fn auth_source_label(&self) -> &str {
        self.auth_source.map_or("none", AuthSource::label)
    }
}
