//! Results of the service: bounded, the least recently used goes first, keyed by digest; no secrets.

use std::sync::Arc;

use lru::LruCache;

use crate::model::{Key, LookupResult, VerificationService};
use crate::secret::KeyDigest;
use crate::time::Timestamp;

/// The results of one worker.
///
/// Keys and non-keys are bounded separately, so that a flood of made-up keys evicts no real one.
pub(crate) struct ResultCache {
    keys: LruCache<KeyDigest, KnownKey>,
    /// Until when each is no key.
    others: LruCache<KeyDigest, Timestamp>,
}

/// A key of the service's. It is remembered even after its time, until others are used more recently: if it was valid, it may
/// be used while the service is unavailable, and has a place among the calls.
struct KnownKey {
    key: Arc<Key>,
    fresh_until: Timestamp,
    /// When the service was last unavailable to a question about this key.
    failed_at: Option<Timestamp>,
}

/// What is known of a key whose result is no longer fresh.
pub(crate) enum Outdated {
    /// It was no key that was valid, as far as is remembered.
    Unknown,
    /// It was valid.
    WasValid,
    /// It was valid, and may be used while the service is unavailable, as it was at this time when it was asked.
    Stale(Arc<Key>, Timestamp),
}

impl Default for ResultCache {
    fn default() -> Self {
        Self { keys: LruCache::unbounded(), others: LruCache::unbounded() }
    }
}

impl ResultCache {
    /// Returns a result that is fresh.
    pub(crate) fn find(&mut self, digest: KeyDigest, now: Timestamp) -> Option<LookupResult> {
        if let Some(known) = self.keys.get(&digest) {
            return (known.fresh_until > now).then(|| LookupResult::Key(Arc::clone(&known.key)));
        }
        if *self.others.get(&digest)? > now {
            return Some(LookupResult::NotAKey);
        }
        self.others.pop(&digest);
        None
    }

    /// Returns what is known of a key that [`Self::find`] does not find.
    pub(crate) fn outdated(&self, digest: KeyDigest, service: &VerificationService, now: Timestamp) -> Outdated {
        let Some(known) = self.keys.peek(&digest).filter(|known| known.key.check_validity(now).is_ok()) else {
            return Outdated::Unknown;
        };
        match known.failed_at {
            Some(failed_at) if known.is_usable(service, now) => Outdated::Stale(Arc::clone(&known.key), failed_at),
            _ => Outdated::WasValid,
        }
    }

    /// Remembers that the service is unavailable to a question about a key; returns the key if it stays valid.
    pub(crate) fn use_stale(
        &mut self,
        digest: KeyDigest,
        service: &VerificationService,
        now: Timestamp,
    ) -> Option<Arc<Key>> {
        let known = self.keys.peek_mut(&digest).filter(|known| known.is_usable(service, now))?;
        known.failed_at = Some(now);
        Some(Arc::clone(&known.key))
    }

    /// Caches a result for as long as the configuration says, unless the service was unavailable.
    pub(crate) fn insert(
        &mut self,
        digest: KeyDigest,
        result: &LookupResult,
        service: &VerificationService,
        now: Timestamp,
    ) {
        match result {
            LookupResult::Key(key) => {
                self.others.pop(&digest);
                let fresh_until = now.after(service.cache_ttl);
                self.keys.put(digest, KnownKey { key: Arc::clone(key), fresh_until, failed_at: None });
                if self.keys.len() > service.cache_max_entries {
                    self.keys.pop_lru();
                }
            }
            LookupResult::NotAKey => {
                self.keys.pop(&digest);
                if !service.negative_cache_ttl.is_zero() {
                    self.others.put(digest, now.after(service.negative_cache_ttl));
                    if self.others.len() > service.cache_max_entries {
                        self.others.pop_lru();
                    }
                }
            }
            LookupResult::Unavailable => {}
        }
    }
}

