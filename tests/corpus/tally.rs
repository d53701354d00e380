//! Counts what a runner has run, reports what differs, and refuses to have skipped anything.

use super::{Case, Corpus, DoubtfulConfiguration, Outcome, RefusedConfiguration};

/// The course of one runner through the corpus.
pub(crate) struct Tally {
    runner: &'static str,
    cases: usize,
    refused: usize,
    doubtful: usize,
    failures: Vec<String>,
}

impl Tally {
    pub(crate) fn new(runner: &'static str) -> Self {
        Self { runner, cases: 0, refused: 0, doubtful: 0, failures: Vec::new() }
    }

    /// Notes what became of a case, or why the runner could not tell.
    pub(crate) fn case(&mut self, case: &Case, outcome: Result<Outcome, String>) {
        self.cases += 1;
        let differences = match &outcome {
            Ok(outcome) => case.differences(outcome),
            Err(error) => vec![error.clone()],
        };
        if differences.is_empty() {
            return;
        }
        let outcome = outcome.map_or(String::new(), |outcome| format!("\n  whole outcome: {outcome}"));
        let request = format!("\n  request ({}): {}", case.configuration.name, case.request);
        let report = format!("{}{}{}", differences.join("\n"), request, outcome);
        self.failure(&case.name, &case.file, &report);
    }

    pub(crate) fn refused(&mut self, configuration: &RefusedConfiguration, loaded: Result<(), Vec<String>>) {
        self.refused += 1;
        let got = match loaded {
            Err(errors) if errors == configuration.errors => return,
            Err(errors) => errors.join("\n    "),
            Ok(()) => "it loads".to_owned(),
        };
        let report = format!("expected errors\n    {}\n  got\n    {got}", configuration.errors.join("\n    "));
        self.failure(&configuration.name, &configuration.file, &report);
    }

    pub(crate) fn doubtful(&mut self, configuration: &DoubtfulConfiguration, loaded: Result<Vec<String>, Vec<String>>) {
        self.doubtful += 1;
        let got = match loaded {
            Ok(warnings) if warnings == configuration.warnings => return,
            Ok(warnings) => warnings.join("\n    "),
            Err(errors) => format!("it does not load: {}", errors.join("\n    ")),
        };
        let report = format!("expected warnings\n    {}\n  got\n    {got}", configuration.warnings.join("\n    "));
        self.failure(&configuration.name, &configuration.file, &report);
    }

    fn failure(&mut self, name: &str, file: &str, report: &str) {
        self.failures.push(format!("✗ {name} ({file})\n  {}", report.replace('\n', "\n  ")));
    }

    /// Tells whether anything has failed so far.
    pub(crate) fn failed(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Prints the count; panics where something failed or was left out.
    pub(crate) fn finish(self, corpus: &Corpus) {
        let ran = (self.cases, self.refused, self.doubtful);
        let runner = self.runner;
        self.finish_some();
        let all = (corpus.cases.len(), corpus.refused.len(), corpus.doubtful.len());
        assert_eq!(ran, all, "{runner}: cases, refused and doubtful configurations run");
        assert_ne!(ran, (0, 0, 0), "{runner}: the corpus is empty");
    }

    /// Prints the count; panics where something failed.
    pub(crate) fn finish_some(self) {
        let Self { runner, cases, refused, doubtful, failures } = self;
        for failure in &failures {
            say(failure);
        }
        say(&format!(
            "{runner}: {cases} cases, {refused} refused configurations, {doubtful} doubtful configurations, {} failed",
            failures.len()
        ));
        assert!(failures.is_empty(), "{runner}: {} failed", failures.len());
    }
}

/// Prints past the test harness, which shows what a test prints only where it fails.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn say(text: &str) {
    use std::io::Write;

    drop(writeln!(std::io::stdout(), "{text}"));
}

#[cfg(target_family = "wasm")]
pub(crate) fn say(text: &str) {
    wasm_bindgen_test::console_log!("{text}");
}
