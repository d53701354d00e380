//! The stream context: one a request.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::host::HostError;
use super::worker::{Outcome, Worker, refuse_blindly};

pub(super) struct Stream {
    pub(super) context_id: u32,
    /// `None` without a configuration: the request is refused.
    pub(super) worker: Option<Rc<Worker>>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        let outcome = self.worker.as_ref().ok_or(HostError).and_then(|worker| worker.take(self.context_id));
        match outcome {
            Ok(Outcome::GoesOn) => Action::Continue,
            // The export turns this pause into one that holds the body too.
            Ok(Outcome::IsAnswered | Outcome::Waits) => Action::Pause,
            Err(HostError) => {
                refuse_blindly();
                Action::Pause
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(worker) = &self.worker {
            worker.leave(self.context_id);
        }
    }
}
