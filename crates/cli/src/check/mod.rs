//! `byok check`: what the filter would say of a configuration, and what it can't know.

mod dates;
mod envoy_routes;
mod form;
mod routes;
mod surroundings;
mod variables;

pub(super) use form::examine;
pub(super) use surroundings::{Plugin, plugins};
pub(super) use variables::Environment;

use super::World;
use super::document::{self, Located, Node, Position, Value};
use super::finding::Finding;
use crate::config::Loaded;

/// What a check of one file has found.
pub(super) struct Report {
    pub(super) findings: Vec<Finding>,
    /// How many configurations of the filter the file holds.
    pub(super) configurations: usize,
    /// Whether an error may hide others.
    pub(super) more_may_follow: bool,
}

/// Checks all configurations of the filter in a file.
pub(super) fn check(file: &str, text: &str, world: &World) -> Report {
    let mut report = Report { findings: Vec::new(), configurations: 0, more_may_follow: false };
    let documents = match document::documents(file, text) {
        Ok(documents) => documents,
        Err(error) => {
            report.findings.push(Finding::error("", error.message, Some(error.at)));
            return report;
        }
    };
    for plugin in documents.iter().flat_map(plugins) {
        report.configurations += 1;
        check_plugin(plugin, text, world, &mut report);
    }
    if report.configurations == 0 {
        let expected =
            "expected a configuration of the filter, alone or in a document of Envoy, Istio or Envoy Gateway";
        report.findings.push(Finding::error("", expected, None));
    }
    report.findings.sort_by_key(|finding| finding.at);
    report
}

fn check_plugin(plugin: Plugin<'_>, text: &str, world: &World, report: &mut Report) {
    report.findings.extend(plugin.findings);
    let Some(holder) = plugin.configuration else {
        report.findings.push(Finding::error("configuration", "expected the filter's configuration", Some(plugin.at)));
        return;
    };
    let (configuration, to_file) = match written(holder, text) {
        Ok(written) => written,
        Err(error) => {
            report.findings.push(Finding::error("configuration", error.message, Some(error.at)));
            return;
        }
    };
    let environment = Environment::new(world, &plugin.variables);
    let verdict = form::examine(&configuration, &|name| environment.value(name));
    let located = Located::new(&configuration);
    let mut findings = verdict.errors;
    findings.extend(environment.findings(&configuration));
    findings.extend(dates::check(&configuration, world.now));
    if let Some(Loaded { policy, warnings }) = &verdict.loaded {
        let warning = |path: &str, message: String| Finding::warning(path, message, Some(located.position(path)));
        findings.extend(warnings.iter().map(|doubt| warning(&doubt.path, doubt.message.clone())));
        findings.extend(routes::covered(policy).into_iter().map(|(index, earlier)| {
            warning(
                &format!("routes[{index}].match"),
                format!("matches nothing that routes[{earlier}] does not match before"),
            )
        }));
    }
    for finding in &mut findings {
        finding.at = finding.at.map(&to_file);
    }
    if let (Some(loaded), Some(manager)) = (&verdict.loaded, plugin.connection_manager) {
        findings.extend(envoy_routes::check(&loaded.policy, manager));
    }
    report.findings.extend(findings);
    report.more_may_follow |= verdict.more_may_follow;
}

type ToFile = Box<dyn Fn(Position) -> Position>;

/// Returns the configuration as a tree, and how its positions become the file's.
///
/// # Errors
/// The configuration is a text that is no JSON.
pub(super) fn written(holder: &Node, file: &str) -> Result<(Node, ToFile), document::SyntaxError> {
    let Value::Text(text, _) = &holder.value else { return Ok((holder.clone(), Box::new(|position| position))) };
    let to_file: ToFile = Box::new(document::relocation(file, holder));
    match document::json(text) {
        Ok(configuration) => Ok((configuration, to_file)),
        Err(error) => Err(document::SyntaxError { at: to_file(error.at), ..error }),
    }
}
