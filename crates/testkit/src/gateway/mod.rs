//! A real Envoy with the built module between clients and an upstream that write down every byte.

mod access_log;
mod bootstrap;
mod frame;
pub mod grpc;
mod http1;
mod http2;
mod http2_flood;
mod metadata;
mod module_log;
mod response;
mod upstream;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::carrier::carrier;
use crate::envoy::{Envoy, Options};
use crate::tools::envoy_binary;

pub use access_log::Row;
pub use bootstrap::{Site, connection_manager_of, listener, set_routes};
pub use http1::{Pending, exchange as exchange_http1, send as send_http1};
pub use http2::{exchange as exchange_http2, exchange_with_trailers as exchange_http2_with_trailers};
pub use http2_flood::{Fate, Flood};
pub use metadata::identity_headers;
pub use module_log::ModuleLine;
pub use response::Response;
pub use upstream::{OK, Upstream};

/// How long anything that Envoy does on its own may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running Envoy and the file that its listeners come from.
pub struct Gateway {
    pub envoy: Envoy,
    directory: TempDir,
    version: u32,
}

impl Gateway {
    /// Starts Envoy with these clusters and listeners; listeners that it refuses are missing afterwards.
    pub fn start(clusters: &[(&str, &Upstream)], listeners: &[Value]) -> Self {
        Self::start_with(clusters, listeners, |_, _| ())
    }

    /// Starts Envoy with a bootstrap and options that the test has a hand in.
    pub fn start_with(
        clusters: &[(&str, &Upstream)],
        listeners: &[Value],
        change: impl FnOnce(&mut Value, &mut Options),
    ) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let binary = envoy_binary().unwrap_or_else(|error| panic!("{error:#}"));
        let lds = directory.path().join(LDS);
        fs::write(&lds, resources(listeners, 0)).expect("a writable file");
        let mut bootstrap = bootstrap::bootstrap(clusters, &lds);
        let mut options = Options {
            log_level: "warning".to_owned(),
            component_log_levels: vec![(carrier().log_component().to_owned(), "debug".to_owned())],
            environment: carrier().environment(listeners),
            ..Options::default()
        };
        change(&mut bootstrap, &mut options);
        let envoy = Envoy::start(&binary, &bootstrap.to_string(), &options).unwrap_or_else(|error| panic!("{error:#}"));
        Self { envoy, directory, version: 0 }
    }

    /// Puts other listeners in place of all, as a control plane would.
    pub fn update(&mut self, listeners: &[Value]) {
        self.version += 1;
        let fresh = self.directory.path().join("next.json");
        fs::write(&fresh, resources(listeners, self.version)).expect("a writable file");
        // Envoy watches for a file that is moved into place.
        fs::rename(fresh, self.directory.path().join(LDS)).expect("the file moves");
    }

    /// The addresses of all listeners that serve, by name.
    pub fn addresses(&self) -> BTreeMap<String, SocketAddr> {
        let answer = self.envoy.admin_get("/listeners?format=json").expect("Envoy lists its listeners");
        let answer: Value = serde_json::from_str(&answer).expect("a list in JSON");
        let statuses = answer["listener_statuses"].as_array().cloned().unwrap_or_default();
        let address = |status: &Value| {
            let port = status["local_address"]["socket_address"]["port_value"].as_u64()?;
            Some(SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).ok()?)))
        };
        statuses.iter().filter_map(|status| Some((status["name"].as_str()?.to_owned(), address(status)?))).collect()
    }

    /// The rows of the access log once there are that many.
    pub fn rows(&self, count: usize) -> Vec<Row> {
        let rows = until(|| {
            let rows = access_log::rows(&self.envoy.stdout());
            (rows.len() >= count).then_some(rows)
        });
        rows.unwrap_or_else(|| {
            let got = access_log::rows(&self.envoy.stdout()).len();
            panic!("{got} of {count} rows in the access log; {}", self.explanation())
        })
    }

    /// What the module has logged, by the name of its plugin.
    pub fn module_log(&self) -> Vec<ModuleLine> {
        module_log::lines(&self.envoy.log())
    }

    /// Counters of the filter, by name without `wasmcustom.`.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        let stats = self.envoy.admin_get("/stats?filter=^wasmcustom").expect("Envoy's statistics");
        stats
            .lines()
            .filter_map(|line| line.strip_prefix("wasmcustom.")?.split_once(": "))
            .filter_map(|(name, value)| Some((counter(name), value.parse().ok()?)))
            .filter(|(_, value)| *value > 0)
            .collect()
    }

    /// The same once they are as expected, or what they are after a while: the native module counts a moment later.
    pub fn counters_that(&self, are_expected: impl Fn(&BTreeMap<String, u64>) -> bool) -> BTreeMap<String, u64> {
        until(|| Some(self.counters()).filter(&are_expected)).unwrap_or_else(|| self.counters())
    }

    /// The end of Envoy's log, for a failure.
    pub fn explanation(&self) -> String {
        let log = self.envoy.log();
        let boot = |line: &&str| !line.contains("][info][main]");
        let lines: Vec<&str> = log.lines().filter(boot).collect();
        let end = &lines[lines.len().saturating_sub(60)..];
        format!("Envoy's log ends:\n{}", end.join("\n"))
    }
}

/// Asks again and again until there is an answer; gives up after a while.
pub fn until<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = ask();
        if answer.is_some() || Instant::now() > deadline {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Returns the name that the wasm module gives a counter; the native one gives requests real labels.
fn counter(name: &str) -> String {
    match name.strip_prefix("byok.requests.") {
        Some(labels) => format!("byok.{labels}.requests"),
        None => name.to_owned(),
    }
}

const LDS: &str = "listeners.json";

fn resources(listeners: &[Value], version: u32) -> String {
    json!({ "version_info": version.to_string(), "resources": listeners }).to_string()
}
