//! The corpus `tests/cases/*.toml`, shared by all runners: reading it, and holding an outcome against it.
#![allow(dead_code, unused_imports, reason = "each runner uses its part")]

mod compare;
mod load;
mod message;
mod outcome;
mod request;
mod secrets;
mod source;
mod tally;
mod wire;

use std::collections::BTreeMap;
use std::rc::Rc;

pub(crate) use message::{Line, Message, escape};
pub(crate) use outcome::{Outcome, Refused, Verdict, counter};
pub(crate) use secrets::{assert_no_secret_in, clear_text_of, secrets_of};
pub(crate) use tally::{Tally, say};

/// The parts of a record, as filter state names them behind `wasm.byok.`.
pub(crate) const RECORD_PARTS: [&str; 7] =
    ["decision", "reason", "auth_source", "consumer", "key_id", "provider", "credential_source"];

/// Everything that `tests/cases` holds.
pub(crate) struct Corpus {
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) configurations: Vec<Rc<Configuration>>,
    pub(crate) cases: Vec<Case>,
    pub(crate) refused: Vec<RefusedConfiguration>,
    pub(crate) doubtful: Vec<DoubtfulConfiguration>,
}

/// A named configuration of one file.
pub(crate) struct Configuration {
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) json: String,
}

/// One request and what must become of it.
pub(crate) struct Case {
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) configuration: Rc<Configuration>,
    pub(crate) request: Message,
    pub(crate) cluster: Option<String>,
    pub(crate) protocol: Protocol,
    pub(crate) expected: Expected,
    /// Parts of the record: `None` where the part must not be set.
    pub(crate) record: BTreeMap<String, Option<String>>,
}

/// How the Envoy runner sends the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// What must become of a request.
pub(crate) enum Expected {
    Passed(Message),
    Refused { status: u16, headers: Vec<(String, String)>, body: Option<String>, logged_path: Option<Vec<u8>> },
}

/// A configuration that does not hold, and all its errors.
pub(crate) struct RefusedConfiguration {
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) json: String,
    pub(crate) errors: Vec<String>,
}

/// A configuration that loads, and all its warnings.
pub(crate) struct DoubtfulConfiguration {
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) json: String,
    pub(crate) warnings: Vec<String>,
}

impl Corpus {
    /// Reads all files, or says what is wrong with them.
    ///
    /// With `CASE=text` in the environment only what has that text in its name is kept, for a person who is at one case.
    pub(crate) fn load() -> Self {
        let mut corpus = load::corpus(source::files()).unwrap_or_else(|error| panic!("tests/cases: {error}"));
        if let Some(text) = source::selection() {
            say(&format!("only what has `{text}` in its name"));
            corpus.cases.retain(|case| case.name.contains(&text));
            corpus.refused.retain(|refused| refused.name.contains(&text));
            corpus.doubtful.retain(|doubtful| doubtful.name.contains(&text));
            corpus
                .configurations
                .retain(|known| corpus.cases.iter().any(|case| Rc::ptr_eq(&case.configuration, known)));
        }
        corpus
    }

    /// The cases of one configuration.
    pub(crate) fn cases_of(&self, configuration: &Rc<Configuration>) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(move |case| Rc::ptr_eq(&case.configuration, configuration))
    }

    /// Answers as the environment of the VM does.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }
}
