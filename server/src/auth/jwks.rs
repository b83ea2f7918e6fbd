//! An issuer's keys, kept in memory and refreshed in the background.
//!
//! A request reads them without waiting. One that meets an unknown key waits for a refresh, which all such requests
//! share and which is bounded in rate; so a rotation fails no request, and forged key ids cannot make this service
//! flood an issuer. An issuer that does not answer changes nothing for known keys, up to a bounded age.

use super::jwk::Key;
use super::outbound::FetchError;
use crate::telemetry::metrics::METRICS;
use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// A request asks for a refresh no sooner than this after the last one; each time that it was for nothing the pause
/// doubles, up to `LONGEST_PAUSE`.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long a request waits for a refresh to begin; what would begin later is judged by the keys at hand.
const PATIENCE: Duration = Duration::from_millis(1_200);
/// How long a request waits for a refresh to end: longer than its HTTP timeout, shorter than a request's deadline.
const WAIT: Duration = Duration::from_secs(7);
/// Requests that wait for a refresh at once; forged tokens must not take every place at work.
const MAX_WAITING: usize = 64;
/// How soon an issuer that did not answer is asked again, at first and at most.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(30);
/// Keys of one issuer that are kept.
const MAX_KEYS: usize = 128;

/// Where the keys come from.
#[async_trait]
pub trait KeySource: Send + Sync + 'static {
    async fn keys(&self) -> Result<Vec<Map<String, Value>>, FetchError>;
}

#[async_trait]
impl KeySource for super::discovery::Discovery {
    async fn keys(&self) -> Result<Vec<Map<String, Value>>, FetchError> {
        Self::keys(self).await
    }
}

/// How old keys may become.
#[derive(Debug, Clone, Copy)]
pub struct KeyLife {
    pub refresh: Duration,
    pub max_age: Duration,
}

/// The keys as they were published at one moment.
#[derive(Debug)]
struct KeySet {
    published: Vec<Map<String, Value>>,
    keys: Arc<Vec<Arc<Key>>>,
    /// Changes whenever the published keys do.
    generation: u64,
    seen_at: Instant,
}

/// Why there is no key for a token.
#[derive(Debug, PartialEq, Eq)]
pub enum NoKey {
    /// The issuer publishes no such key.
    Unknown,
    /// The issuer publishes it for another algorithm.
    Unfit,
    /// The token names no key, and several would do.
    Ambiguous,
    /// The issuer would have to be asked, and cannot be. Why, for the log.
    Unavailable(String),
}

/// One refresh.
#[derive(Debug, Clone)]
struct Attempt {
    started_at: Instant,
    failure: Option<Arc<str>>,
    /// Before this nobody may ask for another.
    next_from: Instant,
}

struct Shared {
    issuer: String,
    life: KeyLife,
    current: ArcSwapOption<KeySet>,
    asked: Notify,
    attempts: watch::Sender<Option<Attempt>>,
    waiting: Semaphore,
}

/// The keys of one issuer. Dropping it ends the refreshing.
pub struct Keyring {
    shared: Arc<Shared>,
    refresher: AbortHandle,
}

impl Drop for Keyring {
    fn drop(&mut self) {
        self.refresher.abort();
    }
}

impl Keyring {
    /// Begins to fetch the keys, and to keep them fresh. Needs a runtime.
    pub fn start(issuer: &str, source: Arc<dyn KeySource>, life: KeyLife) -> Self {
        let shared = Arc::new(Shared {
            issuer: issuer.to_owned(),
            life,
            current: ArcSwapOption::empty(),
            asked: Notify::new(),
            attempts: watch::Sender::new(None),
            waiting: Semaphore::new(MAX_WAITING),
        });
        let refresher = tokio::spawn(keep_fresh(shared.clone(), source)).abort_handle();
        Self { shared, refresher }
    }

    /// The number of the published keys, or `None` while there are none that may be trusted.
    pub fn generation(&self) -> Option<u64> {
        self.shared.trusted().map(|set| set.generation)
    }

