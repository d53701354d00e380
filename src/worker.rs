//! One worker under one configuration: takes requests to their decision, if need be by a lookup at the verification
//! service.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

use byok_core::{
    Completed, Context, Decision, Effect, HeaderMutation, KeyDigest, LookupEvent, LookupRequest, LookupResult,
    LookupResults, MAX_RESPONSE_BYTES, NextStep, Policy, RedirectState, Reply, RequestHeaders, RequestIdentities,
    SingleFlight, Timestamp, VerificationService, decide,
};
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType};

use crate::counters::Counters;
use crate::host::{self, HostError};

/// The cluster of the route that Envoy has chosen; not updated when a header changes.
const CLUSTER: &str = "xds\0cluster_name";

/// How many waiting requests one call into the VM continues. Envoy sends their replies after the call; each reply ends a
/// stream, and its `proxy_on_delete` sends the next reply before it returns. A few hundred of them exhaust V8's stack.
const MAX_CONTINUED_PER_CALL: usize = 16;

pub(crate) struct Worker {
    policy: Policy,
    redirect_state_property: String,
    counters: RefCell<Counters>,
    lookups: RefCell<SingleFlight>,
    /// By context id: the requests that wait. Their headers stay in Envoy and are read again when they continue.
    waiting: RefCell<HashMap<u32, Waiting>>,
    /// The waiting requests whose result is known, in the order in which they continue.
    completed: RefCell<Vec<(u32, KeyDigest, LookupResult)>>,
    /// By token: what the calls under way look up.
    calls: RefCell<HashMap<u32, KeyDigest>>,
    /// Whether the root's tick is to come.
    tick_is_armed: Cell<bool>,
}

/// A request that waits.
struct Waiting {
    /// The key that is looked up.
    digest: KeyDigest,
    /// The results for other keys of the request.
    results: LookupResults,
}

/// What becomes of a request for now.
#[derive(PartialEq, Eq)]
pub(crate) enum Flow {
    /// It continues.
    Continue,
    /// It has been answered.
    Replied,
    /// It waits for a lookup.
    Paused,
}

