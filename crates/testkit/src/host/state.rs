//! What the host knows on behalf of the module.

use std::collections::{BTreeMap, BTreeSet};

use crate::corpus::Line;

/// Severity of a log line, as the ABI numbers it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

impl Level {
    pub(super) fn from_number(number: u32) -> Option<Self> {
        [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Critical]
            .get(usize::try_from(number).ok()?)
            .copied()
    }
}

/// One request, before and after the filter.
#[derive(Default)]
pub struct Context {
    pub headers: Vec<Line>,
    /// What Envoy tells, by path (components joined by `.`).
    pub properties: BTreeMap<String, Vec<u8>>,
    /// Filter state that the filter has set, by name.
    pub filter_state: BTreeMap<String, Vec<u8>>,
    pub reply: Option<Reply>,
    /// How often all headers were read.
    pub bulk_reads: usize,
    /// Whether the headers were changed: from then on Envoy's route data is stale.
    pub changed: bool,
    /// The one call that the host refuses: a function, and how many calls of it come before.
    pub refuses: Option<(&'static str, usize)>,
}

/// A local response.
#[derive(Debug)]
pub struct Reply {
    pub status: u32,
    pub details: Vec<u8>,
    pub headers: Vec<Line>,
    pub body: Vec<u8>,
}

/// A call that the module has made to a function of `env`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub function: &'static str,
    /// What the function has read of the module's memory: the arguments that are bytes, in their order.
    pub arguments: Vec<Vec<u8>>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) environment: Vec<String>,
    pub(super) configuration: Vec<u8>,
    pub(super) logs: Vec<(Level, String)>,
    pub(super) metrics: Vec<String>,
    pub(super) increments: Vec<(usize, i64)>,
    pub(super) declared: BTreeSet<Vec<u8>>,
    pub(super) calls: Vec<Call>,
    pub(super) tick_periods: Vec<u32>,
    pub(super) context: Context,
}

impl State {
    pub(super) fn new(environment: &BTreeMap<String, String>) -> Self {
        let environment = environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Self { environment, ..Self::default() }
    }
}
