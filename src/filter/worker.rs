//! One worker under one configuration: takes requests to their decision, through the service if need be.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType};

use super::counters::{Counters, Verification};
use super::host::{self, HostError};
use crate::decide::{Circumstances, Decision, decide};
use crate::earlier::EarlierPass;
use crate::policy::Policy;
use crate::record::Record;
use crate::request::RequestHeaders;
use crate::secret::KeyDigest;
use crate::timestamp::Timestamp;
use crate::upstream::HeaderMutation;
use crate::verify::{Answer, Answers, Asked, Inquiries, Question, VerificationService};

/// The property in which a pass leaves word for the pass after an internal redirect.
pub(super) const EARLIER_PASS: &str = "byok.earlier_pass";

/// The cluster of the route that Envoy has chosen; stale as soon as a header has changed.
const CLUSTER: &str = "xds\0cluster_name";

/// Longer answers of the service are not read.
const MAX_ANSWER_BYTES: usize = 1 << 20;

pub(super) struct Worker {
    policy: Policy,
    counters: RefCell<Counters>,
    inquiries: RefCell<Inquiries>,
    /// By context id: the requests that wait for an answer.
    waiting: RefCell<HashMap<u32, Waiting>>,
    /// By token: what the calls under way ask about.
    calls: RefCell<HashMap<u32, KeyDigest>>,
    /// Whether the root's tick is to come.
    tick_is_armed: Cell<bool>,
}

/// A request that waits: its headers as they came, and the answers so far.
struct Waiting {
    headers: Vec<u8>,
    answers: Answers,
}

/// What became of a request for now.
#[derive(PartialEq, Eq)]
pub(super) enum Outcome {
    GoesOn,
    IsAnswered,
    Waits,
}

