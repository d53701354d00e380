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
use crate::refusal::Refusal;
use crate::request::RequestHeaders;
use crate::secret::KeyDigest;
use crate::timestamp::Timestamp;
use crate::upstream::HeaderMutation;
use crate::verify::{Answer, Answers, Asked, Inquiries, Question, VerificationService};

/// The cluster of the route that Envoy has chosen; stale as soon as a header has changed.
const CLUSTER: &str = "xds\0cluster_name";

/// Longer answers of the service are not read.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// How many waiting requests one call into the VM completes. Envoy sends their replies after the call; each reply ends a
/// stream, and its `proxy_on_delete` sends the next reply before it returns. A few hundred of them exhaust V8's stack.
const MAX_COMPLETED_PER_CALL: usize = 16;

pub(super) struct Worker {
    policy: Policy,
    redirect_state_property: String,
    counters: RefCell<Counters>,
    inquiries: RefCell<Inquiries>,
    /// By context id: the requests that wait. Their headers stay in Envoy and are read again when they continue.
    waiting: RefCell<HashMap<u32, Waiting>>,
    /// The waiting requests whose answer has come, in the order in which they continue.
    answered: RefCell<Vec<(u32, KeyDigest, Answer)>>,
    /// By token: what the calls under way ask about.
    calls: RefCell<HashMap<u32, KeyDigest>>,
    /// Whether the root's tick is to come.
    tick_is_armed: Cell<bool>,
}

