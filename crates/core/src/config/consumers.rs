//! `consumers`: who there is, and by which keys they are known.

use std::collections::HashSet;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::findings::Findings;
use super::names::{EXPECTED_NAME, is_name};
use super::{Environment, wire};
use crate::policy::{Consumer, Key, KeyRing};
use crate::secret::{KeyDigest, Secret};
use crate::timestamp::Timestamp;
use crate::verify::is_service_name;

/// Checks all consumers; the ring holds the keys of those that hold.
pub(super) fn check(
    consumers: Vec<wire::Consumer>,
    providers: &[&str],
    has_service: bool,
    environment: Environment<'_>,
    findings: &mut Findings,
) -> (Vec<Arc<Consumer>>, KeyRing) {
    let mut checked: Vec<Arc<Consumer>> = Vec::with_capacity(consumers.len());
    let taken = repeats(consumers.iter().map(|consumer| &*consumer.name));
    let mut keys = Keys::with_capacity(consumers.iter().map(|consumer| consumer.keys.len()).sum());
    for (index, wire) in consumers.into_iter().enumerate() {
        // Written only where something is wrong: there may be a hundred thousand consumers.
        let path = || format!("consumers[{index}]");
        if !is_name(&wire.name) {
            findings.error(path() + ".name", EXPECTED_NAME);
        }
        if has_service && is_service_name(&wire.name) {
            findings.error(path() + ".name", "expected a name that the verification service does not give");
        }
        if taken.contains(&index) {
            findings.error(path() + ".name", "expected a name that no other consumer has");
        }
        for (at, provider) in wire.providers.iter().flatten().enumerate() {
            if !providers.contains(&&**provider) {
                findings.error(format_args!("{}.providers[{at}]", path()), "expected the name of a provider");
            }
        }
        let mut deployment_keys = Vec::new();
        for (provider, key) in wire.deployment_keys.0 {
            let path = format!("{}.deployment_keys.{provider}", path());
            if !providers.contains(&&*provider) {
                findings.error(&path, "expected the name of a provider");
            }
            deployment_keys.extend(header_secret(key, &path, environment, findings).map(|key| (provider, key)));
        }
        let consumer =
            Arc::new(Consumer { name: wire.name, providers: wire.providers, byok: wire.byok, deployment_keys });
        check_keys(wire.keys, index, &consumer, environment, &mut keys, findings);
        checked.push(consumer);
    }
    (checked, keys.ring)
}

/// The keys that hold, and for each of them its consumer's and its own number in the configuration.
struct Keys {
    ring: KeyRing,
    places: Vec<(u32, u32)>,
}

impl Keys {
    fn with_capacity(keys: usize) -> Self {
        Self { ring: KeyRing::with_capacity(keys), places: Vec::with_capacity(keys) }
    }

    fn insert(&mut self, digest: KeyDigest, key: Key, consumer: usize, position: usize, findings: &mut Findings) {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        match self.ring.insert(digest, key) {
            Ok(()) => self.places.push((number(consumer), number(position))),
            Err(earlier) => {
                let (its_consumer, its_position) = self.places.get(earlier).copied().unwrap_or_default();
                findings.error(
                    format_args!("consumers[{consumer}].keys[{position}]"),
                    format!("expected a secret of its own, not that of consumers[{its_consumer}].keys[{its_position}]"),
                );
            }
        }
    }
}

