//! A request as Envoy hands it to its filters.

/// A request that has not been sent.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The method, in its own case.
    pub method: Vec<u8>,
    /// The host, with its port if it has one.
    pub host: Vec<u8>,
    /// The path with its query; `None` with `CONNECT`.
    pub path: Option<Vec<u8>>,
    /// Names, in any case, and values, in the order in which they are sent.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Headers of one connection, which Envoy removes unless it is upgraded.
const HOP_BY_HOP: [&[u8]; 4] = [b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding"];

impl Request {
    /// Adds a request id, as Envoy does, if there is none.
    pub fn with_id(mut self) -> Self {
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"x-request-id")) {
            self.headers.push((b"x-request-id".to_vec(), b"00000000-0000-4000-8000-000000000000".to_vec()));
        }
        self
    }

    /// Returns the header map: pseudo-headers first, names in lower case, and what Envoy joins joined.
    pub fn lines(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut lines = vec![(b":authority".to_vec(), self.host.clone())];
        if let Some(path) = &self.path {
            lines.push((b":path".to_vec(), path.clone()));
            lines.push((b":scheme".to_vec(), b"http".to_vec()));
        }
        lines.push((b":method".to_vec(), self.method.clone()));
        let upgrade = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"upgrade"));
        for (name, value) in &self.headers {
            let name = name.to_ascii_lowercase();
            let dropped = name == b"host" || (!upgrade && HOP_BY_HOP.contains(&name.as_slice()));
            if dropped {
                continue;
            }
            // Envoy joins these before any filter sees them; other names repeat.
            let joined =
                if name == b"authorization" { lines.iter_mut().find(|(earlier, _)| *earlier == name) } else { None };
            match joined {
                Some((_, joined)) => {
                    joined.push(b',');
                    joined.extend_from_slice(value);
                }
                None => lines.push((name, value.clone())),
            }
        }
        lines
    }
}
