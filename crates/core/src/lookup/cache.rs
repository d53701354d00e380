//! Results that are still valid: bounded, the least recently used goes first, keyed by digest; no secrets.

use lru::LruCache;

use crate::model::{LookupResult, VerificationService};
use crate::secret::KeyDigest;
use crate::time::Timestamp;

/// The results of one worker.
///
/// Keys and non-keys are bounded separately, so that a flood of made-up keys evicts no real one.
#[derive(Default)]
pub(crate) struct ResultCache {
    keys: Lru,
    others: Lru,
}

impl ResultCache {
    pub(crate) fn find(&mut self, digest: KeyDigest, now: Timestamp) -> Option<LookupResult> {
        self.keys.find(digest, now).or_else(|| self.others.find(digest, now))
    }

    /// Caches a result for as long as the configuration says, unless the service was unavailable.
    pub(crate) fn insert(
        &mut self,
        digest: KeyDigest,
        result: &LookupResult,
        service: &VerificationService,
        now: Timestamp,
    ) {
        let (lru, time_to_live) = match result {
            LookupResult::Key(_) => (&mut self.keys, service.cache_ttl),
            LookupResult::NotAKey => (&mut self.others, service.negative_cache_ttl),
            LookupResult::Unavailable => return,
        };
        if !time_to_live.is_zero() {
            lru.insert(digest, result.clone(), now.after(time_to_live), service.cache_max_entries);
        }
    }
}

struct Lru(LruCache<KeyDigest, Entry>);

struct Entry {
    result: LookupResult,
    valid_until: Timestamp,
}

impl Default for Lru {
    fn default() -> Self {
        Self(LruCache::unbounded())
    }
}

impl Lru {
    fn find(&mut self, digest: KeyDigest, now: Timestamp) -> Option<LookupResult> {
        let entry = self.0.get(&digest)?;
        if entry.valid_until > now {
            return Some(entry.result.clone());
        }
        self.0.pop(&digest);
        None
    }

    fn insert(&mut self, digest: KeyDigest, result: LookupResult, valid_until: Timestamp, max_entries: usize) {
        self.0.put(digest, Entry { result, valid_until });
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
            lru.insert(digest(name), LookupResult::NotAKey, at(10), 3);
        }
        assert!(lru.find(digest(0), at(1)).is_some());
        lru.insert(digest(3), LookupResult::NotAKey, at(10), 3);
        let known: Vec<bool> = (0..4).map(|name| lru.find(digest(name), at(1)).is_some()).collect();
        assert_eq!(known, [true, false, true, true]);
    }

    #[test]
    fn an_answer_is_valid_until_its_time_and_not_after() {
        let mut lru = Lru::default();
        lru.insert(digest(0), LookupResult::NotAKey, at(10), 3);
        assert!(lru.find(digest(0), at(9)).is_some());
        assert!(lru.find(digest(0), at(10)).is_none());
        assert!(lru.0.is_empty());
    }

    #[test]
    fn it_never_holds_more_than_its_bound() {
        let mut lru = Lru::default();
        for name in 0..1_000 {
            lru.insert(digest(name), LookupResult::NotAKey, at(10), 10);
            lru.insert(digest(name), LookupResult::NotAKey, at(10), 10);
            assert!(lru.0.len() <= 10);
        }
    }
}
