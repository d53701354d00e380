//! The stream context: reads the headers once, asks the core, does as it says.

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::counters::Counters;
use super::host::{self, HostError};
use crate::decide::{Circumstances, Decision, decide};
use crate::earlier::EarlierPass;
use crate::policy::Policy;
use crate::record::Record;
use crate::request::RequestHeaders;
use crate::timestamp::Timestamp;
use crate::upstream::HeaderMutation;

/// The property in which a pass leaves word for the pass after an internal redirect.
pub(super) const EARLIER_PASS: &str = "byok.earlier_pass";

/// The cluster of the route that Envoy has chosen; stale as soon as a header has changed.
const CLUSTER: &str = "xds\0cluster_name";

pub(super) struct Stream {
    pub(super) policy: Option<Rc<Policy>>,
    pub(super) counters: Rc<RefCell<Counters>>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        self.handle().unwrap_or_else(|HostError| refuse_blindly())
    }
}

impl Stream {
    fn handle(&self) -> Result<Action, HostError> {
        let policy = self.policy.as_deref().ok_or(HostError)?;
        let map = host::request_headers()?;
        let request = RequestHeaders::from_map(&map).ok_or(HostError)?;
        let cluster = if policy.reads_cluster() { host::property(CLUSTER) } else { None };
        let circumstances =
            Circumstances { now: now(policy)?, cluster: cluster.as_deref(), earlier: earlier_pass(policy) };
        match decide(policy, &request, &circumstances) {
            Decision::Allow { record, mutations } => {
                self.publish(&record)?;
                if !policy.is_shadow() {
                    host::set_property(EARLIER_PASS, record.to_state().as_bytes())?;
                }
                apply(&mutations)?;
                Ok(Action::Continue)
            }
            Decision::Deny { record, refusal } => {
                self.publish(&record)?;
                log::debug!("refused: {}", refusal.details);
                host::send_local_response(refusal.status, &refusal.headers, &refusal.body, &refusal.details)?;
                Ok(Action::Pause)
            }
        }
    }

    fn publish(&self, record: &Record<'_>) -> Result<(), HostError> {
        for (name, value) in record.entries() {
            host::set_property(name, value.as_bytes())?;
        }
        self.counters.borrow_mut().count(record);
        Ok(())
    }
}

fn apply(mutations: &[HeaderMutation<'_>]) -> Result<(), HostError> {
    mutations.iter().try_for_each(|mutation| match mutation {
        HeaderMutation::Remove { name } => host::remove_request_header(name),
        HeaderMutation::Set { name, value } => host::set_request_header(name, value),
    })
}

fn now(policy: &Policy) -> Result<Timestamp, HostError> {
    if !policy.reads_clock() {
        return Ok(Timestamp::default());
    }
    hostcalls::get_current_time().map(Timestamp::from).map_err(|_| HostError)
}

/// Returns what a pass before this one left; word that is not understood tells that nobody is known.
fn earlier_pass(policy: &Policy) -> Option<EarlierPass> {
    let state = if policy.is_shadow() { None } else { host::property(EARLIER_PASS) }?;
    Some(EarlierPass::from_state(&state).unwrap_or_default())
}

/// Refuses a request that could not be looked at.
fn refuse_blindly() -> Action {
    let headers = [("content-type", "text/plain".to_owned())];
    // Where this fails too, pausing keeps the request from the upstream.
    let _ = host::send_local_response(500, &headers, b"the request could not be checked", "byok_host_error");
    Action::Pause
}