impl Worker {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            policy,
            counters: RefCell::default(),
            inquiries: RefCell::default(),
            waiting: RefCell::default(),
            calls: RefCell::default(),
            tick_is_armed: Cell::default(),
        }
    }

    /// Takes a request of the context in effect as far as it goes without waiting.
    pub(super) fn take(&self, context_id: u32) -> Result<Outcome, HostError> {
        self.advance(context_id, Waiting { headers: host::request_headers()?, answers: Answers::default() })
    }

    /// Forgets a request whose client has gone.
    pub(super) fn leave(&self, context_id: u32) {
        // Seldom does anybody wait: then there is nothing to look for.
        if self.waiting.borrow().is_empty() {
            return;
        }
        if self.waiting.borrow_mut().remove(&context_id).is_some() {
            self.inquiries.borrow_mut().leave(context_id);
        }
    }

    /// Sends what was asked since the last tick. A call belongs to the context that makes it and ends with
    /// it; calls that requests share are therefore made from the root's tick.
    pub(super) fn send_questions(&self) {
        let Some(service) = self.policy.verification_service() else { return };
        self.tick_is_armed.set(false);
        let _ = hostcalls::set_tick_period(Duration::ZERO);
        let mut questions = self.inquiries.borrow_mut().unsent();
        questions.retain(|question| !self.send(question, service));
        // All calls come first: whoever is told is the context in effect from then on.
        for question in questions {
            self.tell(question.digest, &Answer::Unavailable, service);
        }
    }

    /// Makes the call that asks; tells whether it is under way.
    fn send(&self, question: &Question, service: &VerificationService) -> bool {
        self.counters.borrow_mut().verification(Verification::Call);
        let headers = question.headers.expose();
        match hostcalls::dispatch_http_call(service.cluster(), headers, None, Vec::new(), service.timeout()) {
            Ok(token) => {
                self.calls.borrow_mut().insert(token, question.digest);
                true
            }
            Err(_) => false,
        }
    }

    /// Has the root's tick send what was asked. Arming an armed tick would put it off, and a busy worker
    /// would never come to it.
    fn arm_tick(&self) {
        if !self.tick_is_armed.replace(true) {
            let _ = hostcalls::set_tick_period(Duration::from_millis(1));
        }
    }

    /// Reads the answer to a call and takes on who waits for it.
    pub(super) fn read_answer(&self, token: u32, body_size: usize) {
        let digest = self.calls.borrow_mut().remove(&token);
        let (Some(digest), Some(service)) = (digest, self.policy.verification_service()) else { return };
        let answer = read_answer(digest, service, body_size).unwrap_or(Answer::Unavailable);
        self.tell(digest, &answer, service);
    }

    fn tell(&self, digest: KeyDigest, answer: &Answer, service: &VerificationService) {
        if matches!(answer, Answer::Unavailable) {
            self.counters.borrow_mut().verification(Verification::Failure);
        }
        // Without a clock nothing is kept.
        let now = clock().unwrap_or(Timestamp::MIN);
        let waiters = self.inquiries.borrow_mut().answered(digest, answer, service, now);
        for context_id in waiters {
            let Some(mut waiting) = self.waiting.borrow_mut().remove(&context_id) else { continue };
            waiting.answers.insert(digest, answer.clone());
            if hostcalls::set_effective_context(context_id).is_err() {
                continue;
            }
            match self.advance(context_id, waiting) {
                Ok(Outcome::GoesOn) => {
                    let _ = hostcalls::resume_http_request();
                }
                Ok(Outcome::IsAnswered | Outcome::Waits) => {}
                Err(HostError) => refuse_blindly(),
            }
        }
    }

    fn advance(&self, context_id: u32, mut request: Waiting) -> Result<Outcome, HostError> {
        loop {
            let headers = RequestHeaders::from_map(&request.headers).ok_or(HostError)?;
            let reads_clock = self.policy.reads_clock() || !request.answers.is_empty();
            let cluster = if self.policy.reads_cluster() { host::property(CLUSTER) } else { None };
            let circumstances = Circumstances {
                now: if reads_clock { clock()? } else { Timestamp::default() },
                cluster: cluster.as_deref(),
                earlier: earlier_pass(&self.policy),
                answers: std::mem::take(&mut request.answers),
            };
            let question = match decide(&self.policy, &headers, &circumstances) {
                Decision::Allow { record, mutations } => {
                    self.publish(&record)?;
                    if !self.policy.is_shadow() {
                        host::set_property(EARLIER_PASS, record.to_state().as_bytes())?;
                    }
                    apply(&mutations)?;
                    return Ok(Outcome::GoesOn);
                }
                Decision::Deny { record, refusal } => {
                    self.publish(&record)?;
                    log::debug!("refused: {}", refusal.details);
                    host::send_local_response(refusal.status, &refusal.headers, &refusal.body, &refusal.details)?;
                    return Ok(Outcome::IsAnswered);
                }
                Decision::AskService { question } => question,
            };
            let service = self.policy.verification_service().ok_or(HostError)?;
            let digest = question.digest;
            let asked = self.inquiries.borrow_mut().ask(question, context_id, service, clock()?);
            request.answers = circumstances.answers;
            match asked {
                Asked::Cached(answer) => {
                    self.counters.borrow_mut().verification(Verification::CacheHit);
                    request.answers.insert(digest, answer);
                }
                Asked::Overflow => {
                    self.counters.borrow_mut().verification(Verification::Overflow);
                    request.answers.insert(digest, Answer::Unavailable);
                }
                Asked::New | Asked::Shared => {
                    if matches!(asked, Asked::New) {
                        self.arm_tick();
                    }
                    self.waiting.borrow_mut().insert(context_id, request);
                    return Ok(Outcome::Waits);
                }
            }
        }
    }

    fn publish(&self, record: &Record<'_>) -> Result<(), HostError> {
        for (name, value) in record.entries() {
            host::set_property(name, value.as_bytes())?;
        }
        self.counters.borrow_mut().request(record);
        Ok(())
    }
}

/// Refuses a request that could not be looked at.
pub(super) fn refuse_blindly() {
    let headers = [("content-type", "text/plain".to_owned())];
    // Where this fails too, the request waits for its time-out: it never reaches the upstream.
    let _ = host::send_local_response(500, &headers, b"the request could not be checked", "byok_host_error");
}

fn read_answer(digest: KeyDigest, service: &VerificationService, body_size: usize) -> Option<Answer> {
    if body_size > MAX_ANSWER_BYTES {
        return None;
    }
    let headers = host::header_map(MapType::HttpCallResponseHeaders).ok()?;
    let headers = RequestHeaders::from_map(&headers)?;
    let status = headers.lines().find(|(name, _)| *name == b":status").map(|(_, status)| status)?;
    let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body_size).ok()?.unwrap_or_default();
    Some(service.answer(digest, status, &body))
}

fn apply(mutations: &[HeaderMutation<'_>]) -> Result<(), HostError> {
    mutations.iter().try_for_each(|mutation| match mutation {
        HeaderMutation::Remove { name } => host::remove_request_header(name),
        HeaderMutation::Set { name, value } => host::set_request_header(name, value),
    })
}

fn clock() -> Result<Timestamp, HostError> {
    hostcalls::get_current_time().map(Timestamp::from).map_err(|_| HostError)
}

/// Returns what a pass before this one left; word that is not understood tells that nobody is known.
fn earlier_pass(policy: &Policy) -> Option<EarlierPass> {
    let state = if policy.is_shadow() { None } else { host::property(EARLIER_PASS) }?;
    Some(EarlierPass::from_state(&state).unwrap_or_default())
}
