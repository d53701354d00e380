//! Secrets that Envoy delivers and rotates (SDS), and the policy that is made with them.
//!
//! Envoy does not say that a secret has changed, so the main thread looks ten times a second, whatever the traffic. It makes
//! the new policy; until that is whole, requests are decided by the old one. Envoy gives a secret to its threads one after
//! another, and to the main thread no later than to any worker's first use of what it has seen: no worker goes back to a
//! policy that another has left.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use byok_core::{ConfigError, KeyDigest, Loaded, Policy, Secret, Secrets, Warning};

use crate::host::{Config, Level, SecretId, log};

/// A configuration that has just been read.
pub(crate) struct First {
    /// With a placeholder for each secret that Envoy does not have yet.
    pub(crate) policy: Policy,
    pub(crate) warnings: Vec<Warning>,
    /// The secrets that Envoy delivers, if the configuration names any.
    pub(crate) subscriptions: Option<Subscriptions>,
}

/// The secrets that a configuration names, and the configuration, from which the next policy is made.
pub(crate) struct Subscriptions {
    config: Config,
    json: Vec<u8>,
    secrets: Vec<(Box<str>, SecretId)>,
    /// By secret: what the first policy is made with; `None` for one that is not there yet.
    values: Vec<Option<Secret>>,
}

/// Reads a configuration, and subscribes to the secrets that it names; while Envoy loads the configuration.
///
/// # Errors
/// Returns what is wrong with the configuration.
pub(crate) fn load(config: Config, json: Vec<u8>) -> Result<First, Vec<ConfigError>> {
    // Without secrets of Envoy's the text is not needed again, and its memory is free for the policy.
    let kept = if may_name_secrets(&json) { json.clone() } else { Vec::new() };
    let secrets: RefCell<Vec<(Box<str>, SecretId)>> = RefCell::default();
    let values: RefCell<Vec<Option<Secret>>> = RefCell::default();
    let subscribe = |name: &str, source: &str| {
        let known = secrets.borrow().iter().find(|(known, _)| **known == *name).map(|(_, id)| *id);
        let id = known.or_else(|| {
            let id = config.subscribe_to_secret(name, &source_of(name, source))?;
            secrets.borrow_mut().push((name.into(), id));
            values.borrow_mut().push(config.secret(id));
            Some(id)
        })?;
        Some(config.secret(id).map_or_else(|| placeholder(name), |secret| secret.expose().to_owned()))
    };
    let Loaded { policy, warnings } =
        Policy::load(json, Secrets { variable: &|name| std::env::var(name).ok(), sds_secret: Some(&subscribe) })?;
    let (secrets, values) = (secrets.into_inner(), values.into_inner());
    let subscriptions = (!secrets.is_empty()).then_some(Subscriptions { config, json: kept, secrets, values });
    Ok(First { policy, warnings, subscriptions })
}

/// Returns the `ConfigSource` of one secret: `sds_config` with the secret's name for `{name}`, since a file holds one secret.
fn source_of(name: &str, sds_config: &str) -> String {
    let quoted = serde_json::Value::from(name).to_string();
    let in_json = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
    sds_config.replace("{name}", in_json)
}

/// Whether a configuration may have a field `sds_secret`, however it is spelt in JSON.
fn may_name_secrets(json: &[u8]) -> bool {
    let contains = |part: &[u8]| json.windows(part.len()).any(|window| window == part);
    contains(b"sds_secret") || contains(b"\\u")
}

/// Stands for a secret that is not there yet, so that the rest of the configuration can be checked. No request is decided by it.
fn placeholder(name: &str) -> String {
    format!("undelivered:{}", KeyDigest::of(name.as_bytes()).to_hex())
}

/// The policy that the secrets of now make.
pub(crate) struct Rotation {
    /// Envoy's name of the filter, before each log line.
    name: String,
    config: Config,
    json: Vec<u8>,
    secrets: Vec<(Box<str>, SecretId)>,
    /// `None` until each secret has been delivered once.
    policy: RwLock<Option<Arc<Policy>>>,
    /// The values that were tried last, whether they made a policy or not.
    tried: Mutex<Vec<Option<Secret>>>,
}

impl Rotation {
    /// Starts with the policy that the configuration was read into.
    pub(crate) fn new(name: String, policy: Policy, subscriptions: Subscriptions) -> Self {
        let Subscriptions { config, json, secrets, values } = subscriptions;
        let is_whole = values.iter().all(Option::is_some);
        if !is_whole {
            log(Level::Debug, || format!("{name}: requests are refused until Envoy has delivered every sds_secret"));
        }
        let policy = RwLock::new(is_whole.then(|| Arc::new(policy)));
        Self { name, config, json, secrets, policy, tried: Mutex::new(values) }
    }

    /// Returns the policy of now; `None` if a secret has never been delivered, or makes no valid policy.
    pub(crate) fn policy(&self) -> Option<Arc<Policy>> {
        self.current().or_else(|| {
            // The first request may come before the main thread has looked.
            self.refresh_if(|| self.current().is_none());
            self.current()
        })
    }

    fn current(&self) -> Option<Arc<Policy>> {
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a new policy if a secret has changed; on the main thread.
    pub(crate) fn refresh(&self) {
        self.refresh_if(|| true);
    }

    /// One thread at a time; `is_wanted` is asked when it is this one's turn.
    fn refresh_if(&self, is_wanted: impl FnOnce() -> bool) {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_wanted() {
            return;
        }
        let values: Vec<Option<Secret>> = self.secrets.iter().map(|(_, id)| self.config.secret(*id)).collect();
        // A secret that is gone is no new one.
        if values == *tried || values.contains(&None) {
            return;
        }
        let value = |name: &str, _: &str| {
            let position = self.secrets.iter().position(|(known, _)| **known == *name)?;
            values.get(position)?.as_ref().map(|secret| secret.expose().to_owned())
        };
        let secrets = Secrets { variable: &|name| std::env::var(name).ok(), sds_secret: Some(&value) };
        match Policy::load(&self.json, secrets) {
            Ok(loaded) => {
                *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(loaded.policy));
                log(Level::Debug, || format!("{}: secrets have been delivered, and apply from now on", self.name));
            }
            Err(errors) => errors.iter().for_each(|error| {
                log(Level::Error, || format!("{}: a secret was delivered that does not apply: {error}", self.name));
            }),
        }
        *tried = values;
    }
}
