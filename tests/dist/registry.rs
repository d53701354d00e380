//! A registry on loopback: crane's own.

use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::tool;

/// A running registry, which forgets its images when it is dropped.
pub(crate) struct Registry {
    process: Child,
    address: String,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let process = tool("CRANE")
            .args(["registry", "serve", "--address", &address])
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("crane");
        let registry = Self { process, address };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(&registry.address).is_err() {
            assert!(Instant::now() < deadline, "crane's registry does not listen");
            thread::sleep(Duration::from_millis(50));
        }
        registry
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
