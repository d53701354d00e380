//! An upstream that writes down every request, and answers 200.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::http1::Reader;
use crate::corpus::Message;

/// Answers on a port of the system's choice for as long as the test runs.
pub(crate) struct Upstream {
    address: SocketAddr,
    arrivals: Arc<Mutex<Vec<Message>>>,
}

impl Upstream {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&arrivals);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                // A connection that Envoy breaks off is no failure of the upstream's.
                thread::spawn(move || drop(serve(connection, &shared)));
            }
        });
        Self { address, arrivals }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has arrived since the last call of this method.
    pub(crate) fn take(&self) -> Vec<Message> {
        std::mem::take(&mut self.arrivals.lock().expect("no panic in the upstream"))
    }
}

fn serve(connection: TcpStream, arrivals: &Mutex<Vec<Message>>) -> io::Result<()> {
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
        if !framing.is_empty() && !tunnel {
            reader.body(&framing)?;
        }
        arrivals.lock().expect("no panic in the upstream").push(message);
        if upgrade {
            let answer = b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
            return reader.connection().write_all(answer);
        }
        if tunnel {
            return reader.connection().write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        }
        reader.connection().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    }
    Ok(())
}

/// The start line's bytes stand as characters below 256, one each.
fn message(start: &str, lines: Vec<(Vec<u8>, Vec<u8>)>) -> Message {
    let bytes = |text: &str| text.chars().filter_map(|char| u8::try_from(u32::from(char)).ok()).collect::<Vec<u8>>();
    let mut parts = start.split(' ');
    let method = bytes(parts.next().unwrap_or_default());
    let target = bytes(parts.next().unwrap_or_default());
    let path = (method != b"CONNECT").then_some(target);
    Message { method, path, lines }
}
