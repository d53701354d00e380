//! Errors and warnings of a configuration: where, and what was expected; never what was found.

use std::fmt;

use super::path::Path;
use super::position::{self, Step};

/// A reason why a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The JSON path, as in `consumers[1].keys[0].sha256`.
    pub path: String,
    /// What was expected.
    pub message: String,
}

/// Something that is valid but probably not what the operator intended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The JSON path, as in `consumers[1].keys[0].value`.
    pub path: String,
    /// Why it is probably not intended.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// All errors and warnings so far.
#[derive(Default)]
pub(super) struct Diagnostics {
    pub(super) errors: Vec<ConfigError>,
    pub(super) warnings: Vec<Warning>,
}

impl Diagnostics {
    // One copy of the code in the module, not one at each of its many callers.
    #[inline(never)]
    pub(super) fn error(&mut self, path: Path<'_>, message: &str) {
        self.errors.push(ConfigError { path: path.to_string(), message: message.to_owned() });
    }

    #[inline(never)]
    pub(super) fn warn(&mut self, path: Path<'_>, message: &str) {
        self.warnings.push(Warning { path: path.to_string(), message: message.to_owned() });
    }
}

/// Returns the error without the value that serde quotes, and the steps to where it is.
pub(super) fn from_json(json: &[u8], error: &serde_json::Error) -> (ConfigError, Vec<Step>) {
    let text = error.to_string();
    if error.is_syntax() || error.is_eof() {
        return (ConfigError { path: WHOLE.to_owned(), message: format!("expected JSON: {text}") }, Vec::new());
    }
    let (message, position) = text.rsplit_once(" at line ").unwrap_or((&text, "unknown"));
    let mut steps = position::steps_to(json, error.line(), error.column());
    if message.starts_with("duplicate field") {
        // The name that repeats is no part of the object that it repeats in.
        steps.pop();
    }
    // The quoted value comes before the last of these.
    let expected = message.rsplit_once("expected ").map(|(_, expected)| expected);
    let message = match expected {
        Some(expected) if message.starts_with("unknown field") => format!("unknown field, expected {expected}"),
        Some(expected) if expected.starts_with("struct ") => "expected an object".to_owned(),
        Some("f64") => "expected a number".to_owned(),
        Some(expected) => format!("expected {expected}"),
        // `missing field` and `duplicate field` name a field of ours.
        None if message.starts_with("missing field") || message.starts_with("duplicate field") => message.to_owned(),
        None => "expected another value".to_owned(),
    };
    let path = if steps.is_empty() { WHOLE.to_owned() } else { position::path(&steps) };
    (ConfigError { path, message: format!("{message} (line {position})") }, steps)
}

/// The path of what concerns the document as a whole.
const WHOLE: &str = "configuration";
