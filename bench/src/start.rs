//! What a configuration with many keys costs when Envoy starts: time and memory.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use byok_testkit::envoy::{Envoy, Options};
use serde_json::Value;

use crate::Plan;
use crate::bootstrap::bootstrap;
use crate::client::{Connection, Load};
use crate::filters::{native, wasm};
use crate::keys::{self, CLIENT_KEY, proxy_key};
use crate::noop::NoOp;
use crate::per_request::with_deployment_key;
use crate::procfs;
use crate::requests::{self, PATH};
use crate::variants::{Expected, Variant};
use crate::verify::verify;

/// Workers beside the first one, when the memory of an added worker is measured.
const ADDED_WORKERS: u32 = 3;

/// What is started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    NoOp,
    Wasm,
    Native,
}

impl Subject {
    const ALL: [Self; 3] = [Self::NoOp, Self::Wasm, Self::Native];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::NoOp => "no-op wasm",
            Self::Wasm => "wasm",
            Self::Native => "native",
        }
    }
}

/// What the starts have shown of one module with one configuration.
pub(super) struct Starts {
    pub(super) keys: usize,
    pub(super) subject: Subject,
    /// From the start of the process to the first answer on the listener, in seconds.
    pub(super) seconds: Vec<f64>,
    /// CPU time of all threads until then, in seconds.
    pub(super) cpu_seconds: Vec<f64>,
    /// One configuration of the filter, in milliseconds; only in wasm, where Envoy's trace shows it.
    pub(super) on_configure: Vec<f64>,
    /// In megabytes, with one worker.
    pub(super) resident: Vec<f64>,
    /// In megabytes, with all workers.
    pub(super) resident_in_all: Vec<f64>,
    /// In megabytes.
    pub(super) per_added_worker: Vec<f64>,
}

/// Starts Envoy with the filter in either carrier and with a module that does nothing, in turn, all given the same
/// configuration.
///
/// # Errors
/// Envoy does not start, or does not do what it should.
pub(super) fn measure(binary: &Path, module: &Path, no_op: &NoOp, plan: &Plan) -> Result<Vec<Starts>> {
    let mut measured = Vec::new();
    for keys in [10, 1000, 100_000] {
        let configuration = keys::configuration(keys);
        let subjects = Subject::ALL.map(|subject| {
            let filter = match subject {
                Subject::NoOp => wasm("start", no_op.as_built(), &configuration),
                Subject::Wasm => wasm("start", module, &configuration),
                Subject::Native => native("start", &configuration),
            };
            variant(filter, subject != Subject::NoOp)
        });
        let mut starts = Subject::ALL.map(|subject| Starts::new(keys, subject));
        for repeat in 0..plan.starts {
            eprintln!("start with {keys} keys: {} of {}", repeat + 1, plan.starts);
            for (subject, starts) in subjects.iter().zip(&mut starts) {
                starts.add(binary, subject)?;
            }
        }
        for (subject, starts) in subjects.iter().zip(&mut starts).filter(|(_, starts)| starts.subject == Subject::Wasm)
        {
            starts.on_configure = on_configure(binary, subject)?;
        }
        measured.extend(starts);
    }
    Ok(measured)
}

fn variant(filter: Value, is_ours: bool) -> Variant {
    let expected = Expected::Upstream {
        proxy_key: (!is_ours).then(|| proxy_key(0)),
        provider_key: CLIENT_KEY,
        consumer: is_ours.then(|| keys::consumer(0)),
    };
    Variant {
        name: "start",
        title: "",
        is_ours,
        filters: vec![filter],
        service: None,
        access_log: None,
        requests: vec![vec![("x-litellm-api-key", proxy_key(0)), ("x-api-key", CLIENT_KEY.to_owned())]],
        expected,
        checks: Vec::new(),
    }
}

impl Starts {
    fn new(keys: usize, subject: Subject) -> Self {
        Self {
            keys,
            subject,
            seconds: Vec::new(),
            cpu_seconds: Vec::new(),
            on_configure: Vec::new(),
            resident: Vec::new(),
            resident_in_all: Vec::new(),
            per_added_worker: Vec::new(),
        }
    }

