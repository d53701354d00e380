//! Which requests wait for which lookup: equal lookups share one call, and the number of calls and of waiting requests is
//! bounded.

use std::collections::HashMap;

use super::{LookupRequest, ResultCache};
use crate::model::{Lookup, LookupResult, VerificationService};
use crate::secret::KeyDigest;
use crate::time::Timestamp;

/// How many requests of one worker may wait for a lookup. A waiting request costs Envoy its headers and the first part of
/// its body, so the number is bounded whatever the service does.
pub const MAX_WAITING: usize = 1_024;

/// The lookups of one worker, including cached results.
#[derive(Default)]
pub struct SingleFlight {
    cache: ResultCache,
    /// Started and not completed yet.
    pending: HashMap<KeyDigest, Pending>,
    /// How many of the pending lookups any request waits for.
    awaited: usize,
}

struct Pending {
    /// What to send; `None` once it is sent.
    unsent: Option<LookupRequest>,
    waiters: Vec<u32>,
}

/// What came of starting a lookup.
#[derive(Debug)]
pub enum LookupStart {
    /// The result is cached.
    Hit(LookupResult),
    /// A call is to be made: see [`SingleFlight::unsent`] and [`SingleFlight::complete`].
    Started,
    /// The request waits for a call that another one has started.
    Joined,
    /// As many calls are under way, or as many requests wait, as may be.
    Rejected,
}

impl SingleFlight {
    /// Looks a key up for `waiter`, a number that identifies its request; a request waits for one lookup at a time.
    /// `waiting` is how many requests of the worker wait already, including those whose result is known and that have not
    /// continued yet.
    ///
    /// A call cannot be cancelled. One that no request waits for any more does not count against `max_in_flight`, so that
    /// clients who leave keep nobody else out; together there are at most twice as many.
    pub fn start(
        &mut self,
        lookup: &Lookup<'_>,
        waiter: u32,
        waiting: usize,
        service: &VerificationService,
        now: Timestamp,
    ) -> LookupStart {
        if let Some(result) = self.cache.find(lookup.digest, now) {
            return LookupStart::Hit(result);
        }
        if waiting >= MAX_WAITING {
            return LookupStart::Rejected;
        }
        let under_way = self.pending.len();
        match self.pending.get_mut(&lookup.digest) {
            Some(pending) => {
                self.awaited += usize::from(pending.waiters.is_empty());
                pending.waiters.push(waiter);
                LookupStart::Joined
            }
            None if self.awaited < service.max_in_flight && under_way < service.max_in_flight.saturating_mul(2) => {
                self.awaited += 1;
                let unsent = Some(LookupRequest::new(service, lookup));
                self.pending.insert(lookup.digest, Pending { unsent, waiters: vec![waiter] });
                LookupStart::Started
            }
            None => LookupStart::Rejected,
        }
    }

    /// Returns the requests that are still to be sent; each is returned once.
    pub fn unsent(&mut self) -> Vec<(KeyDigest, LookupRequest)> {
        let unsent = |(digest, pending): (&KeyDigest, &mut Pending)| Some((*digest, pending.unsent.take()?));
        self.pending.iter_mut().filter_map(unsent).collect()
    }

    /// Caches a result and returns the waiters.
    pub fn complete(
        &mut self,
        digest: KeyDigest,
        result: &LookupResult,
        service: &VerificationService,
        now: Timestamp,
    ) -> Vec<u32> {
        self.cache.insert(digest, result, service, now);
        let waiters = self.pending.remove(&digest).map(|pending| pending.waiters).unwrap_or_default();
        self.awaited -= usize::from(!waiters.is_empty());
        waiters
    }

