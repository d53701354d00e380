//! `identities`, and which consumers the values of their properties stand for.

use std::sync::Arc;

use super::headers::key_source;
use super::names::{EXPECTED_TOKEN, is_token};
use crate::config::de::Named;
use crate::config::diagnostics::Diagnostics;
use crate::config::path::Path;
use crate::config::wire;
use crate::model::{Consumer, Identity, Key, ListedValues, is_service_name};

/// The identities while the consumers that list their values are checked.
pub(super) struct Identities(Vec<Identity>);

impl Identities {
    /// Checks the identities; nobody lists a value of theirs yet.
    pub(super) fn check(wire: Vec<wire::Identity>, has_service: bool, diagnostics: &mut Diagnostics) -> Self {
        let all = Path::Top("identities");
        let mut checked: Vec<Identity> = Vec::with_capacity(wire.len());
        if wire.len() > MAX_IDENTITIES {
            diagnostics.error(all, EXPECTED_FEW);
        }
        for (index, wire) in wire.into_iter().take(MAX_IDENTITIES).enumerate() {
            let path = all.item(index);
            if !is_token(&wire.name) || wire.name.len() > 64 {
                diagnostics.error(path.field("name"), EXPECTED_TOKEN);
            } else if checked.iter().any(|other| other.name == wire.name) {
                diagnostics.error(path.field("name"), "expected a name that no other identity has");
            } else if has_service && wire.allow_unlisted && is_service_name(&wire.name) {
                diagnostics.error(path.field("name"), "expected a name that the verification service does not give");
            }
            if !is_envoys_own(&wire.property) {
                diagnostics.error(path.field("property"), EXPECTED_PROPERTY);
            }
            let credential = wire.credential.and_then(|one| key_source(one, path.field("credential"), diagnostics));
            checked.push(Identity {
                label: Identity::label(&wire.name).into(),
                name: wire.name,
                property: wire.property,
                credential,
                listed: ListedValues::default(),
                allow_unlisted: wire.allow_unlisted,
            });
        }
        Self(checked)
    }

    /// Whether a consumer's name is one that an identity gives to callers that no consumer lists.
    pub(super) fn give_name(&self, consumer: &str) -> bool {
        self.0.iter().any(|identity| identity.gives_name(consumer))
    }

    /// Adds what a consumer lists.
    pub(super) fn add(
        &mut self,
        listed: Box<[Named<Box<str>>]>,
        all: Path<'_>,
        consumer: &Arc<Consumer>,
        diagnostics: &mut Diagnostics,
    ) {
        for (at, entry) in listed.into_iter().enumerate() {
            let path = all.item(at);
            let [(name, value)] = &*entry.0 else {
                diagnostics.error(path, "expected the name of one identity, with a value");
                continue;
            };
            let Some(identity) = self.0.iter_mut().find(|identity| identity.name == *name) else {
                diagnostics.error(path.named(name), "expected the name of an identity");
                continue;
            };
            let start = value.strip_suffix('*').unwrap_or(value);
            if value.is_empty() || start.contains('*') || value.chars().any(char::is_control) {
                diagnostics.error(path.named(name), "expected a value, or the beginning of one and *");
                continue;
            }
            if !identity.listed.insert(value, Key::unlimited(Arc::clone(consumer), name.clone())) {
                diagnostics.error(path.named(name), "expected a value that is not listed before");
            }
        }
    }

    /// Whether an identity can authenticate anybody.
    pub(super) fn admit_anybody(&self) -> bool {
        self.0.iter().any(Identity::admits_anybody)
    }

    /// Returns the identities, each with the values that consumers list.
    pub(super) fn finish(self, diagnostics: &mut Diagnostics) -> Vec<Identity> {
        let all = Path::Top("identities");
        for (index, _) in self.0.iter().enumerate().filter(|(_, identity)| !identity.admits_anybody()) {
            diagnostics.warn(all.item(index), "authenticates nobody: no consumer lists a value of it");
        }
        self.0
    }
}

/// Each costs a look at Envoy's state on every request.
const MAX_IDENTITIES: usize = 16;
const EXPECTED_FEW: &str = "expected at most 16 identities";
const EXPECTED_PROPERTY: &str = "expected what only Envoy writes: connection and an attribute of the client certificate, metadata, filter_metadata, a filter and a key, or filter_state and a key";

/// Attributes that Envoy takes from a client certificate
/// (<https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes#connection-attributes>).
const OF_CERTIFICATE: [&str; 4] = [
    "uri_san_peer_certificate",
    "dns_san_peer_certificate",
    "subject_peer_certificate",
    "sha256_peer_certificate_digest",
];

/// Whether a property is written by Envoy or its filters, and repeats nothing that a client has sent.
fn is_envoys_own(property: &[Box<str>]) -> bool {
    let parts: Vec<&str> = property.iter().map(|part| &**part).collect();
    let is_own = match &*parts {
        ["connection", attribute] => OF_CERTIFICATE.contains(attribute),
        ["metadata", "filter_metadata", _, _, ..] | ["filter_state", _, ..] => true,
        _ => false,
    };
    is_own && parts.iter().all(|part| !part.is_empty() && !part.chars().any(char::is_control))
}
