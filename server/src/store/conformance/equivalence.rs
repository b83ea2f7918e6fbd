//! The two backends are one store to whoever uses them: the same story, told to both, is answered the same on the way
//! and leaves the same behind.

use super::backends;
use super::fixtures::{START, World, everybody, purge, replacement, user_id};
use super::population::{Dice, NAMES};
use crate::domain::change::{Change, ChangeKind};
use crate::domain::clock::TimestampMs;
use crate::domain::filter;
use crate::domain::idempotency::{Attempt, Concerns, KEPT_FOR_MS, Record, Written};
use crate::domain::profile::{Profile, ProfileId};
use crate::domain::search::{Found, Route, Search, Sort, SortField, Start};
use crate::domain::search_text::needles;
use crate::domain::tenant::TenantName;
use crate::domain::version::Version;
use crate::store::{Replacement, Result, Store, StoreError};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

const STEPS: usize = 300;
const TENANTS: [&str; 4] = ["acme", "acme", "globex", "default"];
const USERS: [&str; 5] = ["u1", "u2", "U1", "é", "u 3"];
const TYPES: [&str; 3] = ["default", "work", "home"];
const EMAILS: [&str; 5] = ["a@example.com", "A@Example.com", "jörg@bücher.example", "jorg@xn--bcher-kva.example", "b@example.com"];
const MOBILES: [&str; 3] = ["+14155550100", "+14155550101", "+919876543210"];
const FILTERS: [&str; 5] = ["active eq true", "attributes.n gt 1", "city_id ne \"X\"", "deleted_at pr", "email_id co \"EXAMPLE\""];
const KEYS: usize = 40;

/// An answer in words, by which two backends can be compared.
fn words<T: Debug>(result: Result<T>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(StoreError::Duplicate(rule)) => format!("duplicate {rule:?}"),
        Err(error @ (StoreError::TenantUnknown | StoreError::TenantSuspended | StoreError::TenantInUse)) => error.to_string(),
        Err(other) => panic!("no story leads to {other:?}"),
    }
}

/// What happens next depends on the dice and on what was answered so far, and on nothing else.
struct Story {
    world: World,
    dice: Dice,
    created: Vec<(TenantName, ProfileId)>,
}

impl Story {
    async fn step(&mut self) -> String {
        self.world = self.world.seen_from(self.dice.pick(&TENANTS));
        let outcome = match self.dice.throw(24) {
            0..6 => self.create().await,
            6..13 => self.change_one().await,
            13 => self.change_all_of_a_user().await,
            14 => self.purge_one().await,
            15 => self.purge_a_user().await,
            16..19 => self.preference().await,
            19..21 => self.tenant().await,
            21 => self.retry_or_sweep().await,
            22 => self.search().await,
            _ => words(self.world.store.read_user(&self.world.tenant, &user_id(self.dice.pick(&USERS))).await),
        };
        format!("{}: {outcome}", self.world.tenant)
    }

    fn fields(&mut self) -> Value {
        let dice = &mut self.dice;
        let mut fields =
            json!({"full_name": dice.pick(&NAMES), "city_id": dice.pick(&["X", "Y", "é"]), "attributes": {"n": dice.throw(4)}});
        if dice.once_in(3) {
            fields["email_id"] = json!(dice.pick(&EMAILS));
        }
        if dice.once_in(4) {
            fields["mobile"] = json!(dice.pick(&MOBILES));
        }
        fields
    }

    /// Now and then a write comes with a key. One that was used is not used again: of several reasons to refuse a
    /// write, the contract does not say which comes first.
    async fn record(&mut self, concerns: Concerns, answer: Written) -> Option<Record> {
        let key = format!("key {}", self.dice.throw(KEYS));
        let wanted = self.dice.once_in(3) && self.world.recorded(&key).await.is_none();
        wanted.then(|| Record { attempt: self.world.attempt(&key), concerns, answer })
    }