impl Worker {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            redirect_state_property: policy.redirect_state_property(),
            policy,
            counters: RefCell::default(),
            lookups: RefCell::default(),
            waiting: RefCell::default(),
            completed: RefCell::default(),
            calls: RefCell::default(),
            tick_is_armed: Cell::default(),
        }
    }

    /// Returns the property that carries the caller over an internal redirect.
    pub(crate) fn redirect_state_property(&self) -> &str {
        &self.redirect_state_property
    }

    /// Decides about the request of the effective context.
    pub(crate) fn on_request(&self, context_id: u32) -> Result<Flow, HostError> {
        self.advance(context_id, LookupResults::default())
    }

    /// Forgets a request whose client has gone.
    pub(crate) fn cancel(&self, context_id: u32) {
        // Few requests ever wait: mostly there is nothing to look for.
        if self.waiting.borrow().is_empty() {
            return;
        }
        let waiting = self.waiting.borrow_mut().remove(&context_id);
        if let Some(Waiting { digest, .. }) = waiting {
            self.lookups.borrow_mut().cancel(digest, context_id);
        }
    }

    /// Does what the tick was armed for: makes calls, then continues requests whose result is known.
    pub(crate) fn on_tick(&self) {
        let Some(service) = &self.policy.verification_service else { return };
        self.tick_is_armed.set(false);
        let _ = hostcalls::set_tick_period(Duration::ZERO);
        self.send_unsent(service);
        self.continue_completed();
    }

    /// Makes the calls that were started since the last tick. Envoy cancels a call with the stream in whose context it was
    /// made; calls that requests share are therefore made in the root context.
    fn send_unsent(&self, service: &VerificationService) {
        let unsent = self.lookups.borrow_mut().unsent();
        for (digest, request) in unsent {
            if !self.send(digest, &request, service) {
                self.complete_lookup(digest, &LookupResult::Unavailable, service);
            }
        }
    }

    /// Makes a call; returns whether it is under way.
    fn send(&self, digest: KeyDigest, request: &LookupRequest, service: &VerificationService) -> bool {
        self.counters.borrow_mut().lookup(LookupEvent::Call);
        match hostcalls::dispatch_http_call(&service.cluster, request.expose(), None, Vec::new(), service.timeout) {
            Ok(token) => {
                self.calls.borrow_mut().insert(token, digest);
                true
            }
            Err(_) => false,
        }
    }

    /// Makes the root's tick come soon. Arming an armed tick would put it off, and on a busy worker it would never come.
    fn arm_tick(&self) {
        if !self.tick_is_armed.replace(true) {
            let _ = hostcalls::set_tick_period(Duration::from_millis(1));
        }
    }

    /// Reads the response to a call and continues requests that wait for it.
    pub(crate) fn on_response(&self, token: u32, body_size: usize) {
        let digest = self.calls.borrow_mut().remove(&token);
        let (Some(digest), Some(service)) = (digest, &self.policy.verification_service) else { return };
        let result = self.read_response(digest, service, body_size).unwrap_or(LookupResult::Unavailable);
        self.complete_lookup(digest, &result, service);
        self.continue_completed();
    }

    /// Caches a result, and queues the requests that wait for it.
    fn complete_lookup(&self, digest: KeyDigest, result: &LookupResult, service: &VerificationService) {
        if matches!(result, LookupResult::Unavailable) {
            self.counters.borrow_mut().lookup(LookupEvent::Failure);
        }
        // Without a clock nothing is cached.
        let now = clock().unwrap_or(Timestamp::MIN);
        let Completed { waiters, result, is_stale } = self.lookups.borrow_mut().complete(digest, result, service, now);
        if is_stale {
            waiters.iter().for_each(|_| self.counters.borrow_mut().lookup(LookupEvent::Stale));
        }
        self.completed.borrow_mut().extend(waiters.into_iter().map(|context_id| (context_id, digest, result.clone())));
    }

    fn read_response(
        &self,
        digest: KeyDigest,
        service: &VerificationService,
        body_size: usize,
    ) -> Option<LookupResult> {
        let headers = host::header_map(MapType::HttpCallResponseHeaders).ok()?;
        let headers = RequestHeaders::from_map(&headers)?;
        let status = headers.lines().find(|(name, _)| *name == b":status").map(|(_, status)| status)?;
        if service.refuses_service_key(status) && self.lookups.borrow_mut().reports_refusal(clock().ok()?) {
            log::error!("verification_service: the service refuses service_key, so no key can be verified");
        }
        if body_size > MAX_RESPONSE_BYTES {
            return None;
        }
        let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body_size).ok()?.unwrap_or_default();
        Some(service.read_response(digest, status, &body))
    }

    /// Continues the first requests whose result is known, and leaves the others to the next tick.
    fn continue_completed(&self) {
        let batch = {
            let mut completed = self.completed.borrow_mut();
            let count = completed.len().min(MAX_CONTINUED_PER_CALL);
            let later = completed.split_off(count);
            std::mem::replace(&mut *completed, later)
        };
        if !self.completed.borrow().is_empty() {
            self.arm_tick();
        }
        for (context_id, digest, result) in batch {
            self.resume(context_id, digest, result);
        }
    }

    fn resume(&self, context_id: u32, digest: KeyDigest, result: LookupResult) {
        let waiting = self.waiting.borrow_mut().remove(&context_id);
        // Its client may have gone.
        let Some(Waiting { mut results, .. }) = waiting else { return };
        results.insert(digest, result);
        if hostcalls::set_effective_context(context_id).is_err() {
            return;
        }
        match self.advance(context_id, results) {
            Ok(Flow::Continue) => {
                let _ = hostcalls::resume_http_request();
            }
            Ok(Flow::Replied | Flow::Paused) => {}
            Err(HostError) => fail_closed(),
        }
    }

    /// Takes the request of the effective context as far as it gets without waiting.
    fn advance(&self, context_id: u32, mut results: LookupResults) -> Result<Flow, HostError> {
        let map = host::request_headers()?;
        let headers = RequestHeaders::from_map(&map).ok_or(HostError)?;
        loop {
            let reads_clock = self.policy.reads_clock() || !results.is_empty();
            let cluster = if self.policy.reads_cluster() { host::property(CLUSTER) } else { None };
            let context = Context {
                now: if reads_clock { clock()? } else { Timestamp::default() },
                cluster: cluster.as_deref(),
                identities: RequestIdentities::read(&self.policy, |identity| values(&identity.property)),
                redirect: self.redirect_state(),
                lookups: results,
            };
            let lookup = match decide(&self.policy, &headers, &context) {
                Decision::Allow { effect, edits } => {
                    self.record(&effect)?;
                    if !self.policy.shadow {
                        host::set_property(&self.redirect_state_property, effect.to_redirect_state().as_bytes())?;
                    }
                    apply(&edits)?;
                    return Ok(Flow::Continue);
                }
                Decision::Deny { effect, reason } => {
                    self.record(&effect)?;
                    send(&Reply::new(reason, &self.policy, &effect, &headers))?;
                    return Ok(Flow::Replied);
                }
                Decision::Lookup(lookup) => lookup,
            };
            let service = self.policy.verification_service.as_ref().ok_or(HostError)?;
            let (digest, waiting) = (lookup.digest, self.waiting.borrow().len());
            let started = self.lookups.borrow_mut().start(&lookup, context_id, waiting, service, clock()?);
            let NextStep { event, starts_call, result } = started.next_step();
            if let Some(event) = event {
                self.counters.borrow_mut().lookup(event);
            }
            if starts_call {
                self.arm_tick();
            }
            results = context.lookups;
            let Some(result) = result else {
                self.waiting.borrow_mut().insert(context_id, Waiting { digest, results });
                return Ok(Flow::Paused);
            };
            results.insert(digest, result);
        }
    }

    /// Returns what the run before an internal redirect found. A state that is not understood says that the caller is not
    /// known.
    fn redirect_state(&self) -> Option<RedirectState> {
        let state = if self.policy.shadow { None } else { host::property(&self.redirect_state_property) }?;
        Some(RedirectState::parse(&state).unwrap_or_default())
    }

    fn record(&self, effect: &Effect<'_>) -> Result<(), HostError> {
        for (name, value) in effect.filter_state(&self.policy) {
            host::set_property(name, value.as_bytes())?;
        }
        self.counters.borrow_mut().request(effect);
        Ok(())
    }
}

