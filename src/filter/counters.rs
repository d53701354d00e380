//! Counters: one increment a request, each name given to the host once.

use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

use crate::record::{CounterKey, Record};

/// The counters that this worker has named so far under one policy.
#[derive(Default)]
pub(super) struct Counters(Vec<(CounterKey, u32)>);

impl Counters {
    /// Adds one to the counter of such requests; a host that has no room for one does not stop the request.
    pub(super) fn count(&mut self, record: &Record<'_>) {
        let key = record.counter_key();
        let known = self.0.iter().find(|(known, _)| *known == key).map(|(_, id)| *id);
        let defined = known.or_else(|| self.define(key, record));
        let counted = defined.map(|id| hostcalls::increment_metric(id, 1));
        if !matches!(counted, Some(Ok(()))) {
            log::warn!("a request was not counted");
        }
    }

    fn define(&mut self, key: CounterKey, record: &Record<'_>) -> Option<u32> {
        let id = hostcalls::define_metric(MetricType::Counter, &record.counter()).ok()?;
        self.0.push((key, id));
        Some(id)
    }
}
