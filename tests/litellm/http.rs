//! HTTP/1.1 as plain as it goes: what is written is what is sent.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::json;

const TIMEOUT: Duration = Duration::from_secs(60);

/// Name and value of each header line.
pub(crate) type Lines = Vec<(String, String)>;

/// Start line, header lines and body of a request or an answer.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) start: String,
    pub(crate) lines: Lines,
    pub(crate) body: String,
}

impl Message {
    pub(crate) fn status(&self) -> u16 {
        let status = self.start.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("no status in `{}`", self.start))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.lines.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Posts JSON over a connection of its own.
pub(crate) fn post(address: SocketAddr, path: &str, lines: &Lines, body: &str) -> Message {
    exchange(address, "POST", path, lines, body).unwrap_or_else(|error| panic!("POST {path} to {address}: {error}"))
}

/// The body of a request for that model.
pub(crate) fn question(model: &str) -> String {
    json!({ "model": model, "max_tokens": 8, "messages": [ { "role": "user", "content": "hello" } ] }).to_string()
}

fn exchange(address: SocketAddr, method: &str, path: &str, lines: &Lines, body: &str) -> io::Result<Message> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(TIMEOUT))?;
    let own: String = lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let size = body.len();
    write!(
        connection,
        "{method} {path} HTTP/1.1\r\nhost: llm.example.com\r\nconnection: close\r\ncontent-type: application/json\r\n\
         anthropic-version: 2023-06-01\r\ncontent-length: {size}\r\n{own}\r\n{body}"
    )?;
    read(&mut connection)
}

/// Reads one message; a body without `content-length` ends with the connection, and stays chunked where it is.
pub(crate) fn read(connection: &mut TcpStream) -> io::Result<Message> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if !more(connection, &mut bytes)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut rows = text.split("\r\n");
    let start = rows.next().unwrap_or_default().to_owned();
    let lines: Lines = rows
        .filter_map(|row| row.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = lines.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let is_request = start.ends_with("HTTP/1.1");
    let end = length.or(is_request.then_some(0)).map(|length: usize| head + 4 + length);
    while end.is_none_or(|end| bytes.len() < end) && more(connection, &mut bytes)? {}
    let body = String::from_utf8_lossy(&bytes[head + 4..]).into_owned();
    Ok(Message { start, lines, body })
}

fn more(connection: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let mut part = [0; 16 * 1024];
    let size = connection.read(&mut part)?;
    bytes.extend_from_slice(&part[..size]);
    Ok(size > 0)
}
