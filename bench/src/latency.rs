//! What a client waits at a fixed rate of requests, with the filter and without.

use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use byok_testkit::envoy::Envoy;

use crate::Plan;
use crate::bootstrap::bootstrap;
use crate::client::Connection;
use crate::per_request::with_deployment_key;
use crate::requests::{self, PATH};
use crate::stats::quantile;
use crate::variants::Variant;
use crate::verify::verify;

/// Requests a second.
pub(super) const RATE: u32 = 500;

/// A request is late only when this many before it have not been answered.
const CONNECTIONS: u32 = 8;

/// A sleeping thread wakes this much too late; so long before its time it stays awake.
const WAKE_UP: Duration = Duration::from_micros(200);

/// Latencies of one variant in microseconds, one entry a segment.
#[derive(Default)]
pub(super) struct Latencies {
    pub(super) p50: Vec<f64>,
    pub(super) p99: Vec<f64>,
}

/// Measures the variants in turn, segment by segment; the variants' order is kept.
///
/// # Errors
/// Envoy does not start, or a variant does not do what it is compared for.
pub(super) fn measure(binary: &Path, variants: &[&Variant], plan: &Plan) -> Result<Vec<Latencies>> {
    let envoy = Envoy::start(binary, &bootstrap(variants.iter().copied()), &with_deployment_key(1))?;
    let mut latencies: Vec<Latencies> = variants.iter().map(|_| Latencies::default()).collect();
    for variant in variants {
        verify(&envoy, variant)?;
        segment(&envoy, variant, plan.segment)?;
    }
    for number in 0..plan.segments {
        eprintln!("latency: segment {} of {}", number + 1, plan.segments);
        for (variant, latencies) in variants.iter().zip(&mut latencies) {
            let mut microseconds = segment(&envoy, variant, plan.segment)?;
            microseconds.sort_by(f64::total_cmp);
            latencies.p50.push(quantile(&microseconds, 0.5));
            latencies.p99.push(quantile(&microseconds, 0.99));
        }
    }
    Ok(latencies)
}

/// Sends at the fixed rate, whether answers come or not; returns each answer's delay since its request was due.
fn segment(envoy: &Envoy, variant: &Variant, length: Duration) -> Result<Vec<f64>> {
    let address = envoy.listener(variant.name)?;
    let requests: Vec<Vec<u8>> =
        variant.requests.iter().map(|credentials| requests::http1(PATH, credentials)).collect();
    let interval = Duration::from_secs(1) / RATE;
    let count = u32::try_from(length.as_nanos() / interval.as_nanos())?;
    // Time for all threads to connect.
    let begin = Instant::now() + Duration::from_millis(100);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|first| {
                let due = (first..count).step_by(CONNECTIONS as usize).map(move |number| begin + interval * number);
                let requests = &requests;
                scope.spawn(move || delays(address, requests, due))
            })
            .collect();
        let mut all = Vec::new();
        for thread in threads {
            let Ok(delays) = thread.join() else { bail!("a thread of the load generator panicked") };
            all.extend(delays?);
        }
        Ok(all)
    })
}

fn delays(address: SocketAddr, requests: &[Vec<u8>], due: impl Iterator<Item = Instant>) -> Result<Vec<f64>> {
    let mut connection = Connection::open(address, requests.first().context("there is no request to send")?)?;
    let mut delays = Vec::new();
    for (due, request) in due.zip(requests.iter().cycle()) {
        wait_until(due);
        connection.send(request)?;
        connection.receive()?;
        delays.push(due.elapsed().as_secs_f64() * 1e6);
    }
    Ok(delays)
}

fn wait_until(due: Instant) {
    thread::sleep(due.saturating_duration_since(Instant::now() + WAKE_UP));
    while Instant::now() < due {
        std::hint::spin_loop();
    }
}
