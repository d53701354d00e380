//! What makes a provider wait until its client has shown the first part of an answer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the rest of an answer waits for a client that shows nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Closed, it holds back the rest of every streamed answer.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Default)]
struct State {
    closed: bool,
    patience: Option<Duration>,
    /// When the provider began to write the first part of an answer.
    begun: Option<Instant>,
    gave_up: bool,
}

impl Gate {
    /// Holds back the rest of what is streamed from now on.
    pub(crate) fn close(&self) {
        self.close_for(PATIENCE);
    }

    /// Does as [`Gate::close`] does, with a patience of the caller's.
    pub(crate) fn close_for(&self, patience: Duration) {
        *self.state() = State { closed: true, patience: Some(patience), ..State::default() };
    }

    /// Lets everything pass.
    pub(crate) fn open(&self) {
        self.state().closed = false;
        self.opened.notify_all();
    }

    /// Returns how long ago the provider began to write the first part, if it has not yet written any of the rest.
    pub(crate) fn holding_for(&self) -> Option<Duration> {
        let state = self.state();
        state.begun.filter(|_| state.closed && !state.gave_up).map(|since| since.elapsed())
    }

    /// Notes that the first part comes now.
    pub(super) fn begin(&self) {
        self.state().begun = Some(Instant::now());
    }

    /// Waits between the first part and the rest.
    pub(super) fn pass(&self) {
        let state = self.state();
        if !state.closed {
            return;
        }
        let patience = state.patience.unwrap_or(PATIENCE);
        let waited = self.opened.wait_timeout_while(state, patience, |state| state.closed);
        let (mut state, time) = waited.unwrap_or_else(PoisonError::into_inner);
        state.gave_up = time.timed_out();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
