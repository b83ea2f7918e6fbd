//! What the cases are written in: a store with a clock, ids and rules above it, so that a case reads as what people do.
//!
//! Time and ids come from one counter. Both ascend and none comes twice, also when tasks share a `World`.

use crate::domain::change::{Change, ChangeKind, ChangePosition};
use crate::domain::clock::TimestampMs;
use crate::domain::document::Document;
use crate::domain::idempotency::{Attempt, Concerns, IdempotencyKey, Record, Recorded, Written};
use crate::domain::preference::{PreferenceKey, PreferenceValue, Preferences};
use crate::domain::profile::{Profile, ProfileId, UserId};
use crate::domain::profile_patch::ProfilePatch;
use crate::domain::search::{Found, MAX_LIMIT, Search, Sort, Start};
use crate::domain::search_text::needles;
use crate::domain::tenant::{Tenant, TenantName};
use crate::domain::text::Text;
use crate::domain::version::Version;
use crate::store::{PreferenceOutcome, Purge, Replacement, Result, Store, StoreError, Uniqueness};
use serde_json::Value;
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// When every story begins: 2023-11-14.
pub const START: TimestampMs = TimestampMs(1_700_000_000_000);
/// Who does what is done.
pub const SUBJECT: &str = "subject|Ωmega";

/// A store seen from one tenant.
#[derive(Clone)]
pub struct World {
    pub store: Arc<dyn Store>,
    pub tenant: TenantName,
    counter: Arc<AtomicI64>,
}

