//! Envoy's CPU time per request.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use byok_testkit::carrier::Carrier;
use byok_testkit::envoy::{Envoy, Options};

use crate::Plan;
use crate::bootstrap::bootstrap;
use crate::client::Load;
use crate::keys::{DEPLOYMENT_KEY, DEPLOYMENT_VARIABLE};
use crate::procfs;
use crate::requests::{self, PATH};
use crate::variants::Variant;
use crate::verify::verify;

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
pub(super) fn measure(binary: &Path, variants: &[&Variant], plan: &Plan) -> Result<Vec<Costs>> {
    let mut costs: Vec<Costs> = variants.iter().map(|_| Costs::default()).collect();
    for launch in 0..plan.launches {
        let envoy = Envoy::start(binary, &bootstrap(variants.iter().copied()), &with_deployment_key(1))?;
        let services = variants.iter().filter_map(|variant| Some(variant.service.as_ref()?.pid));
        let processes: Vec<u32> = [envoy.pid()].into_iter().chain(services).collect();
        let mut loads = Vec::new();
        for variant in variants {
            verify(&envoy, variant)?;
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
                costs.add(&processes, load, plan.requests)?;
            }
        }
    }
    Ok(costs)
}

pub(super) fn with_deployment_key(concurrency: u32) -> Options {
    let mut environment = Carrier::Native.environment(&[]);
    environment.push((DEPLOYMENT_VARIABLE.to_owned(), DEPLOYMENT_KEY.into()));
    Options { concurrency, environment, ..Options::default() }
}

fn open(envoy: &Envoy, variant: &Variant) -> Result<Load> {
    let requests = variant.requests.iter().map(|credentials| requests::http1(PATH, credentials)).collect();
    Load::open(envoy.listener(variant.name)?, requests)
}

impl Costs {
    fn add(&mut self, processes: &[u32], load: &mut Load, requests: usize) -> Result<()> {
        let before = settled_run_time(processes)?;
        let begun = Instant::now();
        load.send(requests)?;
        let elapsed = begun.elapsed();
        let run_time = settled_run_time(processes)? - before;
        self.microseconds.push(run_time.as_secs_f64() * 1e6 / requests as f64);
        self.busy.push(run_time.as_secs_f64() / elapsed.as_secs_f64());
        Ok(())
    }
}

/// Waits until the processes sleep: the kernel adds to a thread's run time when the thread stops, or at a tick.
fn settled_run_time(processes: &[u32]) -> Result<Duration> {
    thread::sleep(Duration::from_millis(20));
    processes.iter().map(|pid| procfs::run_time(*pid)).sum()
}
