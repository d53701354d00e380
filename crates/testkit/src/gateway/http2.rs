//! HTTP/2 by hand: one stream a connection, every header a literal, so that any byte can be sent.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};

use super::frame::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, LARGEST_FRAME, PING,
    PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, header_frames, literal, number_of, read_frame, settings,
};
use super::http1::broken;
use super::{PATIENCE, Response};
use crate::corpus::Message;

/// Sends a request as it stands over a connection of its own and reads the answer.
pub fn exchange(address: SocketAddr, request: &Message, extra: &[(&str, &[u8])]) -> io::Result<Response> {
    exchange_with_trailers(address, request, extra, &[])
}

/// Does as [`exchange`] does, and ends the request with trailers where there are any; such a request has no body.
pub fn exchange_with_trailers(
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
        bytes.extend(header_frames(&block, 1, true));
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
        let Frame { kind, flags, stream, payload } = read_frame(connection)?;
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
        for window in settings(payload, INITIAL_WINDOW_SIZE).map(i64::from) {
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
    let mut block = Vec::new();
    for (name, value) in fields(request, extra) {
        literal(&mut block, &name, value);
    }
    header_frames(&block, 1, is_last && request.path.is_some() && request.body_size().is_none())
}

/// All fields of a request, pseudo-header fields first.
pub(super) fn fields<'a>(request: &'a Message, extra: &[(&str, &'a [u8])]) -> Vec<(Vec<u8>, &'a [u8])> {
    let host = extra.iter().find(|(name, _)| *name == "host").map(|(_, value)| *value);
    let host = request.values("host").next().or(host).unwrap_or_default();
    let path = request.path.as_deref().map(|path| [(":scheme", b"http".as_slice()), (":path", path)]);
    let pseudo =
        [(":method", request.method.as_slice()), (":authority", host)].into_iter().chain(path.into_iter().flatten());
    let extra = extra.iter().copied().filter(|(name, _)| !request.has(name) && *name != "host");
    let own = request.lines.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(b"host"));
    let own = own.map(|(name, value)| (name.to_ascii_lowercase(), value.as_slice()));
    pseudo.chain(extra).map(|(name, value)| (name.as_bytes().to_vec(), value)).chain(own).collect()
}
