//! Verification service: keys that the configuration does not list are asked of whoever issued them.
//!
//! All of it is data in, data out: what to ask, what an answer means, which answers are still good. The shell
//! makes the call.

mod answer;
mod cache;
mod inquiries;
mod service;

pub use answer::Answer;
use cache::AnswerCache;
pub use inquiries::{Asked, Inquiries, MAX_WAITING};
pub use service::VerificationService;
pub(crate) use service::{SendAs, is_service_name};

use crate::secret::KeyDigest;

/// A key that the service must be asked about before the request can be decided.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    /// Tells equal questions.
    pub digest: KeyDigest,
    /// The request to send.
    pub headers: ServiceRequest,
}

/// The headers of a request to the service, pseudo-headers included; they may hold a secret.
#[derive(PartialEq, Eq)]
pub struct ServiceRequest(pub(crate) Vec<(Box<str>, Box<str>)>);

impl ServiceRequest {
    /// Hands out names and values: for the service, never for a log.
    pub fn expose(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value)).collect()
    }
}

impl std::fmt::Debug for ServiceRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The answers that are known when a request is decided.
#[derive(Debug, Default)]
pub struct Answers(Vec<(KeyDigest, Answer)>);

impl Answers {
    pub(crate) fn find(&self, digest: KeyDigest) -> Option<&Answer> {
        self.0.iter().find(|(known, _)| *known == digest).map(|(_, answer)| answer)
    }

    /// Whether the service has said nothing yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what the service has said.
    pub fn insert(&mut self, digest: KeyDigest, answer: Answer) {
        self.0.push((digest, answer));
    }
}
