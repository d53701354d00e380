//! An answer, whichever protocol it came by.

/// Status, headers and body, and the client's end of the connection.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) client: std::net::SocketAddr,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}
