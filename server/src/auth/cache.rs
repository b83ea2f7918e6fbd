//! Verified tokens, remembered until they end: by the SHA-256 of the token, so that no token is kept, in bounded memory.
//! A token is forgotten with the keys that it was verified by, so that a key that its issuer withdraws ends its tokens.

use crate::domain::caller::{Caller, TenantAccess};
use crate::domain::clock::TimestampMs;
use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;

/// The memory that remembered tokens take at most, some 60,000 of the usual kind.
const MAX_BYTES: u64 = 32 * 1024 * 1024;
/// What one takes beside its subject and its tenants: key, entry, caller, and the cache's own.
const BASE_BYTES: u64 = 400;

/// Stands for a token.
pub type TokenHash = [u8; 32];

/// The hash of a token.
pub fn hash(token: &str) -> TokenHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

/// A verified token.
#[derive(Debug, Clone)]
pub struct Remembered {
    pub caller: Arc<Caller>,
    pub until: TimestampMs,
    /// By whose keys, and which of them.
    pub verified_by: (usize, u64),
}

/// Weighs what is remembered, roughly.
#[derive(Debug, Clone)]
pub struct Weight;

impl Weighter<TokenHash, Remembered> for Weight {
    fn weight(&self, _: &TokenHash, remembered: &Remembered) -> u64 {
        caller_bytes(&remembered.caller)
    }
}

/// The memory of a caller, roughly.
pub fn caller_bytes(caller: &Caller) -> u64 {
    let tenants = match &caller.tenants {
        TenantAccess::All => 0,
        TenantAccess::Only(names) => names.iter().map(|name| 48 + name.as_str().len()).sum::<usize>(),
    };
    BASE_BYTES + (caller.subject.len() + tenants) as u64
}

/// The tokens that were verified lately.
pub struct TokenCache(Cache<TokenHash, Remembered, Weight>);

impl Default for TokenCache {
    fn default() -> Self {
        Self(Cache::with_weighter(10_000, MAX_BYTES, Weight))
    }
}

impl TokenCache {
    /// The caller of a token that is still good, if it was verified by keys that `is_current` still knows.
    pub fn get(&self, hash: &TokenHash, now: TimestampMs, is_current: impl FnOnce((usize, u64)) -> bool) -> Option<Arc<Caller>> {
        let remembered = self.0.get(hash)?;
        if remembered.until > now && is_current(remembered.verified_by) {
            return Some(remembered.caller);
        }
        self.0.remove(hash);
        None
    }

    pub fn insert(&self, hash: TokenHash, remembered: Remembered) {
        self.0.insert(hash, remembered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remembered(subject: String) -> Remembered {
        let caller = Caller { issuer: "i".into(), subject, scopes: vec![], tenants: TenantAccess::All };
        Remembered { caller: Arc::new(caller), until: TimestampMs(100), verified_by: (0, 1) }
    }

    #[test]
    fn a_token_is_known_until_it_ends_or_its_keys_change() {
        let cache = TokenCache::default();
        cache.insert(hash("t"), remembered("me".into()));
        assert!(cache.get(&hash("t"), TimestampMs(99), |by| by == (0, 1)).is_some());
        assert!(cache.get(&hash("u"), TimestampMs(99), |_| true).is_none());
        assert!(cache.get(&hash("t"), TimestampMs(99), |by| by == (0, 2)).is_none());
        cache.insert(hash("t"), remembered("me".into()));
        assert!(cache.get(&hash("t"), TimestampMs(100), |_| true).is_none());
        assert!(cache.get(&hash("t"), TimestampMs(99), |_| true).is_none(), "what ended is forgotten");
    }

    #[test]
    fn memory_is_bounded() {
        let cache = TokenCache::default();
        for i in 0..300_000 {
            cache.insert(hash(&i.to_string()), remembered("s".repeat(255)));
        }
        assert!(cache.0.weight() <= MAX_BYTES, "{}", cache.0.weight());
        assert!(cache.0.len() > 20_000);
    }
}
