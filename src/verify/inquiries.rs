//! Who waits for which answer: equal questions share one call, and there are never more calls than allowed.

use std::collections::HashMap;

use super::{Answer, AnswerCache, Question, ServiceRequest, VerificationService};
use crate::secret::KeyDigest;
use crate::timestamp::Timestamp;

/// How many requests of one worker may wait for an answer. A waiting request costs Envoy its headers and its body's
/// first part, so the number is bounded whatever the service does.
pub const MAX_WAITING: usize = 1_024;

/// The questions of one worker, those with an answer that is still good included.
#[derive(Default)]
pub struct Inquiries {
    cache: AnswerCache,
    /// Asked and not answered yet.
    open: HashMap<KeyDigest, Inquiry>,
    /// How many of the open questions any request waits for.
    awaited: usize,
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
    /// As many calls are under way, or as many requests wait, as there may be.
    Overflow,
}

impl Inquiries {
    /// Asks for `waiter`, a number that identifies its request; a request waits for one answer at a time. `waiting` is how
    /// many requests of the worker wait already, including those whose answer has come and that have not continued yet.
    ///
    /// A call cannot be cancelled. One that no request waits for any more does not count against `max_in_flight`, so that
    /// clients who leave keep nobody else out; together there are at most twice as many.
    pub fn ask(
        &mut self,
        question: Question,
        waiter: u32,
        waiting: usize,
        service: &VerificationService,
        now: Timestamp,
    ) -> Asked {
        if let Some(answer) = self.cache.find(question.digest, now) {
            return Asked::Cached(answer);
        }
        if waiting >= MAX_WAITING {
            return Asked::Overflow;
        }
        let under_way = self.open.len();
        match self.open.get_mut(&question.digest) {
            Some(inquiry) => {
                self.awaited += usize::from(inquiry.waiting.is_empty());
                inquiry.waiting.push(waiter);
                Asked::Shared
            }
            None if self.awaited < service.max_in_flight && under_way < service.max_in_flight.saturating_mul(2) => {
                self.awaited += 1;
                let inquiry = Inquiry { unsent: Some(question.headers), waiting: vec![waiter] };
                self.open.insert(question.digest, inquiry);
                Asked::New
            }
            None => Asked::Overflow,
        }
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
        let waiters = self.open.remove(&digest).map(|inquiry| inquiry.waiting).unwrap_or_default();
        self.awaited -= usize::from(!waiters.is_empty());
        waiters
    }

    /// Forgets a waiter who has gone; a question that nobody waits for is not sent.
    pub fn leave(&mut self, digest: KeyDigest, waiter: u32) {
        let Some(inquiry) = self.open.get_mut(&digest) else { return };
        let Some(at) = inquiry.waiting.iter().position(|waiting| *waiting == waiter) else { return };
        inquiry.waiting.remove(at);
        if inquiry.waiting.is_empty() {
            self.awaited -= 1;
            if inquiry.unsent.is_some() {
                self.open.remove(&digest);
            }
        }
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
        assert!(matches!(inquiries.ask(question("a"), 0, 0, &service(), NOW), Asked::New));
        for waiter in 1..3 {
            assert!(matches!(inquiries.ask(question("a"), waiter, 0, &service(), NOW), Asked::Shared));
        }
        assert_eq!(inquiries.unsent().len(), 1);
        assert!(matches!(inquiries.ask(question("a"), 3, 0, &service(), NOW), Asked::Shared));
        assert_eq!(inquiries.unsent().len(), 0);
        let digest = question("a").digest;
        inquiries.leave(digest, 0);
        assert_eq!(inquiries.answered(digest, &Answer::NotAKey, &service(), NOW), [1, 2, 3]);
        assert!(matches!(inquiries.ask(question("a"), 4, 0, &service(), NOW), Asked::Cached(Answer::NotAKey)));
    }

    #[test]
    fn there_are_never_more_calls_than_allowed() {
        let mut inquiries = Inquiries::default();
        for secret in ["a", "b"] {
            assert!(matches!(inquiries.ask(question(secret), 0, 0, &service(), NOW), Asked::New));
        }
        assert!(matches!(inquiries.ask(question("c"), 0, 0, &service(), NOW), Asked::Overflow));
        inquiries.answered(question("a").digest, &Answer::Unavailable, &service(), NOW);
        assert!(matches!(inquiries.ask(question("a"), 0, 0, &service(), NOW), Asked::New));
    }

    #[test]
    fn a_question_that_nobody_waits_for_is_not_sent_but_one_that_is_sent_stays_open() {
        let mut inquiries = Inquiries::default();
        inquiries.ask(question("a"), 0, 0, &service(), NOW);
        inquiries.leave(question("a").digest, 0);
        assert_eq!(inquiries.unsent().len(), 0);
        inquiries.ask(question("b"), 1, 0, &service(), NOW);
        assert_eq!(inquiries.unsent().len(), 1);
        inquiries.leave(question("b").digest, 1);
        assert!(matches!(inquiries.ask(question("b"), 2, 0, &service(), NOW), Asked::Shared));
        assert_eq!(inquiries.unsent().len(), 0);
    }

    #[test]
    fn calls_of_clients_who_left_keep_nobody_out_and_are_bounded_too() {
        let mut inquiries = Inquiries::default();
        let ask_and_send = |inquiries: &mut Inquiries, secret: &str| {
            let asked = inquiries.ask(question(secret), 0, 0, &service(), NOW);
            inquiries.unsent();
            matches!(asked, Asked::New | Asked::Shared)
        };
        // `max_in_flight` is 2.
        assert!(ask_and_send(&mut inquiries, "a") && ask_and_send(&mut inquiries, "b"));
        assert!(!ask_and_send(&mut inquiries, "c"));
        inquiries.leave(question("a").digest, 0);
        inquiries.leave(question("b").digest, 0);
        assert!(ask_and_send(&mut inquiries, "c") && ask_and_send(&mut inquiries, "d"));
        assert!(!ask_and_send(&mut inquiries, "e"), "two calls are awaited");
        inquiries.leave(question("c").digest, 0);
        assert!(!ask_and_send(&mut inquiries, "e"), "four calls are under way");
        assert!(ask_and_send(&mut inquiries, "a"), "it is under way already");
        inquiries.leave(question("a").digest, 0);
        inquiries.answered(question("b").digest, &Answer::Unavailable, &service(), NOW);
        assert!(ask_and_send(&mut inquiries, "e"));
    }

    #[test]
    fn a_bounded_number_of_requests_waits() {
        let mut inquiries = Inquiries::default();
        let mut ask = |secret, waiting| inquiries.ask(question(secret), 0, waiting, &service(), NOW);
        assert!(matches!(ask("a", MAX_WAITING - 1), Asked::New));
        assert!(matches!(ask("a", MAX_WAITING), Asked::Overflow));
        assert!(matches!(ask("a", MAX_WAITING - 1), Asked::Shared));
    }
}
