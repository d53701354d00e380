//! The external authorization service: a process beside Envoy, whose CPU time counts as Envoy's does.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use xtask::build;

use crate::keys::{DEPLOYMENT_KEY, proxy_key};

/// The cluster by which Envoy reaches the service.
pub(super) const CLUSTER: &str = "ext-authz";

/// The running service; it is ended when dropped.
pub(super) struct ExtAuthz {
    process: Child,
    port: u16,
}

impl ExtAuthz {
    /// Builds and starts the service with that many keys.
    ///
    /// # Errors
    /// It does not compile, or ends before it listens.
    pub(super) fn start(keys: usize) -> Result<Self> {
        let program = build::compile_program("byok-bench-ext-authz")?;
        let mut process = Command::new(program)
            .env_clear()
            .env("DEPLOYMENT_KEY", DEPLOYMENT_KEY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = process.stdin.take();
        let stdout = process.stdout.take();
        // From here on the process is ended with this value.
        let mut service = Self { process, port: 0 };
        let mut stdin = stdin.context("the service has no standard input")?;
        for number in 0..keys {
            writeln!(stdin, "{}", proxy_key(number))?;
        }
        drop(stdin);
        let mut line = String::new();
        BufReader::new(stdout.context("the service has no standard output")?).read_line(&mut line)?;
        service.port = line.trim().parse().context("the service ended before it listened")?;
        Ok(service)
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Returns Envoy's cluster of the service.
    pub(super) fn cluster(&self) -> Value {
        let address = json!({ "socket_address": { "address": "127.0.0.1", "port_value": self.port } });
        json!({
            "name": CLUSTER,
            "type": "STATIC",
            "typed_extension_protocol_options": { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": { "http2_protocol_options": {} },
            } },
            "load_assignment": {
                "cluster_name": CLUSTER,
                "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address } }] }],
            },
        })
    }
}

impl Drop for ExtAuthz {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
