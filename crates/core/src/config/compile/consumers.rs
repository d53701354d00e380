//! `consumers`: their names, keys and policies.

use std::sync::Arc;

use super::Environment;
use super::identities::Identities;
use super::names::{EXPECTED_LABEL_NAME, EXPECTED_NAME, Names, is_label_name, is_name, repeats};
use crate::config::de::Named;
use crate::config::diagnostics::Diagnostics;
use crate::config::path::Path;
use crate::config::wire;
use crate::http::strip_scheme;
use crate::model::{Consumer, Key, KeyLimits, KeyRing, Label, is_service_name};
use crate::providers::SCHEMES;
use crate::secret::{KeyDigest, Secret};
use crate::time::Timestamp;

/// Checks all consumers, and returns their keys; adds what they list to the identities.
pub(super) fn check(
    consumers: Vec<wire::Consumer>,
    providers: &Names<'_>,
    identities: &mut Identities,
    has_service: bool,
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> (Vec<Arc<Consumer>>, Keys) {
    let all = Path::Top("consumers");
    let mut checked: Vec<Arc<Consumer>> = Vec::with_capacity(consumers.len());
    let mut taken = repeats(consumers.iter().map(|consumer| &*consumer.name)).into_iter().peekable();
    let mut keys = Keys::with_capacity(consumers.iter().map(|consumer| consumer.keys.len()).sum());
    for (index, wire) in consumers.into_iter().enumerate() {
        let path = all.item(index);
        if !is_name(&wire.name) {
            diagnostics.error(path.field("name"), EXPECTED_NAME);
        }
        if has_service && is_service_name(&wire.name) {
            diagnostics.error(path.field("name"), "expected a name that the verification service does not give");
        }
        if identities.give_name(&wire.name) {
            diagnostics.error(path.field("name"), "expected a name that no identity with allow_unlisted gives");
        }
        if taken.next_if_eq(&index).is_some() {
            diagnostics.error(path.field("name"), "expected a name that no other consumer has");
        }
        for (at, provider) in wire.providers.iter().flat_map(|names| names.iter()).enumerate() {
            if !providers.contains(&**provider) {
                diagnostics.error(path.field("providers").item(at), "expected the name of a provider");
            }
        }
        let mut deployment_keys = Vec::new();
        for (provider, key) in wire.deployment_keys.into_iter().flat_map(|named| named.0) {
            let path = path.field("deployment_keys");
            let path = path.named(&provider);
            if !providers.contains(&*provider) {
                diagnostics.error(path, "expected the name of a provider");
            }
            let key = header_secret(key, path, environment, diagnostics);
            deployment_keys.extend(key.map(|key| (provider, key)));
        }
        let providers = wire.providers.into();
        let labels = wire.labels.map(|labels| self::labels(*labels, path.field("labels"), diagnostics));
        let consumer = Arc::new(Consumer {
            name: wire.name,
            providers,
            byok: wire.byok,
            deployment_keys: deployment_keys.into(),
            labels: labels.unwrap_or_default(),
        });
        identities.add(wire.identities, path.field("identities"), &consumer, diagnostics);
        check_keys(wire.keys, (index, path), &consumer, environment, &mut keys, diagnostics);
        checked.push(consumer);
    }
    for (index, consumer) in checked.iter().enumerate() {
        let path = all.item(index);
        for (provider, key) in &consumer.deployment_keys {
            keys.refuse_as_deployment_key(key, path.field("deployment_keys").named(provider), diagnostics);
        }
    }
    (checked, keys)
}

fn labels(labels: Named<Box<str>>, all: Path<'_>, diagnostics: &mut Diagnostics) -> Box<[Label]> {
    if labels.0.len() > MAX_LABELS {
        diagnostics.error(all, "expected at most 8 labels");
    }
    let checked = labels.0.into_iter().map(|(name, value)| {
        let is_printable = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !is_label_name(&name) {
            diagnostics.error(all.named(&name), EXPECTED_LABEL_NAME);
        } else if !(1..=128).contains(&value.len()) || !is_printable || value.trim().len() != value.len() {
            diagnostics
                .error(all.named(&name), "expected 1 to 128 printable ASCII characters without surrounding spaces");
        }
        Label::new(&name, value)
    });
    checked.collect()
}

/// Each is a property that is written on every request of the consumer.
const MAX_LABELS: usize = 8;

/// The keys, and for each of them its consumer's and its own number in the configuration.
pub(super) struct Keys {
    ring: KeyRing,
    places: Vec<(u32, u32)>,
}

impl Keys {
    fn with_capacity(keys: usize) -> Self {
        Self { ring: KeyRing::with_capacity(keys), places: Vec::with_capacity(keys) }
    }

    pub(super) fn into_ring(self) -> KeyRing {
        self.ring
    }

    fn insert(
        &mut self,
        digest: KeyDigest,
        key: Key,
        path: Path<'_>,
        place: (usize, usize),
        diagnostics: &mut Diagnostics,
    ) {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        match self.ring.insert(digest, key) {
            Ok(()) => self.places.push((number(place.0), number(place.1))),
            Err(earlier) => {
                diagnostics.error(path, &format!("expected a secret of its own, not that of {}", self.path(earlier)));
            }
        }
    }

    /// Refuses a deployment key that is a proxy key: whoever has that key would see it go upstream.
    pub(super) fn refuse_as_deployment_key(&self, key: &Secret, path: Path<'_>, diagnostics: &mut Diagnostics) {
        if let Some(position) = self.ring.position(KeyDigest::of(key.expose().as_bytes())) {
            let message = &format!("expected a secret that is no proxy key, not that of {}", self.path(position));
            diagnostics.error(path, message);
        }
    }

    /// Returns the path of the key that was added at that position.
    fn path(&self, position: usize) -> String {
        let (consumer, key) = self.places.get(position).copied().unwrap_or_default();
        format!("consumers[{consumer}].keys[{key}]")
    }
}

fn check_keys(
    wire: Box<[wire::Key]>,
    (consumer_index, consumer_path): (usize, Path<'_>),
    consumer: &Arc<Consumer>,
    environment: Environment<'_>,
    keys: &mut Keys,
    diagnostics: &mut Diagnostics,
) {
    let taken = if wire.len() > 1 { repeats(wire.iter().map(|key| &*key.id)) } else { Vec::new() };
    let mut taken = taken.into_iter().peekable();
    let all = consumer_path.field("keys");
    for (at, wire) in wire.into_iter().enumerate() {
        let path = all.item(at);
        if !is_name(&wire.id) {
            diagnostics.error(path.field("id"), EXPECTED_NAME);
        }
        if taken.next_if_eq(&at).is_some() {
            diagnostics.error(path.field("id"), "expected an id that no other key of the consumer has");
        }
        let mut date = |name: &'static str, text: &Option<Box<Box<str>>>| {
            let text = text.as_deref()?;
            let date = Timestamp::from_rfc3339(text);
            if date.is_none() {
                diagnostics.error(path.field(name), "expected an RFC 3339 date and time, such as 2027-01-31T00:00:00Z");
            }
            date
        };
        let not_before = date("not_before", &wire.not_before).unwrap_or(Timestamp::MIN);
        let expires_at = date("expires_at", &wire.expires_at).unwrap_or(Timestamp::MAX);
        if not_before >= expires_at {
            diagnostics.warn(path, "is never valid: expires_at is not after not_before");
        }
        if let Some(digest) = digest(&wire, path, environment, diagnostics) {
            let consumer = Arc::clone(consumer);
            let limits = KeyLimits { not_before, expires_at, disabled: wire.disabled };
            let key = Key::unlimited(consumer, wire.id).limited(limits);
            keys.insert(digest, key, path, (consumer_index, at), diagnostics);
        }
    }
}

fn digest(
    key: &wire::Key,
    path: Path<'_>,
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<KeyDigest> {
    match (&key.sha256, &key.environment_variable, &key.sds_secret, &key.value) {
        (Some(digest), None, None, None) => {
            if digest.0.is_none() {
                diagnostics.error(path.field("sha256"), "expected 64 hex digits");
            }
            digest.0
        }
        (None, Some(variable), None, None) => {
            let path = path.field("environment_variable");
            let secret = environment.secret(variable, path, diagnostics)?;
            refuse_scheme(secret.expose(), path, diagnostics);
            Some(KeyDigest::of(secret.expose().as_bytes()))
        }
        (None, None, Some(name), None) => {
            let path = path.field("sds_secret");
            let secret = environment.sds_secret(name, path, diagnostics)?;
            refuse_scheme(secret.expose(), path, diagnostics);
            Some(KeyDigest::of(secret.expose().as_bytes()))
        }
        (None, None, None, Some(value)) => {
            let value = value.trim();
            if value.is_empty() {
                diagnostics.error(path.field("value"), "expected a secret");
                return None;
            }
            diagnostics.warn(path.field("value"), CLEAR_TEXT);
            refuse_scheme(value, path.field("value"), diagnostics);
            Some(KeyDigest::of(value.as_bytes()))
        }
        _ => {
            diagnostics.error(path, "expected exactly one of sha256, environment_variable, sds_secret, value");
            None
        }
    }
}

/// Refuses a proxy key with its scheme: the scheme of a request is removed before its key is looked up.
fn refuse_scheme(secret: &str, path: Path<'_>, diagnostics: &mut Diagnostics) {
    if SCHEMES.iter().any(|scheme| strip_scheme(scheme, secret.as_bytes()).is_some()) {
        diagnostics.error(path, "expected the key without a scheme such as Bearer");
    }
}

const CLEAR_TEXT: &str = "is in clear text, which Envoy's /config_dump shows";

/// Checks a secret that goes into a header.
pub(in crate::config) fn header_secret(
    wire: wire::SecretSource,
    path: Path<'_>,
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Secret> {
    let (field, secret) = match (wire.environment_variable, wire.sds_secret, wire.value) {
        (Some(variable), None, None) => {
            let field = "environment_variable";
            (field, environment.secret(&variable, path.field(field), diagnostics)?)
        }
        (None, Some(name), None) => {
            let field = "sds_secret";
            (field, environment.sds_secret(&name, path.field(field), diagnostics)?)
        }
        (None, None, Some(value)) => {
            diagnostics.warn(path.field("value"), CLEAR_TEXT);
            ("value", Secret::new(value.trim()))
        }
        _ => {
            diagnostics.error(path, "expected exactly one of environment_variable, sds_secret, value");
            return None;
        }
    };
    let fits = !secret.expose().is_empty() && secret.expose().bytes().all(|byte| byte.is_ascii_graphic());
    if !fits {
        diagnostics.error(path.field(field), "expected a secret of visible ASCII characters");
    }
    fits.then_some(secret)
}
