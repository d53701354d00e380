//! Answers that are still good: bounded, the least recently used goes first, digests instead of secrets.

use lru::LruCache;

use super::{Answer, VerificationService};
use crate::secret::KeyDigest;
use crate::timestamp::Timestamp;

/// The answers of one worker.
///
/// Keys and non-keys are bounded apart: a flood of made-up keys drives no real one out.
#[derive(Default)]
pub(crate) struct AnswerCache {
    keys: Lru,
    others: Lru,
}

impl AnswerCache {
    pub(crate) fn find(&mut self, digest: KeyDigest, now: Timestamp) -> Option<Answer> {
        self.keys.find(digest, now).or_else(|| self.others.find(digest, now))
    }

    /// Keeps an answer for as long as the service's configuration says; no answer is not one to keep.
    pub(crate) fn insert(&mut self, digest: KeyDigest, answer: &Answer, service: &VerificationService, now: Timestamp) {
        let (lru, time_to_live) = match answer {
            Answer::Key(_) => (&mut self.keys, service.cache_ttl),
            Answer::NotAKey => (&mut self.others, service.negative_cache_ttl),
            Answer::Unavailable => return,
        };
        if !time_to_live.is_zero() {
            lru.insert(digest, answer.clone(), now.after(time_to_live), service.cache_max_entries);
        }
    }
}

struct Lru(LruCache<KeyDigest, Entry>);

struct Entry {
    answer: Answer,
    good_until: Timestamp,
}

impl Default for Lru {
    fn default() -> Self {
        Self(LruCache::unbounded())
    }
}

impl Lru {
    fn find(&mut self, digest: KeyDigest, now: Timestamp) -> Option<Answer> {
        let entry = self.0.get(&digest)?;
        if entry.good_until > now {
            return Some(entry.answer.clone());
        }
        self.0.pop(&digest);
        None
    }

    fn insert(&mut self, digest: KeyDigest, answer: Answer, good_until: Timestamp, max_entries: usize) {
        self.0.put(digest, Entry { answer, good_until });
        while self.0.len() > max_entries {
            self.0.pop_lru();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(name: u32) -> KeyDigest {
        KeyDigest::of(&name.to_be_bytes())
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::default().after(std::time::Duration::from_secs(seconds))
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut lru = Lru::default();
        for name in 0..3 {
            lru.insert(digest(name), Answer::NotAKey, at(10), 3);
        }
        assert!(lru.find(digest(0), at(1)).is_some());
        lru.insert(digest(3), Answer::NotAKey, at(10), 3);
        let known: Vec<bool> = (0..4).map(|name| lru.find(digest(name), at(1)).is_some()).collect();
        assert_eq!(known, [true, false, true, true]);
    }

    #[test]
    fn an_answer_is_good_until_its_time_and_not_after() {
        let mut lru = Lru::default();
        lru.insert(digest(0), Answer::NotAKey, at(10), 3);
        assert!(lru.find(digest(0), at(9)).is_some());
        assert!(lru.find(digest(0), at(10)).is_none());
        assert!(lru.0.is_empty());
    }

    #[test]
    fn it_never_holds_more_than_its_bound() {
        let mut lru = Lru::default();
        for name in 0..1_000 {
            lru.insert(digest(name), Answer::NotAKey, at(10), 10);
            lru.insert(digest(name), Answer::NotAKey, at(10), 10);
            assert!(lru.0.len() <= 10);
        }
    }
}
