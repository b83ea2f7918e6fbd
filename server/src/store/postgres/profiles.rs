//! Profiles: one statement per write, with the change log in it.

use super::Postgres;
use super::idempotency::StoredRecord;
use super::lanes::Read;
use super::locks::{Locks, profile_and_user_locked, user_locked};
use super::partitions::for_each_partition;
use super::pool::{Attempted, Params, Session};
use super::rows::{self, in_service, profile_column_names, profile_columns};
use super::values::{ChangeValues, ProfileValues, logged};
use crate::domain::change::Change;
use crate::domain::idempotency::Record;
use crate::domain::profile::{Profile, ProfileId, UserId};
use crate::domain::search::{Found, Search};
use crate::domain::spelling::{Probe, Sample};
use crate::domain::tenant::TenantName;
use crate::store::error::{Result, StoreError};
use crate::store::{ProfileStore, Purge, Replacement, UserRows};
use async_trait::async_trait;
use tokio_postgres::Row;

/// One row when there is such a tenant: whether it is suspended, whether there is such a profile, and the profile.
/// The tenant stands twice as a parameter, so that partitions are pruned by it.
pub(super) const READ_PROFILE: &str = concat!(
    "SELECT t.suspended, p.profile_id IS NOT NULL, ",
    profile_columns!("p"),
    " FROM tenants t LEFT JOIN profiles p ON p.tenant_name = $1 AND p.profile_id = $2 WHERE t.tenant_name = $1"
);

macro_rules! read_profile_in {
    ($partition:literal) => {
        concat!(
            "SELECT (SELECT suspended FROM tenants WHERE tenant_name = $1), ",
            profile_columns!("p"),
            " FROM profiles_p",
            $partition,
            " p WHERE p.tenant_name = $1 AND p.profile_id = $2"
        )
    };
}

/// One row when there is such a profile: whether its tenant is suspended, and the profile.
pub(super) const READ_PROFILE_IN: [&str; 8] = for_each_partition!(read_profile_in);

macro_rules! create_profile_in {
    ($partition:literal) => {
        concat!(
            "WITH tenant AS (SELECT suspended FROM tenants WHERE tenant_name = $1::text), ",
            "inserted AS (INSERT INTO profiles_p",
            $partition,
            " (",
            profile_column_names!(),
            ", full_name_key, email_key, search_doc, grams) ",
            "SELECT $1::text, $9::uuid, $10::text, $11::text, $12::text, $13::text, $14::text, $15::text, $16::text::date, $17::text, ",
            "$18::text, $19::text, $20::float8, $21::float8, $22::text, $23::text::json, $24::boolean, $25::text, $26::text, $27::text, ",
            "$28::bigint, $29::bigint, $30::bigint, $31::bigint, $32::text, $33::text, $34::text, $35::int[] ",
            "FROM tenant WHERE NOT suspended AND ",
            user_locked!(),
            " RETURNING 1), ",
            logged!("inserted"),
            " SELECT (SELECT suspended FROM tenant) AS suspended, (SELECT count(*) FROM inserted) AS written"
        )
    };
}

pub(super) const CREATE_PROFILE_IN: [&str; 8] = for_each_partition!(create_profile_in);

macro_rules! replace_profile_in {
    ($partition:literal) => {
        concat!(
            "WITH replaced AS (UPDATE profiles_p",
            $partition,
            " SET profile_type = $10::text, user_id = $11::text, full_name = $12::text, ",
            "gender = $13::text, email_id = $14::text, mobile = $15::text, birth_date = $16::text::date, city_id = $17::text, ",
            "country_id = $18::text, address = $19::text, latitude = $20::float8, longitude = $21::float8, ",
            "profile_image_url = $22::text, attributes = $23::text::json, active = $24::boolean, created_by = $25::text, ",
            "updated_by = $26::text, deleted_by = $27::text, created_at = $28::bigint, updated_at = $29::bigint, ",
            "deleted_at = $30::bigint, version = $31::bigint, full_name_key = $32::text, email_key = $33::text, search_doc = $34::text, ",
            "grams = $35::int[] ",
            "WHERE tenant_name = $1::text AND profile_id = $9::uuid AND version = $36::bigint AND ",
            profile_and_user_locked!(),
            " RETURNING 1), ",
            logged!("replaced"),
            " SELECT count(*) AS written FROM replaced"
        )
    };
}

/// $36 is the version that must still be there.
pub(super) const REPLACE_PROFILE_IN: [&str; 8] = for_each_partition!(replace_profile_in);

