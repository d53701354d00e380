//! Counters: each name is given to the host once.

use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

use crate::record::{CounterKey, Record};

/// The counters that this worker has named so far under one policy.
#[derive(Default)]
pub(super) struct Counters(Vec<(Counted, u32)>);

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    Request(CounterKey),
    Verification(Verification),
}

/// What happens between the filter and the verification service.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verification {
    Call,
    CacheHit,
    /// A call without a clear answer.
    Failure,
    /// A question beyond `max_in_flight`.
    Overflow,
}

impl Counters {
    /// Adds one to the counter of such requests.
    pub(super) fn request(&mut self, record: &Record<'_>) {
        self.count(Counted::Request(record.counter_key()), || record.counter());
    }

    pub(super) fn verification(&mut self, event: Verification) {
        let name = match event {
            Verification::Call => "byok.verification.calls",
            Verification::CacheHit => "byok.verification.cache_hits",
            Verification::Failure => "byok.verification.failures",
            Verification::Overflow => "byok.verification.overflows",
        };
        self.count(Counted::Verification(event), || name.to_owned());
    }

    /// A host that has no room for a counter does not stop the request.
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
