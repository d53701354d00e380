//! The request of a case as Envoy hands it to its filters.

use sha2::{Digest, Sha256};

use super::{Case, Line, Message, Protocol};

const DEFAULT_HOST: &str = "llm.example.com";
const HOP_BY_HOP: [&[u8]; 4] = [b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding"];

impl Case {
    /// The id that the request carries, its own or else one that names this case.
    pub fn request_id(&self) -> String {
        if let Some(own) = self.request.values("x-request-id").next() {
            return String::from_utf8_lossy(own).into_owned();
        }
        let hex: String = Sha256::digest(&self.name).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("00000000-0000-4000-8000-{hex}")
    }

    /// The host that the request is for.
    pub fn host(&self) -> Vec<u8> {
        self.request.values("host").next().unwrap_or(DEFAULT_HOST.as_bytes()).to_vec()
    }

    /// The header map: pseudo-headers, then the headers in lower case, what Envoy joins joined, and what it
    /// drops dropped.
    pub fn as_filters_see(&self) -> Vec<Line> {
        let mut lines = vec![(b":authority".to_vec(), self.host())];
        if let Some(path) = &self.request.path {
            lines.push((b":path".to_vec(), path.clone()));
            lines.push((b":scheme".to_vec(), b"http".to_vec()));
        }
        lines.push((b":method".to_vec(), self.request.method.clone()));
        let upgrade = self.request.has("upgrade");
        for (name, value) in &self.request.lines {
            let name = name.to_ascii_lowercase();
            if name == b"host" || (!upgrade && HOP_BY_HOP.contains(&name.as_slice())) {
                continue;
            }
            let separator: Option<&[u8]> = match name.as_slice() {
                b"authorization" => Some(b","),
                b"cookie" if self.protocol == Protocol::Http2 => Some(b"; "),
                _ => None,
            };
            let earlier = lines.iter_mut().find(|(earlier, _)| separator.is_some() && *earlier == name);
            match (separator, earlier) {
                (Some(separator), Some((_, joined))) => {
                    joined.extend_from_slice(separator);
                    joined.extend_from_slice(value);
                }
                _ => lines.push((name, value.clone())),
            }
        }
        if !self.request.has("x-request-id") {
            lines.push((b"x-request-id".to_vec(), self.request_id().into_bytes()));
        }
        lines
    }
}

impl Message {
    /// Takes a header map that a filter has dealt with apart again.
    pub fn from_map(lines: impl IntoIterator<Item = Line>) -> Self {
        let mut message = Self::default();
        for (name, value) in lines {
            match name.as_slice() {
                b":method" => message.method = value,
                b":path" => message.path = Some(value),
                _ if name.starts_with(b":") => {}
                _ => message.lines.push((name, value)),
            }
        }
        message
    }
}
