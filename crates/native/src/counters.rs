//! Counters: all are defined when the configuration is loaded, since Envoy allows it only then.

use byok_core::Effect;

use crate::host::{Config, Counter, HostError};

/// What happens between the filter and the verification service.
#[derive(Clone, Copy)]
pub(crate) enum Verification {
    Call,
    CacheHit,
    /// A call without a clear response.
    Failure,
    /// A lookup beyond the bounds.
    Overflow,
}

pub(crate) struct Counters {
    config: Config,
    requests: Counter,
    panics: Counter,
    /// By [`Verification`]; `None` without a service.
    verification: Option<[Counter; 4]>,
}

impl Counters {
    pub(crate) fn define(config: Config, has_service: bool) -> Result<Self, HostError> {
        let requests = config.define_counter("byok.requests", &["decision", "reason", "auth_source", "credential"])?;
        let panics = config.define_counter("byok.panics", &[])?;
        let verification = |name| config.define_counter(name, &[]);
        let verification = if has_service {
            Some([
                verification("byok.verification.calls")?,
                verification("byok.verification.cache_hits")?,
                verification("byok.verification.failures")?,
                verification("byok.verification.overflows")?,
            ])
        } else {
            None
        };
        Ok(Self { config, requests, panics, verification })
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

    pub(crate) fn verification(&self, event: Verification) {
        if let Some([calls, cache_hits, failures, overflows]) = self.verification {
            let counter = match event {
                Verification::Call => calls,
                Verification::CacheHit => cache_hits,
                Verification::Failure => failures,
                Verification::Overflow => overflows,
            };
            self.config.increment(counter, []);
        }
    }
}
