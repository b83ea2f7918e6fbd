//! Recorded answers.

use super::Postgres;
use super::lanes::Read;
use super::pool::{Attempted, Params, Session};
use crate::domain::clock::TimestampMs;
use crate::domain::idempotency::{Attempt, KEPT_FOR_MS, Record, Recorded};
use crate::domain::tenant::TenantName;
use crate::store::IdempotencyStore;
use crate::store::error::{Result, StoreError};
use async_trait::async_trait;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// How many are removed at once.
const SWEEP_LIMIT: i64 = 1_000;

/// $4 is the time before which records no longer count.
pub(super) const READ_RECORDED: &str = "\
SELECT fingerprint, recorded_at, answer FROM idempotency_keys
WHERE tenant_name = $1 AND subject = $2 AND idempotency_key = $3 AND recorded_at >= $4";

/// Makes room for the record of a key that was used long ago.
pub(super) const FORGET_OUTDATED: &str = "\
DELETE FROM idempotency_keys WHERE tenant_name = $1 AND subject = $2 AND idempotency_key = $3 AND recorded_at < $4";

pub(super) const RECORD: &str = "\
INSERT INTO idempotency_keys (tenant_name, subject, idempotency_key, fingerprint, recorded_at, concerns, answer)
VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// Two nodes that sweep at once do not wait for one another.
pub(super) const SWEEP: &str = "\
WITH swept AS (
    DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY (
        SELECT ctid FROM idempotency_keys WHERE recorded_at < $1 ORDER BY recorded_at LIMIT $2 FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1
)
SELECT count(*) AS written FROM swept";

/// A record as it is kept.
pub(super) struct StoredRecord<'a> {
    tenant: &'a str,
    pub subject: &'a str,
    pub key: &'a str,
    fingerprint: &'a [u8],
    at: i64,
    kept_since: i64,
    concerns: String,
    answer: String,
}

impl<'a> StoredRecord<'a> {
    pub(super) fn new(tenant: &'a TenantName, record: &'a Record) -> Result<Self> {
        Self::with(tenant, record, None)
    }

    /// Only the write itself tells whether there was a preference before.
    pub(super) fn of_preference(tenant: &'a TenantName, record: &'a Record, created: bool) -> Result<Self> {
        Self::with(tenant, record, Some(created))
    }

    fn with(tenant: &'a TenantName, record: &'a Record, created: Option<bool>) -> Result<Self> {
        let attempt = &record.attempt;
        Ok(Self {
            tenant: tenant.as_str(),
            subject: &attempt.subject,
            key: attempt.key.as_str(),
            fingerprint: &attempt.fingerprint,
            at: attempt.at.0,
            kept_since: kept_since(attempt),
            concerns: record.concerns.to_stored(),
            answer: record.answer_json(created).map_err(StoreError::internal)?,
        })
    }

    /// For `FORGET_OUTDATED`.
    pub(super) fn outdated(&self) -> [&(dyn ToSql + Sync); 4] {
        [&self.tenant, &self.subject, &self.key, &self.kept_since]
    }

    /// For `RECORD`.
    pub(super) fn values(&self) -> [&(dyn ToSql + Sync); 7] {
        [&self.tenant, &self.subject, &self.key, &self.fingerprint, &self.at, &self.concerns, &self.answer]
    }
}

/// From when on a record still counts at the time of an attempt.
fn kept_since(attempt: &Attempt) -> i64 {
    attempt.at.0.saturating_sub(KEPT_FOR_MS)
}

#[async_trait]
impl IdempotencyStore for Postgres {
    async fn read_recorded(&self, tenant: &TenantName, attempt: &Attempt) -> Result<Option<Recorded>> {
        let params: &Params<'_> = &[&tenant.as_str(), &attempt.subject, &attempt.key.as_str(), &kept_since(attempt)];
        let row = self.lanes.read(Read::Recorded, params).await?;
        row.as_ref().map(recorded).transpose()
    }

    async fn record_answer(&self, tenant: &TenantName, record: &Record) -> Result<()> {
        let record = &StoredRecord::new(tenant, record)?;
        Ok(self.pool.write(|session| record_alone(session, record)).await?)
    }

    async fn sweep_recorded(&self, before: TimestampMs) -> Result<u64> {
        let (before, limit) = (before.0, SWEEP_LIMIT);
        let params: &Params<'_> = &[&before, &limit];
        let row = self.pool.write(|session| async move { session.query_one(SWEEP, params).await }).await?;
        let swept: i64 = row.try_get("written").map_err(StoreError::internal)?;
        Ok(swept.unsigned_abs())
    }
}

async fn record_alone(session: Session, record: &StoredRecord<'_>) -> Attempted<()> {
    session.begin("BEGIN").await?;
    session.record(record).await?;
    session.end(true).await
}

fn recorded(row: &Row) -> Result<Recorded> {
    let fingerprint: &[u8] = row.try_get(0).map_err(StoreError::internal)?;
    Ok(Recorded {
        fingerprint: fingerprint.try_into().map_err(|_| StoreError::internal("a stored fingerprint is none"))?,
        at: TimestampMs(row.try_get(1).map_err(StoreError::internal)?),
        answer_json: row.try_get(2).map_err(StoreError::internal)?,
    })
}
