//! An answer, whichever protocol it came by.

/// Status, headers and body, and the client's end of the connection.
#[derive(Debug)]
pub struct Response {
    pub client: std::net::SocketAddr,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}
