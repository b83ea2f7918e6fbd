//! Preferences of users who have a live profile.
//!
//! Their writes take the user's lock in a statement of its own, so that the statement behind it sees what a purge, or
//! a delete, of that user has committed.

use super::Postgres;
use super::idempotency::StoredRecord;
use super::lanes::Read;
use super::locks::Locks;
use super::pool::{Attempted, Session};
use super::rows::{self, in_service};
use super::values::{ChangeValues, logged};
use crate::domain::change::Change;
use crate::domain::idempotency::Record;
use crate::domain::preference::{PreferenceKey, PreferenceValue, Preferences};
use crate::domain::profile::UserId;
use crate::domain::tenant::TenantName;
use crate::store::error::{Result, StoreError};
use crate::store::{PreferenceOutcome, PreferenceStore};
use async_trait::async_trait;
use tokio_postgres::Row;

pub(super) const READ_PREFERENCE: &str = "\
SELECT t.suspended, p.preference_value::text
FROM tenants t
LEFT JOIN preferences p ON p.tenant_name = $1 AND p.user_id = $2 AND p.preference_key = $3
    AND EXISTS (SELECT FROM profiles WHERE tenant_name = $1 AND user_id = $2 AND deleted_at IS NULL)
WHERE t.tenant_name = $1";

/// At least one row when there is such a tenant.
pub(super) const LIST_PREFERENCES: &str = "\
SELECT t.suspended,
    EXISTS (SELECT FROM profiles WHERE tenant_name = $1 AND user_id = $2 AND deleted_at IS NULL),
    p.preference_key IS NOT NULL, p.preference_key, p.preference_value::text
FROM tenants t LEFT JOIN preferences p ON p.tenant_name = $1 AND p.user_id = $2
WHERE t.tenant_name = $1";

/// $9 is the user, $10 the key, $11 the value. A row that was there before carries the mark of having been locked.
pub(super) const PUT_PREFERENCE: &str = concat!(
    "WITH tenant AS (SELECT suspended FROM tenants WHERE tenant_name = $1::text), ",
    "put AS (INSERT INTO preferences (tenant_name, user_id, preference_key, preference_value) ",
    "SELECT $1::text, $9::text, $10::text, $11::text::json FROM tenant WHERE NOT suspended ",
    "AND EXISTS (SELECT FROM profiles WHERE tenant_name = $1::text AND user_id = $9::text AND deleted_at IS NULL) ",
    "ON CONFLICT ON CONSTRAINT preferences_pkey DO UPDATE SET preference_value = excluded.preference_value ",
    "RETURNING xmax = 0 AS created), ",
    logged!("put"),
    " SELECT (SELECT suspended FROM tenant) AS suspended, (SELECT created FROM put) AS created, ",
    "(SELECT count(*) FROM put) AS written"
);

pub(super) const DELETE_PREFERENCE: &str = concat!(
    "WITH tenant AS (SELECT suspended FROM tenants WHERE tenant_name = $1::text), ",
    "deleted AS (DELETE FROM preferences WHERE tenant_name = $1::text AND user_id = $9::text AND preference_key = $10::text ",
    "AND EXISTS (SELECT FROM tenant WHERE NOT suspended) ",
    "AND EXISTS (SELECT FROM profiles WHERE tenant_name = $1::text AND user_id = $9::text AND deleted_at IS NULL) ",
    "RETURNING 1), ",
    logged!("deleted"),
    " SELECT (SELECT suspended FROM tenant) AS suspended, (SELECT count(*) FROM deleted) AS written"
);

#[async_trait]
impl PreferenceStore for Postgres {
    async fn list_preferences(&self, tenant: &TenantName, user_id: &UserId) -> Result<Option<Preferences>> {
        let rows = self.pool.query(LIST_PREFERENCES, &[&tenant.as_str(), &user_id.as_str()]).await?;
        listed(&rows)
    }

