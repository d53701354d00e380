//! What became of a request, the same for every runner.

use std::collections::BTreeMap;
use std::fmt;

use super::Message;
use super::message::escape;

/// What a runner has seen.
pub struct Outcome {
    pub verdict: Verdict,
    /// The parts of the record that are set.
    pub record: BTreeMap<String, String>,
}

/// Where the request went.
pub enum Verdict {
    /// What the upstream received.
    Passed(Message),
    /// The request passed to where nobody could look at it (a cluster `none` in Envoy).
    PassedUnseen,
    Refused(Refused),
}

/// The answer of the filter's own.
pub struct Refused {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub details: String,
    /// What an access log shows of `:path`; `None` where there is none, or none that the runner can see.
    pub logged_path: Option<Vec<u8>>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Passed(message) => write!(out, "passed\n{message}")?,
            Verdict::PassedUnseen => write!(out, "passed, out of sight")?,
            Verdict::Refused(refused) => {
                write!(out, "refused with {} ({})", refused.status, refused.details)?;
                for (name, value) in &refused.headers {
                    write!(out, "\n{name}: {value}")?;
                }
                write!(out, "\n{}", escape(&refused.body))?;
            }
        }
        for (part, value) in &self.record {
            write!(out, "\n[{part} = {value}]")?;
        }
        Ok(())
    }
}

/// The name of the counter that belongs to a record with all the parts that it is made of; of a source's name only letters,
/// digits and `-` are kept.
pub fn counter(record: &BTreeMap<String, String>) -> Option<String> {
    let part = |name: &str| record.get(name).map(String::as_str);
    let source = part("auth_source")?.replace(|char: char| !char.is_ascii_alphanumeric() && char != '-', "_");
    Some(format!(
        "byok.decision.{}.reason.{}.auth_source.{source}.credential.{}.requests",
        part("decision")?,
        part("reason")?,
        part("credential_source")?
    ))
}
