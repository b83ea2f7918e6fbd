//! Erasing profiles, and what is left of users who have none any more.

use super::idempotency::StoredRecord;
use super::locks::Locks;
use super::pool::{Attempted, Session};
use super::rows;
use super::values::{ChangeValues, logged};
use crate::domain::idempotency::Concerns;
use crate::domain::profile::UserId;
use crate::domain::tenant::TenantName;
use crate::store::Purge;
use std::collections::BTreeSet;

/// $9 is the profile, $10 its version, $11 what recorded answers name it by; $12 and $13 the record that this very
/// request makes, which stays.
pub(super) const PURGE_PROFILE: &str = concat!(
    "WITH erased AS (DELETE FROM profiles WHERE tenant_name = $1::text AND profile_id = $9::uuid AND version = $10::bigint ",
    "RETURNING 1), ",
    "forgotten AS (UPDATE idempotency_keys SET answer = NULL ",
    "WHERE tenant_name = $1::text AND concerns = $11::text AND answer IS NOT NULL AND EXISTS (SELECT FROM erased) ",
    "AND (subject, idempotency_key) IS DISTINCT FROM ($12::text, $13::text)), ",
    logged!("erased"),
    " SELECT count(*) AS written FROM erased"
);

/// $2 is the user, $3 what recorded answers name the user by; $4 and $5 the record of this very request.
pub(super) const FORGET_USER: &str = "\
WITH gone AS (
    SELECT 1 WHERE NOT EXISTS (SELECT FROM profiles WHERE tenant_name = $1::text AND user_id = $2::text)
), erased AS (
    DELETE FROM preferences WHERE tenant_name = $1::text AND user_id = $2::text AND EXISTS (SELECT FROM gone)
)
UPDATE idempotency_keys SET answer = NULL
WHERE tenant_name = $1::text AND concerns = $3::text AND answer IS NOT NULL AND EXISTS (SELECT FROM gone)
AND (subject, idempotency_key) IS DISTINCT FROM ($4::text, $5::text)";

/// All of them or none. The users' locks keep out preferences, and profiles, that would otherwise slip in beside it:
/// each statement then sees what whoever held the lock before has committed.
pub(super) async fn purge_all(
    session: Session,
    tenant: &TenantName,
    purges: &[Purge],
    record: Option<&StoredRecord<'_>>,
) -> Attempted<bool> {
    let locks = purges.iter().fold(Locks::default(), |locks, purge| locks.profile(purge.profile_id).user(tenant, &purge.user_id));
    let (own_subject, own_key) = (record.map(|record| record.subject), record.map(|record| record.key));
    let mut begun = false;
    for Purge { profile_id, expected, change, .. } in purges {
        let change = ChangeValues::new(tenant, change);
        let concerns = Concerns::Profile(*profile_id).to_stored();
        let params = change.and(&[&profile_id.0, &expected.0, &concerns, &own_subject, &own_key]);
        let row = if begun {
            session.query_one(PURGE_PROFILE, &params).await?
        } else {
            session.begin_write(&locks, record, PURGE_PROFILE, &params).await?
        };
        begun = true;
        if !rows::written(&row)? {
            session.end(false).await?;
            return Ok(false);
        }
    }
    let users: BTreeSet<&UserId> = purges.iter().map(|purge| &purge.user_id).collect();
    for user_id in users {
        let concerns = Concerns::User(user_id.clone()).to_stored();
        session.query(FORGET_USER, &[&tenant.as_str(), &user_id.as_str(), &concerns, &own_subject, &own_key]).await?;
    }
    session.end(true).await?;
    Ok(true)
}
