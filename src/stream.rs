//! The stream context: one per request.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host::HostError;
use crate::worker::{Flow, Worker, fail_closed};

pub(crate) struct Stream {
    pub(crate) context_id: u32,
    /// `None` without a configuration: the request is refused.
    pub(crate) worker: Option<Rc<Worker>>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        let flow = self.worker.as_ref().ok_or(HostError).and_then(|worker| worker.on_request(self.context_id));
        match flow {
            Ok(Flow::Continue) => Action::Continue,
            // The export makes a pause of it that holds back the body too.
            Ok(Flow::Replied | Flow::Paused) => Action::Pause,
            Err(HostError) => {
                fail_closed();
                Action::Pause
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(worker) = &self.worker {
            worker.cancel(self.context_id);
        }
    }
}
