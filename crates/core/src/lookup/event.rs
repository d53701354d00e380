//! What is counted of lookups, whatever the carrier.

use super::LookupStart;
use crate::model::LookupResult;

/// Longer responses of the service are not read.
pub const MAX_RESPONSE_BYTES: usize = 1 << 20;

/// What happens between the filter and the verification service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupEvent {
    /// A call.
    Call,
    /// A result that is cached.
    CacheHit,
    /// A call without a clear response.
    Failure,
    /// A lookup beyond the bounds.
    Overflow,
    /// A request that passes with a key that was valid, while the service is unavailable.
    Stale,
}

impl LookupEvent {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 5] = [Self::Call, Self::CacheHit, Self::Failure, Self::Overflow, Self::Stale];

    /// Returns the name of its counter.
    pub fn counter(self) -> &'static str {
        match self {
            Self::Call => "byok.verification.calls",
            Self::CacheHit => "byok.verification.cache_hits",
            Self::Failure => "byok.verification.failures",
            Self::Overflow => "byok.verification.overflows",
            Self::Stale => "byok.verification.stale",
        }
    }
}

/// What a carrier does once a lookup is started.
#[derive(Debug)]
pub struct NextStep {
    /// What is counted, if anything.
    pub event: Option<LookupEvent>,
    /// Whether a call is to be made: see [`SingleFlight::unsent`](super::SingleFlight::unsent).
    pub starts_call: bool,
    /// With what the request is decided again; `None` if it waits.
    pub result: Option<LookupResult>,
}

impl LookupStart {
    /// Returns what the carrier does next.
    pub fn next_step(self) -> NextStep {
        let (event, starts_call, result) = match self {
            Self::Hit(result) => (Some(LookupEvent::CacheHit), false, Some(result)),
            Self::Stale { result, starts_call } => (Some(LookupEvent::Stale), starts_call, Some(result)),
            Self::Started => (None, true, None),
            Self::Joined => (None, false, None),
            Self::Rejected => (Some(LookupEvent::Overflow), false, Some(LookupResult::Unavailable)),
        };
        NextStep { event, starts_call, result }
    }
}
