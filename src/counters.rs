//! Counters: each is defined at the host once.

use byok_core::{CounterKey, Effect, LookupEvent};
use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

/// The counters that this worker has defined so far under one policy.
#[derive(Default)]
pub(crate) struct Counters(Vec<(Counted, u32)>);

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    Request(CounterKey),
    Lookup(LookupEvent),
}

impl Counters {
    /// Increments the counter of such requests.
    pub(crate) fn request(&mut self, effect: &Effect<'_>) {
        self.count(Counted::Request(effect.counter_key()), || effect.counter());
    }

    pub(crate) fn lookup(&mut self, event: LookupEvent) {
        self.count(Counted::Lookup(event), || event.counter().to_owned());
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
