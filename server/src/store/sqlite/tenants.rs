//! Tenants, and the question that every other statement asks first: is this one there, and not suspended?

use super::changes::insert_change;
use super::grams::{note, words_of};
use super::idempotency::{claim_record, delete_records};
use super::writer::Verdict;
use super::{Sqlite, rows};
use crate::domain::change::Change;
use crate::domain::idempotency::Record;
use crate::domain::idempotency::creation_scope;
use crate::domain::tenant::{Tenant, TenantName};
use crate::domain::text::Text;
use crate::domain::version::Version;
use crate::store::{Result, StoreError, TenantStore};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

statements! {
    READ_STATE = "SELECT suspended FROM tenants WHERE tenant_name = ?1";
    READ_VERSION = "SELECT version FROM tenants WHERE tenant_name = ?1";
    READ_TENANT = concat!("SELECT ", tenant_columns!(), " FROM tenants WHERE tenant_name = ?1");
    INSERT_TENANT = concat!("INSERT INTO tenants (", tenant_columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    REPLACE_TENANT = concat!("UPDATE tenants SET (", tenant_columns!(), ") = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) WHERE tenant_name = ?1");
    TENANT_IS_USED = "SELECT EXISTS (SELECT 1 FROM profiles WHERE tenant_name = ?1 AND deleted_at IS NULL)";
    READ_PROFILES = concat!("SELECT ", profile_columns!(), ", profile_number FROM profiles WHERE tenant_name = ?1");
    DELETE_PROFILES = "DELETE FROM profiles WHERE tenant_name = ?1";
    DELETE_PREFERENCES = "DELETE FROM preferences WHERE tenant_name = ?1";
    DELETE_TENANT = "DELETE FROM tenants WHERE tenant_name = ?1";
    /// Names have at least one character, so all of them are behind ''. The names in ?2, if given, are a JSON array.
    LIST_TENANTS = concat!("SELECT ", tenant_columns!(), " FROM tenants
        WHERE tenant_name > coalesce(?1, '') AND (?2 IS NULL OR tenant_name IN (SELECT value FROM json_each(?2)))
        ORDER BY tenant_name LIMIT ?3");
}

/// What `suspended` (NULL: no such tenant) means to all but the administration of tenants.
pub(super) fn state_of(suspended: Option<bool>) -> Result<()> {
    match suspended {
        None => Err(StoreError::TenantUnknown),
        Some(true) => Err(StoreError::TenantSuspended),
        Some(false) => Ok(()),
    }
}

/// Refuses a tenant that is unknown or suspended.
pub(super) fn open_tenant(connection: &Connection, tenant: &TenantName) -> Result<()> {
    let suspended = connection.prepare_cached(READ_STATE)?.query_row([tenant.as_str()], |row| row.get(0)).optional()?;
    state_of(suspended)
}

/// Writes a new tenant, without a change or a record.
pub(super) fn insert_tenant(connection: &Connection, tenant: &Tenant) -> Result<()> {
    execute(connection, INSERT_TENANT, tenant)
}

fn execute(connection: &Connection, sql: &str, tenant: &Tenant) -> Result<()> {
    connection.prepare_cached(sql)?.execute(params![
        tenant.tenant_name.as_str(),
        tenant.display_name.as_ref().map(Text::as_str),
        tenant.suspended,
        tenant.created_by,
        tenant.updated_by,
        tenant.created_at.0,
        tenant.updated_at.0,
        tenant.version.0,
    ])?;
    Ok(())
}

/// Whether the tenant still has this version.
fn has_version(connection: &Connection, tenant: &TenantName, expected: Version) -> Result<bool> {
    let version: Option<i64> = connection.prepare_cached(READ_VERSION)?.query_row([tenant.as_str()], |row| row.get(0)).optional()?;
    version.map(|version| version == expected.0).ok_or(StoreError::TenantUnknown)
}

/// Notes that the tenant's profiles are about to go, with their grams.
fn note_profiles_gone(connection: &Connection, tenant: &TenantName) -> Result<()> {
    let mut statement = connection.prepare_cached(READ_PROFILES)?;
    for row in statement.query_map([tenant.as_str()], rows::numbered_profile)? {
        let (number, profile) = row?;
        note(connection, number, Some(&words_of(&profile)), None)?;
    }
    Ok(())
}

#[async_trait]
impl TenantStore for Sqlite {
    async fn create_tenant(&self, tenant: &Tenant, change: &Change, record: Option<&Record>) -> Result<()> {
        let (tenant, change, record) = (tenant.clone(), change.clone(), record.cloned());
        self.write(move |connection| {
            claim_record(connection, &creation_scope(), record.as_ref(), None)?;
            insert_tenant(connection, &tenant)?;
            insert_change(connection, &change)?;
            Ok(Verdict::Keep(()))
        })
        .await
    }

    async fn read_tenant(&self, tenant: &TenantName) -> Result<Option<Tenant>> {
        self.read(|connection| Ok(connection.prepare_cached(READ_TENANT)?.query_row([tenant.as_str()], rows::tenant).optional()?)).await
    }

    async fn replace_tenant(&self, tenant: &Tenant, expected: Version, change: &Change, record: Option<&Record>) -> Result<bool> {
        let (tenant, change, record) = (tenant.clone(), change.clone(), record.cloned());
        self.write(move |connection| {
            claim_record(connection, &tenant.tenant_name, record.as_ref(), None)?;
            if !has_version(connection, &tenant.tenant_name, expected)? {
                return Ok(Verdict::Undo(false));
            }
            execute(connection, REPLACE_TENANT, &tenant)?;
            insert_change(connection, &change)?;
            Ok(Verdict::Keep(true))
        })
        .await
    }

    async fn delete_tenant(&self, tenant: &TenantName, expected: Version, change: &Change, record: Option<&Record>) -> Result<bool> {
        let (tenant, change, record) = (tenant.clone(), change.clone(), record.cloned());
        self.write(move |connection| {
            claim_record(connection, &tenant, record.as_ref(), None)?;
            if !has_version(connection, &tenant, expected)? {
                return Ok(Verdict::Undo(false));
            }
            let is_used: bool = connection.prepare_cached(TENANT_IS_USED)?.query_row([tenant.as_str()], |row| row.get(0))?;
            if is_used {
                return Err(StoreError::TenantInUse);
            }
            note_profiles_gone(connection, &tenant)?;
            for delete in [DELETE_PROFILES, DELETE_PREFERENCES, DELETE_TENANT] {
                connection.prepare_cached(delete)?.execute([tenant.as_str()])?;
            }
            delete_records(connection, &tenant, record.as_ref())?;
            insert_change(connection, &change)?;
            Ok(Verdict::Keep(true))
        })
        .await
    }

    async fn list_tenants(&self, after: Option<&TenantName>, among: Option<&[TenantName]>, limit: u32) -> Result<Vec<Tenant>> {
        let after = after.map(|name| name.as_str().to_owned());
        let among = among.map(serde_json::to_string).transpose().map_err(StoreError::internal)?;
        self.read_aside(move |connection| {
            let mut statement = connection.prepare_cached(LIST_TENANTS)?;
            let tenants = statement.query_map(params![after, among, limit], rows::tenant)?;
            Ok(tenants.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}