    async fn create(&mut self) -> String {
        let mut fields = self.fields();
        fields["user_id"] = json!(self.dice.pick(&USERS));
        fields["profile_type"] = json!(self.dice.pick(&TYPES));
        let profile = self.world.draft(fields);
        let answer = Written::Profile { created: true, profile: Box::new(profile.clone()) };
        let record = self.record(Concerns::Profile(profile.profile_id), answer).await;
        let created = self.world.insert_recorded(&profile, record.as_ref()).await;
        if created.is_ok() {
            self.created.push((self.world.tenant.clone(), profile.profile_id));
        }
        format!("create {}: {}", profile.profile_id, words(created))
    }

    /// Somebody created before, mostly in the tenant that the story is in.
    async fn somebody(&mut self) -> std::result::Result<Profile, String> {
        let strangers_too = self.dice.once_in(10);
        let here = self.created.iter().filter(|(tenant, _)| strangers_too || *tenant == self.world.tenant);
        let known: Vec<ProfileId> = here.map(|(_, id)| *id).collect();
        let id = if known.is_empty() { self.world.new_id() } else { self.dice.pick(&known) };
        match self.world.store.read_profile(&self.world.tenant, id).await {
            Ok(Some(profile)) => Ok(profile),
            other => Err(format!("read {id}: {}", words(other))),
        }
    }

    async fn change_one(&mut self) -> String {
        let old = match self.somebody().await {
            Ok(profile) => profile,
            Err(outcome) => return outcome,
        };
        let (new, kind) = match self.dice.throw(4) {
            0 | 1 if !old.is_deleted() => (old.clone().deleted("deleter", self.world.now()), ChangeKind::ProfileDeleted),
            0..3 if old.is_deleted() => (old.clone().restored("restorer", self.world.now()), ChangeKind::ProfileRestored),
            _ => {
                let mut fields = self.fields();
                if self.dice.once_in(4) {
                    fields["user_id"] = json!(self.dice.pick(&USERS));
                }
                fields["address"] = json!(format!("moved {}", old.version.0));
                (self.world.patched(&old, &fields), ChangeKind::ProfileUpdated)
            }
        };
        let mut replacement = replacement(&old, &new, kind);
        if self.dice.once_in(6) {
            replacement.expected = Version(old.version.0 - 1);
        }
        let answer = Written::Profile { created: false, profile: Box::new(new) };
        let record = self.record(Concerns::Profile(old.profile_id), answer).await;
        let outcome = self.world.store.replace_profiles(&self.world.tenant, &[replacement], record.as_ref()).await;
        format!("{kind:?} {}: {}", old.profile_id, words(outcome))
    }

    async fn change_all_of_a_user(&mut self) -> String {
        let user = user_id(self.dice.pick(&USERS));
        let rows = match self.world.store.read_user(&self.world.tenant, &user).await {
            Ok(rows) => rows,
            refused => return words(refused),
        };
        let at = self.world.now();
        let live = rows.profiles.into_iter().filter(|profile| !profile.is_deleted());
        let mut all: Vec<Replacement> =
            live.map(|old| replacement(&old, &old.clone().deleted("deleter", at), ChangeKind::ProfileDeleted)).collect();
        if self.dice.once_in(4)
            && let Some(last) = all.last_mut()
        {
            last.expected = Version(0);
        }
        if all.is_empty() {
            return "nobody is live".to_owned();
        }
        let record = self.record(Concerns::User(user), Written::Gone).await;
        format!("delete {}: {}", all.len(), words(self.world.store.replace_profiles(&self.world.tenant, &all, record.as_ref()).await))
    }

    async fn purge_one(&mut self) -> String {
        let profile = match self.somebody().await {
            Ok(profile) => profile,
            Err(outcome) => return outcome,
        };
        let mut purge = purge(&profile, self.world.now());
        if self.dice.once_in(4) {
            purge.expected = profile.version.next();
        }
        let record = self.record(Concerns::Profile(profile.profile_id), Written::Gone).await;
        format!("purge: {}", words(self.world.store.purge_profiles(&self.world.tenant, &[purge], record.as_ref()).await))
    }

