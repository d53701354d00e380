//! Counters: all are defined when the configuration is loaded, since Envoy allows it only then.

use byok_core::{Effect, LookupEvent};

use crate::host::{Config, Counter, HostError};

pub(crate) struct Counters {
    config: Config,
    requests: Counter,
    panics: Counter,
    /// In the order of [`LookupEvent::ALL`]; none without a service.
    lookups: Vec<Counter>,
}

impl Counters {
    pub(crate) fn define(config: Config, has_service: bool) -> Result<Self, HostError> {
        let requests = config.define_counter("byok.requests", &["decision", "reason", "auth_source", "credential"])?;
        let panics = config.define_counter("byok.panics", &[])?;
        let events = LookupEvent::ALL.iter().filter(|_| has_service);
        let lookups = events.map(|event| config.define_counter(event.counter(), &[])).collect::<Result<_, _>>()?;
        Ok(Self { config, requests, panics, lookups })
    }

    /// Counts a request.
    pub(crate) fn request(&self, effect: &Effect<'_>) {
        let labels = effect.counter_labels();
        self.config.increment(self.requests, labels.each_ref().map(|label| &**label));
    }

    /// Counts a request that was refused because the filter failed.
    pub(crate) fn panic(&self) {
        self.config.increment(self.panics, []);
    }

    pub(crate) fn lookup(&self, event: LookupEvent) {
        if let Some(counter) = self.lookups.get(event as usize) {
            self.config.increment(*counter, []);
        }
    }
}
