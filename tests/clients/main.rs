//! Real clients, through the module in a real Envoy, to a provider that writes down what reaches it: `make test-clients`.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops where it fails")]

mod cli;
mod client;
mod credentials;
mod gateway;
mod namespace;
mod outcome;
mod process;
mod provider;
mod rows;
mod stage;
mod table;
mod worker;

use std::env;
use std::time::Duration;

use byok_testkit::gateway::until;

use client::{CURL, Program};
use outcome::Outcome;
use rows::{NOTHING, Row, rows};
use stage::Stage;
use worker::{Language, Worker};

#[test]
#[ignore = "installs clients: make test-clients"]
fn what_reaches_the_provider() {
    namespace::confined("what_reaches_the_provider", || {
        let stage = Stage::start();
        let mut workers =
            [Language::Python, Language::Node].map(|language| (language, Worker::start(language, &stage)));
        let only = env::var("CLIENT").unwrap_or_default();
        let rows: Vec<Row> = rows().into_iter().filter(|row| row.client.name.contains(&only)).collect();
        let mut seen = Vec::new();
        let mut failures = Vec::new();
        let mut slowest = Duration::ZERO;
        for row in &rows {
            let mut of_calls: Vec<(String, String)> = Vec::new();
            for call in &row.calls {
                let refused = stage.refused();
                let outcome = called(row, call, &stage, &mut workers);
                let arrivals = stage.provider.take();
                if let Outcome::Answer { first: Some(time), .. } = &outcome {
                    slowest = slowest.max(*time);
                }
                let mut faults = credentials::faults(&arrivals);
                // The native module counts a moment later.
                let is_counted = || until(|| (stage.refused() > refused).then_some(())).is_some();
                if row.reached == NOTHING && !is_counted() {
                    faults.push("the filter has refused nothing".to_owned());
                }
                failures.extend(
                    faults.into_iter().map(|fault| format!("{}, {:?}, {call}: {fault}", row.client.name, row.given)),
                );
                let pair = (row.vendor.reached(&arrivals), outcome.shown(call.ends_with("streamed")));
                if pair != (row.reached.to_owned(), row.shows(call).to_owned()) {
                    failures.push(format!(
                        "{}, {:?}, {call}: {pair:?} instead of {:?}; {outcome:?}",
                        row.client.name,
                        row.given,
                        (row.reached, row.shows(call))
                    ));
                }
                of_calls.push(pair);
            }
            of_calls.dedup();
            let column = |pick: fn(&(String, String)) -> &str| {
                let mut cells: Vec<&str> = of_calls.iter().map(pick).collect();
                cells.dedup();
                cells.join("; ")
            };
            seen.push((row, column(|pair| &pair.0), column(|pair| &pair.1)));
        }
        let table = table::rendered(&seen);
        println!("\n{table}");
        println!(
            "Every streamed answer began while the provider still held back the rest; the slowest after {slowest:?}.\n"
        );
        assert!(failures.is_empty(), "{}\n{}", failures.join("\n"), stage.gateway.explanation());
        if !only.is_empty() {
            println!("CLIENT={only}: the table of docs/clients.md is not compared.");
            return;
        }
        table::compare(&table).unwrap_or_else(|difference| panic!("{difference}"));
    });
}

#[test]
#[ignore = "installs clients: make test-clients"]
fn a_gateway_that_collects_answers_is_noticed() {
    namespace::confined("a_gateway_that_collects_answers_is_noticed", || {
        let stage = Stage::start();
        let rows = rows();
        let row = rows.iter().find(|row| row.client == CURL).expect("a row of curl");
        stage.provider.gate().close_for(Duration::from_secs(2));
        let url = stage.tls_url_of(gateway::BUFFERING);
        let outcome = cli::curl_through(&url, row, "messages, streamed", &stage);
        assert_eq!(outcome.shown(true), "answer, but not as it is streamed", "{outcome:?}");
    });
}

fn called(row: &Row, call: &str, stage: &Stage, workers: &mut [(Language, Worker)]) -> Outcome {
    if call.ends_with("streamed") {
        stage.provider.gate().close();
    }
    let outcome = match row.client.program {
        Program::Sdk(language, sdk) => {
            let (_, worker) = workers.iter_mut().find(|(own, _)| *own == language).expect("a worker per language");
            worker.run(sdk, row, call, stage)
        }
        program => cli::run(program, row, call, stage),
    };
    stage.provider.gate().open();
    outcome
}
