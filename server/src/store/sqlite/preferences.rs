//! Preferences: those of a user who has a live profile, and nobody else's.

use super::Sqlite;
use super::changes::insert_change;
use super::idempotency::claim_record;
use super::rows;
use super::tenants::{open_tenant, state_of};
use super::writer::Verdict;
use crate::domain::change::Change;
use crate::domain::idempotency::Record;
use crate::domain::preference::{PreferenceKey, PreferenceValue, Preferences};
use crate::domain::profile::UserId;
use crate::domain::tenant::TenantName;
use crate::store::{PreferenceOutcome, PreferenceStore, Result};
use async_trait::async_trait;
use rusqlite::types::Type;
use rusqlite::{Connection, params};

statements! {
    USER_LIVES = "SELECT EXISTS (SELECT 1 FROM profiles WHERE tenant_name = ?1 AND user_id = ?2 AND deleted_at IS NULL)";
    LIST_PREFERENCES = "SELECT preference_key, preference_value FROM preferences WHERE tenant_name = ?1 AND user_id = ?2";
    /// Always one row: the value of a live user only, and the tenant's state.
    READ_PREFERENCE = "SELECT
            (SELECT preference_value FROM preferences WHERE tenant_name = ?1 AND user_id = ?2 AND preference_key = ?3
             AND EXISTS (SELECT 1 FROM profiles WHERE tenant_name = ?1 AND user_id = ?2 AND deleted_at IS NULL)),
            (SELECT suspended FROM tenants WHERE tenant_name = ?1)";
    PREFERENCE_EXISTS = "SELECT EXISTS (SELECT 1 FROM preferences WHERE tenant_name = ?1 AND user_id = ?2 AND preference_key = ?3)";
    PUT_PREFERENCE = "INSERT INTO preferences (tenant_name, user_id, preference_key, preference_value) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (tenant_name, user_id, preference_key) DO UPDATE SET preference_value = excluded.preference_value";
    DELETE_PREFERENCE = "DELETE FROM preferences WHERE tenant_name = ?1 AND user_id = ?2 AND preference_key = ?3";
    DELETE_PREFERENCES = "DELETE FROM preferences WHERE tenant_name = ?1 AND user_id = ?2";
}

/// All preferences of a user in any state.
pub(super) fn preferences_of(connection: &Connection, tenant: &TenantName, user_id: &UserId) -> Result<Preferences> {
    let mut statement = connection.prepare_cached(LIST_PREFERENCES)?;
    let preferences = statement.query_map(params![tenant.as_str(), user_id.as_str()], |row| {
        Ok((PreferenceKey::from_stored(row.get(0)?), rows::preference_value(row, 1)?))
    })?;
    Ok(preferences.collect::<rusqlite::Result<_>>()?)
}

/// Removes all preferences of a user.
pub(super) fn delete_preferences(connection: &Connection, tenant: &TenantName, user_id: &UserId) -> Result<()> {
    connection.prepare_cached(DELETE_PREFERENCES)?.execute(params![tenant.as_str(), user_id.as_str()])?;
    Ok(())
}

fn user_lives(connection: &Connection, tenant: &TenantName, user_id: &UserId) -> Result<bool> {
    let user = params![tenant.as_str(), user_id.as_str()];
    Ok(connection.prepare_cached(USER_LIVES)?.query_row(user, |row| row.get(0))?)
}

#[async_trait]
impl PreferenceStore for Sqlite {
    async fn list_preferences(&self, tenant: &TenantName, user_id: &UserId) -> Result<Option<Preferences>> {
        let (tenant, user_id) = (tenant.clone(), user_id.clone());
        self.read_aside(move |connection| {
            let snapshot = connection.transaction()?;
            open_tenant(&snapshot, &tenant)?;
            if !user_lives(&snapshot, &tenant, &user_id)? {
                return Ok(None);
            }
            preferences_of(&snapshot, &tenant, &user_id).map(Some)
        })
        .await
    }

    async fn read_preference(&self, tenant: &TenantName, user_id: &UserId, key: &PreferenceKey) -> Result<Option<PreferenceValue>> {
        self.read(|connection| {
            let preference = params![tenant.as_str(), user_id.as_str(), key.as_str()];
            let (suspended, value) = connection.prepare_cached(READ_PREFERENCE)?.query_row(preference, |row| {
                let is_there = row.get_ref(0)?.data_type() != Type::Null;
                Ok((row.get(1)?, if is_there { Some(rows::preference_value(row, 0)?) } else { None }))
            })?;
            state_of(suspended)?;
            Ok(value)
        })
        .await
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
        let (tenant, user_id, key, value) = (tenant.clone(), user_id.clone(), key.clone(), value.clone());
        let (change, record) = (change.clone(), record.cloned());
        self.write(move |connection| {
            open_tenant(connection, &tenant)?;
            let preference = params![tenant.as_str(), user_id.as_str(), key.as_str()];
            let replaced: bool = connection.prepare_cached(PREFERENCE_EXISTS)?.query_row(preference, |row| row.get(0))?;
            claim_record(connection, &tenant, record.as_ref(), Some(!replaced))?;
            if !user_lives(connection, &tenant, &user_id)? {
                return Ok(Verdict::Undo(PreferenceOutcome::NoUser));
            }
            let values = params![tenant.as_str(), user_id.as_str(), key.as_str(), value.as_str()];
            connection.prepare_cached(PUT_PREFERENCE)?.execute(values)?;
            insert_change(connection, &change)?;
            Ok(Verdict::Keep(if replaced { PreferenceOutcome::Replaced } else { PreferenceOutcome::Created }))
        })
        .await
    }

    async fn delete_preference(
        &self,
        tenant: &TenantName,
        user_id: &UserId,
        key: &PreferenceKey,
        change: &Change,
        record: Option<&Record>,
    ) -> Result<bool> {
        let (tenant, user_id, key) = (tenant.clone(), user_id.clone(), key.clone());
        let (change, record) = (change.clone(), record.cloned());
        self.write(move |connection| {
            open_tenant(connection, &tenant)?;
            claim_record(connection, &tenant, record.as_ref(), None)?;
            let preference = params![tenant.as_str(), user_id.as_str(), key.as_str()];
            let deleted =
                user_lives(connection, &tenant, &user_id)? && connection.prepare_cached(DELETE_PREFERENCE)?.execute(preference)? == 1;
            if !deleted {
                return Ok(Verdict::Undo(false));
            }
            insert_change(connection, &change)?;
            Ok(Verdict::Keep(true))
        })
        .await
    }
}
