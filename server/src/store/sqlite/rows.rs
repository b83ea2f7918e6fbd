//! Rows to and from values. What cannot be read as what it should be is an error, never a guess.

use super::grams::words_by_text;
use crate::domain::attributes::Attributes;
use crate::domain::birth_date::BirthDate;
use crate::domain::clock::TimestampMs;
use crate::domain::email::EmailAddress;
use crate::domain::mobile::Mobile;
use crate::domain::preference::PreferenceValue;
use crate::domain::profile::{Profile, ProfileId, ProfileType, UserId};
use crate::domain::search_text::{fold, search_doc};
use crate::domain::tenant::{Tenant, TenantName};
use crate::domain::text::Text;
use crate::domain::version::Version;
use rusqlite::types::{FromSql, Type};
use rusqlite::{Result, Row, Statement};
use uuid::Uuid;

/// The columns of a profile in the order in which `profile` reads and `bind_profile` binds them.
macro_rules! profile_columns {
    () => {
        "tenant_name, profile_id, profile_type, user_id, full_name, gender, email_id, mobile, birth_date, city_id, country_id, \
         address, latitude, longitude, profile_image_url, attributes, active, created_by, updated_by, deleted_by, created_at, \
         updated_at, deleted_at, version"
    };
}

/// The columns of a tenant in the order in which `tenant` reads them.
macro_rules! tenant_columns {
    () => {
        "tenant_name, display_name, suspended, created_by, updated_by, created_at, updated_at, version"
    };
}

/// How many columns `profile_columns!` has: what a statement selects besides stands behind them.
pub(super) const PROFILE_WIDTH: usize = 24;

/// A row's columns from left to right.
struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    fn of(row: &'r Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    fn take<T: FromSql>(&mut self) -> Result<T> {
        let at = self.next;
        self.next += 1;
        self.row.get(at)
    }

    fn text<T>(&mut self, from_stored: impl FnOnce(String) -> T) -> Result<Option<T>> {
        Ok(self.take::<Option<String>>()?.map(from_stored))
    }

    fn profile_id(&mut self) -> Result<ProfileId> {
        let at = self.next;
        self.next += 1;
        profile_id(self.row, at)
    }

    fn birth_date(&mut self) -> Result<Option<BirthDate>> {
        let at = self.next;
        self.take::<Option<String>>()?.map(|text| BirthDate::parse(&text).map_err(|reason| unreadable(at, Type::Text, reason))).transpose()
    }

    fn attributes(&mut self) -> Result<Attributes> {
        let at = self.next;
        let text: String = self.take()?;
        let is_empty = text == "{}";
        let attributes = Attributes::from_stored(text);
        // What is no JSON is taken for no attributes; a later write would make that the truth.
        if attributes == Attributes::default() && !is_empty {
            return Err(unreadable(at, Type::Text, "these attributes are not JSON"));
        }
        Ok(attributes)
    }
}

pub(super) fn unreadable(column: usize, found: Type, reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, found, reason.into())
}

/// The id in a column.
pub(super) fn profile_id(row: &Row<'_>, column: usize) -> Result<ProfileId> {
    let bytes = row.get_ref(column)?.as_blob().map_err(|e| unreadable(column, Type::Blob, e))?;
    Uuid::from_slice(bytes).map(ProfileId).map_err(|e| unreadable(column, Type::Blob, e))
}

/// The value of a preference in a column.
pub(super) fn preference_value(row: &Row<'_>, column: usize) -> Result<PreferenceValue> {
    let text: String = row.get(column)?;
    let is_null = text == "null";
    let value = PreferenceValue::from_stored(text);
    if value.as_str() == "null" && !is_null {
        return Err(unreadable(column, Type::Text, "this preference is not JSON"));
    }
    Ok(value)
}

