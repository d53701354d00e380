//! What `make bench` prints: three tables, and the bars beside what was measured.

use std::collections::BTreeMap;

use crate::latency::{Latencies, RATE};
use crate::per_request::Costs;
use crate::start::Starts;
use crate::stats::Spread;
use crate::table::markdown;
use crate::variants::{BASELINE, Variant};

/// What each variant costs beyond no filter at all, in microseconds of CPU per request, by name.
pub(super) type Marginals = BTreeMap<&'static str, Spread>;

/// Subtracts from each cost that of no filter in the same round: slow drifts of the machine cancel out.
pub(super) fn marginals(variants: &[Variant], costs: &[Costs]) -> Marginals {
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

pub(super) fn per_request(variants: &[Variant], costs: &[Costs], marginals: &Marginals) -> String {
    let ours = marginals.get("byok").map(|marginal| marginal.median);
    let rows: Vec<Vec<String>> = variants
        .iter()
        .zip(costs)
        .map(|(variant, costs)| {
            let marginal = marginals.get(variant.name);
            let ratio = marginal.zip(ours).map(|(marginal, ours)| format!("{:.2}", marginal.median / ours));
            vec![
                variant.title.to_owned(),
                ratio.unwrap_or_default(),
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
        "CPU of Envoy per request",
        "ratio to BYOK",
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
                format!("{} keys, {}", start.keys, if start.is_ours { "byok-filter" } else { "no-op wasm" }),
                spread(&start.seconds, 2),
                spread(&start.cpu_seconds, 2),
                if start.is_ours { spread(&start.on_configure, 0) } else { String::new() },
                spread(&start.resident, 0),
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
        "RSS per added worker, MB",
    ];
    markdown(&head, &rows)
}

pub(super) fn latency(variants: &[&Variant], latencies: &[Latencies]) -> String {
    let rows: Vec<Vec<String>> = variants
        .iter()
        .zip(latencies)
        .map(|(variant, latencies)| {
            vec![variant.title.to_owned(), spread(&latencies.p50, 0), spread(&latencies.p99, 0)]
        })
        .collect();
    markdown(&[&format!("latency at {RATE} requests/s"), "p50, µs (min … max)", "p99, µs (min … max)"], &rows)
}

/// The bars that were measured, each with its limit.
pub(super) fn bars(marginals: &Marginals, starts: &[Starts], module_bytes: u64) -> String {
    let ratio = |of: &str, to: &str| Some(marginals.get(of)?.median / marginals.get(to)?.median);
    let start = |is_ours| starts.iter().find(|start| start.keys == 100_000 && start.is_ours == is_ours);
    let ours = start(true);
    let median = |values: &[f64]| Spread::of_all(values.iter().copied()).median;
    let added_start = ours.zip(start(false)).map(|(ours, no_op)| median(&ours.seconds) - median(&no_op.seconds));
    let bars = [
        ("BYOK / Lua", ratio("byok", "lua"), 0.8, 2, ""),
        ("BYOK / `api_key_auth`", ratio("byok", "api-key-auth"), 2.0, 2, ""),
        ("BYOK / no-op built the usual way", ratio("byok", "no-op"), 1.0, 2, ""),
        ("refusal / BYOK", ratio("refusal", "byok"), 1.5, 2, ""),
        ("BYOK with 100,000 keys / with 10", ratio("keys-100000", "byok"), 1.1, 2, ""),
        ("start with 100,000 keys, minus that with a no-op", added_start, 0.6, 2, " s"),
        ("`on_configure` with 100,000 keys", ours.map(|ours| median(&ours.on_configure) / 1000.0), 0.2, 3, " s"),
        ("RSS per added worker, 100,000 keys", ours.map(|ours| median(&ours.per_added_worker)), 30.0, 1, " MB"),
        ("module", Some(module_bytes as f64 / 1000.0), 250.0, 0, " kB"),
    ];
    let rows: Vec<Vec<String>> = bars
        .into_iter()
        .filter_map(|(what, measured, limit, digits, unit)| {
            let measured = measured?;
            let met = if measured <= limit { "yes" } else { "no" };
            Some(vec![
                what.to_owned(),
                format!("{measured:.digits$}{unit}"),
                format!("<= {limit}{unit}"),
                met.to_owned(),
            ])
        })
        .collect();
    markdown(&["bar", "measured", "limit", "met"], &rows)
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
