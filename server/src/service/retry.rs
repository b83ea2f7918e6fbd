//! Two kinds of retry: the client's, which gets its first answer again, and ours, when a compare-and-swap was lost.

use super::error::{Error, Result};
use crate::domain::caller::Reach;
use crate::domain::idempotency::{Attempt, Written};
use crate::domain::profile::ProfileId;
use crate::domain::tenant::TenantName;
use crate::store::Store;
use std::future::Future;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// What a key was used for.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'a> {
    /// A tenant's users: a suspended tenant answers no repeats either, nor does a token that reaches less by now.
    Users(&'a Reach),
    /// Tenants themselves, suspended or not.
    Administration,
}

/// Runs a write unless its key has an answer already. A write that fails may have lost against its own twin: then the
/// twin's answer counts.
pub(super) async fn once<F>(
    store: &dyn Store,
    purpose: Purpose<'_>,
    tenant: &TenantName,
    attempt: Option<&Attempt>,
    write: F,
) -> Result<Written>
where
    F: Future<Output = Result<Written>> + Send,
{
    let Some(attempt) = attempt else { return write.await };
    if let Some(answer) = recorded(store, purpose, tenant, attempt).await? {
        return Ok(answer);
    }
    match write.await {
        Err(error) if may_be_twin(&error) => match recorded(store, purpose, tenant, attempt).await? {
            Some(answer) => Ok(answer),
            None => Err(error),
        },
        outcome => outcome,
    }
}

async fn recorded(store: &dyn Store, purpose: Purpose<'_>, tenant: &TenantName, attempt: &Attempt) -> Result<Option<Written>> {
    let Some(recorded) = store.read_recorded(tenant, attempt).await? else { return Ok(None) };
    if matches!(purpose, Purpose::Users(_)) && store.read_tenant(tenant).await?.is_some_and(|tenant| tenant.suspended) {
        return Err(Error::TenantSuspended);
    }
    if recorded.fingerprint != attempt.fingerprint {
        return Err(Error::KeyReused);
    }
    let json = recorded.answer_json.ok_or(Error::AnswerErased)?;
    let answer: Written = serde_json::from_str(&json).map_err(|e| Error::Internal(e.into()))?;
    match (purpose, &answer) {
        (Purpose::Users(reach), Written::Profile { profile, .. }) if !reach.covers_profile(profile) => Err(Error::NotFound("profile")),
        _ => Ok(Some(answer)),
    }
}

fn may_be_twin(error: &Error) -> bool {
    matches!(error, Error::Duplicate { .. } | Error::NotFound(_) | Error::PreconditionFailed(_) | Error::Contended)
}

const STRIPES: usize = 64;
const MAX_ROUNDS: u32 = 64;

/// Queues for profiles that many change at once: whoever loses a compare-and-swap goes on in turn, so that within a
/// node nobody loses for ever. Nobody waits here who has not lost once.
pub(super) struct Turns {
    stripes: Vec<Mutex<()>>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { stripes: (0..STRIPES).map(|_| Mutex::new(())).collect() }
    }

    /// Repeats `swap` until it gives an answer; `None` means that the compare-and-swap was lost.
    pub(super) async fn until_swapped<F, Fut>(&self, profile_id: ProfileId, mut swap: F) -> Result<Written>
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<Option<Written>>> + Send,
    {
        if let Some(written) = swap().await? {
            return Ok(written);
        }
        let _turn = self.turn(profile_id).await;
        for round in 0..MAX_ROUNDS {
            if let Some(written) = swap().await? {
                return Ok(written);
            }
            // Lost to another node: it comes to an end soon.
            tokio::time::sleep(Duration::from_millis(u64::from(round.min(10)))).await;
        }
        Err(Error::Contended)
    }

    async fn turn(&self, profile_id: ProfileId) -> MutexGuard<'_, ()> {
        let stripe = usize::from(profile_id.0.as_bytes()[15]) % STRIPES;
        self.stripes[stripe].lock().await
    }
}
