//! Rows to what they mean. A row that cannot be read is an error, never a panic and never a guess.

use super::pool::Attempted;
use crate::domain::attributes::Attributes;
use crate::domain::birth_date::BirthDate;
use crate::domain::change::{Change, ChangeKind, ChangePosition};
use crate::domain::clock::TimestampMs;
use crate::domain::email::EmailAddress;
use crate::domain::mobile::Mobile;
use crate::domain::profile::{Profile, ProfileId, ProfileType, UserId};
use crate::domain::tenant::{Tenant, TenantName};
use crate::domain::text::Text;
use crate::domain::version::Version;
use crate::store::error::{Result, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Json};

/// The columns of a profile by their names, in the order of its fields.
macro_rules! profile_column_names {
    () => {
        "tenant_name, profile_id, profile_type, user_id, full_name, gender, email_id, mobile, birth_date, city_id, country_id, address, \
         latitude, longitude, profile_image_url, attributes, active, created_by, updated_by, deleted_by, created_at, updated_at, \
         deleted_at, version"
    };
}

/// The same in the form in which `profile` reads them. Dates as days since 1970-01-01, which costs least.
macro_rules! profile_columns {
    ($p:literal) => {
        concat!(
            $p,
            ".tenant_name, ",
            $p,
            ".profile_id, ",
            $p,
            ".profile_type, ",
            $p,
            ".user_id, ",
            $p,
            ".full_name, ",
            $p,
            ".gender, ",
            $p,
            ".email_id, ",
            $p,
            ".mobile, ",
            $p,
            ".birth_date - DATE '1970-01-01' AS birth_date, ",
            $p,
            ".city_id, ",
            $p,
            ".country_id, ",
            $p,
            ".address, ",
            $p,
            ".latitude, ",
            $p,
            ".longitude, ",
            $p,
            ".profile_image_url, ",
            $p,
            ".attributes, ",
            $p,
            ".active, ",
            $p,
            ".created_by, ",
            $p,
            ".updated_by, ",
            $p,
            ".deleted_by, ",
            $p,
            ".created_at, ",
            $p,
            ".updated_at, ",
            $p,
            ".deleted_at, ",
            $p,
            ".version"
        )
    };
}

pub(super) use {profile_column_names, profile_columns};

/// The columns of a tenant, in the order of its fields.
macro_rules! tenant_columns {
    () => {
        "tenant_name, display_name, suspended, created_by, updated_by, created_at, updated_at, version"
    };
}
pub(super) use tenant_columns;

/// Reads columns one after the other.
struct Columns<'a> {
    row: &'a Row,
    next: usize,
}

impl<'a> Columns<'a> {
    fn take<T: FromSql<'a>>(&mut self) -> Result<T> {
        let value = self.row.try_get(self.next).map_err(StoreError::internal);
        self.next += 1;
        value
    }

    fn text<const MAX: usize>(&mut self) -> Result<Option<Text<MAX>>> {
        Ok(self.take::<Option<String>>()?.map(Text::from_stored))
    }
}

/// The profile whose columns begin at `first`.
pub(super) fn profile(row: &Row, first: usize) -> Result<Profile> {
    let mut columns = Columns { row, next: first };
    let c = &mut columns;
    // The fields of a struct expression are evaluated in the order in which they stand.
    Ok(Profile {
        tenant_name: TenantName::from_stored(c.take()?),
        profile_id: ProfileId(c.take()?),
        profile_type: ProfileType::from_stored(c.take()?),
        user_id: UserId::from_stored(c.take()?),
        full_name: Text::from_stored(c.take()?),
        gender: c.text()?,
        email_id: c.take::<Option<String>>()?.map(EmailAddress::from_stored),
        mobile: c.take::<Option<String>>()?.map(Mobile::from_stored),
        birth_date: birth_date(c.take()?)?,
        city_id: c.text()?,
        country_id: c.text()?,
        address: c.text()?,
        latitude: c.take()?,
        longitude: c.take()?,
        profile_image_url: c.take()?,
        attributes: Attributes::from_raw(c.take::<Json<_>>()?.0),
        active: c.take()?,
        created_by: c.take()?,
        updated_by: c.take()?,
        deleted_by: c.take()?,
        created_at: TimestampMs(c.take()?),
        updated_at: TimestampMs(c.take()?),
        deleted_at: c.take::<Option<i64>>()?.map(TimestampMs),
        version: Version(c.take()?),
    })
}

fn birth_date(unix_day: Option<i32>) -> Result<Option<BirthDate>> {
    let Some(unix_day) = unix_day else { return Ok(None) };
    BirthDate::from_unix_day(unix_day).map(Some).ok_or_else(|| StoreError::internal("a stored birth date is none"))
}

/// The tenant whose columns begin at 0.
pub(super) fn tenant(row: &Row) -> Result<Tenant> {
    let mut columns = Columns { row, next: 0 };
    let c = &mut columns;
    Ok(Tenant {
        tenant_name: TenantName::from_stored(c.take()?),
        display_name: c.text()?,
        suspended: c.take()?,
        created_by: c.take()?,
        updated_by: c.take()?,
        created_at: TimestampMs(c.take()?),
        updated_at: TimestampMs(c.take()?),
        version: Version(c.take()?),
    })
}

/// A row of the change log.
pub(super) fn change(row: &Row) -> Result<(ChangePosition, Change)> {
    let mut columns = Columns { row, next: 0 };
    let c = &mut columns;
    let position = ChangePosition { transaction_id: c.take()?, change_id: c.take()? };
    let change = Change {
        tenant_name: TenantName::from_stored(c.take()?),
        user_id: c.take::<Option<String>>()?.map(UserId::from_stored),
        profile_id: c.take::<Option<uuid::Uuid>>()?.map(ProfileId),
        kind: ChangeKind::from_stored(c.take()?).ok_or_else(|| StoreError::internal("a change of a kind that is not known"))?,
        version: c.take::<Option<i64>>()?.map(Version),
        changed_by: c.take()?,
        changed_at: TimestampMs(c.take()?),
        changed_fields: c.take()?,
    };
    Ok((position, change))
}

/// What the column `suspended` of the tenant says: `NULL` when there is no such tenant.
pub(super) fn in_service(suspended: Option<bool>) -> Result<()> {
    match suspended {
        None => Err(StoreError::TenantUnknown),
        Some(true) => Err(StoreError::TenantSuspended),
        Some(false) => Ok(()),
    }
}

/// The same for a row whose column `suspended` it is.
pub(super) fn check_tenant(row: &Row) -> Attempted<()> {
    Ok(in_service(row.try_get("suspended")?)?)
}

/// How many rows a write wrote.
pub(super) fn written(row: &Row) -> Attempted<bool> {
    Ok(row.try_get::<_, i64>("written")? > 0)
}
