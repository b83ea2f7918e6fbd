//! A user as a whole.

use super::pool::{Attempted, Session};
use super::preferences;
use super::rows::{self, profile_columns};
use crate::domain::profile::UserId;
use crate::domain::tenant::TenantName;
use crate::store::UserRows;
use crate::store::error::StoreError;
use futures::future::try_join3;

/// Nothing that other transactions commit meanwhile is seen.
pub(super) const BEGIN_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

pub(super) const READ_STATE: &str = "SELECT suspended FROM tenants WHERE tenant_name = $1";

pub(super) const READ_PROFILES: &str =
    concat!("SELECT ", profile_columns!("p"), " FROM profiles p WHERE p.tenant_name = $1 AND p.user_id = $2");

pub(super) const READ_PREFERENCES: &str =
    "SELECT preference_key, preference_value::text FROM preferences WHERE tenant_name = $1 AND user_id = $2";

pub(super) async fn read_user(session: Session, tenant: &TenantName, user_id: &UserId) -> Attempted<UserRows> {
    let [state, profiles, prefs] = session.prepare([READ_STATE, READ_PROFILES, READ_PREFERENCES]).await?;
    let (tenant, user_id) = (tenant.as_str(), user_id.as_str());
    let reads = async {
        try_join3(session.run(&state, &[&tenant]), session.run(&profiles, &[&tenant, &user_id]), session.run(&prefs, &[&tenant, &user_id]))
            .await
    };
    let (state, profiles, prefs) = session.within(BEGIN_SNAPSHOT, reads).await?;
    rows::check_tenant(state.first().ok_or(StoreError::TenantUnknown)?)?;
    let mut profiles = profiles.iter().map(|row| rows::profile(row, 0)).collect::<Result<Vec<_>, _>>()?;
    // Sorted here: asked for an order, the planner may take the index that has it over the one that finds the user.
    profiles.sort_unstable_by_key(|profile| (profile.created_at, profile.profile_id));
    let preferences = prefs.iter().map(|row| preferences::preference(row, 0)).collect::<Result<_, _>>()?;
    Ok(UserRows { profiles, preferences })
}
