//! `byok check`: what the filter would say about a configuration, and what it can't know.

mod dates;
mod embedding;
mod envoy_identities;
mod envoy_routes;
mod examine;
mod form;
mod routes;
mod variables;
mod words;

use byok_core::Loaded;

use crate::Environment;
use crate::diagnostic::Diagnostic;
use crate::document::{self, Located, Node, Position, Style, Value};
use crate::source::{Embedded, Source};

pub(crate) use embedding::{Plugin, plugins};
pub(crate) use examine::examine;
pub(crate) use variables::FilterEnvironment;

/// What a check of one file has found.
pub(crate) struct Report {
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Whether more errors may show once these are corrected.
    pub(crate) is_partial: bool,
    /// Whether the file is read without an error of syntax, and has no configuration of the filter.
    pub(crate) is_about_something_else: bool,
    documents: Vec<Node>,
    embedded: Vec<Embedded>,
}

impl Report {
    /// Prepares the text of the file for excerpts.
    pub(crate) fn source<'a>(&'a self, text: &'a str) -> Source<'a> {
        let wanted = self.diagnostics.iter().filter_map(|diagnostic| diagnostic.at);
        Source::new(text, &self.documents, &self.embedded, wanted)
    }
}

/// Checks all configurations of the filter in a file; the only one, or one of several.
pub(crate) fn check(file: &str, text: &str, is_only_file: bool, environment: &Environment) -> Report {
    let mut report = Report {
        diagnostics: Vec::new(),
        is_partial: false,
        is_about_something_else: false,
        documents: Vec::new(),
        embedded: Vec::new(),
    };
    let documents = match document::documents(file, text) {
        Ok(documents) => documents,
        Err(error) => {
            report.diagnostics.push(Diagnostic::error("", error.message, Some(error.at)));
            return report;
        }
    };
    let is_only = is_only_file && documents.len() == 1;
    let plugins: Vec<Plugin<'_>> = documents.iter().flat_map(|document| plugins(document, is_only)).collect();
    report.is_about_something_else = plugins.is_empty();
    for plugin in plugins {
        check_plugin(plugin, text, environment, &mut report);
    }
    report.diagnostics.sort_by_key(|diagnostic| diagnostic.at);
    report.documents = documents;
    report
}

/// Returns what is said about a file without a configuration: a note if another file has one.
pub(crate) fn about_something_else(another_has_one: bool) -> Diagnostic {
    if another_has_one {
        return Diagnostic::note("", "has no configuration of the filter", None);
    }
    let expected = "expected a configuration of the filter, alone or in a document of Envoy, Istio or Envoy Gateway";
    Diagnostic::error("", expected, None)
}

fn check_plugin(plugin: Plugin<'_>, text: &str, environment: &Environment, report: &mut Report) {
    report.diagnostics.extend(plugin.diagnostics);
    let Some(holder) = plugin.configuration else {
        let missing = Diagnostic::error("configuration", "expected the filter's configuration", Some(plugin.at));
        report.diagnostics.push(missing);
        return;
    };
    let embedded = match embedded(holder, text) {
        Ok(embedded) => embedded,
        Err(error) => {
            report.diagnostics.push(Diagnostic::error("configuration", error.message, Some(error.at)));
            return;
        }
    };
    let configuration = embedded.as_ref().map_or(holder, |embedded| &embedded.document);
    let environment_of_filter = FilterEnvironment::new(environment, &plugin.variables);
    let verdict = examine(configuration, &|name| environment_of_filter.value(name), plugin.has_sds != Some(false));
    let located = Located::new(configuration);
    let mut diagnostics = verdict.errors;
    diagnostics.extend(environment_of_filter.diagnostics(configuration));
    diagnostics.extend(dates::check(configuration, environment.now));
    if let Some(Loaded { policy, warnings }) = &verdict.loaded {
        let warning = |path: &str, message: String| Diagnostic {
            help: examine::next_step(path, &message).map(str::to_owned),
            ..Diagnostic::warning(path, message, Some(located.position(path)))
        };
        diagnostics.extend(warnings.iter().map(|found| warning(&found.path, found.message.clone())));
        diagnostics.extend(routes::covered(policy).into_iter().map(|(index, earlier)| {
            warning(
                &format!("routes[{index}].match"),
                format!("is unreachable: routes[{earlier}] matches every request that it matches"),
            )
        }));
    }
    if plugin.has_sds.is_none() {
        diagnostics.extend(variables::sds_secrets(configuration).into_iter().map(|(path, at)| {
            Diagnostic::note(&path, "is available in the native module only; the wasm module refuses it", Some(at))
        }));
    }
    if let Some(Loaded { policy, .. }) = &verdict.loaded {
        let doubts = envoy_identities::check(policy, plugin.surroundings, holder);
        diagnostics.extend(doubts.into_iter().map(|doubt| {
            let at = Some(located.position(&doubt.path));
            Diagnostic::warning(doubt.path, doubt.message, at).with_help(doubt.help)
        }));
    }
    if let Some(embedded) = &embedded {
        for diagnostic in &mut diagnostics {
            diagnostic.at = diagnostic.at.map(|at| embedded.position(at));
        }
    }
    if let (Some(loaded), Some(manager)) = (&verdict.loaded, plugin.surroundings.connection_manager) {
        diagnostics.extend(envoy_routes::check(&loaded.policy, manager));
    }
    report.diagnostics.extend(diagnostics);
    report.is_partial |= verdict.is_partial;
    report.embedded.extend(embedded);
}

/// Reads a configuration that is embedded as a string; `None` if it is part of the document.
///
/// # Errors
/// Returns why the string is not JSON.
pub(crate) fn embedded(holder: &Node, file: &str) -> Result<Option<Embedded>, document::SyntaxError> {
    let Value::Text(text, style) = &holder.value else { return Ok(None) };
    let to_file = document::relocation(file, holder);
    match document::json(text) {
        Ok(document) => {
            let to_file: Option<Box<dyn Fn(Position) -> Position>> = match style {
                Style::Block => Some(Box::new(to_file)),
                Style::Inline => None,
            };
            Ok(Some(Embedded { holder: holder.at, document, to_file }))
        }
        Err(error) => Err(document::SyntaxError { at: to_file(error.at), ..error }),
    }
}
