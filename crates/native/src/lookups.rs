//! Requests that wait for the verification service. All workers share one cache and one call for equal keys. The main thread
//! makes the calls; each request is continued on its own thread.
//!
//! A request has its own thread woken before the main thread, so that one that is cancelled at once is not asked about.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use byok_core::{
    Completed, KeyDigest, Lookup, LookupEvent, LookupRequest, LookupResult, MAX_RESPONSE_BYTES, NextStep,
    RequestHeaders, SingleFlight, Timestamp, VerificationService,
};

use crate::counters::Counters;
use crate::host::{Config, ConfigScheduler, HostError, Level, StreamScheduler, log};

/// A response of the service.
pub(crate) struct Response<'a> {
    pub(crate) headers: &'a [(&'a [u8], &'a [u8])],
    /// In pieces.
    pub(crate) body: &'a [&'a [u8]],
}

pub(crate) struct Lookups {
    /// Envoy's name of the filter, before each log line.
    name: String,
    config: Config,
    /// Wakes the main thread, which makes the calls.
    main_thread: ConfigScheduler,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    flight: SingleFlight,
    /// Whether the main thread is to be woken, by the first request that is still there.
    has_unsent: bool,
    /// By ticket: the requests that wait, including those whose result is known and that have not continued yet.
    waiting: HashMap<u32, Waiter>,
    last_ticket: u32,
    /// By the id of the call: what the calls under way look up.
    calls: HashMap<u64, KeyDigest>,
}

struct Waiter {
    thread: StreamScheduler,
    result: Option<LookupResult>,
}

/// What came of asking about a key.
pub(crate) enum Asked {
    /// This is known.
    Result(LookupResult),
    /// The request waits under this ticket until its thread is woken.
    Waits(u32),
}

impl Lookups {
    pub(crate) fn new(config: Config, name: String) -> Result<Self, HostError> {
        Ok(Self { name, config, main_thread: config.scheduler()?, state: Mutex::default() })
    }

    /// A panic while it is locked is caught elsewhere, and leaves nothing half done that matters.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks about a key; `thread` is called only for a request that has to wait.
    pub(crate) fn ask(
        &self,
        lookup: &Lookup<'_>,
        service: &VerificationService,
        counters: &Counters,
        thread: impl FnOnce() -> Option<StreamScheduler>,
    ) -> Result<Asked, HostError> {
        let mut state = self.lock();
        let waiting = state.waiting.len();
        let ticket = state.free_ticket();
        let started = state.flight.start(lookup, ticket, waiting, service, now());
        let NextStep { event, starts_call, result } = started.next_step();
        if let Some(event) = event {
            counters.lookup(event);
        }
        if let Some(result) = result {
            // No request waits for the call, if there is one, so none wakes the main thread.
            drop(state);
            if starts_call {
                self.main_thread.commit();
            }
            return Ok(Asked::Result(result));
        }
        let Some(thread) = thread() else {
            state.flight.cancel(lookup.digest, ticket);
            return Err(HostError);
        };
        thread.commit();
        state.waiting.insert(ticket, Waiter { thread, result: None });
        state.has_unsent |= starts_call;
        Ok(Asked::Waits(ticket))
    }

    /// Returns the result for a request that was woken, if it is known; the ticket is then no longer valid. If it is not, a
    /// call may have to be made.
    pub(crate) fn take(&self, ticket: u32) -> Option<LookupResult> {
        let mut state = self.lock();
        if state.waiting.get(&ticket)?.result.is_some() {
            return state.waiting.remove(&ticket)?.result;
        }
        let has_unsent = std::mem::take(&mut state.has_unsent);
        drop(state);
        if has_unsent {
            self.main_thread.commit();
        }
        None
    }

    /// Forgets a request that has gone.
    pub(crate) fn cancel(&self, ticket: u32, digest: KeyDigest) {
        let mut state = self.lock();
        state.waiting.remove(&ticket);
        state.flight.cancel(digest, ticket);
    }

    /// Makes the calls that were started since; on the main thread.
    pub(crate) fn send_unsent(&self, service: &VerificationService, counters: &Counters) {
        let unsent = self.lock().flight.unsent();
        for (digest, request) in unsent {
            counters.lookup(LookupEvent::Call);
            // Envoy may end a call before this returns; it then reports an error here, and does not report the end.
            match self.call(&request, service) {
                Ok(id) => _ = self.lock().calls.insert(id, digest),
                Err(HostError) => self.complete(digest, &LookupResult::Unavailable, service, counters),
            }
        }
    }

    fn call(&self, request: &LookupRequest, service: &VerificationService) -> Result<u64, HostError> {
        self.config.call(&service.cluster, &request.expose(), service.timeout)
    }

    /// Reads the response to a call, `None` if there is none, and wakes the requests that wait for it; on the main thread.
    pub(crate) fn on_response(
        &self,
        id: u64,
        response: Option<Response<'_>>,
        service: &VerificationService,
        counters: &Counters,
    ) {
        let digest = self.lock().calls.remove(&id);
        let Some(digest) = digest else { return };
        let result = response.and_then(|response| self.read_response(digest, service, response));
        self.complete(digest, &result.unwrap_or(LookupResult::Unavailable), service, counters);
    }

    /// Caches a result, and wakes the requests that wait for it.
    fn complete(&self, digest: KeyDigest, result: &LookupResult, service: &VerificationService, counters: &Counters) {
        if matches!(result, LookupResult::Unavailable) {
            counters.lookup(LookupEvent::Failure);
        }
        let mut state = self.lock();
        let Completed { waiters, result, is_stale } = state.flight.complete(digest, result, service, now());
        for ticket in waiters {
            if is_stale {
                counters.lookup(LookupEvent::Stale);
            }
            if let Some(waiter) = state.waiting.get_mut(&ticket) {
                waiter.result = Some(result.clone());
                waiter.thread.commit();
            }
        }
    }

    fn read_response(
        &self,
        digest: KeyDigest,
        service: &VerificationService,
        Response { headers, body }: Response<'_>,
    ) -> Option<LookupResult> {
        let headers = RequestHeaders::from_lines(headers.iter().copied());
        let status = headers.value(b":status")?;
        if service.refuses_service_key(status) && self.lock().flight.reports_refusal(now()) {
            log(Level::Error, || {
                let name = &self.name;
                format!("{name}: verification_service: the service refuses service_key, so no key can be verified")
            });
        }
        if body.iter().map(|chunk| chunk.len()).sum::<usize>() > MAX_RESPONSE_BYTES {
            return None;
        }
        Some(service.read_response(digest, status, &body.concat()))
    }
}

impl State {
    /// Returns a number that no request that waits has.
    fn free_ticket(&mut self) -> u32 {
        loop {
            self.last_ticket = self.last_ticket.wrapping_add(1);
            if !self.waiting.contains_key(&self.last_ticket) {
                return self.last_ticket;
            }
        }
    }
}

pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}
