//! Tenants.

use super::Postgres;
use super::idempotency::StoredRecord;
use super::lanes::Read;
use super::locks::{Locks, tenant_locked};
use super::pool::{Attempted, Params, Session};
use super::rows::{self, tenant_columns};
use super::values::{ChangeValues, TenantValues, logged};
use crate::domain::change::Change;
use crate::domain::idempotency::Record;
use crate::domain::idempotency::creation_scope;
use crate::domain::tenant::{Tenant, TenantName};
use crate::domain::version::Version;
use crate::store::TenantStore;
use crate::store::error::{Result, StoreError};
use async_trait::async_trait;

pub(super) const READ_TENANT: &str = concat!("SELECT ", tenant_columns!(), " FROM tenants WHERE tenant_name = $1");

pub(super) const LIST_TENANTS: &str = concat!(
    "SELECT ",
    tenant_columns!(),
    " FROM tenants WHERE tenant_name > coalesce($1::text, '') AND ($2::text[] IS NULL OR tenant_name = ANY ($2::text[])) ",
    "ORDER BY tenant_name LIMIT $3"
);

pub(super) const CREATE_TENANT: &str = concat!(
    "WITH inserted AS (INSERT INTO tenants (",
    tenant_columns!(),
    ") SELECT $1::text, $9::text, $10::boolean, $11::text, $12::text, $13::bigint, $14::bigint, $15::bigint WHERE ",
    tenant_locked!(),
    " RETURNING 1), ",
    logged!("inserted"),
    " SELECT count(*) AS written FROM inserted"
);

/// $16 is the version that must still be there.
pub(super) const REPLACE_TENANT: &str = concat!(
    "WITH replaced AS (UPDATE tenants SET display_name = $9::text, suspended = $10::boolean, created_by = $11::text, ",
    "updated_by = $12::text, created_at = $13::bigint, updated_at = $14::bigint, version = $15::bigint ",
    "WHERE tenant_name = $1::text AND version = $16::bigint AND ",
    tenant_locked!(),
    " RETURNING 1), ",
    logged!("replaced"),
    " SELECT EXISTS (SELECT FROM tenants WHERE tenant_name = $1::text) AS known, (SELECT count(*) FROM replaced) AS written"
);

/// Whether the tenant is at version $2. From here on nobody can add a profile or a preference to it.
pub(super) const HOLD_TENANT: &str = "SELECT version = $2 AS expected FROM tenants WHERE tenant_name = $1 FOR UPDATE";

pub(super) const HAS_LIVE_PROFILE: &str = "SELECT EXISTS (SELECT FROM profiles WHERE tenant_name = $1 AND deleted_at IS NULL) AS live";

pub(super) const ERASE_PROFILES: &str = "DELETE FROM profiles WHERE tenant_name = $1 AND deleted_at IS NOT NULL";

pub(super) const ERASE_PREFERENCES: &str = "DELETE FROM preferences WHERE tenant_name = $1";

/// $2 and $3 are the record of this very request, which stays.
pub(super) const ERASE_RECORDED: &str = "\
DELETE FROM idempotency_keys
WHERE tenant_name = $1 AND (subject, idempotency_key) IS DISTINCT FROM ($2::text, $3::text)";

pub(super) const DELETE_TENANT: &str = concat!(
    "WITH deleted AS (DELETE FROM tenants WHERE tenant_name = $1::text RETURNING 1), ",
    logged!("deleted"),
    " SELECT count(*) AS written FROM deleted"
);

#[async_trait]
impl TenantStore for Postgres {
    async fn create_tenant(&self, tenant: &Tenant, change: &Change, record: Option<&Record>) -> Result<()> {
        let name = &tenant.tenant_name;
        let scope = creation_scope();
        let record = record.map(|record| StoredRecord::new(&scope, record)).transpose()?;
        let (change, values) = (ChangeValues::new(name, change), TenantValues::new(tenant));
        let params = change.and(&values.values());
        self.pool.write_one(CREATE_TENANT, &params, &Locks::default().tenant(name), record.as_ref()).await?;
        Ok(())
    }

    async fn read_tenant(&self, tenant: &TenantName) -> Result<Option<Tenant>> {
        let row = self.lanes.read(Read::Tenant, &[&tenant.as_str()]).await?;
        row.as_ref().map(rows::tenant).transpose()
    }

    async fn replace_tenant(&self, tenant: &Tenant, expected: Version, change: &Change, record: Option<&Record>) -> Result<bool> {
        let name = &tenant.tenant_name;
        let record = record.map(|record| StoredRecord::new(name, record)).transpose()?;
        let (change, values) = (ChangeValues::new(name, change), TenantValues::new(tenant));
        let mut params = change.and(&values.values());
        params.push(&expected.0);
        let row = self.pool.write_one(REPLACE_TENANT, &params, &Locks::default().tenant(name), record.as_ref()).await?;
        if !row.try_get::<_, bool>("known").map_err(StoreError::internal)? {
            return Err(StoreError::TenantUnknown);
        }
        Ok(rows::written(&row)?)
    }

    async fn delete_tenant(&self, tenant: &TenantName, expected: Version, change: &Change, record: Option<&Record>) -> Result<bool> {
        let record = record.map(|record| StoredRecord::new(tenant, record)).transpose()?;
        let (change, record) = (ChangeValues::new(tenant, change), record.as_ref());
        let params = &change.and(&[]);
        let deleted = self.pool.write(|session| delete(session, tenant, expected, params, record)).await;
        // A live profile that came in beside this, which only the foreign key has seen.
        deleted.map_err(|failure| if failure.is_foreign_key() { StoreError::TenantInUse } else { failure.into() })
    }

    async fn list_tenants(&self, after: Option<&TenantName>, among: Option<&[TenantName]>, limit: u32) -> Result<Vec<Tenant>> {
        let after = after.map(TenantName::as_str);
        let among: Option<Vec<&str>> = among.map(|names| names.iter().map(TenantName::as_str).collect());
        let rows = self.pool.query(LIST_TENANTS, &[&after, &among, &i64::from(limit)]).await?;
        rows.iter().map(rows::tenant).collect()
    }
}

async fn delete(
    session: Session,
    tenant: &TenantName,
    expected: Version,
    delete_params: &Params<'_>,
    record: Option<&StoredRecord<'_>>,
) -> Attempted<bool> {
    let name = tenant.as_str();
    let locks = Locks::default().tenant(tenant);
    let held = session.begin_write_optional(&locks, record, HOLD_TENANT, &[&name, &expected.0]).await?;
    let Some(held) = held else {
        session.end(false).await?;
        return Err(StoreError::TenantUnknown.into());
    };
    if !held.try_get::<_, bool>("expected")? {
        session.end(false).await?;
        return Ok(false);
    }
    if session.query_one(HAS_LIVE_PROFILE, &[&name]).await?.try_get("live")? {
        session.end(false).await?;
        return Err(StoreError::TenantInUse.into());
    }
    session.query(ERASE_PROFILES, &[&name]).await?;
    session.query(ERASE_PREFERENCES, &[&name]).await?;
    session.query(ERASE_RECORDED, &[&name, &record.map(|record| record.subject), &record.map(|record| record.key)]).await?;
    session.query(DELETE_TENANT, delete_params).await?;
    session.end(true).await?;
    Ok(true)
}
