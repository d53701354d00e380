//! The bars: what the filter may cost, beside what was measured.

use crate::report::Marginals;
use crate::start::{Starts, Subject};
use crate::stats::Spread;
use crate::table::markdown;

struct Bar {
    what: &'static str,
    /// `None` where `--only` has left out what it takes.
    measured: Option<f64>,
    limit: f64,
    digits: usize,
    unit: &'static str,
}

/// Returns the table of the bars that were measured; those of `decide()` alone are printed by `make bench-core`.
pub(super) fn table(marginals: &Marginals, starts: &[Starts], module_bytes: u64) -> String {
    let bars = per_request(marginals).into_iter().chain(of_start(starts, module_bytes));
    let rows: Vec<Vec<String>> = bars.filter_map(|bar| bar.row()).collect();
    markdown(&["bar", "measured", "limit", "result"], &rows)
}

impl Bar {
    fn row(&self) -> Option<Vec<String>> {
        let Self { what, measured, limit, digits, unit } = self;
        let measured = (*measured)?;
        let result = if measured <= *limit { "reached" } else { "not reached" };
        Some(vec![
            (*what).to_owned(),
            format!("{measured:.digits$}{unit}"),
            format!("<= {limit}{unit}"),
            result.to_owned(),
        ])
    }
}

fn per_request(marginals: &Marginals) -> Vec<Bar> {
    let ratio = |what, of: &str, to: &str, limit| Bar {
        what,
        measured: marginals.get(of).zip(marginals.get(to)).map(|(of, to)| of.median / to.median),
        limit,
        digits: 2,
        unit: "",
    };
    vec![
        ratio("native / Lua (compares and strips)", "native", "lua", 0.8),
        ratio("native / `api_key_auth`", "native", "api-key-auth", 4.0),
        ratio("native / `api_key_auth`, the further aim", "native", "api-key-auth", 2.0),
        ratio("native / wasm", "native", "wasm", 0.33),
        ratio("native / whole-job Lua", "native", "whole-job-lua", 0.5),
        ratio("native / `ext_authz`", "native", "ext-authz", 0.1),
        ratio("wasm / its own host calls", "wasm", "floor", 1.15),
        ratio("wasm with `filter_state: []` / whole-job Lua", "wasm-no-parts", "whole-job-lua", 1.2),
        ratio("wasm / `ext_authz`", "wasm", "ext-authz", 0.5),
        ratio("wasm: refusal / BYOK", "refusal", "wasm", 1.5),
        ratio("wasm: 100,000 keys / 10 keys", "keys-100000", "wasm", 1.1),
        ratio("native: 100,000 keys / 10 keys", "native-keys-100000", "native", 1.1),
    ]
}

fn of_start(starts: &[Starts], module_bytes: u64) -> Vec<Bar> {
    let of = |subject, keys| starts.iter().find(|start| start.subject == subject && start.keys == keys);
    let median = |values: &[f64]| Spread::of_all(values.iter().copied()).median;
    let wasm = of(Subject::Wasm, 100_000);
    let added_start = |subject| {
        let no_op = of(Subject::NoOp, 100_000)?;
        Some(median(&of(subject, 100_000)?.seconds) - median(&no_op.seconds))
    };
    // Envoy itself keeps the text of the configuration, as it does for the no-op, which does not read it.
    let memory_of_keys =
        |subject| Some(median(&of(subject, 100_000)?.resident_in_all) - median(&of(subject, 10)?.resident_in_all));
    let native_memory =
        memory_of_keys(Subject::Native).zip(memory_of_keys(Subject::NoOp)).map(|(native, envoy)| native - envoy);
    let bar = |what, measured, limit, digits, unit| Bar { what, measured, limit, digits, unit };
    vec![
        bar("native: memory of 100,000 keys, four workers together", native_memory, 25.0, 1, " MB"),
        bar(
            "wasm: memory per added worker, 100,000 keys",
            wasm.map(|wasm| median(&wasm.per_added_worker)),
            30.0,
            1,
            " MB",
        ),
        bar("wasm: start with 100,000 keys, minus that of a no-op", added_start(Subject::Wasm), 0.6, 2, " s"),
        bar(
            "wasm: `on_configure` with 100,000 keys",
            wasm.map(|wasm| median(&wasm.on_configure) / 1000.0),
            0.2,
            3,
            " s",
        ),
        bar("wasm: size of the module", Some(module_bytes as f64 / 1000.0), 430.0, 0, " kB"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_judged_by_its_limit_and_left_out_if_not_measured() {
        let spread = |median| Spread { median, low: median, high: median };
        let marginals = Marginals::from([("native", spread(8.0)), ("lua", spread(10.0)), ("wasm", spread(20.0))]);
        let table = table(&marginals, &[], 431_000);
        assert!(table.contains("reached |"), "{table}");
        let row = |what: &str| table.lines().find(|line| line.contains(what));
        assert!(row("native / Lua").is_some_and(|row| row.contains(" 0.80 ") && row.contains(" reached ")), "{table}");
        assert!(row("native / wasm").is_some_and(|row| row.contains(" 0.40 ") && row.contains("not reached")));
        assert!(row("size").is_some_and(|row| row.contains("431 kB") && row.contains("not reached")), "{table}");
        assert_eq!(row("ext_authz"), None);
    }
}
