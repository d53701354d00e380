//! Clients with good keys, beside an attack.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use byok_testkit::gateway::exchange_http1;
use byok_testkit::service::{HOST, request};

/// Between the requests of one client.
const PAUSE: Duration = Duration::from_millis(10);

/// How they fared.
pub(crate) struct Served {
    /// Of each request the status, 0 where there was no answer, and how long it took.
    requests: Vec<(u16, Duration)>,
}

impl Served {
    fn count(&self) -> usize {
        self.requests.iter().filter(|(status, _)| *status == 200).count()
    }

    fn times(&self) -> Vec<Duration> {
        let mut times: Vec<Duration> = self.requests.iter().map(|(_, took)| *took).collect();
        times.sort();
        times
    }

    /// The longest that one waited.
    pub(crate) fn slowest(&self) -> Duration {
        self.times().last().copied().unwrap_or_default()
    }

    /// Panics where one was not served.
    pub(crate) fn assert_all(&self, attack: &str) {
        assert!(!self.requests.is_empty(), "{attack}: no good client asked");
        assert_eq!(self.count(), self.requests.len(), "{attack}: {self}");
    }
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = self.times();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        write!(f, "{} of {} served, {median:.1?} (at most {:.1?})", self.count(), self.requests.len(), self.slowest())
    }
}

/// How long they go on after the attack: a module that has failed is missed for up to a second.
const AFTERMATH: Duration = Duration::from_millis(200);

/// One client for each key asks again and again for as long as the attack takes, and a little longer.
pub(crate) fn beside<T>(address: SocketAddr, keys: &[&str], attack: impl FnOnce() -> T) -> (T, Served) {
    let over = AtomicBool::new(false);
    let ask = |key: &str| {
        let mut requests = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let begin = Instant::now();
            let status = exchange_http1(address, &request(key), HOST).map_or(0, |answer| answer.status);
            requests.push((status, begin.elapsed()));
            thread::sleep(PAUSE);
        }
        requests
    };
    thread::scope(|scope| {
        let ask = &ask;
        let clients: Vec<_> = keys.iter().map(|key| scope.spawn(move || ask(key))).collect();
        // The clients end, and the test fails, where the attack does not succeed in attacking.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(attack));
        thread::sleep(AFTERMATH);
        over.store(true, Ordering::Relaxed);
        let requests = clients.into_iter().flat_map(|client| client.join().expect("a good client")).collect();
        match result {
            Ok(result) => (result, Served { requests }),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
