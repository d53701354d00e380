//! HTTP/2 with many requests under way on one connection, as many in one write as the server allows, and header fields
//! that the connection has seen before at one byte each.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::PATIENCE;
use super::frame::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, HEADERS, MAX_CONCURRENT_STREAMS, PING, PREFACE,
    RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, header_frames, index, indexed_literal, literal, read_frame, settings,
};
use super::http1::broken;
use super::http2::fields;
use crate::corpus::Message;

/// What has become of a request so far.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Fate {
    /// A whole answer with this status has come, after that long.
    Answered(u16, Duration),
    /// The server has ended the stream without an answer.
    Reset,
    /// The server has ended the connection without an answer.
    Closed,
    Waiting,
}

/// One connection and its requests; all of them are abandoned when it is dropped.
pub struct Flood {
    connection: TcpStream,
    /// What has come of a frame that is not whole yet.
    incoming: Vec<u8>,
    table: Table,
    decoder: fluke_hpack::Decoder<'static>,
    block: Vec<u8>,
    streams: Vec<Stream>,
    max_streams: usize,
    waiting: usize,
    is_open: bool,
}

struct Stream {
    begin: Instant,
    status: u16,
    ends: bool,
    fate: Fate,
}

impl Flood {
    /// Connects, and waits for the server's settings.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let mut connection = TcpStream::connect(address)?;
        connection.set_nodelay(true)?;
        connection.set_write_timeout(Some(PATIENCE))?;
        // Room for all answers; the streams' own windows hold one each.
        let room = frame(WINDOW_UPDATE, 0, 0, &(1_u32 << 30).to_be_bytes());
        connection.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[]), &room].concat())?;
        let mut flood = Self {
            connection,
            incoming: Vec::new(),
            table: Table::default(),
            decoder: fluke_hpack::Decoder::new(),
            block: Vec::new(),
            streams: Vec::new(),
            max_streams: usize::MAX,
            waiting: 0,
            is_open: true,
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let first = flood.next_frame(deadline)?.ok_or_else(|| broken("no settings"))?;
            let done = first.kind == SETTINGS && first.flags & ACK == 0;
            flood.take_frame(first)?;
            if done {
                return Ok(flood);
            }
        }
    }

    /// The most requests that the server has under way on this connection.
    pub fn max_streams(&self) -> usize {
        self.max_streams
    }

    /// Sends requests without bodies in one write; panics where the server does not allow as many at once. Returns
    /// how many bytes that were.
    pub fn send(&mut self, requests: &[Message], extra: &[(&str, &[u8])]) -> io::Result<usize> {
        assert!(self.waiting + requests.len() <= self.max_streams, "the server allows {} streams", self.max_streams);
        let bytes: Vec<u8> = requests.iter().flat_map(|request| self.request(request, extra, Fate::Waiting)).collect();
        self.waiting += requests.len();
        self.write(&bytes)?;
        Ok(bytes.len())
    }

    /// Sends requests, and right behind each, in the same write, that it is not wanted any more.
    pub fn send_and_cancel(&mut self, requests: &[Message], extra: &[(&str, &[u8])]) -> io::Result<()> {
        const CANCEL: u32 = 8;
        let mut bytes = Vec::new();
        for request in requests {
            bytes.extend(self.request(request, extra, Fate::Reset));
            bytes.extend(frame(RST_STREAM, 0, id(self.streams.len() - 1), &CANCEL.to_be_bytes()));
        }
        self.write(&bytes)
    }

    /// The frames of a request, on a new stream.
    fn request(&mut self, request: &Message, extra: &[(&str, &[u8])], fate: Fate) -> Vec<u8> {
        let mut block = Vec::new();
        for (name, value) in fields(request, extra) {
            self.table.write(&mut block, &name, value);
        }
        self.streams.push(Stream { begin: Instant::now(), status: 0, ends: false, fate });
        header_frames(&block, id(self.streams.len() - 1), true)
    }

    /// Reads until nothing waits any more or the deadline has passed.
    pub fn read_until(&mut self, deadline: Instant) -> io::Result<()> {
        while self.is_open && self.waiting > 0 {
            let Some(next) = self.next_frame(deadline)? else { return Ok(()) };
            self.take_frame(next)?;
        }
        Ok(())
    }

    /// What has become of all requests so far, in the order in which they were sent.
    pub fn fates(&self) -> impl Iterator<Item = Fate> {
        self.streams.iter().map(|stream| stream.fate)
    }

    /// How many requests wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    fn take_frame(&mut self, Frame { kind, flags, stream, payload }: Frame) -> io::Result<()> {
        match kind {
            SETTINGS if flags & ACK == 0 => {
                let max = settings(&payload, MAX_CONCURRENT_STREAMS).last();
                self.max_streams = max.map_or(self.max_streams, |max| usize::try_from(max).expect("a number"));
                self.write(&frame(SETTINGS, ACK, 0, &[]))?;
            }
            PING if flags & ACK == 0 => self.write(&frame(PING, ACK, 0, &payload))?,
            HEADERS | CONTINUATION => {
                self.block.extend(payload);
                if kind == HEADERS && flags & END_STREAM != 0 {
                    self.stream(stream)?.ends = true;
                }
                if flags & END_HEADERS != 0 {
                    let lines = self.decoder.decode(&std::mem::take(&mut self.block)).map_err(|_| broken("headers"))?;
                    let status = lines.iter().find(|(name, _)| name == b":status");
                    let status = status.and_then(|(_, status)| std::str::from_utf8(status).ok()?.parse().ok());
                    let own = self.stream(stream)?;
                    own.status = status.unwrap_or(own.status);
                    if own.ends {
                        self.end(stream, Fate::Answered)?;
                    }
                }
            }
            DATA if flags & END_STREAM != 0 => self.end(stream, Fate::Answered)?,
            RST_STREAM => self.end(stream, |_, _| Fate::Reset)?,
            // GOAWAY too: what the server has accepted is still answered after it.
            _ => {}
        }
        Ok(())
    }

    fn stream(&mut self, id: u32) -> io::Result<&mut Stream> {
        let at = usize::try_from(id / 2).expect("a number");
        self.streams.get_mut(at).filter(|_| id % 2 == 1).ok_or_else(|| broken("a stream that nobody has opened"))
    }

    fn end(&mut self, id: u32, fate: impl FnOnce(u16, Duration) -> Fate) -> io::Result<()> {
        let stream = self.stream(id)?;
        if stream.fate == Fate::Waiting {
            stream.fate = fate(stream.status, stream.begin.elapsed());
            self.waiting -= 1;
        }
        Ok(())
    }

    /// The next frame; none where it is not whole by the deadline, or never will be.
    fn next_frame(&mut self, deadline: Instant) -> io::Result<Option<Frame>> {
        loop {
            let mut rest = self.incoming.as_slice();
            if let Ok(frame) = read_frame(&mut rest) {
                let size = self.incoming.len() - rest.len();
                self.incoming.drain(..size);
                return Ok(Some(frame));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.connection.set_read_timeout(Some(left))?;
            let mut part = [0; 16 * 1024];
            match self.connection.read(&mut part) {
                Ok(0) => return self.closed(),
                Ok(size) => self.incoming.extend(&part[..size]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return self.closed(),
                Err(error) => return Err(error),
            }
        }
    }

    fn closed(&mut self) -> io::Result<Option<Frame>> {
        self.is_open = false;
        for stream in self.streams.iter_mut().filter(|stream| stream.fate == Fate::Waiting) {
            stream.fate = Fate::Closed;
        }
        self.waiting = 0;
        Ok(None)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.connection.write_all(bytes) {
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                self.closed().map(drop)
            }
            written => written,
        }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        let _ = self.connection.shutdown(Shutdown::Both);
    }
}

/// The number of the stream that carries a request.
fn id(request: usize) -> u32 {
    u32::try_from(2 * request + 1).expect("a stream number")
}

/// The fields that the server can be reminded of (RFC 7541, 2.3). What does not fit in is sent anew each time: no field
/// is ever driven out.
#[derive(Default)]
struct Table {
    fields: Vec<(Vec<u8>, Vec<u8>)>,
    size: usize,
}

impl Table {
    /// RFC 7541, appendix A: the fields that the server knows from the start.
    const STATIC: usize = 61;
    /// RFC 9113, 6.5.2: what a server allows that says nothing.
    const MAX_SIZE: usize = 4_096;

    fn write(&mut self, block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
        if let Some(at) = self.fields.iter().position(|field| field.0 == name && field.1 == value) {
            // The newest field comes first.
            return index(block, Self::STATIC + self.fields.len() - at);
        }
        let size = name.len() + value.len() + 32;
        if self.size + size > Self::MAX_SIZE {
            return literal(block, name, value);
        }
        self.size += size;
        self.fields.push((name.to_vec(), value.to_vec()));
        indexed_literal(block, name, value);
    }
}
