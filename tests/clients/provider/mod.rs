//! Anthropic, OpenAI and Google on the loopback: they answer anybody, and write down what they are sent.

mod answers;
mod gate;
mod http;
mod realtime;

use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use answers::{Answer, answer};
use gate::Gate;
pub(crate) use http::Request;

/// A server that lives as long as the test.
pub(crate) struct Provider {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    arrivals: Mutex<Vec<Request>>,
    gate: Gate,
}

impl Provider {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let of_threads = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&of_threads);
                // A connection that a client breaks off is no failure of the provider's.
                thread::spawn(move || drop(serve(connection, &shared)));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What holds back the rest of streamed answers.
    pub(crate) fn gate(&self) -> &Gate {
        &self.shared.gate
    }

    /// What has arrived since the last call.
    pub(crate) fn take(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.arrivals.lock().expect("no panic in the provider"))
    }
}

fn serve(connection: TcpStream, shared: &Shared) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut connection = BufReader::new(connection);
    while let Some(request) = http::read(&mut connection)? {
        shared.arrivals.lock().expect("no panic in the provider").push(request.clone());
        if request.header("upgrade").is_some() {
            return realtime::serve(connection, &request);
        }
        let to = connection.get_mut();
        match answer(&request) {
            Some(Answer::Whole(body)) => whole(to, "200 OK", &body.to_string())?,
            Some(Answer::Events { first, rest }) => events(to, &first, &rest, &shared.gate)?,
            None => whole(to, "404 Not Found", "{}")?,
        }
    }
    Ok(())
}

fn whole(to: &mut TcpStream, status: &str, body: &str) -> io::Result<()> {
    let size = body.len();
    write!(to, "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {size}\r\n\r\n{body}")
}

fn events(to: &mut TcpStream, first: &[String], rest: &[String], gate: &Gate) -> io::Result<()> {
    write!(to, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")?;
    gate.begin();
    for event in first {
        chunk(to, event)?;
    }
    gate.pass();
    for event in rest {
        chunk(to, event)?;
    }
    write!(to, "0\r\n\r\n")
}

fn chunk(to: &mut TcpStream, text: &str) -> io::Result<()> {
    write!(to, "{:x}\r\n{text}\r\n", text.len())
}
