//! A Prometheus that scrapes Envoy as `envoy/observability/prometheus.yaml` says, only more often.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;

use super::panel::Target;
use crate::gateway::until;
use crate::{http, root};

const CONFIG: &str = "envoy/observability/prometheus.yaml";
const ALERTS: &str = "envoy/observability/alerts.yaml";
/// How far values of a series are apart, in seconds.
const STEP: f64 = 2.0;

/// A running Prometheus; it is stopped when dropped.
pub(super) struct Prometheus {
    process: Child,
    address: SocketAddr,
    directory: TempDir,
}

/// A series as the legend names it; each point is seconds since the begin, and a value.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

impl Series {
    /// Returns the greatest value, for the console.
    pub(super) fn summary(&self) -> String {
        let greatest = self.points.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        format!("{} up to {greatest:.2}", self.name)
    }
}

/// Returns the seconds since 1970.
pub(super) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs_f64()
}

impl Prometheus {
    /// Starts the `prometheus` of `PATH` on a free port of loopback, and waits until it has scraped Envoy.
    pub(super) fn start(envoy_admin: SocketAddr) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("byok-prometheus-").tempdir()?;
        let config = config(&fs::read_to_string(root().join(CONFIG))?, envoy_admin)?;
        fs::write(directory.path().join("prometheus.yaml"), config)?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", directory.path().join("prometheus.yaml").display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(directory.path().join("log"))?)
            .spawn()
            .context("could not start `prometheus`: `make dashboard` finds or fetches it")?;
        let prometheus = Self { process, address, directory };
        let scraped = until(|| prometheus.query("query?query=up").ok().filter(|series| !series.is_empty()));
        ensure!(
            scraped.is_some_and(|up| up.iter().all(|series| series.value.as_ref().is_some_and(|(_, up)| up == "1"))),
            "Prometheus does not scrape Envoy. Its log:\n{}",
            fs::read_to_string(prometheus.directory.path().join("log")).unwrap_or_default()
        );
        Ok(prometheus)
    }

    /// Evaluates an expression at even steps of a span.
    pub(super) fn query_range(&self, target: &Target, begin: f64, end: f64) -> Result<Vec<Series>> {
        let expression = percent_encoded(&target.expression);
        let path = format!("query_range?query={expression}&start={begin:.3}&end={end:.3}&step={STEP}");
        let found = self.query(&path).with_context(|| target.expression.clone())?;
        found.into_iter().map(|series| named(series, &target.legend, begin)).collect()
    }

    fn query(&self, path: &str) -> Result<Vec<JsonSeries>> {
        let answer = http::get(&format!("http://{}/api/v1/{path}", self.address), &[])?;
        ensure!(answer.status == 200, "Prometheus answered {}: {}", answer.status, answer.body);
        let answer: Answer = serde_json::from_str(&answer.body)?;
        Ok(answer.data.result)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
        if until(|| self.process.try_wait().ok().flatten()).is_none() {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

/// Returns the configuration of the repository for this Envoy, with a scrape each second.
fn config(text: &str, envoy_admin: SocketAddr) -> Result<String> {
    let changes = [
        ("scrape_interval: 5s", "scrape_interval: 1s, scrape_timeout: 1s".to_owned()),
        ("[alerts.yaml]", format!("[{}]", root().join(ALERTS).display())),
        ("envoy:9901", envoy_admin.to_string()),
    ];
    changes.into_iter().try_fold(text.to_owned(), |text, (from, to)| {
        if !text.contains(from) {
            bail!("{CONFIG} has no `{from}`");
        }
        Ok(text.replacen(from, &to, 1))
    })
}

fn named(series: JsonSeries, legend: &str, begin: f64) -> Result<Series> {
    let name = series
        .metric
        .iter()
        .fold(legend.to_owned(), |name, (label, value)| name.replace(&format!("{{{{{label}}}}}"), value));
    ensure!(!name.contains("{{"), "the legend {legend:?} names a label that {:?} lacks", series.metric);
    // 0/0 is NaN, which Grafana does not draw either.
    let point = |(time, value): (f64, String)| -> Result<(f64, f64)> { Ok((time - begin, value.parse()?)) };
    let points = series.values.into_iter().map(point).collect::<Result<Vec<_>>>()?;
    Ok(Series { name, points: points.into_iter().filter(|(_, value)| value.is_finite()).collect() })
}

fn percent_encoded(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encoded).collect()
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<JsonSeries>,
}

#[derive(Deserialize)]
struct JsonSeries {
    metric: BTreeMap<String, String>,
    /// Of an instant query.
    value: Option<(f64, String)>,
    /// Of a query for a span.
    #[serde(default)]
    values: Vec<(f64, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_of_the_repository_is_used() {
        let text = fs::read_to_string(root().join(CONFIG)).unwrap();
        let config = config(&text, SocketAddr::from(([127, 0, 0, 1], 1234))).unwrap();
        assert!(config.contains("127.0.0.1:1234") && config.contains("/stats/prometheus"), "{config}");
    }

    #[test]
    fn labels_name_a_series() {
        let series = || JsonSeries {
            metric: BTreeMap::from([("reason".to_owned(), "verified".to_owned())]),
            value: None,
            values: vec![(10.0, "NaN".to_owned()), (11.0, "0.5".to_owned())],
        };
        let named_series = named(series(), "{{reason}}", 9.0).unwrap();
        assert_eq!((named_series.name.as_str(), named_series.points), ("verified", vec![(2.0, 0.5)]));
        assert!(named(series(), "{{decision}}", 9.0).is_err());
    }
}
