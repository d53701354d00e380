//! Envoy's CPU time per request.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use byok_testkit::envoy::{Envoy, Options};
use serde_json::Value;

use crate::Plan;
use crate::bootstrap::{SEEN, bootstrap};
use crate::client::{Connection, Load};
use crate::keys::{DEPLOYMENT_KEY, DEPLOYMENT_VARIABLE};
use crate::procfs;
use crate::requests::{self, PATH};
use crate::variants::{Expected, Variant};

/// What the rounds have shown of one variant.
#[derive(Default)]
pub(super) struct Costs {
    /// CPU time per request in microseconds, in the order of the rounds.
    pub(super) microseconds: Vec<f64>,
    /// The share of the time for which Envoy ran, likewise.
    pub(super) busy: Vec<f64>,
}

/// Measures all variants in every round, each time in another order; the variants' order is kept.
///
/// # Errors
/// Envoy does not start, or a variant does not do what it is compared for.
pub(super) fn measure(binary: &Path, variants: &[Variant], plan: &Plan) -> Result<Vec<Costs>> {
    let mut costs: Vec<Costs> = variants.iter().map(|_| Costs::default()).collect();
    for launch in 0..plan.launches {
        let envoy = Envoy::start(binary, &bootstrap(variants), &with_deployment_key(1))?;
        let mut loads = Vec::new();
        for variant in variants {
            verify(&envoy, variant).with_context(|| format!("{} does not do what it is measured for", variant.name))?;
            let mut load = open(&envoy, variant)?;
            load.send(plan.warm_up)?;
            loads.push(load);
        }
        for round in 0..plan.rounds {
            if round % 20 == 0 {
                eprintln!(
                    "CPU per request: Envoy {} of {}, round {round} of {}",
                    launch + 1,
                    plan.launches,
                    plan.rounds
                );
            }
            let mut pairs: Vec<_> = loads.iter_mut().zip(&mut costs).collect();
            let shift = (launch * plan.rounds + round) % pairs.len().max(1);
            pairs.rotate_left(shift);
            for (load, costs) in pairs {
                costs.add(envoy.pid(), load, plan.requests)?;
            }
        }
    }
    Ok(costs)
}

pub(super) fn with_deployment_key(concurrency: u32) -> Options {
    let environment = vec![(DEPLOYMENT_VARIABLE.to_owned(), DEPLOYMENT_KEY.into())];
    Options { concurrency, environment, ..Options::default() }
}

fn open(envoy: &Envoy, variant: &Variant) -> Result<Load> {
    let requests = variant.requests.iter().map(|credentials| requests::http1(PATH, credentials)).collect();
    Load::open(envoy.listener(variant.name)?, requests)
}

impl Costs {
    fn add(&mut self, pid: u32, load: &mut Load, requests: usize) -> Result<()> {
        let before = settled_run_time(pid)?;
        let begun = Instant::now();
        load.send(requests)?;
        let elapsed = begun.elapsed();
        let run_time = settled_run_time(pid)? - before;
        self.microseconds.push(run_time.as_secs_f64() * 1e6 / requests as f64);
        self.busy.push(run_time.as_secs_f64() / elapsed.as_secs_f64());
        Ok(())
    }
}

/// Waits until Envoy sleeps: the kernel adds to a thread's run time when the thread stops, or at a tick.
fn settled_run_time(pid: u32) -> Result<Duration> {
    thread::sleep(Duration::from_millis(20));
    procfs::run_time(pid)
}

/// Checks what becomes of the variant's request: the benchmark must not measure a path of errors.
pub(super) fn verify(envoy: &Envoy, variant: &Variant) -> Result<()> {
    let address = envoy.listener(variant.name)?;
    let credentials = variant.requests.first().context("there is no request to send")?;
    let measured = Connection::open(address, &requests::http1(PATH, credentials))?;
    let seen = Connection::open(address, &requests::http1(&format!("{SEEN}{PATH}"), credentials))?;
    let (measured, seen) = (measured.first_answer(), seen.first_answer());
    match &variant.expected {
        Expected::Upstream { proxy_key, provider_key, consumer } => {
            ensure!(measured.status() == Some(200), "expected 200, got {:?}", measured.status());
            let seen: Value =
                serde_json::from_str(&seen.body()).context("the stand-in for the upstream sent no JSON")?;
            let field = |name: &str| seen.get(name).and_then(Value::as_str);
            ensure!(field("proxy_key") == proxy_key.as_deref(), "the wrong proxy key, or none, reached the upstream");
            ensure!(
                field("provider_key") == Some(provider_key),
                "the wrong provider key, or none, reached the upstream"
            );
            ensure!(field("consumer") == consumer.as_deref(), "the wrong consumer, or none, is in the filter state");
        }
        Expected::Refusal { body } => {
            ensure!(measured.status() == Some(401), "expected 401, got {:?}", measured.status());
            ensure!(measured.body().contains(body), "the refusal's body does not say {body}");
            ensure!(seen.status() == Some(401), "expected 401, got {:?}", seen.status());
        }
    }
    Ok(())
}