    /// The key by which a token of this header was signed, and the generation that it belongs to.
    pub async fn key(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<(Arc<Key>, u64), NoKey> {
        let asked_at = Instant::now();
        let mut attempts = self.shared.attempts.subscribe();
        let found = self.shared.find(kid, algorithm);
        if !matches!(found, Err(NoKey::Unknown | NoKey::Unavailable(_))) {
            return found;
        }
        let last = attempts.borrow_and_update().clone();
        if last.as_ref().is_some_and(|last| last.next_from > asked_at + PATIENCE) {
            return self.shared.judge(kid, algorithm, last.as_ref());
        }
        let Ok(_place) = self.shared.waiting.try_acquire() else {
            return Err(NoKey::Unavailable("too many requests wait for a refresh of the keys".to_owned()));
        };
        self.shared.asked.notify_one();
        let refreshed = async {
            while attempts.changed().await.is_ok() {
                let attempt = attempts.borrow_and_update().clone();
                let is_later = attempt.as_ref().is_some_and(|attempt| attempt.started_at >= asked_at);
                if is_later || self.shared.find(kid, algorithm).is_ok() {
                    return attempt;
                }
            }
            None
        };
        match tokio::time::timeout(WAIT, refreshed).await {
            Ok(attempt) => self.shared.judge(kid, algorithm, attempt.as_ref()),
            Err(_) => Err(NoKey::Unavailable("the keys were not refreshed in time".to_owned())),
        }
    }
}

impl Shared {
    /// The keys, unless they are too old.
    fn trusted(&self) -> Option<Arc<KeySet>> {
        self.current.load_full().filter(|set| set.seen_at.elapsed() <= self.life.max_age)
    }

    fn somebody_waits(&self) -> bool {
        self.waiting.available_permits() < MAX_WAITING
    }

    fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<(Arc<Key>, u64), NoKey> {
        let set = self.trusted().ok_or_else(|| NoKey::Unavailable("no keys have been fetched, or they are too old".to_owned()))?;
        let named = || set.keys.iter().filter(|key| kid.is_none() || key.kid.as_deref() == kid);
        let mut fitting = named().filter(|key| key.fits(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok((key.clone(), set.generation)),
            (Some(_), Some(_)) => Err(NoKey::Ambiguous),
            (None, _) if kid.is_some() && named().next().is_some() => Err(NoKey::Unfit),
            (None, _) => Err(NoKey::Unknown),
        }
    }

    /// What the keys at hand say, where the last attempt to refresh them ended so.
    fn judge(&self, kid: Option<&str>, algorithm: Algorithm, attempt: Option<&Attempt>) -> Result<(Arc<Key>, u64), NoKey> {
        match (self.find(kid, algorithm), attempt.and_then(|attempt| attempt.failure.as_deref())) {
            (Err(NoKey::Unknown | NoKey::Unavailable(_)), Some(failure)) => Err(NoKey::Unavailable(failure.to_owned())),
            (found, _) => found,
        }
    }

    /// Keeps what was published; whether it differs from what was there.
    fn keep(&self, published: Vec<Map<String, Value>>, seen_at: Instant) -> bool {
        let old = self.current.load_full();
        let same = old.as_ref().filter(|old| old.published == published);
        let is_new = same.is_none();
        let (keys, generation) = match same {
            Some(old) => (old.keys.clone(), old.generation),
            None => {
                let keys: Vec<_> = published.iter().filter_map(Key::from_jwk).take(MAX_KEYS).map(Arc::new).collect();
                let ids: Vec<_> = keys.iter().map(|key| key.kid.as_deref().unwrap_or("-")).collect();
                tracing::info!(issuer = self.issuer, published = published.len(), ?ids, "the issuer's keys are new");
                (Arc::new(keys), old.map_or(1, |old| old.generation + 1))
            }
        };
        self.current.store(Some(Arc::new(KeySet { published, keys, generation, seen_at })));
        is_new
    }
}

async fn keep_fresh(shared: Arc<Shared>, source: Arc<dyn KeySource>) {
    let (mut pause, mut retry) = (SHORTEST_PAUSE, FIRST_RETRY);
    let mut was_asked = false;
    loop {
        let started_at = Instant::now();
        let fetched = source.keys().await;
        METRICS.note_key_refresh(&shared.issuer, fetched.is_ok());
        // The age counts from before the request: so old may the answer be.
        let (failure, next) = match fetched {
            Ok(published) => {
                let is_new = shared.keep(published, started_at);
                retry = FIRST_RETRY;
                pause = if was_asked && !is_new { (pause * 2).min(LONGEST_PAUSE) } else { SHORTEST_PAUSE };
                (None, shared.life.refresh)
            }
            Err(error) => {
                tracing::warn!(issuer = shared.issuer, cause = %error, "the issuer's keys could not be refreshed");
                let next = retry.min(shared.life.refresh);
                retry = (retry * 2).min(LAST_RETRY);
                (Some(Arc::from(error.to_string())), next)
            }
        };
        let ended_at = Instant::now();
        shared.attempts.send_replace(Some(Attempt { started_at, failure, next_from: ended_at + pause }));
        was_asked = loop {
            let asked = async {
                shared.asked.notified().await;
                tokio::time::sleep_until(ended_at + pause).await;
            };
            tokio::select! {
                // Whoever asked may have found the key meanwhile; a refresh for nobody would count as one for nothing.
                () = asked => if shared.somebody_waits() { break true },
                () = tokio::time::sleep_until(ended_at + next) => break false,
            }
        };
    }
}

#[cfg(test)]
mod tests;
