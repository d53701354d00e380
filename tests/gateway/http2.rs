//! HTTP/2 by hand: one stream a connection, every header a literal, so that any byte can be sent.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::http1::broken;
use super::{PATIENCE, Response};
use crate::corpus::Message;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const LARGEST_FRAME: usize = 16_384;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

const INITIAL_WINDOW_SIZE: [u8; 2] = [0, 4];

/// Sends a request as it stands over a connection of its own and reads the answer.
pub(crate) fn exchange(address: SocketAddr, request: &Message, extra: &[(&str, &[u8])]) -> io::Result<Response> {
    exchange_with_trailers(address, request, extra, &[])
}

/// Does as [`exchange`] does, and ends the request with trailers where there are any; such a request has no body.
pub(crate) fn exchange_with_trailers(
    address: SocketAddr,
    request: &Message,
    extra: &[(&str, &[u8])],
    trailers: &[(&str, &[u8])],
) -> io::Result<Response> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_nodelay(true)?;
    let client = connection.local_addr()?;
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    bytes.extend(head(request, extra, trailers.is_empty()));
    if !trailers.is_empty() {
        let mut block = Vec::new();
        trailers.iter().for_each(|(name, value)| literal(&mut block, name.as_bytes(), value));
        bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, 1, &block));
    }
    connection.write_all(&bytes)?;
    answer(&mut connection, client, request)
}

fn answer(connection: &mut TcpStream, client: SocketAddr, request: &Message) -> io::Result<Response> {
    let tunnel = request.method == b"CONNECT";
    let mut upload = Upload::of(request);
    let mut decoder = fluke_hpack::Decoder::new();
    let mut response = Response { client, status: 0, headers: Vec::new(), body: Vec::new() };
    let mut block = Vec::new();
    let mut ended = false;
    loop {
        let (kind, flags, stream, payload) = read_frame(connection)?;
        match kind {
            SETTINGS if flags & ACK == 0 => {
                connection.write_all(&frame(SETTINGS, ACK, 0, &[]))?;
                upload.take_settings(&payload);
                upload.go_on(connection)?;
            }
            WINDOW_UPDATE => {
                upload.take_window_update(stream, &payload);
                upload.go_on(connection)?;
            }
            PING if flags & ACK == 0 => connection.write_all(&frame(PING, ACK, 0, &payload))?,
            HEADERS | CONTINUATION => {
                block.extend(payload);
                ended |= kind == HEADERS && flags & END_STREAM != 0;
                if flags & END_HEADERS != 0 {
                    let lines = decoder.decode(&std::mem::take(&mut block)).map_err(|_| broken("headers"))?;
                    take_headers(&mut response, lines)?;
                    ended |= tunnel && response.status == 200;
                }
            }
            DATA => {
                response.body.extend(payload);
                ended |= flags & END_STREAM != 0;
            }
            RST_STREAM => return Err(broken("the stream was reset")),
            GOAWAY => return Err(broken("the connection was ended")),
            _ => {}
        }
        if ended && block.is_empty() {
            return Ok(response);
        }
    }
}

/// A body on its way, as far as the peer has room for it (RFC 9113, 5.2).
struct Upload {
    rest: usize,
    connection_window: i64,
    stream_window: i64,
    /// What new streams are given by the peer's settings.
    initial_window: i64,
}

impl Upload {
    fn of(request: &Message) -> Self {
        const AT_FIRST: i64 = 65_535;
        let rest = request.body_size().unwrap_or(0);
        Self { rest, connection_window: AT_FIRST, stream_window: AT_FIRST, initial_window: AT_FIRST }
    }

    fn take_settings(&mut self, payload: &[u8]) {
        for setting in payload.chunks(6).filter(|setting| setting[..2] == INITIAL_WINDOW_SIZE) {
            let window = i64::from(number_of(&setting[2..]));
            self.stream_window += window - self.initial_window;
            self.initial_window = window;
        }
    }

    fn take_window_update(&mut self, stream: u32, payload: &[u8]) {
        let more = i64::from(number_of(payload));
        if stream == 0 {
            self.connection_window += more;
        } else {
            self.stream_window += more;
        }
    }

    fn go_on(&mut self, connection: &mut TcpStream) -> io::Result<()> {
        loop {
            let room = usize::try_from(self.connection_window.min(self.stream_window)).unwrap_or(0);
            let size = self.rest.min(room).min(LARGEST_FRAME);
            if size == 0 {
                return Ok(());
            }
            self.rest -= size;
            let sent = i64::try_from(size).expect("a short frame");
            self.connection_window -= sent;
            self.stream_window -= sent;
            let flags = if self.rest == 0 { END_STREAM } else { 0 };
            connection.write_all(&frame(DATA, flags, 1, &vec![b'x'; size]))?;
        }
    }
}

fn number_of(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn take_headers(response: &mut Response, lines: Vec<(Vec<u8>, Vec<u8>)>) -> io::Result<()> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    for (name, value) in lines {
        if name == b":status" {
            response.status = text(value).parse().map_err(|_| broken("a status that is no number"))?;
        } else {
            response.headers.push((text(name), text(value)));
        }
    }
    Ok(())
}

fn head(request: &Message, extra: &[(&str, &[u8])], is_last: bool) -> Vec<u8> {
    let host = extra.iter().find(|(name, _)| *name == "host").map(|(_, value)| *value);
    let host = request.values("host").next().or(host).unwrap_or_default();
    let mut block = Vec::new();
    literal(&mut block, b":method", &request.method);
    literal(&mut block, b":authority", host);
    if let Some(path) = &request.path {
        literal(&mut block, b":scheme", b"http");
        literal(&mut block, b":path", path);
    }
    for (name, value) in extra.iter().filter(|(name, _)| !request.has(name) && *name != "host") {
        literal(&mut block, name.as_bytes(), value);
    }
    for (name, value) in request.lines.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(b"host")) {
        literal(&mut block, &name.to_ascii_lowercase(), value);
    }
    let ends = is_last && request.path.is_some() && request.body_size().is_none();
    let end_stream = if ends { END_STREAM } else { 0 };
    let parts: Vec<&[u8]> = block.chunks(LARGEST_FRAME).collect();
    let last = parts.len() - 1;
    let frames = parts.iter().enumerate().map(|(at, part)| {
        let end_headers = if at == last { END_HEADERS } else { 0 };
        if at == 0 {
            frame(HEADERS, end_headers | end_stream, 1, part)
        } else {
            frame(CONTINUATION, end_headers, 1, part)
        }
    });
    frames.flatten().collect()
}

/// RFC 7541, 6.2.2: a literal without indexing, its name new, neither of both Huffman-coded.
fn literal(block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    block.push(0);
    for text in [name, value] {
        number(block, text.len());
        block.extend_from_slice(text);
    }
}

/// RFC 7541, 5.1: an integer behind a prefix of seven bits.
fn number(block: &mut Vec<u8>, number: usize) {
    const PREFIX: usize = 127;
    let byte = |number: usize| u8::try_from(number).expect("a byte");
    if number < PREFIX {
        return block.push(byte(number));
    }
    block.push(byte(PREFIX));
    let mut rest = number - PREFIX;
    while rest >= 128 {
        block.push(byte(rest % 128 + 128));
        rest /= 128;
    }
    block.push(byte(rest));
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&size[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn read_frame(connection: &mut TcpStream) -> io::Result<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    connection.read_exact(&mut head)?;
    let size = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(size).expect("a size")];
    connection.read_exact(&mut payload)?;
    Ok((head[3], head[4], number_of(&head[5..]), payload))
}
