//! Frames and header fields of HTTP/2 as bytes (RFC 9113, RFC 7541).

use std::io::{self, Read};

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(super) const LARGEST_FRAME: usize = 16_384;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 1;
pub(super) const ACK: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

pub(super) const MAX_CONCURRENT_STREAMS: [u8; 2] = [0, 3];
pub(super) const INITIAL_WINDOW_SIZE: [u8; 2] = [0, 4];

/// One frame as it came.
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

pub(super) fn read_frame(source: &mut impl Read) -> io::Result<Frame> {
    let mut head = [0; 9];
    source.read_exact(&mut head)?;
    let size = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(size).expect("a size")];
    source.read_exact(&mut payload)?;
    Ok(Frame { kind: head[3], flags: head[4], stream: number_of(&head[5..]), payload })
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&size[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Frames of a header block, in parts where it is longer than one frame.
pub(super) fn header_frames(block: &[u8], stream: u32, ends: bool) -> Vec<u8> {
    let end_stream = if ends { END_STREAM } else { 0 };
    let parts: Vec<&[u8]> = block.chunks(LARGEST_FRAME).collect();
    let last = parts.len() - 1;
    let frames = parts.iter().enumerate().map(|(at, part)| {
        let end_headers = if at == last { END_HEADERS } else { 0 };
        if at == 0 {
            frame(HEADERS, end_headers | end_stream, stream, part)
        } else {
            frame(CONTINUATION, end_headers, stream, part)
        }
    });
    frames.flatten().collect()
}

/// The values of one of the peer's settings, in order.
pub(super) fn settings(payload: &[u8], name: [u8; 2]) -> impl Iterator<Item = u32> {
    payload.chunks(6).filter(move |setting| setting[..2] == name).map(|setting| number_of(&setting[2..]))
}

/// RFC 7541, 6.2.2: a literal without indexing, its name new, neither of both Huffman-coded.
pub(super) fn literal(block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    block.push(0);
    texts(block, name, value);
}

/// RFC 7541, 6.2.1: the same, and both sides add the field to their tables.
pub(super) fn indexed_literal(block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    block.push(0x40);
    texts(block, name, value);
}

/// RFC 7541, 6.1: a field of the table.
pub(super) fn index(block: &mut Vec<u8>, index: usize) {
    number(block, 0x80, index);
}

fn texts(block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for text in [name, value] {
        number(block, 0, text.len());
        block.extend_from_slice(text);
    }
}

/// RFC 7541, 5.1: an integer in a prefix of seven bits, behind one bit that says what it is for.
fn number(block: &mut Vec<u8>, kind: u8, number: usize) {
    const PREFIX: usize = 127;
    let byte = |number: usize| u8::try_from(number).expect("a byte");
    if number < PREFIX {
        return block.push(kind | byte(number));
    }
    block.push(kind | byte(PREFIX));
    let mut rest = number - PREFIX;
    while rest >= 128 {
        block.push(byte(rest % 128 + 128));
        rest /= 128;
    }
    block.push(byte(rest));
}

pub(super) fn number_of(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}
