//! An upstream that writes down every request, and answers 200.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::http1::Reader;
use crate::corpus::{Line, Message};

/// The head of an answer without a body.
pub const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// Says what to answer to a request: the whole answer's bytes.
type Answer = dyn Fn(&Message) -> String + Send + Sync;

/// Answers on a port of the system's choice for as long as the test runs.
pub struct Upstream {
    address: SocketAddr,
    arrivals: Arc<Mutex<Arrivals>>,
}

#[derive(Default)]
struct Arrivals {
    messages: Vec<Message>,
    trailers: Vec<Line>,
    /// Path and body of each request, where they are kept.
    bodies: Option<Vec<(Vec<u8>, Vec<u8>)>>,
}

impl Upstream {
    /// Answers 200 to everything.
    pub fn start() -> Self {
        Self::answering(|_| OK.to_owned())
    }

    /// Answers 200 to everything, and keeps all bodies.
    pub fn keeping_bodies() -> Self {
        let upstream = Self::start();
        upstream.arrivals.lock().expect("no panic in the upstream").bodies = Some(Vec::new());
        upstream
    }

    /// Answers as it is told.
    pub fn answering(answer: impl Fn(&Message) -> String + Send + Sync + 'static) -> Self {
        Self::answering_at(TcpListener::bind("127.0.0.1:0").expect("a free port"), answer)
    }

    /// Answers as it is told, where it is told; nothing to answer closes the connection.
    pub fn answering_at(listener: TcpListener, answer: impl Fn(&Message) -> String + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().expect("an address");
        let arrivals = Arc::new(Mutex::new(Arrivals::default()));
        let answer: Arc<Answer> = Arc::new(answer);
        let shared = Arc::clone(&arrivals);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (shared, answer) = (Arc::clone(&shared), Arc::clone(&answer));
                // A connection that Envoy breaks off is no failure of the upstream's.
                thread::spawn(move || drop(serve(connection, &shared, &*answer)));
            }
        });
        Self { address, arrivals }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has arrived since the last call of this method.
    pub fn take(&self) -> Vec<Message> {
        std::mem::take(&mut self.arrivals.lock().expect("no panic in the upstream").messages)
    }

    /// The bodies of all requests to a path so far, one after the other.
    pub fn bodies(&self, path: &str) -> Vec<u8> {
        let arrivals = self.arrivals.lock().expect("no panic in the upstream");
        let of_path = arrivals.bodies.iter().flatten().filter(|(own, _)| own == path.as_bytes());
        of_path.flat_map(|(_, body)| body.clone()).collect()
    }

    /// The trailers that have arrived since the last call of this method, of all requests.
    pub fn take_trailers(&self) -> Vec<Line> {
        std::mem::take(&mut self.arrivals.lock().expect("no panic in the upstream").trailers)
    }
}

fn serve(connection: TcpStream, arrivals: &Mutex<Arrivals>, answer: &Answer) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = Reader::new(connection);
    while let Some((start, lines)) = reader.head()? {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_ascii_lowercase();
        let framing: Vec<(String, String)> = lines
            .iter()
            .map(|(name, value)| (text(name), text(value)))
            .filter(|(name, _)| ["content-length", "transfer-encoding"].contains(&name.as_str()))
            .collect();
        let upgrade = lines.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"upgrade"));
        let message = message(&start, lines);
        let tunnel = message.method == b"CONNECT";
        let body = if framing.is_empty() || tunnel { Vec::new() } else { reader.body(&framing)? };
        let answer = answer(&message);
        {
            let mut arrivals = arrivals.lock().expect("no panic in the upstream");
            if let Some(bodies) = &mut arrivals.bodies {
                bodies.push((message.path.clone().unwrap_or_default(), body));
            }
            arrivals.messages.push(message);
            arrivals.trailers.extend(reader.take_trailers());
        }
        if upgrade || tunnel {
            let head = if upgrade { UPGRADED } else { "HTTP/1.1 200 OK\r\n\r\n" };
            reader.connection().write_all(head.as_bytes())?;
            return echo_once(&mut reader);
        }
        if answer.is_empty() {
            return Ok(());
        }
        reader.connection().write_all(answer.as_bytes())?;
    }
    Ok(())
}

const UPGRADED: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";

/// Sends back the first bytes of a tunnel, and ends it.
fn echo_once(reader: &mut Reader) -> io::Result<()> {
    reader.connection().set_read_timeout(Some(TUNNEL_IDLE))?;
    let bytes = reader.some()?;
    reader.connection().write_all(&bytes)
}

/// How long a tunnel waits for a client that has nothing to say.
const TUNNEL_IDLE: Duration = Duration::from_millis(50);

/// The start line's bytes stand as characters below 256, one each.
fn message(start: &str, lines: Vec<Line>) -> Message {
    let bytes = |text: &str| text.chars().filter_map(|char| u8::try_from(u32::from(char)).ok()).collect::<Vec<u8>>();
    let mut parts = start.split(' ');
    let method = bytes(parts.next().unwrap_or_default());
    let target = bytes(parts.next().unwrap_or_default());
    let path = (method != b"CONNECT").then_some(target);
    Message { method, path, lines }
}
