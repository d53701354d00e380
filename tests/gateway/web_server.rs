//! Serves one file by HTTP.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Answers every request with the same bytes for as long as the test runs.
pub(crate) fn serve(bytes: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            // A client that breaks off is no failure of the server's.
            drop(answer(connection, &bytes));
        }
    });
    address
}

fn answer(mut connection: TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    let mut head = BufReader::new(connection.try_clone()?).lines();
    while head.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let length = bytes.len();
    write!(connection, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")?;
    connection.write_all(bytes)
}
