//! Reading HTTP/1.1 requests as Envoy writes them.

use std::io::{self, BufRead, BufReader, Read};
use std::net::TcpStream;

/// A request that has arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Names in lower case, in order.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// Reads the next request of a connection; `None` where the connection has ended.
pub(crate) fn read(connection: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let start = line(connection)?;
    if start.is_empty() {
        return Ok(None);
    }
    let mut words = start.split(' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let mut request = Request { method: word(), target: word(), headers: Vec::new(), body: String::new() };
    loop {
        let line = line(connection)?;
        let Some((name, value)) = line.split_once(':') else { break };
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let bytes = if request.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        chunks(connection)?
    } else {
        let length = request.header("content-length").and_then(|length| length.parse().ok());
        exactly(connection, length.unwrap_or(0))?
    };
    request.body = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Some(request))
}

fn chunks(connection: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = usize::from_str_radix(&line(connection)?, 16).map_err(io::Error::other)?;
        body.extend(exactly(connection, size)?);
        line(connection)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

fn exactly(connection: &mut BufReader<TcpStream>, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    connection.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Returns a line without its end, or nothing at the end of the connection.
fn line(connection: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    connection.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}
