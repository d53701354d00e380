//! What `make bench` prints: a table for each kind of measurement.

use std::collections::BTreeMap;

use crate::docs::added;
use crate::latency::{Latencies, RATE};
use crate::per_request::Costs;
use crate::start::Starts;
use crate::stats::Spread;
use crate::table::markdown;
use crate::variants::{BASELINE, Variant};

/// What each variant costs beyond no filter at all, in microseconds of CPU per request, by name.
pub(super) type Marginals = BTreeMap<&'static str, Spread>;

/// Subtracts from each cost that of no filter in the same round: slow drifts of the machine cancel out.
pub(super) fn marginals(variants: &[&Variant], costs: &[Costs]) -> Marginals {
    let rows = || variants.iter().zip(costs);
    let Some((_, baseline)) = rows().find(|(variant, _)| variant.name == BASELINE) else { return Marginals::new() };
    let marginal = |costs: &Costs| {
        let differences = costs.microseconds.iter().zip(&baseline.microseconds).map(|(cost, baseline)| cost - baseline);
        Spread::of_middle_half(differences)
    };
    rows()
        .filter(|(variant, _)| variant.name != BASELINE)
        .map(|(variant, costs)| (variant.name, marginal(costs)))
        .collect()
}

pub(super) fn per_request(variants: &[&Variant], costs: &[Costs], marginals: &Marginals) -> String {
    let ratio_to = |name: &str, marginal: Option<&Spread>| {
        let ratio = marginal.zip(marginals.get(name)).map(|(of, to)| format!("{:.2}", of.median / to.median));
        ratio.unwrap_or_default()
    };
    let rows: Vec<Vec<String>> = variants
        .iter()
        .zip(costs)
        .map(|(variant, costs)| {
            let marginal = marginals.get(variant.name);
            vec![
                variant.title.to_owned(),
                ratio_to("native", marginal),
                ratio_to("wasm", marginal),
                marginal.map(|marginal| signed(marginal.median)).unwrap_or_default(),
                marginal
                    .map(|marginal| format!("{} … {}", signed(marginal.low), signed(marginal.high)))
                    .unwrap_or_default(),
                shown(Spread::of_middle_half(costs.microseconds.iter().copied()), 1),
                format!("{:.2}", Spread::of_all(costs.busy.iter().copied()).median),
            ]
        })
        .collect();
    let head = [
        "CPU per request",
        "ratio to native",
        "ratio to wasm",
        "marginal, µs",
        "middle half",
        "in all, µs (middle half)",
        "busy",
    ];
    markdown(&head, &rows)
}

pub(super) fn start(starts: &[Starts]) -> String {
    let rows: Vec<Vec<String>> = starts
        .iter()
        .map(|start| {
            vec![
                format!("{} keys, {}", start.keys, start.subject.title()),
                spread(&start.seconds, 2),
                spread(&start.cpu_seconds, 2),
                if start.on_configure.is_empty() { String::new() } else { spread(&start.on_configure, 0) },
                spread(&start.resident, 0),
                spread(&start.resident_in_all, 0),
                spread(&start.per_added_worker, 1),
            ]
        })
        .collect();
    let head = [
        "start of Envoy",
        "first answer after, s",
        "CPU until then, s",
        "`on_configure`, ms",
        "RSS, MB",
        "RSS with 4 workers, MB",
        "RSS per added worker, MB",
    ];
    markdown(&head, &rows)
}

pub(super) fn latency(variants: &[&Variant], latencies: &[Latencies]) -> String {
    let rows = || variants.iter().zip(latencies);
    let baseline = rows().find(|(variant, _)| variant.name == BASELINE).map(|(_, latencies)| latencies);
    let rows: Vec<Vec<String>> = rows()
        .map(|(variant, latencies)| {
            let added = baseline.filter(|_| variant.name != BASELINE).map(|without| {
                [added(&latencies.p50, &without.p50), added(&latencies.p99, &without.p99)].map(|added| shown(added, 0))
            });
            let [p50, p99] = added.unwrap_or_default();
            vec![variant.title.to_owned(), spread(&latencies.p50, 0), spread(&latencies.p99, 0), p50, p99]
        })
        .collect();
    let head = [
        &*format!("latency at {RATE} requests/s"),
        "p50, µs (min … max)",
        "p99, µs (min … max)",
        "added to p50, µs",
        "added to p99, µs",
    ];
    markdown(&head, &rows)
}

fn spread(values: &[f64], digits: usize) -> String {
    shown(Spread::of_all(values.iter().copied()), digits)
}

fn shown(Spread { median, low, high }: Spread, digits: usize) -> String {
    format!("{median:.digits$} ({low:.digits$} … {high:.digits$})")
}

fn signed(microseconds: f64) -> String {
    format!("{microseconds:+.1}")
}
