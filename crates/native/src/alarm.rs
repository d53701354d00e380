//! Wakes the main thread a moment after there is something for it to do, however often that was said.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use crate::host::ConfigScheduler;

pub(crate) struct Alarm {
    is_set: AtomicBool,
    /// Dropped to stop the thread.
    waker: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Alarm {
    /// How long after it was set it goes off.
    const DELAY: Duration = Duration::from_millis(100);

    /// Starts the thread, which sleeps for as long as the alarm is not set.
    pub(crate) fn start(main_thread: ConfigScheduler) -> Self {
        let (waker, wakes) = channel();
        let thread = spawn(move || {
            while wakes.recv().is_ok() {
                if wakes.recv_timeout(Self::DELAY) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
                main_thread.commit();
            }
        });
        Self { is_set: AtomicBool::new(false), waker: Some(waker), thread: Some(thread) }
    }

    /// Makes the alarm go off; from any thread, once what the main thread is to see has been written.
    pub(crate) fn set(&self) {
        if !self.is_set.load(Ordering::SeqCst)
            && !self.is_set.swap(true, Ordering::SeqCst)
            && let Some(waker) = &self.waker
        {
            // The thread lives for as long as the sender.
            let _ = waker.send(());
        }
    }

    /// To be called on the main thread before it looks at what there is to do: whoever writes later sets the alarm again.
    pub(crate) fn reset(&self) {
        self.is_set.store(false, Ordering::SeqCst);
    }
}

impl Drop for Alarm {
    /// Waits for the thread, since it must not outlive Envoy's configuration.
    fn drop(&mut self) {
        drop(self.waker.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
