//! `make bench`: what the filter costs in a real Envoy, beside what else could stand in its place.
//!
//! `bench/README.md` says how it is measured and how to read it.

mod bars;
mod bootstrap;
mod chart;
mod client;
mod docs;
mod ext_authz;
mod filters;
mod floor;
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
mod verify;

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use byok_testkit::{module, tools};
use clap::Parser;

use ext_authz::ExtAuthz;
use floor::Floor;
use noop::NoOp;
use variants::{BASELINE, KEYS, Subjects, Variant, WITH_LATENCY};

/// What to measure, and how long.
#[derive(Debug, Parser)]
#[command(name = "byok-bench")]
pub struct Arguments {
    /// Takes fewer rounds; for figures to quote, leave it out.
    #[arg(long)]
    quick: bool,
    /// Measures only that: a variant (`wasm`, `native`, `lua`, …), `start` or `latency`; may be repeated.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Writes the tables and charts of the run into `docs`.
    #[arg(long, conflicts_with = "only")]
    write_docs: bool,
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
        rounds: 30,
        requests: 1000,
        warm_up: 10_000,
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
    let floor = Floor::build(&module::bytes())?;
    let ext_authz = ExtAuthz::start(KEYS)?;
    let variants = variants::all(&Subjects { module: &module, no_op: &no_op, floor: &floor, ext_authz: &ext_authz });
    let selection = Selection::new(&arguments.only, &variants)?;

    let mut output = Output::default();
    output.print(&machine::describe(&binary));
    output.print(&format!("{} x {} rounds of {} requests per variant\n", plan.launches, plan.rounds, plan.requests));
    if arguments.quick {
        output.print("A quick run: for a look, not for figures to quote.\n");
    }
    output.print(&format!("The floor calls: {}\n", floor.calls()));
    let measured: Vec<&Variant> = variants.iter().filter(|variant| selection.measures(variant)).collect();
    let mut marginals = report::Marginals::new();
    if !measured.is_empty() {
        let costs = per_request::measure(&binary, &measured, &plan)?;
        marginals = report::marginals(&measured, &costs);
        output.print(&report::per_request(&measured, &costs, &marginals));
    }
    let mut starts = Vec::new();
    if selection.has(START) {
        starts = start::measure(&binary, &module, &no_op, &plan)?;
        output.print(&report::start(&starts));
    }
    let with_latency: Vec<&Variant> = variants.iter().filter(|variant| WITH_LATENCY.contains(&variant.name)).collect();
    let mut latencies = Vec::new();
    if selection.has(LATENCY) {
        latencies = latency::measure(&binary, &with_latency, &plan)?;
        output.print(&report::latency(&with_latency, &latencies));
    }
    output.print(&bars::table(&marginals, &starts, module_bytes));
    if arguments.write_docs {
        docs::write_performance(&measured, &marginals)?;
        docs::write_latency(&with_latency, &latencies)?;
        docs::write_tables(&output.printed)?;
    }
    Ok(())
}

/// What has been printed. Each table is printed when it is there: what fails after it does not take it away.
#[derive(Default)]
struct Output {
    printed: String,
}

impl Output {
    fn print(&mut self, text: &str) {
        println!("{text}");
        self.printed += text;
        self.printed.push('\n');
    }
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