    /// Forgets a waiter that has gone. A request that nobody waits for is not sent.
    pub fn cancel(&mut self, digest: KeyDigest, waiter: u32) {
        let Some(pending) = self.pending.get_mut(&digest) else { return };
        let Some(at) = pending.waiters.iter().position(|waiting| *waiting == waiter) else { return };
        pending.waiters.remove(at);
        if pending.waiters.is_empty() {
            self.awaited -= 1;
            if pending.unsent.is_some() {
                self.pending.remove(&digest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::SendAs;

    fn service() -> VerificationService {
        VerificationService {
            cluster: "issuer".into(),
            authority: "issuer".into(),
            path: "/key/info".into(),
            send_as: SendAs::Sha256Query("key".into()),
            service_key: None,
            timeout: Duration::from_secs(2),
            cache_ttl: Duration::from_secs(60),
            negative_cache_ttl: Duration::from_secs(5),
            cache_max_entries: 10,
            max_in_flight: 2,
            consumer_from: None,
            never_sent: Vec::new(),
        }
    }

    fn lookup(secret: &str) -> Lookup<'_> {
        Lookup { digest: KeyDigest::of(secret.as_bytes()), secret: secret.as_bytes().into() }
    }

    fn start(flight: &mut SingleFlight, secret: &str, waiter: u32) -> LookupStart {
        flight.start(&lookup(secret), waiter, 0, &service(), NOW)
    }

    const NOW: Timestamp = Timestamp::MIN;

    #[test]
    fn equal_lookups_share_one_call() {
        let mut flight = SingleFlight::default();
        assert!(matches!(start(&mut flight, "a", 0), LookupStart::Started));
        for waiter in 1..3 {
            assert!(matches!(start(&mut flight, "a", waiter), LookupStart::Joined));
        }
        assert_eq!(flight.unsent().len(), 1);
        assert!(matches!(start(&mut flight, "a", 3), LookupStart::Joined));
        assert_eq!(flight.unsent().len(), 0);
        let digest = lookup("a").digest;
        flight.cancel(digest, 0);
        assert_eq!(flight.complete(digest, &LookupResult::NotAKey, &service(), NOW), [1, 2, 3]);
        assert!(matches!(start(&mut flight, "a", 4), LookupStart::Hit(LookupResult::NotAKey)));
    }

    #[test]
    fn there_are_never_more_calls_than_allowed() {
        let mut flight = SingleFlight::default();
        for secret in ["a", "b"] {
            assert!(matches!(start(&mut flight, secret, 0), LookupStart::Started));
        }
        assert!(matches!(start(&mut flight, "c", 0), LookupStart::Rejected));
        flight.complete(lookup("a").digest, &LookupResult::Unavailable, &service(), NOW);
        assert!(matches!(start(&mut flight, "a", 0), LookupStart::Started));
    }

    #[test]
    fn a_request_that_nobody_waits_for_is_not_sent_but_one_that_is_sent_stays_pending() {
        let mut flight = SingleFlight::default();
        start(&mut flight, "a", 0);
        flight.cancel(lookup("a").digest, 0);
        assert_eq!(flight.unsent().len(), 0);
        start(&mut flight, "b", 1);
        assert_eq!(flight.unsent().len(), 1);
        flight.cancel(lookup("b").digest, 1);
        assert!(matches!(start(&mut flight, "b", 2), LookupStart::Joined));
        assert_eq!(flight.unsent().len(), 0);
    }

    #[test]
    fn calls_of_clients_who_left_keep_nobody_out_and_are_bounded_too() {
        let mut flight = SingleFlight::default();
        let start_and_send = |flight: &mut SingleFlight, secret: &str| {
            let started = start(flight, secret, 0);
            flight.unsent();
            matches!(started, LookupStart::Started | LookupStart::Joined)
        };
        // `max_in_flight` is 2.
        assert!(start_and_send(&mut flight, "a") && start_and_send(&mut flight, "b"));
        assert!(!start_and_send(&mut flight, "c"));
        flight.cancel(lookup("a").digest, 0);
        flight.cancel(lookup("b").digest, 0);
        assert!(start_and_send(&mut flight, "c") && start_and_send(&mut flight, "d"));
        assert!(!start_and_send(&mut flight, "e"), "two calls are awaited");
        flight.cancel(lookup("c").digest, 0);
        assert!(!start_and_send(&mut flight, "e"), "four calls are under way");
        assert!(start_and_send(&mut flight, "a"), "it is under way already");
        flight.cancel(lookup("a").digest, 0);
        flight.complete(lookup("b").digest, &LookupResult::Unavailable, &service(), NOW);
        assert!(start_and_send(&mut flight, "e"));
    }

    #[test]
    fn a_bounded_number_of_requests_waits() {
        let mut flight = SingleFlight::default();
        let mut start = |secret, waiting| flight.start(&lookup(secret), 0, waiting, &service(), NOW);
        assert!(matches!(start("a", MAX_WAITING - 1), LookupStart::Started));
        assert!(matches!(start("a", MAX_WAITING), LookupStart::Rejected));
        assert!(matches!(start("a", MAX_WAITING - 1), LookupStart::Joined));
    }
}
