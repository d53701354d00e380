//! One suite in one Envoy.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::carrier::Carrier;
use crate::root;

#[derive(Debug, Clone, Copy)]
pub(super) enum Suite {
    /// `tests/cases`, one test per case.
    Corpus,
    /// `tests/behaviour`.
    Behaviour,
}

impl Suite {
    /// The test target.
    fn target(self) -> &'static str {
        match self {
            Self::Corpus => "envoy",
            Self::Behaviour => "behaviour",
        }
    }
}

/// How many tests of a suite passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) passed: usize,
    pub(super) failed: usize,
    /// What the tests printed.
    pub(super) output: String,
}

impl Outcome {
    /// Returns the outcome of the tests of these names, those of the same case over HTTP/2 included.
    pub(super) fn of(&self, names: &[&str]) -> Result<Self> {
        let mut part = Self { passed: 0, failed: 0, output: String::new() };
        for name in names {
            let lines: Vec<&str> = self.output.lines().filter(|line| is_result_of(line, name)).collect();
            ensure!(!lines.is_empty(), "there is no case `{name}`");
            let passed = lines.iter().filter(|line| line.ends_with(" ok")).count();
            part.passed += passed;
            part.failed += lines.len() - passed;
        }
        Ok(part)
    }
}

fn is_result_of(line: &str, name: &str) -> bool {
    let rest = line.strip_prefix("test ").and_then(|line| line.strip_prefix(name));
    rest.is_some_and(|rest| rest.trim_start().starts_with("...") || rest.starts_with(" (over HTTP/2)"))
}

pub(super) fn version_of(envoy: &Path) -> Result<String> {
    let output = Command::new(envoy).arg("--version").output().with_context(|| envoy.display().to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a suite; a test that fails is no error, a suite that does not run is one.
pub(super) fn run(suite: Suite, envoy: &Path, carrier: Carrier) -> Result<Outcome> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["test", "--quiet", "--package", "byok-filter", "--test", suite.target(), "--", "--color", "never"])
        .args(["--format", "pretty"])
        .current_dir(root())
        .env("ENVOY", envoy)
        .env("CARRIER", name(carrier))
        .stderr(Stdio::inherit())
        .output()?;
    outcome(String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
        .with_context(|| format!("the tests of {} did not run to their end", suite.target()))
}

/// The name of a carrier in the variable `CARRIER`, and in the table.
pub(super) fn name(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Wasm => "wasm",
        Carrier::Native => "native",
    }
}

fn outcome(output: String, succeeded: bool) -> Result<Outcome> {
    let (passed, failed) = output.lines().find_map(summary).context("there is no line with the result")?;
    ensure!(passed + failed > 0, "no test was run");
    ensure!(succeeded == (failed == 0), "{failed} tests failed, but cargo says otherwise");
    Ok(Outcome { passed, failed, output })
}

/// Reads `test result: ok. 33 passed; 0 failed; …`.
fn summary(line: &str) -> Option<(usize, usize)> {
    let rest = line.strip_prefix("test result: ")?;
    let number =
        |unit: &str| rest.split([';', '.']).find_map(|part| part.trim().strip_suffix(unit)?.trim().parse().ok());
    Some((number(" passed")?, number(" failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "
test a case                 ... ok
test a case (over HTTP/2)   ... FAILED
test a case of another name ... ok

test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
";

    #[test]
    fn the_result_is_read_from_the_summary_and_by_name() {
        let all = outcome(OUTPUT.to_owned(), false).unwrap();
        assert_eq!((all.passed, all.failed), (2, 1));
        let part = all.of(&["a case"]).unwrap();
        assert_eq!((part.passed, part.failed), (1, 1));
    }

    #[test]
    fn what_did_not_run_is_an_error() {
        assert!(outcome(String::new(), true).is_err());
        assert!(outcome("test result: ok. 0 passed; 0 failed; 0 ignored".to_owned(), true).is_err());
        assert!(outcome(OUTPUT.to_owned(), true).is_err());
        assert!(outcome(OUTPUT.to_owned(), false).unwrap().of(&["no case"]).is_err());
    }
}
