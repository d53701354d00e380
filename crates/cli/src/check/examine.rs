//! What the filter says about a configuration, and the rest of the errors of form that it would report one by one.

use byok_core::config::{self, ConfigError};
use byok_core::{KeyDigest, Loaded, Policy, Secrets};

use super::form;
use crate::diagnostic::Diagnostic;
use crate::document::{Located, Node, Value};

/// At most as many errors are reported for a configuration.
pub(super) const MAX_ERRORS: usize = 50;

/// The result for one configuration.
pub(crate) struct Verdict {
    pub(crate) errors: Vec<Diagnostic>,
    /// Present if there are no errors.
    pub(crate) loaded: Option<Loaded>,
    /// Whether more errors may show once these are corrected.
    pub(crate) is_partial: bool,
}

/// Loads a configuration as the filter does; `variable` returns the value of an environment variable, if it is set. Secrets
/// that Envoy delivers are not known here: with `has_sds` each has a placeholder.
pub(crate) fn examine(root: &Node, variable: &dyn Fn(&str) -> Option<String>, has_sds: bool) -> Verdict {
    let json = root.to_json();
    let placeholder = |name: &str, _: &str| Some(format!("undelivered:{}", KeyDigest::of(name.as_bytes()).to_hex()));
    let sds_secret: &dyn Fn(&str, &str) -> Option<String> = &placeholder;
    let errors = match Policy::load(&json, Secrets { variable, sds_secret: has_sds.then_some(sds_secret) }) {
        Ok(loaded) => return Verdict { errors: Vec::new(), loaded: Some(loaded), is_partial: false },
        Err(errors) => errors,
    };
    let located = Located::new(root);
    // A document of the wrong form yields one error from the filter; the schema knows the others.
    let (errors, is_partial) = match config::error_of_form(json.as_bytes()) {
        Some((error, _)) => (form::errors(root, &located, &error), true),
        None => {
            let is_partial = errors.len() > MAX_ERRORS;
            let diagnostic = |error: ConfigError| diagnostic(&located, error.path, error.message);
            (errors.into_iter().take(MAX_ERRORS).map(diagnostic).collect(), is_partial)
        }
    };
    Verdict { errors, loaded: None, is_partial }
}

/// Returns the error of a value, with help if it can be guessed what was meant.
pub(super) fn diagnostic(located: &Located<'_>, path: String, message: String) -> Diagnostic {
    let node = located.node(&path);
    let help = match &node.value {
        Value::BareWord(_) => Some("YAML reads a bare on, off, yes or no as a boolean: put it in quotes".to_owned()),
        Value::Text(text, _) => similar(text, &message).map(did_you_mean),
        _ => None,
    };
    let help = help.or_else(|| next_step(&path, &message).map(str::to_owned));
    Diagnostic { help, ..Diagnostic::error(path, message, Some(node.at)) }
}

/// Returns what to do about an error or a warning of the filter, where its message does not say it.
pub(super) fn next_step(path: &str, message: &str) -> Option<&'static str> {
    if message.starts_with("is in clear text") {
        let is_proxy_key = path.contains(".keys[");
        return Some(if is_proxy_key {
            "replace it with sha256: byok hash prints the digest of a key"
        } else {
            "replace it with environment_variable"
        });
    }
    const NEXT_STEPS: [(&str, &str); 3] = [
        ("expected 64 hex digits", "byok hash prints the digest of a key"),
        ("expected at least one key", "byok generate makes a key and its entry"),
        ("no credential can ever reach it", "set byok to \"preferred\" or \"required\", or add a deployment_key"),
    ];
    NEXT_STEPS.iter().find(|(start, _)| message.starts_with(start)).map(|(_, step)| *step)
}

pub(super) fn did_you_mean(word: &str) -> String {
    format!("did you mean `{word}`?")
}

/// Returns the word that was probably meant, of those that a message offers as `expected one of …`.
pub(super) fn similar<'m>(found: &str, message: &'m str) -> Option<&'m str> {
    const MAX_LENGTH: usize = 64;
    let (_, offered) = message.split_once("expected ")?;
    if found.len() > MAX_LENGTH || !offered.starts_with(['`']) && !offered.starts_with("one of ") {
        return None;
    }
    let words = offered.trim_start_matches("one of ").split(", ").map(|word| word.trim_matches('`'));
    let near = words.map(|word| (strsim::jaro_winkler(&found.to_ascii_lowercase(), word), word));
    near.filter(|(likeness, _)| *likeness > 0.85).max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, word)| word)
}
