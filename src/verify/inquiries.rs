//! Who waits for which answer: equal questions share one call, and there are never more calls than allowed.

use std::collections::HashMap;

use super::{Answer, AnswerCache, Question, ServiceRequest, VerificationService};
use crate::secret::KeyDigest;
use crate::timestamp::Timestamp;

/// The questions of one worker, those with an answer that is still good included.
#[derive(Default)]
pub struct Inquiries {
    cache: AnswerCache,
    /// Asked and not answered yet.
    open: HashMap<KeyDigest, Inquiry>,
}

struct Inquiry {
    /// What to send; `None` once it is sent.
    unsent: Option<ServiceRequest>,
    waiting: Vec<u32>,
}

/// What came of a question.
#[derive(Debug)]
pub enum Asked {
    /// The answer is known.
    Cached(Answer),
    /// It is to be asked, and will be told: see [`Inquiries::unsent`] and [`Inquiries::answered`].
    New,
    /// Another request has asked it before, and the answer will be told to both.
    Shared,
    /// There are as many calls under way as there may be.
    Overflow,
}

impl Inquiries {
    /// Asks for `waiter`, a number that stands for its request.
    pub fn ask(&mut self, question: Question, waiter: u32, service: &VerificationService, now: Timestamp) -> Asked {
        if let Some(answer) = self.cache.find(question.digest, now) {
            return Asked::Cached(answer);
        }
        if let Some(inquiry) = self.open.get_mut(&question.digest) {
            inquiry.waiting.push(waiter);
            return Asked::Shared;
        }
        if self.open.len() >= service.max_in_flight {
            return Asked::Overflow;
        }
        self.open.insert(question.digest, Inquiry { unsent: Some(question.headers), waiting: vec![waiter] });
        Asked::New
    }

    /// Returns what is still to be sent; each request is returned once.
    pub fn unsent(&mut self) -> Vec<Question> {
        let unsent = |(digest, inquiry): (&KeyDigest, &mut Inquiry)| {
            Some(Question { digest: *digest, headers: inquiry.unsent.take()? })
        };
        self.open.iter_mut().filter_map(unsent).collect()
    }

    /// Keeps the answer as long as it is good and returns who waits for it.
    pub fn answered(
        &mut self,
        digest: KeyDigest,
        answer: &Answer,
        service: &VerificationService,
        now: Timestamp,
    ) -> Vec<u32> {
        self.cache.insert(digest, answer, service, now);
        self.open.remove(&digest).map(|inquiry| inquiry.waiting).unwrap_or_default()
    }

    /// Forgets a waiter who has gone; a question that nobody waits for is not sent.
    pub fn leave(&mut self, waiter: u32) {
        self.open.retain(|_, inquiry| {
            inquiry.waiting.retain(|waiting| *waiting != waiter);
            inquiry.unsent.is_none() || !inquiry.waiting.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::verify::SendAs;

    fn service() -> VerificationService {
        VerificationService {
            cluster: "issuer".into(),
            authority: "issuer".into(),
            path: "/key/info".into(),
            send_as: SendAs::Sha256Query("key".into()),
            service_key: None,
            timeout: Duration::from_secs(2),
            cache_ttl: Duration::from_secs(60),
            negative_cache_ttl: Duration::from_secs(5),
            cache_max_entries: 10,
            max_in_flight: 2,
            consumer_from: None,
        }
    }

    fn question(secret: &str) -> Question {
        let digest = KeyDigest::of(secret.as_bytes());
        Question { digest, headers: service().request(secret.as_bytes(), digest) }
    }

    const NOW: Timestamp = Timestamp::MIN;

    #[test]
    fn equal_questions_share_one_call() {
        let mut inquiries = Inquiries::default();
        assert!(matches!(inquiries.ask(question("a"), 0, &service(), NOW), Asked::New));
        for waiter in 1..3 {
            assert!(matches!(inquiries.ask(question("a"), waiter, &service(), NOW), Asked::Shared));
        }
        assert_eq!(inquiries.unsent().len(), 1);
        assert!(matches!(inquiries.ask(question("a"), 3, &service(), NOW), Asked::Shared));
        assert_eq!(inquiries.unsent().len(), 0);
        inquiries.leave(0);
        let digest = question("a").digest;
        assert_eq!(inquiries.answered(digest, &Answer::NotAKey, &service(), NOW), [1, 2, 3]);
        assert!(matches!(inquiries.ask(question("a"), 4, &service(), NOW), Asked::Cached(Answer::NotAKey)));
    }

    #[test]
    fn there_are_never_more_calls_than_allowed() {
        let mut inquiries = Inquiries::default();
        for secret in ["a", "b"] {
            assert!(matches!(inquiries.ask(question(secret), 0, &service(), NOW), Asked::New));
        }
        assert!(matches!(inquiries.ask(question("c"), 0, &service(), NOW), Asked::Overflow));
        inquiries.answered(question("a").digest, &Answer::Unavailable, &service(), NOW);
        assert!(matches!(inquiries.ask(question("a"), 0, &service(), NOW), Asked::New));
    }

    #[test]
    fn a_question_that_nobody_waits_for_is_not_sent_but_one_that_is_sent_stays_open() {
        let mut inquiries = Inquiries::default();
        inquiries.ask(question("a"), 0, &service(), NOW);
        inquiries.leave(0);
        assert_eq!(inquiries.unsent().len(), 0);
        inquiries.ask(question("b"), 1, &service(), NOW);
        assert_eq!(inquiries.unsent().len(), 1);
        inquiries.leave(1);
        assert!(matches!(inquiries.ask(question("b"), 2, &service(), NOW), Asked::Shared));
        assert_eq!(inquiries.unsent().len(), 0);
    }
}
