//! HTTP/1.1, written and read byte by byte, so that nothing is cleaned on the way.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::{PATIENCE, Response};
use crate::corpus::{Line, Message};

/// Sends a request as it stands over a connection of its own and reads the answer.
pub fn exchange(address: SocketAddr, request: &Message, extra: &[(&str, &[u8])]) -> io::Result<Response> {
    send(address, request, extra)?.answer()
}

/// Sends a request as it stands over a connection of its own.
pub fn send(address: SocketAddr, request: &Message, extra: &[(&str, &[u8])]) -> io::Result<Pending> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_nodelay(true)?;
    let client = connection.local_addr()?;
    connection.write_all(&head(request, extra))?;
    if let Some(size) = request.body_size() {
        let mut connection = connection.try_clone()?;
        // The answer may come before the whole body is sent, and whoever answers so reads no further.
        std::thread::spawn(move || drop(connection.write_all(&vec![b'x'; size])));
    }
    Ok(Pending { client, method: request.method.clone(), reader: Reader::new(connection) })
}

/// A request that is not answered yet; its client leaves when this is dropped.
pub struct Pending {
    client: SocketAddr,
    method: Vec<u8>,
    reader: Reader,
}

impl Pending {
    /// Waits for the answer.
    pub fn answer(mut self) -> io::Result<Response> {
        let (head, headers) = self.reader.head()?.ok_or_else(|| broken("no answer"))?;
        let status: u16 = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| broken(&head))?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let headers: Vec<(String, String)> =
            headers.into_iter().map(|(name, value)| (text(name.to_ascii_lowercase()), text(value))).collect();
        let bodiless = self.method == b"HEAD" || self.method == b"CONNECT" && status == 200;
        let body = if bodiless || status == 101 || status == 204 { Vec::new() } else { self.reader.body(&headers)? };
        Ok(Response { client: self.client, status, headers, body })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // A body that is still being sent holds the connection open too.
        let _ = self.reader.connection.shutdown(Shutdown::Both);
    }
}

fn head(request: &Message, extra: &[(&str, &[u8])]) -> Vec<u8> {
    let host = extra.iter().find(|(name, _)| *name == "host").map(|(_, value)| *value).unwrap_or_default();
    // A tunnel leads to a port (RFC 9110, 9.3.6).
    let tunnel = if host.contains(&b':') { host.to_vec() } else { [host, b":443"].concat() };
    let target = request.path.as_deref().unwrap_or(&tunnel);
    let mut bytes = [request.method.as_slice(), b" ", target, b" HTTP/1.1\r\n"].concat();
    let own = request.lines.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
    let extra = extra.iter().filter(|(name, _)| !request.has(name)).map(|(name, value)| (name.as_bytes(), *value));
    for (name, value) in extra.chain(own) {
        bytes.extend_from_slice(&[name, b": ", value, b"\r\n"].concat());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// Reads messages off a connection, whichever side it is.
pub(super) struct Reader {
    connection: TcpStream,
    buffer: Vec<u8>,
    trailers: Vec<Line>,
}

pub(super) type Head = (String, Vec<Line>);

impl Reader {
    pub(super) fn new(connection: TcpStream) -> Self {
        Self { connection, buffer: Vec::new(), trailers: Vec::new() }
    }

    pub(super) fn connection(&mut self) -> &mut TcpStream {
        &mut self.connection
    }

    /// Start line and header lines; none where the peer has closed the connection.
    pub(super) fn head(&mut self) -> io::Result<Option<Head>> {
        let start = loop {
            let Some(line) = self.line()? else { return Ok(None) };
            if !line.is_empty() {
                break line;
            }
        };
        let start = start.iter().map(|&byte| char::from(byte)).collect();
        Ok(Some((start, self.lines()?)))
    }

    /// Header or trailer lines, to the empty one.
    fn lines(&mut self) -> io::Result<Vec<Line>> {
        let mut lines = Vec::new();
        loop {
            let line = self.line()?.ok_or_else(|| broken("unfinished headers"))?;
            if line.is_empty() {
                return Ok(lines);
            }
            let colon = line.iter().position(|&byte| byte == b':').ok_or_else(|| broken("a line without a colon"))?;
            lines.push((line[..colon].to_vec(), line[colon + 1..].trim_ascii().to_vec()));
        }
    }

    /// The trailers of the chunked bodies so far.
    pub(super) fn take_trailers(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.trailers)
    }

    /// The body behind a head with these headers.
    pub(super) fn body(&mut self, headers: &[(String, String)]) -> io::Result<Vec<u8>> {
        let header = |name: &str| headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        if header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
            return self.chunks();
        }
        match header("content-length").map(str::parse) {
            Some(Ok(size)) => self.exact(size),
            Some(Err(_)) => Err(broken("a content-length that is no number")),
            None => {
                let mut rest = std::mem::take(&mut self.buffer);
                self.connection.read_to_end(&mut rest)?;
                Ok(rest)
            }
        }
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?.ok_or_else(|| broken("an unfinished chunk"))?;
            let size = std::str::from_utf8(&line).ok().and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
            let size = size.ok_or_else(|| broken("a chunk without a size"))?;
            if size == 0 {
                let trailers = self.lines()?;
                self.trailers.extend(trailers);
                return Ok(body);
            }
            body.extend(self.exact(size)?);
            self.line()?;
        }
    }

    /// Whatever comes next.
    pub(super) fn some(&mut self) -> io::Result<Vec<u8>> {
        if self.buffer.is_empty() {
            self.fill()?;
        }
        Ok(std::mem::take(&mut self.buffer))
    }

    fn exact(&mut self, size: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < size {
            if !self.fill()? {
                return Err(broken("an unfinished body"));
            }
        }
        Ok(self.buffer.drain(..size).collect())
    }

    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.buffer.drain(..end + 2).take(end).collect();
                return Ok(Some(line));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    fn fill(&mut self) -> io::Result<bool> {
        let mut part = [0; 16 * 1024];
        let size = self.connection.read(&mut part)?;
        self.buffer.extend_from_slice(&part[..size]);
        Ok(size > 0)
    }
}

pub(super) fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}