impl World {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, tenant: tenant_name("acme"), counter: Arc::new(AtomicI64::new(0)) }
    }

    /// The same store seen from another tenant, which may not exist.
    pub fn seen_from(&self, tenant: &str) -> Self {
        Self { tenant: tenant_name(tenant), ..self.clone() }
    }

    /// The same tenant seen by another node.
    pub fn seen_by(&self, store: Arc<dyn Store>) -> Self {
        Self { store, ..self.clone() }
    }

    pub async fn with_tenant(&self, tenant: &str) -> Self {
        let other = self.seen_from(tenant);
        other.create_own_tenant().await;
        other
    }

    pub async fn create_own_tenant(&self) -> Tenant {
        let tenant = self.new_tenant(self.tenant.as_str());
        self.store.create_tenant(&tenant, &self.tenant_change(ChangeKind::TenantCreated, &tenant), None).await.unwrap();
        tenant
    }

    fn tick(&self) -> i64 {
        self.counter.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub fn now(&self) -> TimestampMs {
        TimestampMs(START.0 + self.tick())
    }

    /// A UUID v7 in form: ids ascend.
    pub fn new_id(&self) -> ProfileId {
        ProfileId(numbered_id(self.tick()))
    }

    // Profiles.

    /// A profile as the service would make it of these fields; without a name it has a usual one.
    pub fn draft(&self, fields: Value) -> Profile {
        let mut fields = fields;
        let members = fields.as_object_mut().unwrap();
        members.entry("full_name").or_insert_with(|| Value::from("Ada Lovelace"));
        let patch = ProfilePatch::read(Document::parse(fields.to_string().as_bytes()).unwrap());
        patch.create(self.tenant.clone(), self.new_id(), SUBJECT, self.now()).unwrap()
    }

    pub async fn insert(&self, profile: &Profile) -> Result<()> {
        self.insert_recorded(profile, None).await
    }

    pub async fn insert_recorded(&self, profile: &Profile, record: Option<&Record>) -> Result<()> {
        let change = Change::of_profile(ChangeKind::ProfileCreated, profile, vec!["full_name"]);
        self.store.create_profile(&self.tenant, profile, &change, record).await
    }

    pub async fn create(&self, fields: Value) -> Profile {
        let profile = self.draft(fields);
        self.insert(&profile).await.unwrap();
        profile
    }

    pub async fn try_create(&self, fields: Value) -> Result<Profile> {
        let profile = self.draft(fields);
        self.insert(&profile).await.map(|()| profile)
    }

    pub async fn read(&self, profile_id: ProfileId) -> Option<Profile> {
        self.store.read_profile(&self.tenant, profile_id).await.unwrap()
    }

    /// The profile with a merge patch applied.
    pub fn patched(&self, old: &Profile, fields: &Value) -> Profile {
        let patch = ProfilePatch::read(Document::parse(fields.to_string().as_bytes()).unwrap());
        patch.apply(old, SUBJECT, self.now()).unwrap().expect("the patch changes something")
    }

    pub async fn replace(&self, old: &Profile, new: &Profile, kind: ChangeKind) -> Result<bool> {
        self.store.replace_profiles(&self.tenant, &[replacement(old, new, kind)], None).await
    }

    pub async fn try_update(&self, old: &Profile, fields: &Value) -> Result<bool> {
        self.replace(old, &self.patched(old, fields), ChangeKind::ProfileUpdated).await
    }

    pub async fn update(&self, old: &Profile, fields: Value) -> Profile {
        let new = self.patched(old, &fields);
        assert!(self.replace(old, &new, ChangeKind::ProfileUpdated).await.unwrap());
        new
    }

    pub async fn delete(&self, old: &Profile) -> Profile {
        let new = old.clone().deleted(SUBJECT, self.now());
        assert!(self.replace(old, &new, ChangeKind::ProfileDeleted).await.unwrap());
        new
    }

    pub async fn try_restore(&self, old: &Profile) -> Result<Profile> {
        let new = old.clone().restored(SUBJECT, self.now());
        self.replace(old, &new, ChangeKind::ProfileRestored).await.map(|done| {
            assert!(done);
            new
        })
    }

    pub async fn purge(&self, profiles: &[&Profile]) -> bool {
        self.purge_recorded(profiles, None).await
    }

    pub async fn purge_recorded(&self, profiles: &[&Profile], record: Option<&Record>) -> bool {
        let at = self.now();
        let purges: Vec<Purge> = profiles.iter().map(|profile| purge(profile, at)).collect();
        self.store.purge_profiles(&self.tenant, &purges, record).await.unwrap()
    }

    // Preferences.

    pub fn preference_change(&self, kind: ChangeKind, user_id: &UserId, key: &PreferenceKey) -> Change {
        Change::of_preference(kind, &self.tenant, user_id, key, SUBJECT, self.now())
    }

    pub async fn put(&self, user: &str, key: &str, value: &str) -> PreferenceOutcome {
        self.put_recorded(user, key, value, None).await.unwrap()
    }

    pub async fn put_recorded(&self, user: &str, key: &str, value: &str, record: Option<&Record>) -> Result<PreferenceOutcome> {
        let (user_id, key) = (user_id(user), preference_key(key));
        let change = self.preference_change(ChangeKind::PreferenceSet, &user_id, &key);
        self.store.put_preference(&self.tenant, &user_id, &key, &preference_value(value), &change, record).await
    }

    pub async fn unset(&self, user: &str, key: &str) -> bool {
        let (user_id, key) = (user_id(user), preference_key(key));
        let change = self.preference_change(ChangeKind::PreferenceDeleted, &user_id, &key);
        self.store.delete_preference(&self.tenant, &user_id, &key, &change, None).await.unwrap()
    }

    pub async fn preferences(&self, user: &str) -> Option<Preferences> {
        self.store.list_preferences(&self.tenant, &user_id(user)).await.unwrap()
    }

    pub async fn preference(&self, user: &str, key: &str) -> Option<String> {
        let value = self.store.read_preference(&self.tenant, &user_id(user), &preference_key(key)).await.unwrap();
        value.map(|value| value.as_str().to_owned())
    }

    // Tenants.

    pub fn new_tenant(&self, name: &str) -> Tenant {
        let at = self.now();
        Tenant {
            tenant_name: tenant_name(name),
            display_name: None,
            suspended: false,
            created_by: SUBJECT.to_owned(),
            updated_by: SUBJECT.to_owned(),
            created_at: at,
            updated_at: at,
            version: Version::FIRST,
        }
    }

    pub fn tenant_change(&self, kind: ChangeKind, tenant: &Tenant) -> Change {
        Change::of_tenant(kind, &tenant.tenant_name, tenant.version, SUBJECT, tenant.updated_at)
    }

    pub async fn own_tenant(&self) -> Tenant {
        self.store.read_tenant(&self.tenant).await.unwrap().unwrap()
    }

    /// The tenant after an update, which is not written yet.
    pub fn tenant_with(&self, old: &Tenant, display_name: Option<&str>, suspended: bool) -> Tenant {
        Tenant {
            display_name: display_name.map(|text| Text::parse(text).unwrap()),
            suspended,
            updated_at: self.now(),
            version: old.version.next(),
            ..old.clone()
        }
    }

    pub async fn suspend(&self, suspended: bool) {
        let old = self.own_tenant().await;
        let new = self.tenant_with(&old, None, suspended);
        let change = self.tenant_change(ChangeKind::TenantUpdated, &new);
        assert!(self.store.replace_tenant(&new, old.version, &change, None).await.unwrap());
    }

    pub async fn delete_own_tenant(&self) -> Result<bool> {
        let tenant = self.own_tenant().await;
        let change = self.tenant_change(ChangeKind::TenantDeleted, &tenant);
        self.store.delete_tenant(&self.tenant, tenant.version, &change, None).await
    }

    // Idempotency.

    pub fn attempt(&self, key: &str) -> Attempt {
        Attempt {
            key: IdempotencyKey::parse(key).unwrap(),
            subject: SUBJECT.to_owned(),
            fingerprint: [u8::try_from(key.len()).unwrap(); 32],
            at: self.now(),
        }
    }

    pub fn record_of(&self, key: &str, profile: &Profile) -> Record {
        let answer = Written::Profile { created: true, profile: Box::new(profile.clone()) };
        Record { attempt: self.attempt(key), concerns: Concerns::Profile(profile.profile_id), answer }
    }

    pub async fn recorded(&self, key: &str) -> Option<Recorded> {
        self.store.read_recorded(&self.tenant, &self.attempt(key)).await.unwrap()
    }

    // Search.

    pub async fn search(&self, search: &Search) -> Found {
        self.store.search_profiles(&self.tenant, search).await.unwrap()
    }

    /// The names that a query finds, by name.
    pub async fn names_found(&self, query: &str) -> Vec<String> {
        let sort = Sort::parse("full_name").unwrap();
        let found = self.search(&Search { needles: needles(query), sort, ..everybody() }).await;
        assert_eq!(found.total.value as usize, found.profiles.len());
        found.profiles.iter().map(|profile| profile.full_name.as_str().to_owned()).collect()
    }

    // The change log.

    /// Every change so far, of all tenants. A change may show only when older transactions have ended, so a last
    /// change of our own is made, and read for until it is there: then all that came before it is there, too.
    pub async fn whole_log(&self) -> Vec<(ChangePosition, Change)> {
        let last = self.new_tenant(&format!("end-of-log-{}", self.tick()));
        self.store.create_tenant(&last, &self.tenant_change(ChangeKind::TenantCreated, &last), None).await.unwrap();
        let mut log: Vec<(ChangePosition, Change)> = Vec::new();
        eventually("the last change shows in the log", async || {
            let after = log.last().map_or_else(ChangePosition::default, |(position, _)| *position);
            log.extend(self.store.read_changes(after, 1000).await.unwrap());
            log.last().is_some_and(|(_, change)| change.tenant_name == last.tenant_name)
        })
        .await;
        log.retain(|(_, change)| !change.tenant_name.as_str().starts_with("end-of-log-"));
        log
    }

    /// The changes of this tenant's users.
    pub async fn log(&self) -> Vec<Change> {
        let log = self.whole_log().await.into_iter().map(|(_, change)| change);
        log.filter(|change| change.tenant_name == self.tenant && change.user_id.is_some()).collect()
    }
}

