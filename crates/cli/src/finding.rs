//! What a check found: where, and what was expected; never what was found there.

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::document::Position;
use super::output::Text;

/// Something wrong or doubtful in a file.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    /// The JSON path within the filter's configuration, or what surrounds it.
    pub(super) path: String,
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) at: Option<Position>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    Error,
    Warning,
}

impl Finding {
    pub(super) fn error(path: impl Into<String>, message: impl Into<String>, at: Option<Position>) -> Self {
        Self { severity: Severity::Error, path: path.into(), message: message.into(), help: None, at }
    }

    pub(super) fn warning(path: impl Into<String>, message: impl Into<String>, at: Option<Position>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(path, message, at) }
    }

    /// Writes the finding as compilers do, with the colours of a terminal.
    pub(super) fn render(&self, file: &str, text: &mut Text) {
        let (word, colour) = match self.severity {
            Severity::Error => ("error", AnsiColor::Red),
            Severity::Warning => ("warning", AnsiColor::Yellow),
        };
        let (loud, bold, quiet) =
            (colour.on_default().bold(), Style::new().bold(), AnsiColor::Blue.on_default().bold());
        let subject = if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) };
        let place = self.at.map_or_else(|| file.to_owned(), |at| format!("{file}:{at}"));
        text.styled(loud, word).styled(bold, &format!(": {subject}{}", self.message)).end_line();
        text.add("  ").styled(quiet, "-->").add(&format!(" {place}")).end_line();
        if let Some(help) = &self.help {
            text.add("   ").styled(quiet, "=").add(" ").styled(bold, "help").add(&format!(": {help}")).end_line();
        }
        text.end_line();
    }

    /// Returns the finding as a line of JSON.
    pub(super) fn to_json(&self, file: &str) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            severity: Severity,
            file: &'a str,
            line: Option<usize>,
            column: Option<usize>,
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
