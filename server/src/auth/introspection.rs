//! Opaque tokens: the issuer is asked (RFC 7662), once for all requests that bring the same token, and its answer is
//! good for a short while and never past the token's end.

use super::Refusal;
use super::cache::{TokenHash, caller_bytes};
use super::claims::{Claims, Mandate};
use super::discovery::Discovery;
use super::jwt::{check_times, is_for, time};
use super::outbound::Outbound;
use crate::config::issuer::IntrospectionClient;
use crate::domain::caller::Caller;
use crate::domain::clock::{Clock, TimestampMs};
use quick_cache::Weighter;
use quick_cache::sync::{Cache, EntryAction, EntryResult};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long it is remembered that a token is not active: shortly, because it may have been made just now.
const REFUSED_FOR_MS: i64 = 5_000;
/// How long it is remembered that the issuer does not answer.
const DOWN_FOR_MS: i64 = 1_000;
/// Questions to one issuer at once; forged tokens must not take every place at work.
const MAX_ASKING: usize = 64;
/// The memory that answers take at most.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

#[derive(Debug, Clone)]
struct Answer {
    verdict: Result<Arc<Caller>, Refusal>,
    until: TimestampMs,
}

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<TokenHash, Answer> for Weight {
    fn weight(&self, _: &TokenHash, answer: &Answer) -> u64 {
        match &answer.verdict {
            Ok(caller) => caller_bytes(caller),
            Err(refusal) => 200 + refusal.to_string().len() as u64,
        }
    }
}

/// One issuer, asked as one client.
pub struct Introspector {
    pub http: Outbound,
    pub discovery: Arc<Discovery>,
    pub client: IntrospectionClient,
    pub audience: String,
    pub clock: Arc<dyn Clock>,
    answers: Cache<TokenHash, Answer, Weight>,
    kept_for_ms: i64,
    asking: Semaphore,
}

impl Introspector {
    pub fn new(
        http: Outbound,
        discovery: Arc<Discovery>,
        client: IntrospectionClient,
        audience: &str,
        clock: Arc<dyn Clock>,
        kept_for: Duration,
    ) -> Self {
        Self {
            http,
            discovery,
            client,
            audience: audience.to_owned(),
            clock,
            answers: Cache::with_weighter(10_000, MAX_BYTES, Weight),
            kept_for_ms: i64::try_from(kept_for.as_millis()).unwrap_or(0),
            asking: Semaphore::new(MAX_ASKING),
        }
    }

    /// The caller of an opaque token.
    pub async fn verify(&self, token: &str, hash: TokenHash, mandate: &Mandate) -> Result<Arc<Caller>, Refusal> {
        let now = self.clock.now();
        if let Some(answer) = self.answers.get(&hash).filter(|answer| answer.until > now) {
            return answer.verdict;
        }
        let keep_what_is_good = |_: &TokenHash, answer: &mut Answer| {
            if answer.until > now { EntryAction::Retain(answer.verdict.clone()) } else { EntryAction::ReplaceWithGuard }
        };
        match self.answers.entry_async(&hash, keep_what_is_good).await {
            EntryResult::Retained(verdict) => verdict,
            EntryResult::Vacant(guard) | EntryResult::Replaced(guard, _) => {
                let answer = self.ask(token, mandate).await;
                let verdict = answer.verdict.clone();
                let _ = guard.insert(answer);
                verdict
            }
            EntryResult::Removed(..) | EntryResult::Timeout => Err(unavailable("the cache of answers did not answer".to_owned())),
        }
    }

    async fn ask(&self, token: &str, mandate: &Mandate) -> Answer {
        let answered = self.claims(token).await;
        let now = self.clock.now();
        let judged = answered.and_then(|claims| self.judge(&claims, mandate, now));
        let kept_for_ms = match &judged {
            Ok(_) => self.kept_for_ms,
            Err(Refusal::Invalid(_)) => REFUSED_FOR_MS.min(self.kept_for_ms),
            Err(Refusal::Unavailable { .. }) => DOWN_FOR_MS,
        };
        let kept_until = TimestampMs(now.0.saturating_add(kept_for_ms));
        match judged {
            Ok((caller, until)) => Answer { verdict: Ok(caller), until: until.min(kept_until) },
            Err(refusal) => Answer { verdict: Err(refusal), until: kept_until },
        }
    }

    async fn claims(&self, token: &str) -> Result<Claims, Refusal> {
        let Ok(_place) = self.asking.try_acquire() else { return Err(unavailable("too many questions at once".to_owned())) };
        let endpoints = self.discovery.endpoints().await.map_err(|e| unavailable(e.to_string()))?;
        let Some(url) = endpoints.introspection else { return Err(unavailable("its metadata name no introspection_endpoint".to_owned())) };
        let form = [("token", token), ("token_type_hint", "access_token")];
        let answer = self.http.post(&url, &self.client, &form).await;
        answer.map(with_subject).map_err(|e| {
            tracing::warn!(issuer = %url, cause = %e, "an opaque token could not be introspected");
            self.discovery.forget();
            unavailable(e.to_string())
        })
    }

    /// RFC 7662 §2.2, and §4: the token must be for this service, so an answer without an audience is not enough.
    fn judge(&self, claims: &Claims, mandate: &Mandate, now: TimestampMs) -> Result<(Arc<Caller>, TimestampMs), Refusal> {
        if claims.get("active") != Some(&Value::Bool(true)) {
            return Err(Refusal::invalid("the token is not active: it has expired, was revoked, or is not of the issuer"));
        }
        if claims.get("iss").is_some_and(|iss| *iss != *mandate.issuer) {
            return Err(Refusal::invalid("the token is from another issuer"));
        }
        if !is_for(claims.get("aud"), &self.audience) {
            return Err(Refusal::invalid("the token is for another audience"));
        }
        let expires = time(claims, "exp")?;
        let until = check_times(claims, expires.unwrap_or(TimestampMs(i64::MAX)), now)?;
        // The issuer has judged by its own clock: no leeway beyond its word.
        let until = expires.map_or(until, |expires| expires.min(until));
        Ok((Arc::new(mandate.caller(claims)?), until))
    }
}

/// A client that acts for itself is the subject (RFC 9068 §2.2); some issuers say so of a JWT and leave it out here.
fn with_subject(mut claims: Claims) -> Claims {
    if !claims.contains_key("sub")
        && let Some(client_id) = claims.get("client_id").cloned()
    {
        claims.insert("sub".to_owned(), client_id);
    }
    claims
}

fn unavailable(cause: String) -> Refusal {
    Refusal::Unavailable { detail: "The issuer of the access token cannot be asked about it now: try again shortly.".to_owned(), cause }
}
