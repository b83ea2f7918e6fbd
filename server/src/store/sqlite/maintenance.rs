//! The schema and what else keeps a store going.

use super::Sqlite;
use super::tenants::insert_tenant;
use super::writer::Verdict;
use crate::domain::clock::TimestampMs;
use crate::domain::tenant::{DEFAULT_TENANT, Tenant, TenantName};
use crate::domain::version::Version;
use crate::store::migrations::{Applied, Migration, SQLITE, pending};
use crate::store::{Maintenance, MigrationReport, Result, StoreError};
use async_trait::async_trait;
use rusqlite::{Connection, params};

const SHARED_SECRET: &str = "shared";
/// Who made what nobody asked for.
const SERVICE: &str = "n_users";

const CREATE_MIGRATIONS: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
        version    INTEGER NOT NULL PRIMARY KEY,
        name       TEXT NOT NULL,
        checksum   TEXT NOT NULL,
        applied_at INTEGER NOT NULL
    ) STRICT";

statements! {
    /// Reads from the file itself, which a constant would not.
    PING = "SELECT count(*) FROM sqlite_schema";
    MIGRATIONS_EXIST = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations')";
    READ_MIGRATIONS = "SELECT version, name, checksum FROM schema_migrations ORDER BY version";
    INSERT_MIGRATION = "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)";
    INSERT_SECRET = "INSERT OR IGNORE INTO secrets (secret_name, secret) VALUES (?1, ?2)";
    READ_SECRET = "SELECT secret FROM secrets WHERE secret_name = ?1";
}

#[async_trait]
impl Maintenance for Sqlite {
    async fn migrate(&self, at: TimestampMs) -> Result<MigrationReport> {
        let applied = match self.read_aside(|connection| still_pending(connection)).await?.is_empty() {
            true => report(&[]),
            false => self.apply_pending(at).await?,
        };
        self.derive_grams().await?;
        Ok(applied)
    }

    async fn ping(&self) -> Result<()> {
        self.read(|connection| {
            let _: i64 = connection.prepare_cached(PING)?.query_row([], |row| row.get(0))?;
            Ok(())
        })
        .await
    }

    async fn shared_secret(&self, candidate: [u8; 32]) -> Result<[u8; 32]> {
        self.write(move |connection| {
            connection.prepare_cached(INSERT_SECRET)?.execute(params![SHARED_SECRET, candidate.as_slice()])?;
            let secret: Vec<u8> = connection.prepare_cached(READ_SECRET)?.query_row([SHARED_SECRET], |row| row.get(0))?;
            let secret = secret.try_into().map_err(|_| StoreError::internal("the shared secret has not 32 bytes"))?;
            Ok(Verdict::Keep(secret))
        })
        .await
    }

    async fn close(&self) {
        self.shut().await;
    }
}

impl Sqlite {
    async fn apply_pending(&self, at: TimestampMs) -> Result<MigrationReport> {
        // Looked up again by the writer: since then another process may have done it.
        self.write(move |connection| {
            connection.execute_batch(CREATE_MIGRATIONS)?;
            let migrations = still_pending(connection)?;
            for migration in migrations {
                apply(connection, migration, at)?;
            }
            Ok(Verdict::Keep(report(migrations)))
        })
        .await
    }
}

fn still_pending(connection: &Connection) -> Result<&'static [Migration]> {
    let exist: bool = connection.query_row(MIGRATIONS_EXIST, [], |row| row.get(0))?;
    if !exist {
        return Ok(SQLITE);
    }
    let mut statement = connection.prepare(READ_MIGRATIONS)?;
    let applied = statement.query_map([], |row| Ok(Applied { version: row.get(0)?, name: row.get(1)?, checksum: row.get(2)? }))?;
    pending(SQLITE, &applied.collect::<rusqlite::Result<Vec<_>>>()?)
}

fn apply(connection: &Connection, migration: &Migration, at: TimestampMs) -> Result<()> {
    connection.execute_batch(migration.sql)?;
    connection.execute(INSERT_MIGRATION, params![migration.version, migration.name, migration.checksum(), at.0])?;
    // With the first schema and never again: deleting the tenant is final.
    if migration.version == 1 {
        insert_tenant(connection, &first_tenant(at))?;
    }
    Ok(())
}

fn first_tenant(at: TimestampMs) -> Tenant {
    Tenant {
        tenant_name: TenantName::from_stored(DEFAULT_TENANT.to_owned()),
        display_name: None,
        suspended: false,
        created_by: SERVICE.to_owned(),
        updated_by: SERVICE.to_owned(),
        created_at: at,
        updated_at: at,
        version: Version::FIRST,
    }
}

fn report(applied: &[Migration]) -> MigrationReport {
    MigrationReport {
        applied: applied.iter().map(|migration| migration.name.to_owned()).collect(),
        version: SQLITE.last().map_or(0, |migration| migration.version),
    }
}
