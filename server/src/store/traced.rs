//! Any store, with a span around each method that requests call, where the request is traced.

use super::{
    ChangeStore, IdempotencyStore, Maintenance, MigrationReport, PreferenceOutcome, PreferenceStore, ProfileStore, Purge, Replacement,
    Result, Store, StoreError, TenantStore, UserRows,
};
use crate::domain::change::{Change, ChangePosition};
use crate::domain::clock::TimestampMs;
use crate::domain::idempotency::{Attempt, Record, Recorded};
use crate::domain::preference::{PreferenceKey, PreferenceValue, Preferences};
use crate::domain::profile::{Profile, ProfileId, UserId};
use crate::domain::search::{Found, Search};
use crate::domain::spelling::{Probe, Sample};
use crate::domain::tenant::{Tenant, TenantName};
use crate::domain::version::Version;
use crate::telemetry::traces::{Attribute, Span, Work, within};
use async_trait::async_trait;
use std::sync::Arc;

/// A store whose methods are told in traces.
pub struct Traced {
    store: Arc<dyn Store>,
    /// As OpenTelemetry calls the database: `postgresql` or `sqlite`.
    system: &'static str,
}

impl Traced {
    pub fn new(store: Arc<dyn Store>, system: &'static str) -> Self {
        Self { store, system }
    }

    fn work(&self, method: &'static str) -> Work {
        let attributes = vec![Attribute::new("db.system.name", self.system), Attribute::new("db.operation.name", method)];
        Work { name: method, is_client: true, attributes }
    }
}

/// What refuses is an answer, and no failure.
fn tell<T>(outcome: &Result<T>, span: Span<'_>) {
    match outcome {
        Err(StoreError::Unavailable(_)) => span.fail("unavailable"),
        Err(StoreError::Internal(_)) => span.fail("internal"),
        Err(StoreError::TooSlow(_)) => span.fail("too_slow"),
        Err(StoreError::Duplicate(_) | StoreError::TenantUnknown | StoreError::TenantSuspended | StoreError::TenantInUse) | Ok(_) => {}
    }
}

fn tell_search(outcome: &Result<Found>, span: Span<'_>) {
    if let Ok(found) = outcome {
        span.tell("db.response.returned_rows", number(found.profiles.len()));
        for step in &found.route.0 {
            let expected = Attribute::new("n_users.expected", number(step.expected));
            span.note(step.step, vec![expected, Attribute::new("n_users.read", step.read)]);
        }
    }
    tell(outcome, span);
}

/// As attributes have numbers.
fn number(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// Each method as it is, with a span of its name; what is special is told by a function of its own.
macro_rules! traced {
    ($($trait:ident { $(fn $method:ident($($argument:ident: $kind:ty),*) -> $outcome:ty $(, told by $tell:ident)?;)+ })+) => { $(
        #[async_trait]
        impl $trait for Traced {
            $(async fn $method(&self, $($argument: $kind),*) -> $outcome {
                let tell = traced!(@tell $($tell)?);
                within(|| self.work(stringify!($method)), self.store.$method($($argument),*), tell).await
            })+
        }
    )+ };
    (@tell) => { tell };
    (@tell $tell:ident) => { $tell };
}

traced! {
    ProfileStore {
        fn create_profile(tenant: &TenantName, profile: &Profile, change: &Change, record: Option<&Record>) -> Result<()>;
        fn read_profile(tenant: &TenantName, profile_id: ProfileId) -> Result<Option<Profile>>;
        fn replace_profiles(tenant: &TenantName, replacements: &[Replacement], record: Option<&Record>) -> Result<bool>;
        fn purge_profiles(tenant: &TenantName, purges: &[Purge], record: Option<&Record>) -> Result<bool>;
        fn read_user(tenant: &TenantName, user_id: &UserId) -> Result<UserRows>;
        fn search_profiles(tenant: &TenantName, search: &Search) -> Result<Found>, told by tell_search;
        fn sample_profiles(tenant: &TenantName, probe: &Probe) -> Result<Vec<Sample>>;
    }
    PreferenceStore {
        fn list_preferences(tenant: &TenantName, user_id: &UserId) -> Result<Option<Preferences>>;
        fn read_preference(tenant: &TenantName, user_id: &UserId, key: &PreferenceKey) -> Result<Option<PreferenceValue>>;
        fn put_preference(
            tenant: &TenantName, user_id: &UserId, key: &PreferenceKey, value: &PreferenceValue, change: &Change, record: Option<&Record>
        ) -> Result<PreferenceOutcome>;
        fn delete_preference(
            tenant: &TenantName, user_id: &UserId, key: &PreferenceKey, change: &Change, record: Option<&Record>
        ) -> Result<bool>;
    }
    TenantStore {
        fn create_tenant(tenant: &Tenant, change: &Change, record: Option<&Record>) -> Result<()>;
        fn read_tenant(tenant: &TenantName) -> Result<Option<Tenant>>;
        fn replace_tenant(tenant: &Tenant, expected: Version, change: &Change, record: Option<&Record>) -> Result<bool>;
        fn delete_tenant(tenant: &TenantName, expected: Version, change: &Change, record: Option<&Record>) -> Result<bool>;
        fn list_tenants(after: Option<&TenantName>, among: Option<&[TenantName]>, limit: u32) -> Result<Vec<Tenant>>;
    }
    IdempotencyStore {
        fn read_recorded(tenant: &TenantName, attempt: &Attempt) -> Result<Option<Recorded>>;
        fn record_answer(tenant: &TenantName, record: &Record) -> Result<()>;
        fn sweep_recorded(before: TimestampMs) -> Result<u64>;
    }
    ChangeStore {
        fn read_changes(after: ChangePosition, limit: u32) -> Result<Vec<(ChangePosition, Change)>>;
    }
}

/// What no request does, and probes, which are not traced.
#[async_trait]
impl Maintenance for Traced {
    async fn migrate(&self, at: TimestampMs) -> Result<MigrationReport> {
        self.store.migrate(at).await
    }

    async fn ping(&self) -> Result<()> {
        self.store.ping().await
    }

    async fn shared_secret(&self, candidate: [u8; 32]) -> Result<[u8; 32]> {
        self.store.shared_secret(candidate).await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}
