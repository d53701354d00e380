//! `docs/performance.md` and its charts: the tables of a run between two markers, the charts as SVG beside it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::chart::{Bar, Chart};
use crate::latency::{Latencies, RATE};
use crate::report::Marginals;
use crate::stats::Spread;
use crate::variants::{BASELINE, Variant};

const BEGIN: &str = "<!-- Written by `make bench ARGS=--write-docs`. -->";
const END: &str = "<!-- End of what is written. -->";

/// The variants between which an operator chooses.
const CHARTED: [&str; 9] = [
    "api-key-auth",
    "envoy-filters",
    "lua",
    "whole-job-lua",
    "ext-authz",
    "wasm",
    "wasm-no-parts",
    "native",
    "native-no-parts",
];

fn path(name: &str) -> PathBuf {
    byok_testkit::root().join("docs").join(name)
}

/// Puts the tables of a run in the place of those of the run before.
///
/// # Errors
/// The file is not there, or has no place for them.
pub(super) fn write_tables(tables: &str) -> Result<()> {
    let path = path("performance.md");
    let text = fs::read_to_string(&path)?;
    fs::write(&path, replaced(&text, tables).context("docs/performance.md has no markers")?)?;
    Ok(())
}

fn replaced(text: &str, tables: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", tables.trim()))
}

/// Draws what each variant costs beyond no filter at all.
///
/// # Errors
/// The file can't be written.
pub(super) fn write_performance(variants: &[&Variant], marginals: &Marginals) -> Result<()> {
    let bars = variants.iter().filter(|variant| CHARTED.contains(&variant.name)).filter_map(|variant| {
        let value = *marginals.get(variant.name)?;
        Some(Bar { label: variant.title, value, is_ours: variant.is_ours })
    });
    let chart = Chart {
        title: "CPU time per request, beyond no filter",
        unit: "µs, all processes; bar: median, line: middle half; shorter is better",
        bars: bars.collect(),
    };
    Ok(fs::write(path("performance.svg"), chart.svg())?)
}

/// Draws what each variant adds to the median latency.
///
/// # Errors
/// The file can't be written.
pub(super) fn write_latency(variants: &[&Variant], latencies: &[Latencies]) -> Result<()> {
    let rows = || variants.iter().zip(latencies);
    let Some((_, baseline)) = rows().find(|(variant, _)| variant.name == BASELINE) else { return Ok(()) };
    let bars = rows().filter(|(variant, _)| variant.name != BASELINE).map(|(variant, latencies)| Bar {
        label: variant.title,
        value: added(&latencies.p50, &baseline.p50),
        is_ours: variant.is_ours,
    });
    let chart = Chart {
        title: &format!("Latency added to a request at {RATE} requests/s"),
        unit: "µs at the median; bar: median of the segments, line: least to greatest; shorter is better",
        bars: bars.collect(),
    };
    Ok(fs::write(path("latency.svg"), chart.svg())?)
}

/// Subtracts from each segment that of no filter, measured just before.
pub(super) fn added(with: &[f64], without: &[f64]) -> Spread {
    Spread::of_all(with.iter().zip(without).map(|(with, without)| with - without))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_take_the_place_of_the_ones_before() {
        let text = format!("head\n{BEGIN}\nold\n{END}\ntail\n");
        assert_eq!(replaced(&text, "new\n"), Some(format!("head\n{BEGIN}\n\nnew\n\n{END}\ntail\n")));
        assert_eq!(replaced("nothing", "new"), None);
    }
}