/// A request that waits.
struct Waiting {
    /// The key that the service was asked about.
    digest: KeyDigest,
    /// What it has said about other keys of the request.
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
            redirect_state_property: policy.redirect_state_property(),
            policy,
            counters: RefCell::default(),
            inquiries: RefCell::default(),
            waiting: RefCell::default(),
            answered: RefCell::default(),
            calls: RefCell::default(),
            tick_is_armed: Cell::default(),
        }
    }

    /// Returns the property that carries the caller over an internal redirect.
    pub(super) fn redirect_state_property(&self) -> &str {
        &self.redirect_state_property
    }

    /// Takes a request of the context in effect as far as it goes without waiting.
    pub(super) fn take(&self, context_id: u32) -> Result<Outcome, HostError> {
        self.advance(context_id, Answers::default())
    }

    /// Forgets a request whose client has gone.
    pub(super) fn leave(&self, context_id: u32) {
        // Seldom does anybody wait: then there is nothing to look for.
        if self.waiting.borrow().is_empty() {
            return;
        }
        let waiting = self.waiting.borrow_mut().remove(&context_id);
        if let Some(Waiting { digest, .. }) = waiting {
            self.inquiries.borrow_mut().leave(digest, context_id);
        }
    }

    /// Does what the tick was armed for: sends what was asked, then continues requests whose answer has come.
    pub(super) fn on_tick(&self) {
        let Some(service) = self.policy.verification_service() else { return };
        self.tick_is_armed.set(false);
        let _ = hostcalls::set_tick_period(Duration::ZERO);
        self.send_questions(service);
        self.complete_answered();
    }

    /// Sends what was asked since the last tick. A call belongs to the context that makes it and ends with
    /// it; calls that requests share are therefore made from the root's tick.
    fn send_questions(&self, service: &VerificationService) {
        let questions = self.inquiries.borrow_mut().unsent();
        for question in questions {
            if !self.send(&question, service) {
                self.note_answer(question.digest, &Answer::Unavailable, service);
            }
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

    /// Makes the root's tick come soon. Arming an armed tick would put it off, and a busy worker would never come to it.
    fn arm_tick(&self) {
        if !self.tick_is_armed.replace(true) {
            let _ = hostcalls::set_tick_period(Duration::from_millis(1));
        }
    }

    /// Reads the answer to a call and continues requests that wait for it.
    pub(super) fn read_answer(&self, token: u32, body_size: usize) {
        let digest = self.calls.borrow_mut().remove(&token);
        let (Some(digest), Some(service)) = (digest, self.policy.verification_service()) else { return };
        let answer = read_answer(digest, service, body_size).unwrap_or(Answer::Unavailable);
        self.note_answer(digest, &answer, service);
        self.complete_answered();
    }

    /// Keeps an answer, and queues the requests that wait for it.
    fn note_answer(&self, digest: KeyDigest, answer: &Answer, service: &VerificationService) {
        if matches!(answer, Answer::Unavailable) {
            self.counters.borrow_mut().verification(Verification::Failure);
        }
        // Without a clock nothing is kept.
        let now = clock().unwrap_or(Timestamp::MIN);
        let waiters = self.inquiries.borrow_mut().answered(digest, answer, service, now);
        self.answered.borrow_mut().extend(waiters.into_iter().map(|context_id| (context_id, digest, answer.clone())));
    }

    /// Continues the first requests whose answer has come, and leaves the others to the next tick.
    fn complete_answered(&self) {
        let batch = {
            let mut answered = self.answered.borrow_mut();
            let count = answered.len().min(MAX_COMPLETED_PER_CALL);
            let later = answered.split_off(count);
            std::mem::replace(&mut *answered, later)
        };
        if !self.answered.borrow().is_empty() {
            self.arm_tick();
        }
        for (context_id, digest, answer) in batch {
            self.complete(context_id, digest, answer);
        }
    }

    fn complete(&self, context_id: u32, digest: KeyDigest, answer: Answer) {
        let waiting = self.waiting.borrow_mut().remove(&context_id);
        // Its client may have gone.
        let Some(Waiting { mut answers, .. }) = waiting else { return };
        answers.insert(digest, answer);
        if hostcalls::set_effective_context(context_id).is_err() {
            return;
        }
        match self.advance(context_id, answers) {
            Ok(Outcome::GoesOn) => {
                let _ = hostcalls::resume_http_request();
            }
            Ok(Outcome::IsAnswered | Outcome::Waits) => {}
            Err(HostError) => refuse_blindly(),
        }
    }

    fn advance(&self, context_id: u32, mut answers: Answers) -> Result<Outcome, HostError> {
        let map = host::request_headers()?;
        let headers = RequestHeaders::from_map(&map).ok_or(HostError)?;
        loop {
            let reads_clock = self.policy.reads_clock() || !answers.is_empty();
            let cluster = if self.policy.reads_cluster() { host::property(CLUSTER) } else { None };
            let circumstances = Circumstances {
                now: if reads_clock { clock()? } else { Timestamp::default() },
                cluster: cluster.as_deref(),
                earlier: self.earlier_pass(),
                answers,
            };
            let question = match decide(&self.policy, &headers, &circumstances) {
                Decision::Allow { record, mutations } => {
                    self.publish(&record)?;
                    if !self.policy.is_shadow() {
                        host::set_property(&self.redirect_state_property, record.to_state().as_bytes())?;
                    }
                    apply(&mutations)?;
                    return Ok(Outcome::GoesOn);
                }
                Decision::Deny { record, refusal } => {
                    self.publish(&record)?;
                    refuse(&refusal)?;
                    return Ok(Outcome::IsAnswered);
                }
                Decision::AskService { question } => question,
            };
            let service = self.policy.verification_service().ok_or(HostError)?;
            let digest = question.digest;
            let waiting = self.waiting.borrow().len();
            let asked = self.inquiries.borrow_mut().ask(question, context_id, waiting, service, clock()?);
            answers = circumstances.answers;
            match asked {
                Asked::Cached(answer) => {
                    self.counters.borrow_mut().verification(Verification::CacheHit);
                    answers.insert(digest, answer);
                }
                Asked::Overflow => {
                    self.counters.borrow_mut().verification(Verification::Overflow);
                    answers.insert(digest, Answer::Unavailable);
                }
                Asked::New | Asked::Shared => {
                    if matches!(asked, Asked::New) {
                        self.arm_tick();
                    }
                    self.waiting.borrow_mut().insert(context_id, Waiting { digest, answers });
                    return Ok(Outcome::Waits);
                }
            }
        }
    }

    /// Returns what the pass before an internal redirect found out; a state that is not understood says that the caller
    /// is not known.
    fn earlier_pass(&self) -> Option<EarlierPass> {
        let state = if self.policy.is_shadow() { None } else { host::property(&self.redirect_state_property) }?;
        Some(EarlierPass::from_state(&state).unwrap_or_default())
    }

    fn publish(&self, record: &Record<'_>) -> Result<(), HostError> {
        for (name, value) in record.entries() {
            host::set_property(name, value.as_bytes())?;
        }
        self.counters.borrow_mut().request(record);
        Ok(())
    }
}

fn refuse(refusal: &Refusal) -> Result<(), HostError> {
    if let Some(path) = &refusal.path {
        host::set_request_header(b":path", path)?;
    }
    log::debug!("refused: {}", refusal.details);
    host::send_local_response(refusal.status, &refusal.headers, &refusal.body, &refusal.details)
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