    async fn read_preference(&self, tenant: &TenantName, user_id: &UserId, key: &PreferenceKey) -> Result<Option<PreferenceValue>> {
        let row = self.lanes.read(Read::Preference, &[&tenant.as_str(), &user_id.as_str(), &key.as_str()]).await?;
        let row = row.ok_or(StoreError::TenantUnknown)?;
        in_service(row.try_get(0).map_err(StoreError::internal)?)?;
        let value: Option<String> = row.try_get(1).map_err(StoreError::internal)?;
        Ok(value.map(PreferenceValue::from_stored))
    }

    async fn put_preference(
        &self,
        tenant: &TenantName,
        user_id: &UserId,
        key: &PreferenceKey,
        value: &PreferenceValue,
        change: &Change,
        record: Option<&Record>,
    ) -> Result<PreferenceOutcome> {
        let change = ChangeValues::new(tenant, change);
        let (own_user, own_key, own_value) = (user_id.as_str(), key.as_str(), value.as_str());
        let params = change.and(&[&own_user, &own_key, &own_value]);
        let (locks, params) = (&Locks::default().user(tenant, user_id), &params);
        let outcome = self.pool.write(|session| async move {
            let row = session.begin_write(locks, None, PUT_PREFERENCE, params).await?;
            let outcome = put_outcome(&row);
            let created = match outcome {
                Ok(PreferenceOutcome::Created) => true,
                Ok(PreferenceOutcome::Replaced) => false,
                Ok(PreferenceOutcome::NoUser) | Err(_) => {
                    session.end(false).await?;
                    return outcome;
                }
            };
            if let Some(record) = record {
                session.record(&StoredRecord::of_preference(tenant, record, created)?).await?;
            }
            session.end(true).await?;
            outcome
        });
        Ok(outcome.await?)
    }

    async fn delete_preference(
        &self,
        tenant: &TenantName,
        user_id: &UserId,
        key: &PreferenceKey,
        change: &Change,
        record: Option<&Record>,
    ) -> Result<bool> {
        let record = record.map(|record| StoredRecord::new(tenant, record)).transpose()?;
        let change = ChangeValues::new(tenant, change);
        let (own_user, own_key) = (user_id.as_str(), key.as_str());
        let params = change.and(&[&own_user, &own_key]);
        let (locks, record, params) = (&Locks::default().user(tenant, user_id), record.as_ref(), &params);
        let deleted = self.pool.write(|session| delete(session, locks, record, params));
        Ok(deleted.await?)
    }
}

async fn delete(session: Session, locks: &Locks, record: Option<&StoredRecord<'_>>, params: &super::pool::Params<'_>) -> Attempted<bool> {
    let row = session.begin_write(locks, record, DELETE_PREFERENCE, params).await?;
    let deleted = rows::written(&row)?;
    session.end(deleted).await?;
    rows::check_tenant(&row)?;
    Ok(deleted)
}

fn put_outcome(row: &Row) -> Attempted<PreferenceOutcome> {
    rows::check_tenant(row)?;
    Ok(match row.try_get::<_, Option<bool>>("created")? {
        Some(true) => PreferenceOutcome::Created,
        Some(false) => PreferenceOutcome::Replaced,
        None => PreferenceOutcome::NoUser,
    })
}

fn listed(rows: &[Row]) -> Result<Option<Preferences>> {
    let first = rows.first().ok_or(StoreError::TenantUnknown)?;
    in_service(first.try_get(0).map_err(StoreError::internal)?)?;
    let known: bool = first.try_get(1).map_err(StoreError::internal)?;
    if !known {
        return Ok(None);
    }
    let mut preferences = Preferences::new();
    for row in rows {
        let present: bool = row.try_get(2).map_err(StoreError::internal)?;
        if present {
            preferences.extend([preference(row, 3)?]);
        }
    }
    Ok(Some(preferences))
}

/// The preference whose key and value begin at `first`.
pub(super) fn preference(row: &Row, first: usize) -> Result<(PreferenceKey, PreferenceValue)> {
    let key: String = row.try_get(first).map_err(StoreError::internal)?;
    let value: String = row.try_get(first + 1).map_err(StoreError::internal)?;
    Ok((PreferenceKey::from_stored(key), PreferenceValue::from_stored(value)))
}
