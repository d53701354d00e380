//! The table in Markdown, and its place in the page.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Outcome;
use super::run::name;
use crate::carrier::Carrier;

const BEGIN: &str = "<!-- made by make test-versions -->\n";
const END: &str = "<!-- end -->\n";

/// What was seen in one version.
pub(super) struct Row {
    pub(super) version: &'static str,
    pub(super) carrier: Carrier,
    pub(super) corpus: Outcome,
    /// The part of the corpus about `/..;/`.
    pub(super) paths: Outcome,
    pub(super) behaviour: Option<Outcome>,
}

impl Row {
    /// Returns the output of each suite in which a test failed.
    pub(super) fn failures(&self) -> impl Iterator<Item = &str> {
        let suites = [Some(&self.corpus), self.behaviour.as_ref()];
        suites.into_iter().flatten().filter(|outcome| outcome.failed > 0).map(|outcome| outcome.output.as_str())
    }
}

pub(super) fn render(rows: &[Row]) -> String {
    let mut table =
        "| Envoy | module | corpus | of it: `/..;/` refused | behaviour |\n|---|---|---|---|---|\n".to_owned();
    for Row { version, carrier, corpus, paths, behaviour } in rows {
        let behaviour = behaviour.as_ref().map_or("not run".to_owned(), share);
        table += &format!("| {version} | {} | {} | {} | {behaviour} |\n", name(*carrier), share(corpus), share(paths));
    }
    table
}

fn share(Outcome { passed, failed, .. }: &Outcome) -> String {
    format!("{passed} of {}", passed + failed)
}

/// Replaces the table of the page.
pub(super) fn write(page: &Path, table: &str) -> Result<()> {
    let text = fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let replaced = text.replacen(find(&text)?, table, 1);
    fs::write(page, replaced).with_context(|| page.display().to_string())
}

/// Returns the table of the page.
pub(super) fn find(page: &str) -> Result<&str> {
    let (_, rest) = page.split_once(BEGIN).with_context(|| format!("there is no line {BEGIN:?}"))?;
    let (table, _) = rest.split_once(END).with_context(|| format!("there is no line {END:?}"))?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_how_many_tests_passed() {
        let outcome = |passed, failed| Outcome { passed, failed, output: "FAILED".to_owned() };
        let row = Row {
            version: "1.2.3",
            carrier: Carrier::Wasm,
            corpus: outcome(5, 1),
            paths: outcome(2, 0),
            behaviour: None,
        };
        assert!(render(&[row]).ends_with("| 1.2.3 | wasm | 5 of 6 | 2 of 2 | not run |\n"));
    }

    #[test]
    fn the_table_of_the_page_is_replaced() {
        let page = tempfile::NamedTempFile::new().unwrap();
        fs::write(&page, format!("above\n{BEGIN}old\n{END}below\n")).unwrap();
        write(page.path(), "new\n").unwrap();
        assert_eq!(fs::read_to_string(&page).unwrap(), format!("above\n{BEGIN}new\n{END}below\n"));
    }
}
