//! Old objects go behind the answer.

use super::error::Result;
use crate::domain::cause::chain;
use crate::telemetry::traces::Present;
use std::time::Duration;

/// How long an answer waits for old objects to go; they go on going behind it.
const WAIT_FOR_ERASURE: Duration = Duration::from_secs(2);

/// Runs to its end even if the request is given up; waits for that a little. What fails is found by `images gc`.
pub async fn erase_behind(what: &'static str, erasure: impl Future<Output = Result<()>> + Send + 'static) {
    let task = tokio::spawn(Present::get().around(async move {
        if let Err(error) = erasure.await {
            tracing::warn!(what, cause = chain(&error), "not removed; `n_users images gc` will find it");
        }
    }));
    let _ = tokio::time::timeout(WAIT_FOR_ERASURE, task).await;
}
