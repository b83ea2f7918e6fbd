//! The schema, health, what all nodes share, and the end.

use super::Postgres;
use super::lanes::Read;
use super::pool::{Attempted, Params, Session};
use crate::domain::clock::TimestampMs;
use crate::domain::tenant::DEFAULT_TENANT;
use crate::store::error::{Result, StoreError};
use crate::store::migrations::{self, Applied, Migration, pending};
use crate::store::{Maintenance, MigrationReport};
use async_trait::async_trait;

pub(super) const PING: &str = "SELECT 1";

/// Who migrates holds this lock, so that nodes do it one after the other.
const LOCK_SCHEMA: &str = "SELECT pg_advisory_xact_lock(6, 0)";

/// A migration may take its time, and so may the wait for another node's.
const BEGIN_MIGRATION: &str = "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";

const CREATE_HISTORY: &str = "\
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    bigint NOT NULL,
    name       text COLLATE \"C\" NOT NULL,
    checksum   text COLLATE \"C\" NOT NULL,
    applied_at bigint NOT NULL,
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (version)
)";

pub(super) const HAS_HISTORY: &str = "SELECT to_regclass('schema_migrations') IS NOT NULL AS known";

pub(super) const READ_HISTORY: &str = "SELECT version, name, checksum FROM schema_migrations ORDER BY version";

pub(super) const WRITE_HISTORY: &str = "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";

pub(super) const CREATE_DEFAULT_TENANT: &str = "\
INSERT INTO tenants (tenant_name, suspended, created_by, updated_by, created_at, updated_at, version)
VALUES ($1, false, 'n_users', 'n_users', $2, $2, 1)";

pub(super) const OFFER_SECRET: &str =
    "INSERT INTO secrets (secret_name, secret) VALUES ('shared', $1) ON CONFLICT ON CONSTRAINT secrets_pkey DO NOTHING";

pub(super) const READ_SECRET: &str = "SELECT secret FROM secrets WHERE secret_name = 'shared'";

#[async_trait]
impl Maintenance for Postgres {
    async fn migrate(&self, at: TimestampMs) -> Result<MigrationReport> {
        let mut applied = Vec::new();
        let history = self.pool.read(|session| async move { history(&session).await }).await?;
        if !pending(migrations::POSTGRES, &history)?.is_empty() {
            while let Some(migration) = self.pool.write(|session| apply_next(session, at)).await? {
                tracing::info!(migration = migration.name, "the schema was migrated");
                applied.push(migration.name.to_owned());
            }
        }
        let derived = super::derive::derive_grams(&self.pool).await?;
        if derived > 0 {
            tracing::info!(profiles = derived, "grams were derived for search");
        }
        Ok(MigrationReport { applied, version: migrations::POSTGRES.last().map_or(0, |last| last.version) })
    }

    async fn ping(&self) -> Result<()> {
        self.lanes.read(Read::Ping, &[]).await.map(|_| ())
    }

    async fn shared_secret(&self, candidate: [u8; 32]) -> Result<[u8; 32]> {
        let candidate = candidate.as_slice();
        let row = self.pool.write(|session| async move {
            session.query(OFFER_SECRET, &[&candidate]).await?;
            session.query_one(READ_SECRET, &[]).await
        });
        let secret: Vec<u8> = row.await?.try_get(0).map_err(StoreError::internal)?;
        secret.try_into().map_err(|_| StoreError::internal("the shared secret is not of 32 bytes"))
    }

    async fn close(&self) {
        futures::join!(self.lanes.close(), self.pool.close());
    }
}

/// What was applied so far; takes no lock that others would wait for.
async fn history(session: &Session) -> Attempted<Vec<Applied>> {
    if !session.query_one(HAS_HISTORY, &[]).await?.try_get::<_, bool>("known")? {
        return Ok(Vec::new());
    }
    let rows = session.query(READ_HISTORY, &[]).await?;
    let applied = rows
        .iter()
        .map(|row| Ok(Applied { version: row.try_get(0)?, name: row.try_get(1)?, checksum: row.try_get(2)? }))
        .collect::<std::result::Result<_, tokio_postgres::Error>>();
    Ok(applied?)
}

/// Applies the first migration that is still to be applied once it is this node's turn, in one transaction.
async fn apply_next(session: Session, at: TimestampMs) -> Attempted<Option<&'static Migration>> {
    session.begin(BEGIN_MIGRATION).await?;
    session.batch(LOCK_SCHEMA).await?;
    session.batch(CREATE_HISTORY).await?;
    let Some(migration) = pending(migrations::POSTGRES, &history(&session).await?)?.first() else {
        session.end(false).await?;
        return Ok(None);
    };
    session.batch(migration.sql).await?;
    let version = i64::from(migration.version);
    let row: &Params<'_> = &[&version, &migration.name, &migration.checksum(), &at.0];
    session.query(WRITE_HISTORY, row).await?;
    if migration.version == 1 {
        session.query(CREATE_DEFAULT_TENANT, &[&DEFAULT_TENANT, &at.0]).await?;
    }
    session.end(true).await?;
    Ok(Some(migration))
}
