//! Which requests wait for which lookup: equal lookups share one call, and the number of calls and of waiting requests is
//! bounded.

use std::collections::HashMap;

use super::LookupRequest;
use super::cache::{Outdated, ResultCache};
use super::outage::Outage;
use crate::model::{Lookup, LookupResult, VerificationService};
use crate::secret::KeyDigest;
use crate::time::Timestamp;

/// How many requests of one worker may wait for a lookup. A waiting request costs Envoy its headers and the first part of
/// its body, so the number is bounded whatever the service does.
pub const MAX_WAITING: usize = 1_024;

/// What has come of a lookup.
#[derive(Debug)]
pub struct Completed {
    /// The requests that have waited.
    pub waiters: Vec<u32>,
    /// Their result.
    pub result: LookupResult,
    /// Whether it is an outdated one, since the service is unavailable.
    pub is_stale: bool,
}

/// One part in so many of a bound is reserved for keys that were valid before.
const RESERVED: usize = 5;

/// The lookups of one worker, including cached results.
#[derive(Default)]
pub struct SingleFlight {
    cache: ResultCache,
    /// Started and not completed yet.
    pending: HashMap<KeyDigest, Pending>,
    /// How many of the pending lookups any request waits for.
    awaited: usize,
    outage: Outage,
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
    /// The service is unavailable, and the key was valid not long ago.
    Stale {
        /// The result.
        result: LookupResult,
        /// Whether a call is to be made, for which no request waits.
        starts_call: bool,
    },
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
    /// clients who leave keep nobody else out; together there are at most twice as many. The last fifth of all bounds, and of
    /// more than one call at least one, is for keys that were valid before.
    ///
    /// With `stale_if_error`, requests with a key that was valid wait for the first call about it that fails. From then on they
    /// pass at once, until the service has given a clear answer about any key: now they wait for an answer about theirs. Until
    /// then the service is asked about one such key a second.
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
        let was_valid = match self.cache.outdated(lookup.digest, service, now) {
            Outdated::Stale(key, failed_at) if self.outage.lasts_since(failed_at) => {
                return LookupStart::Stale {
                    result: LookupResult::Key(key),
                    starts_call: self.start_probe(lookup, service, now),
                };
            }
            Outdated::Stale(..) | Outdated::WasValid => true,
            Outdated::Unknown => false,
        };
        let started = self.wait(lookup, waiter, waiting, service, was_valid);
        if !matches!(started, LookupStart::Rejected) {
            return started;
        }
        match self.cache.use_stale(lookup.digest, service, now) {
            Some(key) => LookupStart::Stale { result: LookupResult::Key(key), starts_call: false },
            None => LookupStart::Rejected,
        }
    }

    /// Makes a request wait, within the bounds.
    fn wait(
        &mut self,
        lookup: &Lookup<'_>,
        waiter: u32,
        waiting: usize,
        service: &VerificationService,
        was_valid: bool,
    ) -> LookupStart {
        let share = |bound: usize| if was_valid { bound } else { bound - reserved(bound) };
        if waiting >= share(MAX_WAITING) {
            return LookupStart::Rejected;
        }
        let most = share(service.max_in_flight);
        let (may_await, under_way) = (self.awaited < most, self.pending.len());
        match self.pending.get_mut(&lookup.digest) {
            Some(pending) if may_await || !pending.waiters.is_empty() => {
                self.awaited += usize::from(pending.waiters.is_empty());
                pending.waiters.push(waiter);
                LookupStart::Joined
            }
            None if may_await && under_way < most.saturating_mul(2) => {
                self.awaited += 1;
                self.insert_pending(lookup, service, vec![waiter]);
                LookupStart::Started
            }
            _ => LookupStart::Rejected,
        }
    }

    /// Asks about a stale key for no request in particular, if it is time to; returns whether a call is to be made.
    fn start_probe(&mut self, lookup: &Lookup<'_>, service: &VerificationService, now: Timestamp) -> bool {
        let starts = !self.pending.contains_key(&lookup.digest)
            && self.pending.len() < service.max_in_flight.saturating_mul(2)
            && self.outage.is_probe_due(now);
        if starts {
            self.insert_pending(lookup, service, Vec::new());
        }
        starts
    }

    fn insert_pending(&mut self, lookup: &Lookup<'_>, service: &VerificationService, waiters: Vec<u32>) {
        let unsent = Some(LookupRequest::new(service, lookup));
        self.pending.insert(lookup.digest, Pending { unsent, waiters });
    }

    /// Whether it is to be reported that the service refuses the filter itself: once a minute.
    pub fn reports_refusal(&mut self, now: Timestamp) -> bool {
        self.outage.is_report_due(now)
    }

    /// Returns the requests that are still to be sent; each is returned once.
    pub fn unsent(&mut self) -> Vec<(KeyDigest, LookupRequest)> {
        let unsent = |(digest, pending): (&KeyDigest, &mut Pending)| Some((*digest, pending.unsent.take()?));
        self.pending.iter_mut().filter_map(unsent).collect()
    }

    /// Caches a result and returns the waiters, with a stale result in place of none.
    pub fn complete(
        &mut self,
        digest: KeyDigest,
        result: &LookupResult,
        service: &VerificationService,
        now: Timestamp,
    ) -> Completed {
        self.cache.insert(digest, result, service, now);
        let waiters = self.pending.remove(&digest).map(|pending| pending.waiters).unwrap_or_default();
        self.awaited -= usize::from(!waiters.is_empty());
        let stale = match result {
            LookupResult::Unavailable => self.cache.use_stale(digest, service, now),
            LookupResult::Key(_) | LookupResult::NotAKey => {
                self.outage.end(now);
                None
            }
        };
        let Some(key) = stale else { return Completed { waiters, result: result.clone(), is_stale: false } };
        self.outage.put_off_probe(now);
        Completed { waiters, result: LookupResult::Key(key), is_stale: true }
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

/// How much of a bound is reserved for keys that were valid before: at least one, but not the only one.
fn reserved(bound: usize) -> usize {
    (bound / RESERVED).max(1).min(bound.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::lookup::tests::service;
    use crate::model::Key;

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
        assert_eq!(flight.complete(digest, &LookupResult::NotAKey, &service(), NOW).waiters, [1, 2, 3]);
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
        // `max_in_flight` is 3, and one call is reserved.
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
        let most = MAX_WAITING - MAX_WAITING / 5;
        assert!(matches!(start("a", most - 1), LookupStart::Started));
        assert!(matches!(start("a", most), LookupStart::Rejected));
        assert!(matches!(start("a", most - 1), LookupStart::Joined));
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::default().after(Duration::from_secs(seconds))
    }

    /// Returns lookups in which one key was valid, and no longer is fresh at the time of `at(100)`.
    fn with_known_key(service: &VerificationService) -> SingleFlight {
        let mut flight = SingleFlight::default();
        flight.start(&lookup("known"), 0, 0, service, at(0));
        flight.unsent();
        let digest = lookup("known").digest;
        let key = LookupResult::Key(Arc::new(Key::from_service(Some("alice"), digest)));
        flight.complete(digest, &key, service, at(0));
        assert!(matches!(flight.start(&lookup("known"), 0, 0, service, at(59)), LookupStart::Hit(_)));
        flight
    }

    #[test]
    fn a_fifth_of_the_calls_and_of_the_places_to_wait_is_for_keys_that_were_valid() {
        let service = VerificationService { max_in_flight: 10, ..service() };
        let mut flight = with_known_key(&service);
        let mut start = |secret: &str, waiting| flight.start(&lookup(secret), 0, waiting, &service, at(100));
        for made_up in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            assert!(matches!(start(made_up, 0), LookupStart::Started));
        }
        assert!(matches!(start("i", 0), LookupStart::Rejected));
        assert!(matches!(start("known", MAX_WAITING), LookupStart::Rejected));
        assert!(matches!(start("known", MAX_WAITING - 1), LookupStart::Started));
    }

    #[test]
    fn a_key_that_was_valid_stays_so_while_the_service_is_unavailable() {
        let service = VerificationService { stale_if_error: Duration::from_secs(600), ..service() };
        let mut flight = with_known_key(&service);
        let digest = lookup("known").digest;
        let fail = |flight: &mut SingleFlight, now| flight.complete(digest, &LookupResult::Unavailable, &service, now);
        let start = |flight: &mut SingleFlight, now| flight.start(&lookup("known"), 7, 0, &service, now);

        assert!(matches!(start(&mut flight, at(100)), LookupStart::Started), "the first request waits");
        assert_eq!(flight.unsent().len(), 1);
        let completed = fail(&mut flight, at(102));
        assert!(completed.is_stale && matches!(completed.result, LookupResult::Key(_)));
        assert_eq!(completed.waiters, [7]);

        let stale = |start: LookupStart| matches!(start, LookupStart::Stale { starts_call: false, .. });
        assert!(stale(start(&mut flight, at(102))), "the next one does not");
        assert!(matches!(start(&mut flight, at(103)), LookupStart::Stale { starts_call: true, .. }));
        assert!(stale(start(&mut flight, at(103))), "one call is enough");
        assert_eq!(flight.unsent().len(), 1);
        assert!(fail(&mut flight, at(105)).waiters.is_empty());
        assert!(stale(start(&mut flight, at(105))));

        assert!(matches!(start(&mut flight, at(660)), LookupStart::Started), "it has been stale for long enough");
        let completed = fail(&mut flight, at(661));
        assert!(!completed.is_stale && matches!(completed.result, LookupResult::Unavailable));
    }

    #[test]
    fn of_all_stale_keys_one_a_second_is_asked_about() {
        let service = VerificationService { stale_if_error: Duration::from_secs(600), max_in_flight: 100, ..service() };
        let mut flight = SingleFlight::default();
        let keys: Vec<String> = (0..10).map(|name| format!("key-{name}")).collect();
        for key in &keys {
            let digest = lookup(key).digest;
            let valid = LookupResult::Key(Arc::new(Key::from_service(None, digest)));
            flight.complete(digest, &valid, &service, at(0));
            flight.complete(digest, &LookupResult::Unavailable, &service, at(100));
        }
        let mut probes = |now| {
            let stale = keys.iter().map(|key| flight.start(&lookup(key), 0, 0, &service, now));
            let starts = |start| match start {
                LookupStart::Stale { starts_call, .. } => starts_call,
                other => panic!("{other:?}"),
            };
            stale.map(starts).filter(|starts| *starts).count()
        };
        assert_eq!([100, 101, 101, 102, 104].map(|now| probes(at(now))), [0, 1, 0, 1, 1]);
    }

    #[test]
    fn by_default_no_key_is_stale() {
        let service = service();
        let mut flight = with_known_key(&service);
        assert!(matches!(flight.start(&lookup("known"), 7, 0, &service, at(100)), LookupStart::Started));
        let completed = flight.complete(lookup("known").digest, &LookupResult::Unavailable, &service, at(102));
        assert!(!completed.is_stale && matches!(completed.result, LookupResult::Unavailable));
        assert!(matches!(flight.start(&lookup("known"), 7, 0, &service, at(102)), LookupStart::Started));
    }

    #[test]
    fn a_key_that_the_service_refuses_is_no_longer_stale() {
        let service = VerificationService { stale_if_error: Duration::from_secs(600), ..service() };
        let mut flight = with_known_key(&service);
        let digest = lookup("known").digest;
        flight.complete(digest, &LookupResult::Unavailable, &service, at(100));
        assert!(matches!(flight.start(&lookup("known"), 7, 0, &service, at(101)), LookupStart::Stale { .. }));
        flight.complete(digest, &LookupResult::NotAKey, &service, at(102));
        flight.complete(digest, &LookupResult::Unavailable, &service, at(110));
        assert!(matches!(flight.start(&lookup("known"), 7, 0, &service, at(110)), LookupStart::Started));
    }

    #[test]
    fn where_no_call_may_be_made_a_stale_key_is_used() {
        let service = VerificationService { stale_if_error: Duration::from_secs(600), ..service() };
        let mut flight = with_known_key(&service);
        let known = flight.start(&lookup("known"), 7, MAX_WAITING, &service, at(100));
        assert!(matches!(known, LookupStart::Stale { starts_call: false, .. }), "{known:?}");
    }

    #[test]
    fn while_the_service_answers_no_stale_key_is_used() {
        let service = VerificationService { stale_if_error: Duration::from_secs(600), ..service() };
        let mut flight = with_known_key(&service);
        assert!(matches!(flight.start(&lookup("known"), 7, 0, &service, at(100)), LookupStart::Started));
        let other = flight.start(&lookup("known"), 8, 1, &service, at(100));
        assert!(matches!(other, LookupStart::Joined), "{other:?}");
        flight.complete(lookup("known").digest, &LookupResult::Unavailable, &service, at(101));
        let after_failure = flight.start(&lookup("known"), 9, 0, &service, at(101));
        assert!(matches!(after_failure, LookupStart::Stale { .. }), "{after_failure:?}");
        flight.complete(lookup("made-up").digest, &LookupResult::NotAKey, &service, at(102));
        let after_answer = flight.start(&lookup("known"), 10, 0, &service, at(102));
        assert!(matches!(after_answer, LookupStart::Started), "it is available again: {after_answer:?}");
    }

    #[test]
    fn calls_that_are_joined_again_are_bounded_and_leave_the_reserved_ones_free() {
        let service = VerificationService { max_in_flight: 10, ..service() };
        let mut flight = with_known_key(&service);
        let made_up: Vec<String> = (0..16).map(|name| format!("made-up-{name}")).collect();
        for name in &made_up[..8] {
            flight.start(&lookup(name), 0, 0, &service, at(100));
        }
        flight.unsent();
        for name in &made_up[..8] {
            flight.cancel(lookup(name).digest, 0);
        }
        for name in &made_up[8..] {
            assert!(matches!(flight.start(&lookup(name), 0, 0, &service, at(100)), LookupStart::Started));
        }
        assert!(matches!(flight.start(&lookup(&made_up[0]), 1, 0, &service, at(100)), LookupStart::Rejected));
        assert!(matches!(flight.start(&lookup(&made_up[8]), 1, 0, &service, at(100)), LookupStart::Joined));
        assert!(matches!(flight.start(&lookup("known"), 0, 0, &service, at(100)), LookupStart::Started));
    }

    #[test]
    fn at_least_one_call_is_reserved_where_there_are_two() {
        for max_in_flight in 2..=9 {
            let service = VerificationService { max_in_flight, ..service() };
            let mut flight = with_known_key(&service);
            let made_up: Vec<String> = (0..max_in_flight).map(|name| format!("made-up-{name}")).collect();
            let mut start = |key: &str| flight.start(&lookup(key), 0, 0, &service, at(100));
            let started = made_up.iter().filter(|key| matches!(start(key), LookupStart::Started)).count();
            assert_eq!(started, max_in_flight - 1);
            assert!(matches!(start("known"), LookupStart::Started));
        }
    }
}
