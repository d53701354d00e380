//! Many requests at once over HTTP/2, and what became of them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use byok_testkit::corpus::Message;
use byok_testkit::gateway::{Fate, Flood};
use byok_testkit::service::HOST;

/// How many requests ended in which way.
#[derive(Default)]
pub(crate) struct Tally {
    statuses: BTreeMap<u16, usize>,
    /// Neither answered nor ended by the deadline.
    hanging: usize,
    /// Ended by the server without an answer.
    cut: usize,
    /// The time of the last answer.
    pub(crate) slowest: Duration,
    bytes: usize,
}

impl Tally {
    /// How many were answered with this status.
    pub(crate) fn with(&self, status: u16) -> usize {
        self.statuses.get(&status).copied().unwrap_or(0)
    }

    pub(crate) fn total(&self) -> usize {
        self.statuses.values().sum::<usize>() + self.hanging + self.cut
    }

    /// Panics where a request has got no answer.
    pub(crate) fn assert_answered(&self, attack: &str) {
        assert_eq!((self.hanging, self.cut), (0, 0), "{attack}: requests without an answer: {self}");
    }

    /// Panics where a request was answered with any other status.
    pub(crate) fn assert_only(&self, attack: &str, statuses: &[u16]) {
        let other = self.statuses.keys().find(|status| !statuses.contains(status));
        assert_eq!(other, None, "{attack}: {self}");
    }

    pub(crate) fn add(&mut self, flood: &Flood) {
        for fate in flood.fates() {
            match fate {
                Fate::Answered(status, took) => {
                    *self.statuses.entry(status).or_default() += 1;
                    self.slowest = self.slowest.max(took);
                }
                Fate::Reset | Fate::Closed => self.cut += 1,
                Fate::Waiting => self.hanging += 1,
            }
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.hanging += other.hanging;
        self.cut += other.cut;
        self.slowest = self.slowest.max(other.slowest);
        self.bytes += other.bytes;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} requests in {} bytes:", self.total(), self.bytes)?;
        for (status, count) in &self.statuses {
            write!(f, " {count} x {status},")?;
        }
        write!(f, " {} hanging, {} cut, last answer after {:.1?}", self.hanging, self.cut, self.slowest)
    }
}

/// Sends the requests of each connection in one write, on all connections at once, and waits that long for answers.
pub(crate) fn flood(address: SocketAddr, connections: &[Vec<Message>], patience: Duration) -> Tally {
    let ready = Barrier::new(connections.len());
    let one = |requests: &[Message]| {
        let mut flood = Flood::open(address).expect("a connection");
        ready.wait();
        let mut tally = Tally { bytes: flood.send(requests, HOST).expect("the requests are sent"), ..Tally::default() };
        flood.read_until(Instant::now() + patience).expect("the answers are HTTP/2");
        tally.add(&flood);
        tally
    };
    thread::scope(|scope| {
        let clients: Vec<_> = connections.iter().map(|requests| scope.spawn(|| one(requests))).collect();
        let mut tally = Tally::default();
        for client in clients {
            tally.merge(client.join().expect("a flooding client"));
        }
        tally
    })
}
