//! The filter in front of a real LiteLLM, and LiteLLM alone: `make test-litellm`.
//!
//! Behind both stands a provider of the test's own that writes down what reaches it.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops where it fails")]

mod gateway;
mod http;
mod issuer;
mod keys;
mod launcher;
mod provider;
mod rows;
mod settings;
mod symbols;
mod table;

use provider::Provider;
use rows::{ROWS, Row};
use settings::{Chains, Way};
use symbols::Seen;

#[test]
#[ignore = "installs and starts LiteLLM: make test-litellm"]
fn what_reaches_the_provider() {
    let provider = Provider::start();
    let mut chains = Chains::start(provider.address());
    let mut failures = Vec::new();
    let mut lines = Vec::new();

    for row in ROWS {
        let mut send = |way, expected: &str| (expected != "-").then(|| sent(row, way, &mut chains, &provider));
        let alone = send(Way::Alone, row.alone);
        let filtered = [
            (Way::Kept, row.kept, send(Way::Kept, row.kept)),
            (Way::Exchanged, row.exchanged, send(Way::Exchanged, row.exchanged)),
            (Way::Direct, row.direct, send(Way::Direct, row.direct)),
        ];

        let mut fail = |fault: String| failures.push(format!("{}: {fault}", row.request));
        for (way, expected, seen) in &filtered {
            let shown = table::cell(seen.as_ref());
            if shown != *expected {
                fail(format!("{way:?}: {shown} instead of {expected}"));
            }
            seen.iter().flat_map(Seen::faults).for_each(|fault| fail(format!("{way:?}: {fault}")));
        }
        let leaks = alone.as_ref().is_some_and(Seen::shows_the_proxy_key);
        if leaks != row.alone_leaks {
            fail(format!("LiteLLM alone leaks M: {leaks}; has LiteLLM changed?"));
        }
        let [kept, exchanged, direct] = filtered.map(|(_, _, seen)| seen);
        lines.push(table::Line::of(row, [&alone, &kept, &exchanged, &direct]));
    }

    table::print(&lines);
    assert!(failures.is_empty(), "{}\n{}", failures.join("\n"), chains.explanation());
}

fn sent(row: &Row, way: Way, chains: &mut Chains, provider: &Provider) -> Seen {
    let hop = chains.hop(row.setting, way);
    let headers = symbols::written(row.headers, hop.proxy_key);
    let answer = http::post(hop.address, row.path, &headers, &http::question(row.model));
    Seen { proxy_key: hop.proxy_key, beta: row.beta(), answer, arrivals: provider.take() }
}
