//! The issuer whom the filter asks: answers as the test says, and writes down who asked what.

use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex};

use sha2::{Digest as _, Sha256};

use crate::corpus::Message;
use crate::gateway::{PATIENCE, Upstream, until};

/// A service under the test's thumb.
pub struct Issuer {
    server: Upstream,
    calls: Arc<Mutex<Calls>>,
}

#[derive(Default)]
struct Calls {
    seen: Vec<Message>,
    under_way: usize,
    most_at_once: usize,
}

impl Issuer {
    /// Answers each call with the bytes that come of it; with none the connection is closed.
    pub fn start(script: impl Fn(&Message) -> String + Send + Sync + 'static) -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").expect("a free port"), script)
    }

    pub fn start_at(listener: TcpListener, script: impl Fn(&Message) -> String + Send + Sync + 'static) -> Self {
        let calls = Arc::new(Mutex::new(Calls::default()));
        let shared = Arc::clone(&calls);
        let server = Upstream::answering_at(listener, move |call| {
            {
                let mut calls = shared.lock().expect("no panic in the issuer");
                calls.seen.push(call.clone());
                calls.under_way += 1;
                calls.most_at_once = calls.most_at_once.max(calls.under_way);
            }
            let answer = script(call);
            shared.lock().expect("no panic in the issuer").under_way -= 1;
            answer
        });
        Self { server, calls }
    }

    pub fn server(&self) -> &Upstream {
        &self.server
    }

    /// All calls so far, whole or under way.
    pub fn seen(&self) -> Vec<Message> {
        self.calls.lock().expect("no panic in the issuer").seen.clone()
    }

    pub fn calls(&self) -> usize {
        self.calls.lock().expect("no panic in the issuer").seen.len()
    }

    pub fn most_at_once(&self) -> usize {
        self.calls.lock().expect("no panic in the issuer").most_at_once
    }

    /// Waits until there were that many calls.
    pub fn wait_for_calls(&self, count: usize) {
        let reached = until(|| (self.calls() >= count).then_some(()));
        assert!(reached.is_some(), "{} of {count} calls", self.calls());
    }
}

/// An answer in JSON.
pub fn json(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} Any\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Knows these keys, by the digest in the parameter `key`, and says of each what stands beside it.
pub fn knows(keys: &[(&str, &str)]) -> impl Fn(&Message) -> String + Send + Sync + use<> {
    let known: Vec<(String, String)> = keys.iter().map(|(key, says)| (path_for(key), (*says).to_owned())).collect();
    move |call| {
        let path = String::from_utf8_lossy(call.path.as_deref().unwrap_or_default()).into_owned();
        let says = known.iter().find(|(own, _)| *own == path).map(|(_, says)| says);
        says.map_or_else(|| json(404, r#"{"error":{"message":"Key not found in database"}}"#), |says| json(200, says))
    }
}

/// The path by which the filter asks about a key.
pub fn path_for(key: &str) -> String {
    let digest: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("/key/info?key={digest}")
}

/// Holds answers back until it is opened, for good.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *self.0.0.lock().expect("no panic at the gate") = true;
        self.0.1.notify_all();
    }

    /// Waits, though not for ever.
    pub fn pass(&self) {
        let open = self.0.0.lock().expect("no panic at the gate");
        let waited = self.0.1.wait_timeout_while(open, PATIENCE, |open| !*open);
        drop(waited.expect("no panic at the gate"));
    }
}