    async fn purge_a_user(&mut self) -> String {
        let user = user_id(self.dice.pick(&USERS));
        let rows = match self.world.store.read_user(&self.world.tenant, &user).await {
            Ok(rows) if !rows.profiles.is_empty() => rows,
            other => return words(other),
        };
        let at = self.world.now();
        let purges: Vec<_> = rows.profiles.iter().map(|profile| purge(profile, at)).collect();
        let record = self.record(Concerns::User(user), Written::Gone).await;
        format!("purge {}: {}", purges.len(), words(self.world.store.purge_profiles(&self.world.tenant, &purges, record.as_ref()).await))
    }

    async fn preference(&mut self) -> String {
        let user = self.dice.pick(&USERS);
        let key = super::fixtures::preference_key(self.dice.pick(&["theme", "Theme", "size"]));
        let value = super::fixtures::preference_value(self.dice.pick(&["1", "1e100", "{\"b\":1,\"a\":[]}", "null"]));
        let answer = Written::Preference { created: self.dice.once_in(2), value: value.clone() };
        let record = self.record(Concerns::User(user_id(user)), answer).await;
        let (world, user) = (&self.world, user_id(user));
        if self.dice.once_in(4) {
            let change = world.preference_change(ChangeKind::PreferenceDeleted, &user, &key);
            return words(world.store.delete_preference(&world.tenant, &user, &key, &change, record.as_ref()).await);
        }
        let change = world.preference_change(ChangeKind::PreferenceSet, &user, &key);
        let put = words(world.store.put_preference(&world.tenant, &user, &key, &value, &change, record.as_ref()).await);
        format!("{put}, {}", words(world.store.list_preferences(&world.tenant, &user).await))
    }

    async fn tenant(&mut self) -> String {
        let Some(old) = self.world.store.read_tenant(&self.world.tenant).await.unwrap() else {
            let new = self.world.new_tenant(self.world.tenant.as_str());
            let record = self.record(Concerns::Tenant, Written::Tenant { created: true, tenant: new.clone() }).await;
            let change = self.world.tenant_change(ChangeKind::TenantCreated, &new);
            return format!("create tenant: {}", words(self.world.store.create_tenant(&new, &change, record.as_ref()).await));
        };
        let expected = if !old.suspended && self.dice.once_in(6) { old.version.next() } else { old.version };
        if !old.suspended && self.dice.once_in(3) {
            let record = self.record(Concerns::Tenant, Written::Gone).await;
            let change = self.world.tenant_change(ChangeKind::TenantDeleted, &old);
            let deleted = self.world.store.delete_tenant(&self.world.tenant, expected, &change, record.as_ref()).await;
            return format!("delete tenant: {}", words(deleted));
        }
        // A tenant that is suspended for long makes a dull story.
        let new = self.world.tenant_with(&old, Some("Renamed"), !old.suspended && self.dice.once_in(5));
        let record = self.record(Concerns::Tenant, Written::Tenant { created: false, tenant: new.clone() }).await;
        let change = self.world.tenant_change(ChangeKind::TenantUpdated, &new);
        let replaced = self.world.store.replace_tenant(&new, expected, &change, record.as_ref()).await;
        format!("tenant suspended {}: {}", new.suspended, words(replaced))
    }

    async fn retry_or_sweep(&mut self) -> String {
        if self.dice.once_in(8) {
            let until = TimestampMs(START.0 + i64::try_from(self.dice.throw(200)).unwrap());
            return format!("sweep: {}", words(self.world.store.sweep_recorded(until).await));
        }
        let attempt = self.world.attempt(&format!("key {}", self.dice.throw(KEYS)));
        let later = if self.dice.once_in(4) { KEPT_FOR_MS } else { 0 };
        let attempt = Attempt { at: TimestampMs(attempt.at.0 + later), ..attempt };
        words(self.world.store.read_recorded(&self.world.tenant, &attempt).await)
    }

