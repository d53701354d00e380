//! One test per case, for `libtest-mimic`.

use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Conclusion, Failed, Trial};

use super::update::{self, Update};
use super::{Case, Corpus, Outcome, RefusedConfiguration, WarningConfiguration};

/// Returns one test for each case and configuration, named by its sentence.
pub fn trials<C, R, W>(corpus: &Corpus, case: C, refused: R, warning: W) -> Vec<Trial>
where
    C: Fn(&Case) -> Result<Outcome, String> + Send + Sync + 'static,
    R: Fn(&RefusedConfiguration) -> Result<(), Vec<String>> + Send + Sync + 'static,
    W: Fn(&WarningConfiguration) -> Result<Vec<String>, Vec<String>> + Send + Sync + 'static,
{
    trials_with(corpus, None, case, refused, warning)
}

fn trials_with<C, R, W>(corpus: &Corpus, updates: Option<&Updates>, case: C, refused: R, warning: W) -> Vec<Trial>
where
    C: Fn(&Case) -> Result<Outcome, String> + Send + Sync + 'static,
    R: Fn(&RefusedConfiguration) -> Result<(), Vec<String>> + Send + Sync + 'static,
    W: Fn(&WarningConfiguration) -> Result<Vec<String>, Vec<String>> + Send + Sync + 'static,
{
    let (run_case, run_refused, run_warning) = (Arc::new(case), Arc::new(refused), Arc::new(warning));
    let mut trials = Vec::new();
    for case in &corpus.cases {
        let (case, run, updates) = (Arc::clone(case), Arc::clone(&run_case), updates.cloned());
        trials.push(trial(case.name.clone(), move || {
            let outcome = run(&case);
            let report = case.report(&outcome)?;
            or_update(report, &updates, || Some(update::of_case(&case, outcome.as_ref().ok()?)))
        }));
    }
    for refused in &corpus.refused {
        let (refused, run, updates) = (Arc::clone(refused), Arc::clone(&run_refused), updates.cloned());
        trials.push(trial(refused.name.clone(), move || {
            let loaded = run(&refused);
            let report = refused.report(&loaded)?;
            or_update(report, &updates, || Some(update::of_list(&refused.at, &refused.name, "errors", &loaded.err()?)))
        }));
    }
    for warning in &corpus.warnings {
        let (warning, run, updates) = (Arc::clone(warning), Arc::clone(&run_warning), updates.cloned());
        trials.push(trial(warning.name.clone(), move || {
            let loaded = run(&warning);
            let report = warning.report(&loaded)?;
            or_update(report, &updates, || Some(update::of_list(&warning.at, &warning.name, "warnings", &loaded.ok()?)))
        }));
    }
    trials
}

/// Returns a test that fails with the report, if there is one.
pub fn trial(name: impl Into<String>, run: impl FnOnce() -> Option<String> + Send + 'static) -> Trial {
    Trial::test(name, move || match run() {
        None => Ok(()),
        Some(report) => Err(Failed::from(report)),
    })
}

/// Collects what is to be changed in the corpus if `UPDATE_CASES` is set in the environment.
#[derive(Clone, Default)]
pub struct Updates(Arc<Mutex<Vec<Update>>>);

impl Updates {
    /// Returns a collection if `UPDATE_CASES` is set and not empty.
    pub fn from_environment() -> Option<Self> {
        std::env::var_os("UPDATE_CASES").filter(|value| !value.is_empty()).map(|_| Self::default())
    }

    /// Returns tests as [`trials`] does, which pass where an expectation is filled in or replaced.
    pub fn trials<C, R, W>(updates: Option<&Self>, corpus: &Corpus, case: C, refused: R, warning: W) -> Vec<Trial>
    where
        C: Fn(&Case) -> Result<Outcome, String> + Send + Sync + 'static,
        R: Fn(&RefusedConfiguration) -> Result<(), Vec<String>> + Send + Sync + 'static,
        W: Fn(&WarningConfiguration) -> Result<Vec<String>, Vec<String>> + Send + Sync + 'static,
    {
        trials_with(corpus, updates, case, refused, warning)
    }

    /// Writes what was collected and ends the process as the tests ended.
    pub fn finish(updates: Option<Self>, conclusion: &Conclusion) -> ! {
        if let Some(updates) = updates {
            let updates = updates.0.lock().unwrap_or_else(PoisonError::into_inner);
            update::write(&updates);
        }
        conclusion.exit()
    }
}

fn or_update(report: String, updates: &Option<Updates>, update: impl FnOnce() -> Option<Update>) -> Option<String> {
    let Some(updates) = updates else { return Some(report) };
    let Some(update) = update() else { return Some(report) };
    updates.0.lock().unwrap_or_else(PoisonError::into_inner).push(update);
    None
}
