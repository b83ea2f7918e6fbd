//! The contract of a store, kept by `postgres` and by `sqlite` and checked on both by `conformance`.
//!
//! A store keeps what it is given, compares-and-swaps, and searches; the rules live above it. Promises of every
//! method: a write is atomic with its rows in the change log and its recorded answer, and durable once it returned; a
//! read that starts after a write returned sees it; every statement is bound to the tenant given first. An unknown
//! tenant is `TenantUnknown`, a suspended one `TenantSuspended`, wherever a method does not say otherwise.

#[cfg(test)]
pub mod conformance;
pub mod error;
pub mod migrations;
pub mod postgres;
pub mod route;
pub mod sqlite;
pub mod traced;

pub use error::{Result, StoreError, Uniqueness};

use crate::domain::change::{Change, ChangePosition};
use crate::domain::clock::TimestampMs;
use crate::domain::idempotency::{Attempt, Record, Recorded};
use crate::domain::preference::{PreferenceKey, PreferenceValue, Preferences};
use crate::domain::profile::{Profile, ProfileId, UserId};
use crate::domain::search::{Found, Search};
use crate::domain::spelling::{Probe, Sample};
use crate::domain::tenant::{Tenant, TenantName};
use crate::domain::version::Version;
use async_trait::async_trait;

/// Everything a store does.
pub trait Store: ProfileStore + PreferenceStore + TenantStore + IdempotencyStore + ChangeStore + Maintenance {}
impl<T: ProfileStore + PreferenceStore + TenantStore + IdempotencyStore + ChangeStore + Maintenance> Store for T {}

/// A profile that is to take the place of an earlier version of itself.
#[derive(Debug, Clone)]
pub struct Replacement {
    pub profile: Profile,
    /// The version that must still be there.
    pub expected: Version,
    pub change: Change,
}

/// A profile that is to be erased.
#[derive(Debug, Clone)]
pub struct Purge {
    pub profile_id: ProfileId,
    pub user_id: UserId,
    pub expected: Version,
    pub change: Change,
}

/// The profiles of a user, in every state and oldest first, and the preferences.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserRows {
    pub profiles: Vec<Profile>,
    pub preferences: Preferences,
}

#[async_trait]
pub trait ProfileStore: Send + Sync {
    /// Inserts a live profile. `Duplicate` names the rule that it would break; nothing is written then.
    async fn create_profile(&self, tenant: &TenantName, profile: &Profile, change: &Change, record: Option<&Record>) -> Result<()>;

    /// The profile in any state, or `None`.
    async fn read_profile(&self, tenant: &TenantName, profile_id: ProfileId) -> Result<Option<Profile>>;

    /// Puts every profile in the place of its expected version, or, if one of them has another version by now or is
    /// gone, none of them: then `false`. `Duplicate` as for a create. The tenant's state is not looked at: whoever
    /// replaces has read before.
    async fn replace_profiles(&self, tenant: &TenantName, replacements: &[Replacement], record: Option<&Record>) -> Result<bool>;

    /// Erases profiles in any state, as `replace_profiles` all or none, with the recorded answers that show them. A
    /// user who has no profile left in any state loses preferences, and the answers that show those, too.
    async fn purge_profiles(&self, tenant: &TenantName, purges: &[Purge], record: Option<&Record>) -> Result<bool>;

    /// All of a user's profiles and preferences, from one snapshot.
    async fn read_user(&self, tenant: &TenantName, user_id: &UserId) -> Result<UserRows>;

    /// A page in strict order, and the count. `TooSlow` when it exceeds the search budget.
    async fn search_profiles(&self, tenant: &TenantName, search: &Search) -> Result<Found>;

    /// For each beginning of the probe, some profiles of the tenant in which a word has it: not all, and not always one
    /// where there is one. Takes a small part of a search's budget; `TooSlow` when that is not enough.
    async fn sample_profiles(&self, tenant: &TenantName, probe: &Probe) -> Result<Vec<Sample>>;
}

