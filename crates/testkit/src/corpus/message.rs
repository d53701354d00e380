//! A request as the corpus writes it down: a start line, then one header a line.

use std::fmt;

/// Name and value of one header line.
pub type Line = (Vec<u8>, Vec<u8>);

/// Method, path and header lines, in order, duplicates included.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Message {
    pub method: Vec<u8>,
    /// Absent with `CONNECT`.
    pub path: Option<Vec<u8>>,
    pub lines: Vec<Line>,
}

impl Message {
    /// Reads the notation of the corpus.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rows = text.lines().filter(|row| !row.trim().is_empty());
        let start = rows.next().ok_or("no start line")?.trim();
        let (method, path) = match start.split_once(' ') {
            Some((method, path)) => (method, Some(unescape(path.trim())?)),
            None => (start, None),
        };
        let lines = rows.map(line).collect::<Result<_, _>>()?;
        Ok(Self { method: method.as_bytes().to_vec(), path, lines })
    }

    /// The values of a name in any case, in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.lines
            .iter()
            .filter(move |(own, _)| own.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.as_slice())
    }

    /// The length of the body, where the request says that it has one.
    pub fn body_size(&self) -> Option<usize> {
        let size = self.values("content-length").next().and_then(|size| std::str::from_utf8(size).ok()?.parse().ok());
        size.filter(|size| *size > 0)
    }

    /// Tells whether there is a line of that name, in any case.
    pub fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }
}

impl fmt::Display for Message {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", escape(&self.method))?;
        if let Some(path) = &self.path {
            write!(out, " {}", escape(path))?;
        }
        for (name, value) in &self.lines {
            write!(out, "\n{}: {}", escape(name), escape(value))?;
        }
        Ok(())
    }
}

/// Writes bytes as the corpus does.
pub fn escape(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|&byte| match byte {
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("\\x{byte:02X}"),
        })
        .collect()
}

fn line(row: &str) -> Result<Line, String> {
    // A pseudo-header is no line of the notation, so that the first colon ends the name.
    let (name, value) = row.split_once(':').ok_or_else(|| format!("no colon in the line `{row}`"))?;
    if name.is_empty() || name != name.trim() {
        return Err(format!("no header name in the line `{row}`"));
    }
    Ok((unescape(name)?, unescape(value.trim())?))
}

fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split("\\x");
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let digits = part.get(..2).ok_or_else(|| format!("two hex digits must follow \\x in `{text}`"))?;
        let byte = u8::from_str_radix(digits, 16).map_err(|_| format!("`{digits}` is no byte in `{text}`"))?;
        bytes.push(byte);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    Ok(bytes)
}
