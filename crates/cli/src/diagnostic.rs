//! What a check found: where, and what was expected; never what was found there.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use crate::document::Position;
use crate::output::{Text, escaped};
use crate::source::Source;

/// An error, a warning or a note about a file.
#[derive(Clone, Debug)]
pub(crate) struct Diagnostic {
    pub(crate) severity: Severity,
    /// The JSON path within the filter's configuration, or within the document around it.
    pub(crate) path: String,
    pub(crate) message: String,
    /// How to correct it.
    pub(crate) help: Option<String>,
    pub(crate) at: Option<Position>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    Error,
    Warning,
    Note,
}

impl Diagnostic {
    pub(crate) fn error(path: impl Into<String>, message: impl Into<String>, at: Option<Position>) -> Self {
        Self { severity: Severity::Error, path: path.into(), message: message.into(), help: None, at }
    }

    pub(crate) fn warning(path: impl Into<String>, message: impl Into<String>, at: Option<Position>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(path, message, at) }
    }

    pub(crate) fn note(path: impl Into<String>, message: impl Into<String>, at: Option<Position>) -> Self {
        Self { severity: Severity::Note, ..Self::error(path, message, at) }
    }

    pub(crate) fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Writes the diagnostic in the form of rustc's, with the line in question and its values masked.
    pub(crate) fn render(&self, file: &str, source: &Source<'_>, text: &mut Text) {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let subject = if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) };
        let group = level.primary_title(escaped(&format!("{subject}{}", self.message)));
        let file = escaped(file);
        let excerpt = self.at.and_then(|at| Some((at, source.excerpt(at)?)));
        let group: Group<'_> = match &excerpt {
            Some((at, excerpt)) => group.element(
                Snippet::source(&excerpt.line)
                    .path(&file)
                    .line_start(at.line as usize)
                    .annotation(AnnotationKind::Primary.span(excerpt.span.clone())),
            ),
            None => group.element(match self.at {
                Some(at) => Origin::path(&file).line(at.line as usize).char_column(at.column as usize),
                None => Origin::path(&file),
            }),
        };
        let group = match &self.help {
            Some(help) => group.element(Level::HELP.message(escaped(help))),
            None => group,
        };
        let rendered = Renderer::styled().render(&[group]);
        let rendered = match self.at {
            Some(at) if excerpt.is_some() => with_column(&rendered, at.column),
            // The arrow is aligned with the line numbers, if there are any.
            _ => rendered.replacen('\n', "\n ", 1),
        };
        text.add_rendered(&rendered).end_line().end_line();
    }

    /// Returns the diagnostic as a line of JSON.
    pub(crate) fn to_json(&self, file: &str) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            severity: Severity,
            file: &'a str,
            line: Option<u32>,
            column: Option<u32>,
            path: &'a str,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            help: Option<&'a str>,
        }
        let line = Line {
            severity: self.severity,
            file,
            line: self.at.map(|at| at.line),
            column: self.at.map(|at| at.column),
            path: &self.path,
            message: &self.message,
            help: self.help.as_deref(),
        };
        serde_json::to_string(&line).unwrap_or_default()
    }
}

/// Replaces the column after the file's name: that of the masked line is not the one of the file.
fn with_column(rendered: &str, column: u32) -> String {
    let replaced = |(number, line): (usize, &str)| match line.rsplit_once(':') {
        Some((place, _)) if number == 1 => format!("{place}:{column}"),
        _ => line.to_owned(),
    };
    rendered.lines().enumerate().map(replaced).collect::<Vec<_>>().join("\n")
}