    async fn search(&mut self) -> String {
        let dice = &mut self.dice;
        let query = dice.pick(&["", "j", "smith", "u", "a example", "明"]);
        let filter = dice.once_in(2).then(|| filter::parse(dice.pick(&FILTERS)).unwrap());
        let sort = Sort { field: dice.pick(SortField::ALL), descending: dice.once_in(2) };
        let (limit, offset) = (u32::try_from(1 + dice.throw(9)).unwrap(), u32::try_from(dice.throw(5)).unwrap());
        let (needles, start, include_deleted) = (needles(query), Start::Offset(offset), dice.once_in(2));
        let search = Search { needles, filter, sort, limit, start, include_deleted };
        let found = self.world.store.search_profiles(&self.world.tenant, &search).await;
        // Each goes its own way to the same answer.
        words(found.map(|found| Found { route: Route::default(), ..found }))
    }
}

/// All that a store holds, read through the contract. Suspended tenants are opened, because they answer nothing.
async fn export(world: &World) -> Vec<String> {
    let mut out = Vec::new();
    let mut log: Vec<Change> = world.whole_log().await.into_iter().map(|(_, change)| change).collect();
    // The changes of one write have no order of their own.
    log.sort_by_key(|change| (change.changed_at, change.profile_id));
    out.extend(log.iter().map(|change| format!("{change:?}")));
    let mut tenants = Vec::new();
    while let page = world.store.list_tenants(tenants.last(), None, 2).await.unwrap()
        && !page.is_empty()
    {
        out.extend(page.iter().map(|tenant| format!("{tenant:?}")));
        tenants.extend(page.into_iter().map(|tenant| tenant.tenant_name));
    }
    for tenant in tenants {
        let world = world.seen_from(tenant.as_str());
        if world.own_tenant().await.suspended {
            world.suspend(false).await;
        }
        let found = world.search(&Search { include_deleted: true, ..everybody() }).await;
        assert!(!found.more, "the story is too long for one page");
        let users: BTreeSet<_> = found.profiles.into_iter().map(|profile| profile.user_id).collect();
        for user in users {
            out.push(format!("{tenant} {user} {:?}", world.store.read_user(&tenant, &user).await.unwrap()));
        }
        for key in 0..KEYS {
            out.push(format!("{tenant} key {key} {:?}", world.recorded(&format!("key {key}")).await));
        }
    }
    out
}

async fn told_to(store: Arc<dyn Store>, seed: u64) -> (Vec<String>, Vec<String>) {
    let world = World::new(Arc::clone(&store));
    store.migrate(START).await.unwrap();
    world.create_own_tenant().await;
    let mut story = Story { world: world.clone(), dice: Dice::new(seed), created: Vec::new() };
    let mut outcomes = Vec::new();
    for _ in 0..STEPS {
        outcomes.push(story.step().await);
    }
    let left = export(&world).await;
    store.close().await;
    (outcomes, left)
}

fn assert_same(what: &str, sqlite: &[String], postgres: &[String]) {
    for (number, (sqlite, postgres)) in sqlite.iter().zip(postgres).enumerate() {
        assert_eq!(sqlite, postgres, "{what} {number}");
    }
    assert_eq!(sqlite.len(), postgres.len(), "{what}");
}

async fn assert_told_alike(seed: u64) {
    let (sqlite, _scratch) = backends::sqlite::open();
    let sqlite = told_to(sqlite, seed).await;
    let postgres = told_to(backends::postgres::open().await, seed).await;
    assert_same("step", &sqlite.0, &postgres.0);
    assert_same("line of the export", &sqlite.1, &postgres.1);
}

macro_rules! stories {
    ($($name:ident = $seed:literal),+ $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            assert_told_alike($seed).await;
        })+
    };
}

stories! {
    the_first_story_leaves_both_backends_alike = 1,
    the_second_story_leaves_both_backends_alike = 2,
    the_third_story_leaves_both_backends_alike = 3,
    the_fourth_story_leaves_both_backends_alike = 4,
    the_fifth_story_leaves_both_backends_alike = 5,
}