/// Reads a row that begins with `profile_columns!`.
pub(super) fn profile(row: &Row<'_>) -> Result<Profile> {
    let mut columns = Columns::of(row);
    Ok(Profile {
        tenant_name: TenantName::from_stored(columns.take()?),
        profile_id: columns.profile_id()?,
        profile_type: ProfileType::from_stored(columns.take()?),
        user_id: UserId::from_stored(columns.take()?),
        full_name: Text::from_stored(columns.take()?),
        gender: columns.text(Text::from_stored)?,
        email_id: columns.text(EmailAddress::from_stored)?,
        mobile: columns.text(Mobile::from_stored)?,
        birth_date: columns.birth_date()?,
        city_id: columns.text(Text::from_stored)?,
        country_id: columns.text(Text::from_stored)?,
        address: columns.text(Text::from_stored)?,
        latitude: columns.take()?,
        longitude: columns.take()?,
        profile_image_url: columns.take()?,
        attributes: columns.attributes()?,
        active: columns.take()?,
        created_by: columns.take()?,
        updated_by: columns.take()?,
        deleted_by: columns.take()?,
        created_at: TimestampMs(columns.take()?),
        updated_at: TimestampMs(columns.take()?),
        deleted_at: columns.take::<Option<i64>>()?.map(TimestampMs),
        version: Version(columns.take()?),
    })
}

/// Reads a row of `profile_columns!` with the profile's number behind them.
pub(super) fn numbered_profile(row: &Row<'_>) -> Result<(i64, Profile)> {
    Ok((row.get(PROFILE_WIDTH)?, profile(row)?))
}

/// Reads a row that begins with `tenant_columns!`.
pub(super) fn tenant(row: &Row<'_>) -> Result<Tenant> {
    let mut columns = Columns::of(row);
    Ok(Tenant {
        tenant_name: TenantName::from_stored(columns.take()?),
        display_name: columns.text(Text::from_stored)?,
        suspended: columns.take()?,
        created_by: columns.take()?,
        updated_by: columns.take()?,
        created_at: TimestampMs(columns.take()?),
        updated_at: TimestampMs(columns.take()?),
        version: Version(columns.take()?),
    })
}

/// A profile with what is derived from it: made by the caller, so that the thread that writes need not.
#[derive(Debug)]
pub(super) struct StoredProfile {
    pub profile: Profile,
    full_name_key: String,
    email_key: Option<String>,
    pub search_doc: String,
    /// Its grams, as they are kept.
    pub words: String,
}

impl From<Profile> for StoredProfile {
    fn from(profile: Profile) -> Self {
        let search_doc = search_doc(&profile);
        Self {
            words: words_by_text(&profile, &search_doc),
            full_name_key: fold(profile.full_name.as_str()),
            email_key: profile.email_id.as_ref().map(EmailAddress::key),
            search_doc,
            profile,
        }
    }
}

/// How many parameters `bind_profile` binds; a statement's own come behind them.
pub(super) const PROFILE_PARAMETERS: usize = PROFILE_WIDTH + 3;

/// Binds `profile_columns!` and the derived columns to the parameters from ?1 on; the tenant is the one given.
pub(super) fn bind_profile(statement: &mut Statement<'_>, tenant: &TenantName, stored: &StoredProfile) -> Result<()> {
    let StoredProfile { profile, full_name_key, email_key, search_doc, words: _ } = stored;
    let mut next = 0;
    macro_rules! bind {
        ($($value:expr),+ $(,)?) => {$(
            next += 1;
            statement.raw_bind_parameter(next, $value)?;
        )+};
    }
    bind!(
        tenant.as_str(),
        profile.profile_id.0.as_bytes().as_slice(),
        profile.profile_type.as_str(),
        profile.user_id.as_str(),
        profile.full_name.as_str(),
        profile.gender.as_ref().map(Text::as_str),
        profile.email_id.as_ref().map(EmailAddress::as_str),
        profile.mobile.as_ref().map(Mobile::as_str),
        profile.birth_date.map(|date| date.to_string()),
        profile.city_id.as_ref().map(Text::as_str),
        profile.country_id.as_ref().map(Text::as_str),
        profile.address.as_ref().map(Text::as_str),
        profile.latitude,
        profile.longitude,
        &profile.profile_image_url,
        profile.attributes.as_str(),
        profile.active,
        &profile.created_by,
        &profile.updated_by,
        &profile.deleted_by,
        profile.created_at.0,
        profile.updated_at.0,
        profile.deleted_at.map(|at| at.0),
        profile.version.0,
        full_name_key,
        email_key,
        search_doc,
    );
    debug_assert_eq!(next, PROFILE_PARAMETERS);
    Ok(())
}