fn check_keys(
    wire: Box<[wire::Key]>,
    index: usize,
    consumer: &Arc<Consumer>,
    environment: Environment<'_>,
    keys: &mut Keys,
    findings: &mut Findings,
) {
    let taken = if wire.len() > 1 { repeats(wire.iter().map(|key| &*key.id)) } else { Vec::new() };
    for (at, wire) in wire.into_iter().enumerate() {
        let path = || format!("consumers[{index}].keys[{at}]");
        if !is_name(&wire.id) {
            findings.error(format_args!("{}.id", path()), EXPECTED_NAME);
        }
        if taken.contains(&at) {
            findings.error(format_args!("{}.id", path()), "expected an id that no other key of the consumer has");
        }
        let mut date = |name: &str, text: &Option<Box<str>>| {
            let text = text.as_deref()?;
            let date = Timestamp::from_rfc3339(text);
            if date.is_none() {
                findings.error(
                    format_args!("{}.{name}", path()),
                    "expected an RFC 3339 date and time, such as 2027-01-31T00:00:00Z",
                );
            }
            date
        };
        let not_before = date("not_before", &wire.not_before).unwrap_or(Timestamp::MIN);
        let expires_at = date("expires_at", &wire.expires_at).unwrap_or(Timestamp::MAX);
        if not_before >= expires_at {
            findings.warn(path(), "is never valid: it expires before it begins");
        }
        if let Some(digest) = digest(&wire, path, environment, findings) {
            let consumer = Arc::clone(consumer);
            let key = Key { id: wire.id, consumer, not_before, expires_at, disabled: wire.disabled };
            keys.insert(digest, key, index, at, findings);
        }
    }
}

fn digest(
    key: &wire::Key,
    path: impl Fn() -> String,
    environment: Environment<'_>,
    findings: &mut Findings,
) -> Option<KeyDigest> {
    match (&key.sha256, &key.environment_variable, &key.value) {
        (Some(digest), None, None) => {
            if digest.0.is_none() {
                findings.error(format_args!("{}.sha256", path()), "expected 64 hex digits");
            }
            digest.0
        }
        (None, Some(variable), None) => {
            let secret = environment.secret(variable);
            if secret.is_none() {
                findings.error(format_args!("{}.environment_variable", path()), EXPECTED_VARIABLE);
            }
            secret.map(|secret| KeyDigest::of(secret.expose().as_bytes()))
        }
        (None, None, Some(value)) => {
            let value = value.trim();
            if value.is_empty() {
                findings.error(format_args!("{}.value", path()), "expected a secret");
                return None;
            }
            findings.warn(format_args!("{}.value", path()), CLEAR_TEXT);
            Some(KeyDigest::of(value.as_bytes()))
        }
        _ => {
            findings.error(path(), "expected exactly one of sha256, environment_variable, value");
            None
        }
    }
}

const EXPECTED_VARIABLE: &str = "expected the name of an environment variable that is set and not empty";
const CLEAR_TEXT: &str = "is in clear text, which Envoy's /config_dump shows";

/// Checks a secret that goes into a header.
pub(super) fn header_secret(
    wire: wire::SecretSource,
    path: &str,
    environment: Environment<'_>,
    findings: &mut Findings,
) -> Option<Secret> {
    let (field, secret) = match (wire.environment_variable, wire.value) {
        (Some(variable), None) => {
            let secret = environment.secret(&variable);
            if secret.is_none() {
                findings.error(format_args!("{path}.environment_variable"), EXPECTED_VARIABLE);
            }
            ("environment_variable", secret?)
        }
        (None, Some(value)) => {
            findings.warn(format_args!("{path}.value"), CLEAR_TEXT);
            ("value", Secret::new(value.trim()))
        }
        _ => {
            findings.error(path, "expected exactly one of environment_variable, value");
            return None;
        }
    };
    let fits = !secret.expose().is_empty() && secret.expose().bytes().all(|byte| byte.is_ascii_graphic());
    if !fits {
        findings.error(format_args!("{path}.{field}"), "expected a secret of visible ASCII characters");
    }
    fits.then_some(secret)
}

/// Returns, in order, the positions of words that stand at an earlier position too.
fn repeats<'a>(words: impl Iterator<Item = &'a str>) -> Vec<usize> {
    // The words are the operator's: nobody aims them at a hash.
    let mut seen = HashSet::with_hasher(FixedState::default());
    words.enumerate().filter(|(_, word)| !seen.insert(*word)).map(|(at, _)| at).collect()
}
