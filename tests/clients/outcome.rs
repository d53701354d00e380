//! What a client made of its call.

use std::time::Duration;

/// A part of the filter's message about an unknown key.
const MESSAGE: &str = "is not known; looked at";

#[derive(Debug)]
pub(crate) enum Outcome {
    /// The text that the client shows, and how long after the provider began it showed the first part of it; `None`
    /// where the provider had sent everything by then.
    Answer { text: String, first: Option<Duration> },
    /// How the client calls the error, and what it says of it.
    Refusal { name: String, message: String },
}

impl Outcome {
    pub(crate) fn shown(&self, streamed: bool) -> String {
        match self {
            Self::Answer { text, .. } if text != "hello" => format!("answer `{text}`"),
            Self::Answer { first: None, .. } if streamed => "answer, but not as it is streamed".to_owned(),
            Self::Answer { .. } if streamed => "answer as it is streamed".to_owned(),
            Self::Answer { .. } => "answer".to_owned(),
            Self::Refusal { name, message } if message.contains(MESSAGE) => format!("{name} with the filter's message"),
            Self::Refusal { name, .. } => name.clone(),
        }
    }
}
