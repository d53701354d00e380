//! `envoy/envoy.yaml`, or its native counterpart, at work: five requests, their answers, and what the access log says of them.

pub mod func_e;
mod questions;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

pub use questions::DEPLOYMENT_KEY;
use questions::QUESTIONS;

use crate::carrier::{Carrier, carrier};
use crate::envoy::{Envoy, Options};
use crate::{ports, root, tools};

/// The configuration that the demo runs, seen from the repository's root.
pub const CONFIG: &str = "envoy/envoy.yaml";
/// The same with the native module.
pub const NATIVE_CONFIG: &str = "envoy/native/envoy.yaml";

const POLL: Duration = Duration::from_millis(100);

/// Shows the five answers and ends.
///
/// # Errors
/// Envoy does not serve, or an answer is not what it must be.
pub fn demo() -> Result<()> {
    let envoy = start(config_of_demo())?;
    show(&envoy)?;
    stop(envoy)
}

/// Shows the five answers and serves until it is interrupted.
///
/// # Errors
/// As [`demo`]; also when Envoy ends by itself.
pub fn run() -> Result<()> {
    let interrupted = interruption()?;
    let envoy = start(config_of_demo())?;
    let shown = show(&envoy)?;
    println!("\nServing. The access log follows; Ctrl-C ends it.");
    follow(envoy, shown, &interrupted)
}

/// Serves another configuration, seen from the repository's root, until it is interrupted.
///
/// # Errors
/// Envoy does not serve, or ends by itself.
pub fn serve(config: &str) -> Result<()> {
    let interrupted = interruption()?;
    let envoy = start(config)?;
    println!("Serving. The access log follows; Ctrl-C ends it.");
    follow(envoy, 0, &interrupted)
}

fn interruption() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    Ok(interrupted)
}

/// Shows the access log as it grows, until Envoy is interrupted.
fn follow(mut envoy: Envoy, mut shown: usize, interrupted: &AtomicBool) -> Result<()> {
    while !interrupted.load(Ordering::Relaxed) {
        ensure!(envoy.is_running(), "Envoy ended by itself. Its log:\n{}", envoy.log_end());
        thread::sleep(POLL);
        let written = envoy.stdout();
        let new = written.get(shown..).unwrap_or_default();
        print!("{new}");
        shown += new.len();
    }
    println!();
    stop(envoy)
}

/// Asks the gateway on the demo's port the five questions, and prints each with its answer.
///
/// # Errors
/// An answer is not what it must be.
pub fn ask() -> Result<()> {
    for question in QUESTIONS {
        println!("\n# {}\n{}", question.sentence, question.curl());
        let answer = question.ask()?;
        println!("{} {}", answer.status, answer.body.trim_end());
        question.check(&answer)?;
    }
    Ok(())
}

fn config_of_demo() -> &'static str {
    match carrier() {
        Carrier::Wasm => CONFIG,
        Carrier::Native => NATIVE_CONFIG,
    }
}

fn start(file: &str) -> Result<Envoy> {
    let config = fs::read_to_string(root().join(file)).with_context(|| format!("could not read {file}"))?;
    let binary = tools::envoy_binary_for_run()?;
    ports::ensure_free(&config)?;
    let mut environment = carrier().environment(&[]);
    environment.push(("ANTHROPIC_API_KEY".to_owned(), DEPLOYMENT_KEY.into()));
    let envoy = Envoy::start(&binary, &config, &Options { environment, ..Options::default() })?;
    println!("{} serves {file}", binary.display());
    Ok(envoy)
}

/// Returns how much of Envoy's standard output has been shown.
fn show(envoy: &Envoy) -> Result<usize> {
    ask()?;
    let log = access_log(envoy)?;
    println!("\n# the access log says");
    print!("{log}");
    for (question, line) in QUESTIONS.iter().zip(log.lines()) {
        question.check_log(line).with_context(|| format!("of `{}`", question.curl()))?;
    }
    Ok(log.len())
}

fn access_log(envoy: &Envoy) -> Result<String> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        let log = envoy.stdout();
        if log.lines().count() == QUESTIONS.len() && log.ends_with('\n') {
            return Ok(log);
        }
        thread::sleep(POLL);
    }
    bail!("the access log should have {} lines, but is:\n{}", QUESTIONS.len(), envoy.stdout());
}

fn stop(envoy: Envoy) -> Result<()> {
    let status = envoy.stop()?;
    ensure!(status.success(), "Envoy did not end well: {status}");
    println!("Envoy has ended.");
    Ok(())
}
