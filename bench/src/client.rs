//! The load generator: HTTP/1.1 over connections that stay open, one request at a time on each.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_ANSWER_BYTES: usize = 1 << 16;

/// A connection on which all answers have the same length and status.
pub(super) struct Connection {
    stream: TcpStream,
    first: Answer,
    buffer: Vec<u8>,
}

/// An answer as it came.
#[derive(Clone)]
pub(super) struct Answer(Vec<u8>);

impl Connection {
    /// Connects, and learns from a first exchange what answers look like.
    pub(super) fn open(address: SocketAddr, request: &[u8]) -> Result<Self> {
        let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.write_all(request)?;
        let first = Answer::read(&mut stream)?;
        ensure!(!first.ends_connection(), "Envoy ends the connection after one request");
        Ok(Self { stream, buffer: vec![0; first.0.len()], first })
    }

    pub(super) fn first_answer(&self) -> &Answer {
        &self.first
    }

    pub(super) fn send(&mut self, request: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(request)?)
    }

    /// Waits for an answer like the first one.
    pub(super) fn receive(&mut self) -> Result<()> {
        self.stream.read_exact(&mut self.buffer).context("Envoy did not answer as it did before")?;
        ensure!(self.buffer.get(..STATUS_END) == self.first.0.get(..STATUS_END), "Envoy answered with another status");
        Ok(())
    }
}

/// `HTTP/1.1 200`
const STATUS_END: usize = 12;

impl Answer {
    fn read(stream: &mut TcpStream) -> Result<Self> {
        let mut answer = Self(Vec::new());
        let mut chunk = [0; 4096];
        while answer.0.len() < MAX_ANSWER_BYTES {
            let size = stream.read(&mut chunk)?;
            ensure!(size > 0, "Envoy closed the connection");
            answer.0.extend(chunk.iter().take(size));
            if answer.is_whole() {
                return Ok(answer);
            }
        }
        anyhow::bail!("Envoy's answer is too long")
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.text().get(..STATUS_END)?.strip_prefix("HTTP/1.1 ")?.parse().ok()
    }

    pub(super) fn body(&self) -> String {
        self.parts().map(|(_, body)| body.to_owned()).unwrap_or_default()
    }

    fn is_whole(&self) -> bool {
        self.parts().is_some_and(|(head, body)| {
            header(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0) <= body.len()
        })
    }

    fn ends_connection(&self) -> bool {
        self.parts().and_then(|(head, _)| header(head, "connection").map(|value| value == "close")).unwrap_or_default()
    }

    fn parts(&self) -> Option<(&str, &str)> {
        self.text().split_once("\r\n\r\n")
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(line_name, _)| line_name.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Many connections that are never idle, so that Envoy's worker never sleeps.
pub(super) struct Load {
    connections: Vec<Connection>,
    requests: Vec<Vec<u8>>,
}

impl Load {
    /// Enough for a worker to find the next request whenever it is done with one.
    const CONNECTIONS: usize = 32;

    pub(super) fn open(address: SocketAddr, requests: Vec<Vec<u8>>) -> Result<Self> {
        let first = requests.first().context("there is no request to send")?;
        let connections: Result<_> = (0..Self::CONNECTIONS).map(|_| Connection::open(address, first)).collect();
        Ok(Self { connections: connections?, requests })
    }

    /// Sends so many requests, and waits for all answers.
    pub(super) fn send(&mut self, count: usize) -> Result<()> {
        let mut requests = self.requests.iter().cycle().take(count);
        for (connection, request) in self.connections.iter_mut().zip(&mut requests) {
            connection.send(request)?;
        }
        let connections = self.connections.len();
        let mut waiting = count.min(connections);
        while waiting > 0 {
            for connection in self.connections.iter_mut().take(waiting) {
                connection.receive()?;
                match requests.next() {
                    Some(request) => connection.send(request)?,
                    None => waiting -= 1,
                }
            }
        }
        Ok(())
    }
}