#[async_trait]
impl ProfileStore for Postgres {
    async fn create_profile(&self, tenant: &TenantName, profile: &Profile, change: &Change, record: Option<&Record>) -> Result<()> {
        let record = record.map(|record| StoredRecord::new(tenant, record)).transpose()?;
        let (change, profile_values) = (ChangeValues::new(tenant, change), ProfileValues::new(tenant, profile));
        let params = change.and(&profile_values.values());
        let locks = Locks::default().user(tenant, &profile.user_id);
        let create = self.partitions.of(tenant, &self.lanes).await?.of(&CREATE_PROFILE_IN);
        let row = self.pool.write_one(create, &params, &locks, record.as_ref()).await?;
        Ok(rows::check_tenant(&row)?)
    }

    async fn read_profile(&self, tenant: &TenantName, profile_id: ProfileId) -> Result<Option<Profile>> {
        let partition = self.partitions.of(tenant, &self.lanes).await?;
        let key: &Params<'_> = &[&tenant.as_str(), &profile_id.0];
        if let Some(row) = self.lanes.read(Read::ProfileIn(partition), key).await? {
            in_service(row.try_get(0).map_err(StoreError::internal)?)?;
            return rows::profile(&row, 1).map(Some);
        }
        match self.lanes.read(Read::Profile, key).await? {
            Some(row) => found_profile(&row),
            None => Err(StoreError::TenantUnknown),
        }
    }

    async fn replace_profiles(&self, tenant: &TenantName, replacements: &[Replacement], record: Option<&Record>) -> Result<bool> {
        let record = record.map(|record| StoredRecord::new(tenant, record)).transpose()?;
        let replace = self.partitions.of(tenant, &self.lanes).await?.of(&REPLACE_PROFILE_IN);
        match replacements {
            [] => Ok(true),
            [only] => {
                let prepared = Replacing::new(tenant, only);
                let locks = lock_all(tenant, replacements);
                let row = self.pool.write_one(replace, &prepared.params(), &locks, record.as_ref()).await?;
                Ok(rows::written(&row)?)
            }
            several => {
                let record = record.as_ref();
                Ok(self.pool.write(|session| replace_all(session, tenant, replace, several, record)).await?)
            }
        }
    }

    async fn purge_profiles(&self, tenant: &TenantName, purges: &[Purge], record: Option<&Record>) -> Result<bool> {
        let record = record.map(|record| StoredRecord::new(tenant, record)).transpose()?;
        let record = record.as_ref();
        match purges {
            [] => Ok(true),
            purges => Ok(self.pool.write(|session| super::purge::purge_all(session, tenant, purges, record)).await?),
        }
    }

    async fn read_user(&self, tenant: &TenantName, user_id: &UserId) -> Result<UserRows> {
        Ok(self.pool.read(|session| super::users::read_user(session, tenant, user_id)).await?)
    }

    async fn search_profiles(&self, tenant: &TenantName, search: &Search) -> Result<Found> {
        self.search(tenant, search).await
    }

    async fn sample_profiles(&self, tenant: &TenantName, probe: &Probe) -> Result<Vec<Sample>> {
        self.sample(tenant, probe).await
    }
}

fn found_profile(row: &Row) -> Result<Option<Profile>> {
    in_service(row.try_get(0).map_err(StoreError::internal)?)?;
    let found: bool = row.try_get(1).map_err(StoreError::internal)?;
    if found { rows::profile(row, 2).map(Some) } else { Ok(None) }
}

/// All the locks that replacing takes, those of each statement among them.
fn lock_all(tenant: &TenantName, replacements: &[Replacement]) -> Locks {
    replacements
        .iter()
        .fold(Locks::default(), |locks, Replacement { profile, .. }| locks.profile(profile.profile_id).user(tenant, &profile.user_id))
}

async fn replace_all(
    session: Session,
    tenant: &TenantName,
    replace: &'static str,
    replacements: &[Replacement],
    record: Option<&StoredRecord<'_>>,
) -> Attempted<bool> {
    let locks = lock_all(tenant, replacements);
    let mut begun = false;
    for replacement in replacements {
        let replacing = Replacing::new(tenant, replacement);
        let row = if begun {
            session.query_one(replace, &replacing.params()).await?
        } else {
            session.begin_write(&locks, record, replace, &replacing.params()).await?
        };
        begun = true;
        if !rows::written(&row)? {
            session.end(false).await?;
            return Ok(false);
        }
    }
    session.end(true).await?;
    Ok(true)
}

/// A replacement as parameters.
struct Replacing<'a> {
    change: ChangeValues<'a>,
    profile: ProfileValues<'a>,
    expected: i64,
}

impl<'a> Replacing<'a> {
    fn new(tenant: &'a TenantName, replacement: &'a Replacement) -> Self {
        let Replacement { profile, expected, change } = replacement;
        Self { change: ChangeValues::new(tenant, change), profile: ProfileValues::new(tenant, profile), expected: expected.0 }
    }

    fn params(&self) -> Vec<&(dyn tokio_postgres::types::ToSql + Sync)> {
        let mut params = self.change.and(&self.profile.values());
        params.push(&self.expected);
        params
    }
}
