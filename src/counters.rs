//! Counters: each is defined at the host once.

use byok_core::{CounterKey, Effect};
use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

/// The counters that this worker has defined so far under one policy.
#[derive(Default)]
pub(crate) struct Counters(Vec<(Counted, u32)>);

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    Request(CounterKey),
    Verification(Verification),
}

/// What happens between the filter and the verification service.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verification {
    Call,
    CacheHit,
    /// A call without a clear response.
    Failure,
    /// A lookup beyond the bounds.
    Overflow,
    /// A request that passes with a key that was valid, while the service is unavailable.
    Stale,
}

impl Counters {
    /// Increments the counter of such requests.
    pub(crate) fn request(&mut self, effect: &Effect<'_>) {
        self.count(Counted::Request(effect.counter_key()), || effect.counter());
    }

    pub(crate) fn verification(&mut self, event: Verification) {
        let name = match event {
            Verification::Call => "byok.verification.calls",
            Verification::CacheHit => "byok.verification.cache_hits",
            Verification::Failure => "byok.verification.failures",
            Verification::Overflow => "byok.verification.overflows",
            Verification::Stale => "byok.verification.stale",
        };
        self.count(Counted::Verification(event), || name.to_owned());
    }

    /// A counter that the host refuses does not stop the request.
    fn count(&mut self, counted: Counted, name: impl FnOnce() -> String) {
        let known = self.0.iter().find(|(known, _)| *known == counted).map(|(_, id)| *id);
        let id = known.or_else(|| {
            let id = hostcalls::define_metric(MetricType::Counter, &name()).ok()?;
            self.0.push((counted, id));
            Some(id)
        });
        let done = id.map(|id| hostcalls::increment_metric(id, 1));
        if !matches!(done, Some(Ok(()))) {
            log::warn!("a request was not counted");
        }
    }
}