/// What became of a preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreferenceOutcome {
    Created,
    Replaced,
    /// The user has no live profile; nothing was written.
    NoUser,
}

#[async_trait]
pub trait PreferenceStore: Send + Sync {
    /// `None` when the user has no live profile.
    async fn list_preferences(&self, tenant: &TenantName, user_id: &UserId) -> Result<Option<Preferences>>;

    /// `None` when the user has no live profile or no such preference.
    async fn read_preference(&self, tenant: &TenantName, user_id: &UserId, key: &PreferenceKey) -> Result<Option<PreferenceValue>>;

    /// Sets one preference of a user who has a live profile.
    async fn put_preference(
        &self,
        tenant: &TenantName,
        user_id: &UserId,
        key: &PreferenceKey,
        value: &PreferenceValue,
        change: &Change,
        record: Option<&Record>,
    ) -> Result<PreferenceOutcome>;

    /// Whether there was one to delete, of a user who has a live profile.
    async fn delete_preference(
        &self,
        tenant: &TenantName,
        user_id: &UserId,
        key: &PreferenceKey,
        change: &Change,
        record: Option<&Record>,
    ) -> Result<bool>;
}

/// Tenants are administered whether suspended or not: no method here answers `TenantSuspended`.
#[async_trait]
pub trait TenantStore: Send + Sync {
    /// `Duplicate(TenantName)` when there is one of this name. The answer is recorded under `creation_scope`.
    async fn create_tenant(&self, tenant: &Tenant, change: &Change, record: Option<&Record>) -> Result<()>;

    async fn read_tenant(&self, tenant: &TenantName) -> Result<Option<Tenant>>;

    /// Compare-and-swap on the version; `false` when it is another by now.
    async fn replace_tenant(&self, tenant: &Tenant, expected: Version, change: &Change, record: Option<&Record>) -> Result<bool>;

    /// Erases the tenant with its deleted profiles, preferences and recorded answers; `TenantInUse` while it has a
    /// live profile, `false` when the version is another by now.
    async fn delete_tenant(&self, tenant: &TenantName, expected: Version, change: &Change, record: Option<&Record>) -> Result<bool>;

    /// At most `limit` tenants by name, behind `after`; only those in `among`, if given.
    async fn list_tenants(&self, after: Option<&TenantName>, among: Option<&[TenantName]>, limit: u32) -> Result<Vec<Tenant>>;
}

#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// What was recorded under the attempt's key for its subject within the last 24 hours. Tenants may be unknown.
    async fn read_recorded(&self, tenant: &TenantName, attempt: &Attempt) -> Result<Option<Recorded>>;

    /// Records the answer to a request that found nothing to change.
    async fn record_answer(&self, tenant: &TenantName, record: &Record) -> Result<()>;

    /// Removes what was recorded before `before`, a bounded number at once; how many.
    async fn sweep_recorded(&self, before: TimestampMs) -> Result<u64>;
}

#[async_trait]
pub trait ChangeStore: Send + Sync {
    /// At most `limit` changes of all tenants behind `after`. A reader that goes on from the last position misses
    /// nothing, transactions that commit late included, and sees each user's changes in order.
    async fn read_changes(&self, after: ChangePosition, limit: u32) -> Result<Vec<(ChangePosition, Change)>>;
}

/// How a migration stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationReport {
    pub applied: Vec<String>,
    /// The schema's version now.
    pub version: u32,
}

#[async_trait]
pub trait Maintenance: Send + Sync {
    /// Brings the schema to this program's version; safe from several nodes at once. Refuses a schema that is newer,
    /// or whose migrations are not the ones embedded here. `at` is when the first tenant is made.
    async fn migrate(&self, at: TimestampMs) -> Result<MigrationReport>;

    /// Answers when the database does.
    async fn ping(&self) -> Result<()>;

    /// 32 random bytes that all nodes on this database share; `candidate` becomes them if there are none yet.
    async fn shared_secret(&self, candidate: [u8; 32]) -> Result<[u8; 32]>;

    /// Finishes what is under way and closes; further calls answer `Unavailable`.
    async fn close(&self);
}
