//! Profiles: one statement per write, and the tenant's state in the same snapshot as what is read.

use super::Sqlite;
use super::changes::insert_change;
use super::grams::{note, words_of};
use super::idempotency::{claim_record, erase_answers};
use super::preferences::{delete_preferences, preferences_of};
use super::rows::{self, PROFILE_PARAMETERS, PROFILE_WIDTH, StoredProfile, bind_profile};
use super::search::{Guide, search};
use super::spelling::sample;
use super::tenants::{open_tenant, state_of};
use super::writer::Verdict;
use crate::domain::change::Change;
use crate::domain::idempotency::{Concerns, Record};
use crate::domain::profile::{Profile, ProfileId, UserId};
use crate::domain::search::{Found, Search};
use crate::domain::spelling::{Probe, Sample};
use crate::domain::tenant::TenantName;
use crate::domain::version::Version;
use crate::store::{ProfileStore, Purge, Replacement, Result, UserRows};
use async_trait::async_trait;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

statements! {
    INSERT_PROFILE = concat!("INSERT INTO profiles (", profile_columns!(), ", full_name_key, email_key, search_doc)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24,
                ?25, ?26, ?27)");
    REPLACE_PROFILE = concat!("UPDATE profiles SET (", profile_columns!(), ", full_name_key, email_key, search_doc)
        = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24,
           ?25, ?26, ?27)
        WHERE tenant_name = ?1 AND profile_id = ?2 AND version = ?28");
    READ_AS_EXPECTED = concat!("SELECT ", profile_columns!(), ", profile_number FROM profiles
        WHERE tenant_name = ?1 AND profile_id = ?2 AND version = ?3");
    PURGE_PROFILE = concat!("DELETE FROM profiles WHERE tenant_name = ?1 AND profile_id = ?2 AND version = ?3
        RETURNING ", profile_columns!(), ", profile_number");
    USER_HAS_PROFILE = "SELECT EXISTS (SELECT 1 FROM profiles WHERE tenant_name = ?1 AND user_id = ?2)";
    /// Always one row: the profile's columns are NULL when there is none.
    READ_PROFILE = concat!("SELECT ", profile_columns!(), ", (SELECT suspended FROM tenants WHERE tenants.tenant_name = ?1)
        FROM (SELECT 1) LEFT JOIN profiles ON tenant_name = ?1 AND profile_id = ?2");
    READ_USER_PROFILES = concat!("SELECT ", profile_columns!(), " FROM profiles
        WHERE tenant_name = ?1 AND user_id = ?2 ORDER BY created_at, profile_id");
}

#[async_trait]
impl ProfileStore for Sqlite {
    async fn create_profile(&self, tenant: &TenantName, profile: &Profile, change: &Change, record: Option<&Record>) -> Result<()> {
        let (tenant, stored) = (tenant.clone(), StoredProfile::from(profile.clone()));
        let (change, record) = (change.clone(), record.cloned());
        self.write(move |connection| {
            open_tenant(connection, &tenant)?;
            claim_record(connection, &tenant, record.as_ref(), None)?;
            let mut insert = connection.prepare_cached(INSERT_PROFILE)?;
            bind_profile(&mut insert, &tenant, &stored)?;
            insert.raw_execute()?;
            note(connection, connection.last_insert_rowid(), None, Some(&stored.words))?;
            insert_change(connection, &change)?;
            Ok(Verdict::Keep(()))
        })
        .await
    }

    async fn read_profile(&self, tenant: &TenantName, profile_id: ProfileId) -> Result<Option<Profile>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(READ_PROFILE)?;
            let key = params![tenant.as_str(), profile_id.0.as_bytes().as_slice()];
            let (suspended, profile) = statement.query_row(key, |row| {
                let is_there = row.get_ref(1)?.data_type() != Type::Null;
                Ok((row.get(PROFILE_WIDTH)?, if is_there { Some(rows::profile(row)?) } else { None }))
            })?;
            state_of(suspended)?;
            Ok(profile)
        })
        .await
    }

    async fn replace_profiles(&self, tenant: &TenantName, replacements: &[Replacement], record: Option<&Record>) -> Result<bool> {
        let (tenant, record) = (tenant.clone(), record.cloned());
        let replacements: Vec<_> = replacements
            .iter()
            .map(|replacement| (StoredProfile::from(replacement.profile.clone()), replacement.expected, replacement.change.clone()))
            .collect();
        self.write(move |connection| {
            claim_record(connection, &tenant, record.as_ref(), None)?;
            for (stored, expected, change) in &replacements {
                if !replace(connection, &tenant, stored, *expected)? {
                    return Ok(Verdict::Undo(false));
                }
                insert_change(connection, change)?;
            }
            Ok(Verdict::Keep(true))
        })
        .await
    }

    async fn purge_profiles(&self, tenant: &TenantName, purges: &[Purge], record: Option<&Record>) -> Result<bool> {
        let (tenant, purges, record) = (tenant.clone(), purges.to_vec(), record.cloned());
        self.write(move |connection| {
            claim_record(connection, &tenant, record.as_ref(), None)?;
            for purge in &purges {
                let key = params![tenant.as_str(), purge.profile_id.0.as_bytes().as_slice(), purge.expected.0];
                let purged = connection.prepare_cached(PURGE_PROFILE)?.query_row(key, rows::numbered_profile).optional()?;
                let Some((number, profile)) = purged else { return Ok(Verdict::Undo(false)) };
                note(connection, number, Some(&words_of(&profile)), None)?;
                insert_change(connection, &purge.change)?;
                erase_answers(connection, &tenant, &Concerns::Profile(purge.profile_id), record.as_ref())?;
            }
            for purge in &purges {
                erase_user_without_profiles(connection, &tenant, &purge.user_id, record.as_ref())?;
            }
            Ok(Verdict::Keep(true))
        })
        .await
    }

    async fn read_user(&self, tenant: &TenantName, user_id: &UserId) -> Result<UserRows> {
        let (tenant, user_id) = (tenant.clone(), user_id.clone());
        self.read_aside(move |connection| {
            let snapshot = connection.transaction()?;
            open_tenant(&snapshot, &tenant)?;
            let mut statement = snapshot.prepare_cached(READ_USER_PROFILES)?;
            let profiles = statement.query_map(params![tenant.as_str(), user_id.as_str()], rows::profile)?;
            Ok(UserRows {
                profiles: profiles.collect::<rusqlite::Result<_>>()?,
                preferences: preferences_of(&snapshot, &tenant, &user_id)?,
            })
        })
        .await
    }

    async fn search_profiles(&self, tenant: &TenantName, asked: &Search) -> Result<Found> {
        let (tenant, asked, budget) = (tenant.clone(), asked.clone(), self.search_budget);
        let (frequencies, memory, costs) = (Arc::clone(&self.frequencies), Arc::clone(&self.memory), self.costs);
        let run = move |connection: &mut Connection| {
            let guide = Guide { frequencies: &frequencies, memory: &memory, costs };
            search(connection, &tenant, &asked, guide, budget)
        };
        self.read_aside(run).await
    }

    async fn sample_profiles(&self, tenant: &TenantName, probe: &Probe) -> Result<Vec<Sample>> {
        let (tenant, probe, budget) = (tenant.clone(), probe.clone(), self.search_budget);
        let frequencies = Arc::clone(&self.frequencies);
        self.read_aside(move |connection| sample(connection, &tenant, &probe, &frequencies, budget)).await
    }
}

/// Whether the expected version was there.
fn replace(connection: &Connection, tenant: &TenantName, stored: &StoredProfile, expected: Version) -> Result<bool> {
    let key = params![tenant.as_str(), stored.profile.profile_id.0.as_bytes().as_slice(), expected.0];
    let before = connection.prepare_cached(READ_AS_EXPECTED)?.query_row(key, rows::numbered_profile).optional()?;
    let Some((number, before)) = before else { return Ok(false) };
    let before = words_of(&before);
    if before != stored.words {
        note(connection, number, Some(&before), Some(&stored.words))?;
    }
    let mut update = connection.prepare_cached(REPLACE_PROFILE)?;
    bind_profile(&mut update, tenant, stored)?;
    update.raw_bind_parameter(PROFILE_PARAMETERS + 1, expected.0)?;
    Ok(update.raw_execute()? == 1)
}

fn erase_user_without_profiles(connection: &Connection, tenant: &TenantName, user_id: &UserId, kept: Option<&Record>) -> Result<()> {
    let key = params![tenant.as_str(), user_id.as_str()];
    let has_profile: bool = connection.prepare_cached(USER_HAS_PROFILE)?.query_row(key, |row| row.get(0))?;
    if !has_profile {
        delete_preferences(connection, tenant, user_id)?;
        erase_answers(connection, tenant, &Concerns::User(user_id.clone()), kept)?;
    }
    Ok(())
}