/// Asks until it is so, and gives up after half a minute.
pub async fn eventually(what: &str, mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..3000 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("half a minute passed, and still not: {what}");
}

/// Starts tasks that truly run side by side, and waits for all of them.
pub async fn at_once<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|number| tokio::spawn(task(number))).collect();
    let mut results = Vec::with_capacity(count);
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

pub fn replacement(old: &Profile, new: &Profile, kind: ChangeKind) -> Replacement {
    let change = Change::of_profile(kind, new, old.changed_fields(new));
    Replacement { profile: new.clone(), expected: old.version, change }
}

pub fn purge(profile: &Profile, at: TimestampMs) -> Purge {
    Purge {
        profile_id: profile.profile_id,
        user_id: profile.user_id.clone(),
        expected: profile.version,
        change: Change::purge_of(profile, SUBJECT, at),
    }
}

pub fn numbered_id(number: i64) -> Uuid {
    Uuid::from_u128(0x018b_cfe5_6800_7000_8000_0000_0000_0000 | u128::from(number.unsigned_abs()))
}

pub fn tenant_name(name: &str) -> TenantName {
    TenantName::parse(name).unwrap()
}

pub fn user_id(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

pub fn preference_key(key: &str) -> PreferenceKey {
    PreferenceKey::parse(key).unwrap()
}

pub fn preference_value(json: &str) -> PreferenceValue {
    PreferenceValue::parse(json).unwrap()
}

/// A search for all live profiles, on one page, newest first.
pub fn everybody() -> Search {
    Search { needles: Vec::new(), filter: None, sort: Sort::DEFAULT, limit: MAX_LIMIT, start: Start::Offset(0), include_deleted: false }
}

/// The rule that a write would have broken.
pub fn broken_rule<T: Debug>(result: Result<T>) -> Uniqueness {
    match result {
        Err(StoreError::Duplicate(rule)) => rule,
        other => panic!("expected a duplicate, got {other:?}"),
    }
}
