//! Header maps as the ABI writes them: a count, the sizes, then names and values, each closed by a NUL.

use crate::corpus::Line;

pub(super) fn serialise(lines: &[Line]) -> Vec<u8> {
    let mut bytes = size(lines.len()).to_vec();
    for (name, value) in lines {
        bytes.extend_from_slice(&size(name.len()));
        bytes.extend_from_slice(&size(value.len()));
    }
    for text in lines.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(text);
        bytes.push(0);
    }
    bytes
}

pub(super) fn deserialise(bytes: &[u8]) -> Option<Vec<Line>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let number = |at: usize| {
        let bytes = bytes.get(at * 4..at * 4 + 4)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    };
    let count = number(0)?;
    let mut at = 4 + count * 8;
    let mut text = |size: usize| {
        let text = bytes.get(at..at + size)?.to_vec();
        let end = bytes.get(at + size)?;
        at += size + 1;
        (*end == 0).then_some(text)
    };
    (0..count).map(|line| Some((text(number(1 + line * 2)?)?, text(number(2 + line * 2)?)?))).collect()
}

fn size(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("a short text").to_le_bytes()
}