impl KnownKey {
    /// Whether it may be used while the service is unavailable.
    fn is_usable(&self, service: &VerificationService, now: Timestamp) -> bool {
        now < self.fresh_until.after(service.stale_if_error) && self.key.check_validity(now).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::KeyLimits;

    const SERVICE: fn() -> VerificationService = || VerificationService {
        cache_max_entries: 3,
        stale_if_error: Duration::from_secs(100),
        ..crate::lookup::tests::service()
    };

    fn digest(name: u32) -> KeyDigest {
        KeyDigest::of(&name.to_be_bytes())
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::default().after(Duration::from_secs(seconds))
    }

    fn key() -> LookupResult {
        LookupResult::Key(Arc::new(Key::from_service(Some("alice"), digest(0))))
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        for result in [key(), LookupResult::NotAKey] {
            let mut cache = ResultCache::default();
            for name in 0..3 {
                cache.insert(digest(name), &result, &SERVICE(), at(0));
            }
            assert!(cache.find(digest(0), at(1)).is_some());
            cache.insert(digest(3), &result, &SERVICE(), at(1));
            let known: Vec<bool> = (0..4).map(|name| cache.find(digest(name), at(1)).is_some()).collect();
            assert_eq!(known, [true, false, true, true]);
        }
    }

    #[test]
    fn an_answer_is_fresh_until_its_time_and_not_after() {
        let mut cache = ResultCache::default();
        cache.insert(digest(0), &LookupResult::NotAKey, &SERVICE(), at(0));
        cache.insert(digest(1), &key(), &SERVICE(), at(0));
        assert!(cache.find(digest(0), at(4)).is_some() && cache.find(digest(0), at(5)).is_none());
        assert!(cache.find(digest(1), at(59)).is_some() && cache.find(digest(1), at(60)).is_none());
    }

    #[test]
    fn it_never_holds_more_than_its_bound() {
        let mut cache = ResultCache::default();
        for name in 0..1_000 {
            cache.insert(digest(name), &key(), &SERVICE(), at(0));
            cache.insert(digest(name), &key(), &SERVICE(), at(0));
            cache.insert(digest(1_000 + name), &LookupResult::NotAKey, &SERVICE(), at(0));
        }
        assert_eq!((cache.keys.len(), cache.others.len()), (3, 3));
    }

    #[test]
    fn a_key_is_stale_for_as_long_as_the_configuration_says_and_until_the_service_refuses_it() {
        let mut cache = ResultCache::default();
        cache.insert(digest(0), &key(), &SERVICE(), at(0));
        assert!(cache.use_stale(digest(0), &SERVICE(), at(159)).is_some());
        assert!(cache.use_stale(digest(0), &SERVICE(), at(160)).is_none());
        assert!(matches!(cache.outdated(digest(0), &SERVICE(), at(160)), Outdated::WasValid));
        cache.insert(digest(0), &LookupResult::NotAKey, &SERVICE(), at(100));
        assert!(cache.use_stale(digest(0), &SERVICE(), at(120)).is_none());
        assert!(matches!(cache.outdated(digest(0), &SERVICE(), at(120)), Outdated::Unknown));
    }

    #[test]
    fn a_key_that_the_service_has_disabled_or_that_has_expired_is_not_stale() {
        let mut cache = ResultCache::default();
        let limits = |expires_at, disabled| KeyLimits { not_before: Timestamp::MIN, expires_at, disabled };
        let disabled = Key::from_service(None, digest(0)).limited(limits(Timestamp::MAX, true));
        cache.insert(digest(0), &LookupResult::Key(Arc::new(disabled)), &SERVICE(), at(0));
        assert!(matches!(cache.outdated(digest(0), &SERVICE(), at(70)), Outdated::Unknown));
        assert!(cache.use_stale(digest(0), &SERVICE(), at(70)).is_none());
        let expires = Key::from_service(None, digest(1)).limited(limits(at(80), false));
        cache.insert(digest(1), &LookupResult::Key(Arc::new(expires)), &SERVICE(), at(0));
        assert!(cache.use_stale(digest(1), &SERVICE(), at(79)).is_some());
        assert!(cache.use_stale(digest(1), &SERVICE(), at(80)).is_none());
        assert!(matches!(cache.outdated(digest(1), &SERVICE(), at(80)), Outdated::Unknown));
    }

    #[test]
    fn a_key_is_stale_only_after_a_failure() {
        let mut cache = ResultCache::default();
        cache.insert(digest(0), &key(), &SERVICE(), at(0));
        assert!(matches!(cache.outdated(digest(0), &SERVICE(), at(70)), Outdated::WasValid));
        cache.use_stale(digest(0), &SERVICE(), at(70));
        assert!(
            matches!(cache.outdated(digest(0), &SERVICE(), at(71)), Outdated::Stale(_, failed_at) if failed_at == at(70))
        );
        cache.insert(digest(0), &key(), &SERVICE(), at(80));
        assert!(matches!(cache.outdated(digest(0), &SERVICE(), at(150)), Outdated::WasValid));
    }
}