/// Returns a property that is text, or the items of one that is a list; none if it is absent or something else.
fn values(property: &[Box<str>]) -> Vec<Vec<u8>> {
    let path = property.join("\0");
    match host::property(&path) {
        None => Vec::new(),
        Some(value) if !value.contains(&0) => vec![value],
        Some(value) => list_items(&path, &value).unwrap_or_default(),
    }
}

/// Reads a list, which the ABI writes as a map of its items to nothing. Text and maps can be made to look the same; but only of a
/// list Envoy gives an item by its index.
fn list_items(path: &str, value: &[u8]) -> Option<Vec<Vec<u8>>> {
    let map = RequestHeaders::from_map(value)?;
    let items: Vec<&[u8]> = map.lines().map(|(item, _)| item).collect();
    let index = items.iter().position(|item| !item.is_empty())?;
    let is_list = map.lines().all(|(_, nothing)| nothing.is_empty())
        && host::property(&format!("{path}\0{index}")).as_deref() == items.get(index).copied();
    is_list.then(|| items.into_iter().map(<[u8]>::to_vec).collect())
}

fn apply(edits: &[HeaderMutation<'_>]) -> Result<(), HostError> {
    edits.iter().try_for_each(|edit| match &edit.value {
        Some(value) => host::set_request_header(&edit.name, value),
        None => host::remove_request_header(&edit.name),
    })
}

fn send(reply: &Reply) -> Result<(), HostError> {
    if let Some(path) = &reply.path {
        host::set_request_header(b":path", path)?;
    }
    log::debug!("refused: {}", reply.details);
    host::send_local_response(reply.status, &reply.headers, &reply.body, &reply.details)
}

/// Refuses a request that could not be decided.
pub(crate) fn fail_closed() {
    let headers = [("content-type", "text/plain".to_owned())];
    // If this fails too, the request waits for its time-out: it never reaches the upstream.
    let _ = host::send_local_response(500, &headers, b"the request could not be checked", "byok_host_error");
}

fn clock() -> Result<Timestamp, HostError> {
    hostcalls::get_current_time().map(Timestamp::from).map_err(|_| HostError)
}
