//! `make bench`: what the filter costs in a real Envoy, beside what else could stand in its place.
//!
//! `bench/README.md` says how it is measured and how to read it.

mod bootstrap;
mod client;
mod filters;
pub mod keys;
mod latency;
mod machine;
mod noop;
mod per_request;
mod procfs;
mod report;
pub mod requests;
mod start;
mod stats;
mod table;
mod variants;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use byok_testkit::{module, tools};
use clap::Parser;

use noop::NoOp;
use variants::{BASELINE, Variant};

/// What to measure, and how long.
#[derive(Debug, Parser)]
#[command(name = "byok-bench")]
pub struct Arguments {
    /// Takes fewer rounds; for figures to quote, leave it out.
    #[arg(long)]
    quick: bool,
    /// Measures only that: a variant (`byok`, `lua`, …), `start` or `latency`; may be repeated.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

const START: &str = "start";
const LATENCY: &str = "latency";

/// How often and how long.
struct Plan {
    /// Processes of Envoy, one after the other: each lays out its memory in its own way.
    launches: usize,
    /// Rounds in each of them; in every round every variant is measured once.
    rounds: usize,
    /// Requests to a variant in a round: few, so that a slow moment of the machine spoils one measurement of many.
    requests: usize,
    /// Requests to a variant before the first round: V8 compiles a function anew when it is called often.
    warm_up: usize,
    /// Starts with each module and configuration.
    starts: usize,
    segments: usize,
    segment: Duration,
}

impl Plan {
    const FULL: Self = Self {
        launches: 3,
        rounds: 80,
        requests: 1000,
        warm_up: 20_000,
        starts: 5,
        segments: 6,
        segment: Duration::from_secs(5),
    };
    const QUICK: Self = Self {
        launches: 1,
        rounds: 60,
        requests: 1000,
        warm_up: 15_000,
        starts: 2,
        segments: 3,
        segment: Duration::from_secs(3),
    };
}

/// Measures and prints.
///
/// # Errors
/// There is no module or no Envoy, a name for `--only` is unknown, or a variant does not do what it is compared for.
pub fn run(arguments: &Arguments) -> Result<()> {
    let plan = if arguments.quick { Plan::QUICK } else { Plan::FULL };
    let binary = tools::envoy_binary()?;
    let module = module::path();
    let module_bytes = fs::metadata(&module)?.len();
    let no_op = NoOp::build()?;
    let variants = variants::all(&module, &no_op);
    let selection = Selection::new(&arguments.only, &variants)?;

    // Each table is printed when it is there: what fails after it does not take it away.
    println!("{}", machine::describe(&binary));
    println!("{} x {} rounds of {} requests a variant\n", plan.launches, plan.rounds, plan.requests);
    let measured: Vec<Variant> = variants.into_iter().filter(|variant| selection.measures(variant)).collect();
    let marginals = per_request(&binary, &measured, &plan)?;
    let mut starts = Vec::new();
    if selection.has(START) {
        starts = start::measure(&binary, &module, &no_op, &plan)?;
        println!("{}", report::start(&starts));
    }
    if selection.has(LATENCY) {
        latency(&binary, &variants::all(&module, &no_op), &plan)?;
    }
    println!("{}", report::bars(&marginals, &starts, module_bytes));
    Ok(())
}

fn per_request(binary: &Path, variants: &[Variant], plan: &Plan) -> Result<report::Marginals> {
    if variants.is_empty() {
        return Ok(report::Marginals::new());
    }
    let costs = per_request::measure(binary, variants, plan)?;
    let marginals = report::marginals(variants, &costs);
    println!("{}", report::per_request(variants, &costs, &marginals));
    Ok(marginals)
}

fn latency(binary: &Path, variants: &[Variant], plan: &Plan) -> Result<()> {
    let variants: Vec<&Variant> =
        variants.iter().filter(|variant| [BASELINE, "byok"].contains(&variant.name)).collect();
    let latencies = latency::measure(binary, &variants, plan)?;
    println!("{}", report::latency(&variants, &latencies));
    Ok(())
}

/// What `--only` leaves of the whole.
struct Selection<'a>(&'a [String]);

impl<'a> Selection<'a> {
    fn new(only: &'a [String], variants: &[Variant]) -> Result<Self> {
        let known: Vec<&str> = variants.iter().map(|variant| variant.name).chain([START, LATENCY]).collect();
        for name in only {
            ensure!(known.contains(&name.as_str()), "there is no `{name}` to measure, only {}", known.join(", "));
        }
        Ok(Self(only))
    }

    fn has(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|only| only == name)
    }

    /// A variant is nothing without the one that all are held against.
    fn measures(&self, variant: &Variant) -> bool {
        let any_variant = self.0.iter().any(|name| ![START, LATENCY].contains(&name.as_str()));
        self.has(variant.name) || (variant.name == BASELINE && any_variant)
    }
}
