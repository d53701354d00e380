//! Lookups at the verification service: what to send, what a response means, which results are still valid, and which
//! requests wait for which. The carrier makes the calls.

mod cache;
mod event;
mod outage;
mod request;
mod response;
mod single_flight;

pub use event::{LookupEvent, MAX_RESPONSE_BYTES, NextStep};
pub use request::LookupRequest;
pub use single_flight::{Completed, LookupStart, MAX_WAITING, SingleFlight};

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::model::{SendAs, VerificationService};

    pub(super) fn service() -> VerificationService {
        VerificationService {
            cluster: "issuer".into(),
            authority: "issuer".into(),
            path: "/key/info".into(),
            send_as: SendAs::Sha256Query("key".into()),
            service_key: None,
            timeout: Duration::from_secs(2),
            cache_ttl: Duration::from_secs(60),
            negative_cache_ttl: Duration::from_secs(5),
            stale_if_error: Duration::ZERO,
            cache_max_entries: 10,
            max_in_flight: 3,
            consumer_from: None,
            never_sent: Vec::new(),
        }
    }
}
