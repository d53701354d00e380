//! The corpus `tests/cases/*.toml`, shared by all runners: reads it, and compares an outcome with what a case expects.

mod compare;
mod identity;
mod load;
mod message;
mod outcome;
mod request;
mod secrets;
mod source;
#[cfg(not(target_family = "wasm"))]
mod trials;
#[cfg(not(target_family = "wasm"))]
mod update;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use identity::identities_of;
pub use message::{Line, Message, escape};
pub use outcome::{Outcome, Refused, Verdict, counter};
pub use secrets::{assert_no_secret_in, clear_text_of, secrets_of};
#[cfg(not(target_family = "wasm"))]
pub use trials::{Updates, trial, trials};

/// The parts of a record, as filter state names them after `wasm.byok.`.
pub const RECORD_PARTS: [&str; 7] =
    ["decision", "reason", "auth_source", "consumer", "key_id", "provider", "credential_source"];

/// Whether a record may have a part of that name.
pub fn is_record_part(name: &str) -> bool {
    RECORD_PARTS.contains(&name) || name.starts_with("label.")
}

/// Everything in `tests/cases`.
#[derive(Clone)]
pub struct Corpus {
    pub environment: BTreeMap<String, String>,
    pub configurations: Vec<Arc<Configuration>>,
    pub cases: Vec<Arc<Case>>,
    pub refused: Vec<Arc<RefusedConfiguration>>,
    pub warnings: Vec<Arc<WarningConfiguration>>,
}

/// Where a case or configuration is written.
#[derive(Clone, Debug)]
pub struct Location {
    /// The name of the file in `tests/cases`.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
}

impl std::fmt::Display for Location {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "tests/cases/{}:{}", self.file, self.line)
    }
}

/// A named configuration of one file.
pub struct Configuration {
    pub file: String,
    pub name: String,
    pub json: String,
}

/// One request and its expected outcome.
pub struct Case {
    pub at: Location,
    pub name: String,
    pub configuration: Arc<Configuration>,
    pub request: Message,
    pub cluster: Option<String>,
    pub protocol: Protocol,
    /// By the name of an identity: what Envoy says about the caller.
    pub identities: BTreeMap<String, IdentityValue>,
    pub expected: Expected,
    /// Parts of the record: `None` where the part must not be set.
    pub record: BTreeMap<String, Option<String>>,
}

/// The value of an identity's property.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum IdentityValue {
    Text(String),
    List(Vec<String>),
}

impl IdentityValue {
    /// Returns the text, or the items of the list.
    pub fn texts(&self) -> &[String] {
        match self {
            Self::Text(text) => std::slice::from_ref(text),
            Self::List(items) => items,
        }
    }
}

/// How the Envoy runner sends the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    Http1,
    Http2,
}

/// The expected outcome of a request.
pub enum Expected {
    Passed(Message),
    Refused {
        status: u16,
        headers: Vec<(String, String)>,
        body: Option<String>,
        logged_path: Option<Vec<u8>>,
    },
    /// The case does not say; no outcome is right.
    Missing,
}

/// A configuration that is refused, with all its errors.
pub struct RefusedConfiguration {
    pub at: Location,
    pub name: String,
    pub json: String,
    pub errors: Vec<String>,
    /// Whether the native module has what the configuration asks for.
    pub only_in_wasm: bool,
}

/// A configuration that loads, with all its warnings.
pub struct WarningConfiguration {
    pub at: Location,
    pub name: String,
    pub json: String,
    pub warnings: Vec<String>,
}

impl Corpus {
    /// Reads all files; panics if one of them is wrong.
    pub fn load() -> Self {
        load::corpus(source::files()).unwrap_or_else(|error| panic!("tests/cases/{error}"))
    }

    /// Keeps what the predicate wants, given the file and the name.
    pub fn retain(&mut self, keep: impl Fn(&str, &str) -> bool) {
        self.cases.retain(|case| keep(&case.at.file, &case.name));
        self.refused.retain(|refused| keep(&refused.at.file, &refused.name));
        self.warnings.retain(|warning| keep(&warning.at.file, &warning.name));
        self.configurations.retain(|known| self.cases.iter().any(|case| Arc::ptr_eq(&case.configuration, known)));
    }

    /// Returns the value of an environment variable of the VM.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }
}

/// Prints past the test harness, which shows the output of failed tests only.
#[cfg(not(target_family = "wasm"))]
pub fn say(text: &str) {
    use std::io::Write;

    drop(writeln!(std::io::stdout(), "{text}"));
}
