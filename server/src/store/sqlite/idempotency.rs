//! Recorded answers. A record is claimed before the write that it belongs to, so that of two equal requests the second
//! learns that it is a repeat, and not that it collides with the first.

use super::writer::Verdict;
use super::{Sqlite, rows};
use crate::domain::clock::TimestampMs;
use crate::domain::idempotency::{Attempt, Concerns, KEPT_FOR_MS, Record, Recorded};
use crate::domain::tenant::TenantName;
use crate::store::{IdempotencyStore, Result, StoreError, Uniqueness};
use async_trait::async_trait;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The most that one sweep removes, so that it never holds up the writes behind it for long.
const SWEPT_AT_ONCE: u32 = 1_000;

statements! {
    /// Takes the place of a row only when that is too old to count.
    CLAIM_RECORD = "INSERT INTO idempotency_keys (tenant_name, subject, idempotency_key, fingerprint, recorded_at, concerns, answer)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (tenant_name, subject, idempotency_key) DO UPDATE SET fingerprint = excluded.fingerprint,
            recorded_at = excluded.recorded_at, concerns = excluded.concerns, answer = excluded.answer
        WHERE idempotency_keys.recorded_at < ?8";
    READ_RECORD = "SELECT fingerprint, recorded_at, answer FROM idempotency_keys
        WHERE tenant_name = ?1 AND subject = ?2 AND idempotency_key = ?3 AND recorded_at >= ?4";
    SWEEP_RECORDS = "DELETE FROM idempotency_keys WHERE rowid IN
        (SELECT rowid FROM idempotency_keys WHERE recorded_at < ?1 ORDER BY recorded_at LIMIT ?2)";
    /// All that concern this but the one under the given key.
    ERASE_ANSWERS = "UPDATE idempotency_keys SET answer = NULL
        WHERE tenant_name = ?1 AND concerns = ?2 AND (subject IS NOT ?3 OR idempotency_key IS NOT ?4)";
    /// All of a tenant but the one under the given key.
    DELETE_RECORDS = "DELETE FROM idempotency_keys
        WHERE tenant_name = ?1 AND (subject IS NOT ?2 OR idempotency_key IS NOT ?3)";
}

/// Records the answer; `Duplicate` when the key is taken.
pub(super) fn claim_record(connection: &Connection, tenant: &TenantName, record: Option<&Record>, created: Option<bool>) -> Result<()> {
    let Some(record) = record else { return Ok(()) };
    let attempt = &record.attempt;
    let claimed = connection.prepare_cached(CLAIM_RECORD)?.execute(params![
        tenant.as_str(),
        attempt.subject,
        attempt.key.as_str(),
        attempt.fingerprint.as_slice(),
        attempt.at.0,
        record.concerns.to_stored(),
        record.answer_json(created).map_err(StoreError::internal)?,
        oldest_kept(attempt),
    ])?;
    if claimed == 1 { Ok(()) } else { Err(StoreError::Duplicate(Uniqueness::IdempotencyKey)) }
}

/// Erases the answers that show this, but not the one that is being recorded.
pub(super) fn erase_answers(connection: &Connection, tenant: &TenantName, concerns: &Concerns, kept: Option<&Record>) -> Result<()> {
    let (subject, key) = key_of(kept);
    connection.prepare_cached(ERASE_ANSWERS)?.execute(params![tenant.as_str(), concerns.to_stored(), subject, key])?;
    Ok(())
}

/// Removes all records of a tenant, but not the one that is being made.
pub(super) fn delete_records(connection: &Connection, tenant: &TenantName, kept: Option<&Record>) -> Result<()> {
    let (subject, key) = key_of(kept);
    connection.prepare_cached(DELETE_RECORDS)?.execute(params![tenant.as_str(), subject, key])?;
    Ok(())
}

fn key_of(record: Option<&Record>) -> (Option<&str>, Option<&str>) {
    record.map(|record| (record.attempt.subject.as_str(), record.attempt.key.as_str())).unzip()
}

fn oldest_kept(attempt: &Attempt) -> i64 {
    attempt.at.0.saturating_sub(KEPT_FOR_MS)
}

#[async_trait]
impl IdempotencyStore for Sqlite {
    async fn read_recorded(&self, tenant: &TenantName, attempt: &Attempt) -> Result<Option<Recorded>> {
        self.read(|connection| {
            let key = params![tenant.as_str(), attempt.subject, attempt.key.as_str(), oldest_kept(attempt)];
            Ok(connection.prepare_cached(READ_RECORD)?.query_row(key, recorded).optional()?)
        })
        .await
    }

    async fn record_answer(&self, tenant: &TenantName, record: &Record) -> Result<()> {
        let (tenant, record) = (tenant.clone(), record.clone());
        self.write(move |connection| {
            claim_record(connection, &tenant, Some(&record), None)?;
            Ok(Verdict::Keep(()))
        })
        .await
    }

    async fn sweep_recorded(&self, before: TimestampMs) -> Result<u64> {
        self.write(move |connection| {
            let swept = connection.prepare_cached(SWEEP_RECORDS)?.execute(params![before.0, SWEPT_AT_ONCE])?;
            Ok(Verdict::Keep(swept as u64))
        })
        .await
    }
}

fn recorded(row: &Row<'_>) -> rusqlite::Result<Recorded> {
    let fingerprint: Vec<u8> = row.get(0)?;
    let fingerprint = fingerprint.try_into().map_err(|_| rows::unreadable(0, Type::Blob, "a fingerprint has 32 bytes"))?;
    Ok(Recorded { fingerprint, at: TimestampMs(row.get(1)?), answer_json: row.get(2)? })
}