    fn add(&mut self, binary: &Path, subject: &Variant) -> Result<()> {
        let configuration = bootstrap([subject]);
        let begun = Instant::now();
        let envoy = Envoy::start(binary, &configuration, &with_deployment_key(1))?;
        first_answer(&envoy, subject)?;
        self.seconds.push(begun.elapsed().as_secs_f64());
        self.cpu_seconds.push(procfs::run_time(envoy.pid())?.as_secs_f64());
        verify(&envoy, subject)?;
        let alone = settled_memory(&envoy, subject)?;
        drop(envoy);

        let envoy = Envoy::start(binary, &configuration, &with_deployment_key(1 + ADDED_WORKERS))?;
        let together = settled_memory(&envoy, subject)?;
        self.resident.push(alone);
        self.resident_in_all.push(together);
        self.per_added_worker.push((together - alone) / f64::from(ADDED_WORKERS));
        Ok(())
    }
}

fn first_answer(envoy: &Envoy, subject: &Variant) -> Result<Connection> {
    let credentials = subject.requests.first().context("there is no request to send")?;
    Connection::open(envoy.listener(subject.name)?, &requests::http1(PATH, credentials))
}

/// Returns the resident memory after all workers have had something to do.
fn settled_memory(envoy: &Envoy, subject: &Variant) -> Result<f64> {
    let requests = subject.requests.iter().map(|credentials| requests::http1(PATH, credentials)).collect();
    Load::open(envoy.listener(subject.name)?, requests)?.send(2000)?;
    thread::sleep(Duration::from_millis(500));
    procfs::resident_megabytes(envoy.pid())
}

/// Returns how long each call of the module's `proxy_on_configure` took, by the times in Envoy's own trace of it.
///
/// Envoy configures a filter twice before it starts the workers, and once on each of them.
fn on_configure(binary: &Path, subject: &Variant) -> Result<Vec<f64>> {
    let levels = vec![("wasm".to_owned(), "trace".to_owned())];
    let options = Options { component_log_levels: levels, ..with_deployment_key(1) };
    let envoy = Envoy::start(binary, &bootstrap([subject]), &options)?;
    first_answer(&envoy, subject)?;
    let calls = calls_of_configure(&envoy.log());
    anyhow::ensure!(!calls.is_empty(), "Envoy's log does not tell when the module was configured");
    Ok(calls)
}

fn calls_of_configure(log: &str) -> Vec<f64> {
    let mut begun: Vec<(&str, f64)> = Vec::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let Some((thread, milliseconds)) = thread_and_time(line) else { continue };
        if line.contains("[host->vm] proxy_on_configure(") {
            begun.push((thread, milliseconds));
        } else if line.contains("[host<-vm] proxy_on_configure return") {
            let since = begun.iter().rposition(|(other, _)| *other == thread).map(|index| begun.swap_remove(index));
            calls.extend(since.map(|(_, since)| (milliseconds - since).rem_euclid(DAY)));
        }
    }
    calls
}

/// In milliseconds.
const DAY: f64 = 86_400_000.0;

/// Reads `[2026-11-22 07:15:30.391][8276]…`, as Envoy begins its lines.
fn thread_and_time(line: &str) -> Option<(&str, f64)> {
    let (date_and_time, rest) = line.strip_prefix('[')?.split_once("][")?;
    let (thread, _) = rest.split_once(']')?;
    let (_, time) = date_and_time.split_once(' ')?;
    let seconds = time.split(':').map(str::parse::<f64>).try_fold(0.0, |sum, part| Some(sum * 60.0 + part.ok()?))?;
    Some((thread, seconds * 1000.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_paired_by_thread_and_may_cross_midnight() {
        let log = "\
[2026-11-22 23:59:59.900][7][trace][wasm] [x] [host->vm] proxy_on_configure(1, 10)
[2026-11-22 23:59:59.950][8][trace][wasm] [x] [host->vm] proxy_on_configure(1, 10)
noise
[2026-11-23 00:00:00.000][7][trace][wasm] [x] [host<-vm] proxy_on_configure return: 1
[2026-11-23 00:00:00.250][8][trace][wasm] [x] [host<-vm] proxy_on_configure return: 1
";
        let calls: Vec<f64> = calls_of_configure(log).iter().map(|call| call.round()).collect();
        assert_eq!(calls, [100.0, 300.0]);
    }
}
