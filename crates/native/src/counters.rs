//! Counters: all are defined when the configuration is loaded, since Envoy allows it only then.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use byok_core::{Effect, LookupEvent};

use crate::host::{Config, Counter, HostError};

pub(crate) struct Counters {
    config: Config,
    requests: Counter,
    panics: Counter,
    /// In the order of [`LookupEvent::ALL`]; none without a service.
    lookups: Vec<Counter>,
    /// As many as decisions differ in their labels.
    kinds: RwLock<Vec<Kind>>,
}

/// Requests with equal labels.
struct Kind {
    labels: [Box<str>; 4],
    /// How many of them Envoy does not know of yet.
    untold: AtomicU64,
}

impl Counters {
    pub(crate) fn define(config: Config, has_service: bool) -> Result<Self, HostError> {
        let requests = config.define_counter("byok.requests", &["decision", "reason", "auth_source", "credential"])?;
        let panics = config.define_counter("byok.panics", &[])?;
        let events = LookupEvent::ALL.iter().filter(|_| has_service);
        let lookups = events.map(|event| config.define_counter(event.counter(), &[])).collect::<Result<_, _>>()?;
        Ok(Self { config, requests, panics, lookups, kinds: RwLock::default() })
    }

    /// Counts a request, for [`Counters::tell`] to tell Envoy. For each call with labels Envoy takes a lock of the whole
    /// process, several times.
    pub(crate) fn request(&self, effect: &Effect<'_>) {
        let labels = effect.counter_labels();
        let is_its_kind = |kind: &&Kind| kind.labels.iter().zip(&labels).all(|(own, label)| **own == **label);
        let count = |kind: &Kind| _ = kind.untold.fetch_add(1, Ordering::SeqCst);
        if let Some(kind) = self.kinds.read().unwrap_or_else(PoisonError::into_inner).iter().find(is_its_kind) {
            return count(kind);
        }
        let mut kinds = self.kinds.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have added it meanwhile.
        match kinds.iter().find(is_its_kind) {
            Some(kind) => count(kind),
            None => {
                kinds.push(Kind { labels: labels.each_ref().map(|label| (**label).into()), untold: AtomicU64::new(1) })
            }
        }
    }

    /// Tells Envoy of the requests that have been counted.
    pub(crate) fn tell(&self) {
        for kind in self.kinds.read().unwrap_or_else(PoisonError::into_inner).iter() {
            let count = kind.untold.swap(0, Ordering::SeqCst);
            if count > 0 {
                self.config.increment(self.requests, kind.labels.each_ref().map(|label| &**label), count);
            }
        }
    }

    /// Counts a request that was refused because the filter failed.
    pub(crate) fn panic(&self) {
        self.config.increment(self.panics, [], 1);
    }

    pub(crate) fn lookup(&self, event: LookupEvent) {
        if let Some(counter) = self.lookups.get(event as usize) {
            self.config.increment(*counter, [], 1);
        }
    }
}

/// The last requests under a configuration count, too.
impl Drop for Counters {
    fn drop(&mut self) {
        self.tell();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

    use byok_core::{Context, Decision, Policy, RequestHeaders, decide};

    use super::*;
    use crate::fake::{COUNTED, config};

    #[test]
    fn envoy_is_told_once_of_every_request() {
        let counters = Counters::define(config(), false).unwrap();
        let json = br#"{ "consumers": [ { "name": "a", "keys": [ { "id": "1", "value": "proxy-EXAMPLE" } ] } ] }"#;
        let policy = Policy::from_json(json, &|_| None).unwrap().policy;
        let count = |key: &[u8]| {
            let request = RequestHeaders::from_lines([(&b"x-litellm-api-key"[..], key)]);
            match decide(&policy, &request, &Context::default()) {
                Decision::Allow { effect, .. } | Decision::Deny { effect, .. } => counters.request(&effect),
                Decision::Lookup(_) => {}
            }
        };
        count(b"proxy-EXAMPLE");
        count(b"another");
        count(b"proxy-EXAMPLE");
        assert_eq!(COUNTED.take(), [""; 0]);
        counters.tell();
        assert_eq!(COUNTED.take(), ["byok.requests"; 3]);
        counters.tell();
        assert_eq!(COUNTED.take(), [""; 0]);
        count(b"another");
        drop(counters);
        assert_eq!(COUNTED.take(), ["byok.requests"]);
    }
}
