//! An answer is recorded with the write that it answers, or not at all; a key is carried out once.

use super::fixtures::{START, World, at_once, broken_rule, everybody, preference_key, preference_value, replacement, user_id};
use crate::domain::change::ChangeKind;
use crate::domain::clock::TimestampMs;
use crate::domain::idempotency::{Attempt, Concerns, KEPT_FOR_MS, Record, Recorded, Written, creation_scope};
use crate::domain::profile::Profile;
use crate::domain::tenant::Tenant;
use crate::domain::version::Version;
use crate::store::{PreferenceOutcome, StoreError, Uniqueness};
use serde_json::json;

/// Creates a user under a key that was used at `at`.
async fn create_at(world: &World, key: &str, user: &str, at: TimestampMs) -> crate::store::Result<()> {
    let profile = world.draft(json!({"user_id": user}));
    let record = world.record_of(key, &profile);
    let record = Record { attempt: Attempt { at, ..record.attempt }, ..record };
    world.insert_recorded(&profile, Some(&record)).await
}

async fn recorded_at(world: &World, key: &str, at: i64) -> Option<Recorded> {
    let attempt = Attempt { at: TimestampMs(at), ..world.attempt(key) };
    world.store.read_recorded(&world.tenant, &attempt).await.unwrap()
}

pub async fn what_was_recorded_is_read_back(world: World) {
    let profile = world.draft(json!({"user_id": "u1", "full_name": "Zoë \"Z\" 𠮷"}));
    let longest = "~".repeat(255);
    let mut record = world.record_of(&longest, &profile);
    record.attempt.fingerprint = std::array::from_fn(|i| u8::try_from(i * 8).unwrap());
    assert_eq!(world.recorded(&longest).await, None);
    world.insert_recorded(&profile, Some(&record)).await.unwrap();
    let Attempt { fingerprint, at, .. } = record.attempt;
    let expected = Recorded { fingerprint, at, answer_json: Some(record.answer_json(None).unwrap()) };
    // What was asked is compared above the store: another request under the same key finds the same.
    assert_eq!(world.recorded(&longest).await, Some(expected));
    assert_eq!(world.recorded("~").await, None);
}

pub async fn every_kind_of_write_records_its_answer(world: World) {
    let store = &world.store;
    let record = |key: &str, concerns: Concerns, answer: Written| Record { attempt: world.attempt(key), concerns, answer };
    let of_profile = |key: &str, id| record(key, Concerns::Profile(id), Written::Gone);

    let profile = world.draft(json!({"user_id": "u1"}));
    world.insert_recorded(&profile, Some(&of_profile("create", profile.profile_id))).await.unwrap();
    let updated = world.patched(&profile, &json!({"city_id": "X"}));
    let update = [replacement(&profile, &updated, ChangeKind::ProfileUpdated)];
    assert!(store.replace_profiles(&world.tenant, &update, Some(&of_profile("update", profile.profile_id))).await.unwrap());

    let (user, key, value) = (user_id("u1"), preference_key("k"), preference_value("1"));
    let of_user = |key: &str| record(key, Concerns::User(user_id("u1")), Written::Gone);
    let change = world.preference_change(ChangeKind::PreferenceSet, &user, &key);
    store.put_preference(&world.tenant, &user, &key, &value, &change, Some(&of_user("put"))).await.unwrap();
    let change = world.preference_change(ChangeKind::PreferenceDeleted, &user, &key);
    assert!(store.delete_preference(&world.tenant, &user, &key, &change, Some(&of_user("unset"))).await.unwrap());
    assert!(world.purge_recorded(&[&updated], Some(&of_profile("purge", profile.profile_id))).await);
    // The purge has erased what was recorded of the user before.
    for (key, kept) in [("create", false), ("update", false), ("put", false), ("unset", false), ("purge", true)] {
        assert_eq!(world.recorded(key).await.unwrap().answer_json.is_some(), kept, "{key}");
    }

    let other = world.seen_from("other");
    let tenant = other.new_tenant("other");
    let of_tenant = |key: &str, tenant: &_| {
        let answer = Written::Tenant { created: true, tenant: Tenant::clone(tenant) };
        record(key, Concerns::Tenant, answer)
    };
    let change = other.tenant_change(ChangeKind::TenantCreated, &tenant);
    store.create_tenant(&tenant, &change, Some(&of_tenant("tenant", &tenant))).await.unwrap();
    let renamed = other.tenant_with(&tenant, Some("Name"), true);
    let change = other.tenant_change(ChangeKind::TenantUpdated, &renamed);
    assert!(store.replace_tenant(&renamed, tenant.version, &change, Some(&of_tenant("rename", &renamed))).await.unwrap());
    let created = store.read_recorded(&creation_scope(), &world.attempt("tenant")).await.unwrap();
    assert_eq!(created.unwrap().answer_json, of_tenant("any", &tenant).answer_json(None).ok());
    assert_eq!(other.recorded("rename").await.unwrap().answer_json, of_tenant("any", &renamed).answer_json(None).ok());
}

pub async fn an_answer_says_whether_the_preference_was_created(world: World) {
    world.create(json!({"user_id": "u1"})).await;
    for (key, guessed, outcome) in [("first", false, PreferenceOutcome::Created), ("second", true, PreferenceOutcome::Replaced)] {
        // Whoever asks cannot know; the store does.
        let answer = Written::Preference { created: guessed, value: preference_value("1") };
        let record = Record { attempt: world.attempt(key), concerns: Concerns::User(user_id("u1")), answer };
        assert_eq!(world.put_recorded("u1", "k", "1", Some(&record)).await.unwrap(), outcome);
        assert_eq!(world.recorded(key).await.unwrap().answer_json, record.answer_json(Some(!guessed)).ok());
    }
}

pub async fn a_write_that_did_nothing_is_not_recorded(world: World) {
    world.create(json!({"user_id": "u1"})).await;
    let record = Record { attempt: world.attempt("unset"), concerns: Concerns::User(user_id("u1")), answer: Written::Gone };
    let (user, key) = (user_id("u1"), preference_key("k"));
    let change = world.preference_change(ChangeKind::PreferenceDeleted, &user, &key);
    assert!(!world.store.delete_preference(&world.tenant, &user, &key, &change, Some(&record)).await.unwrap());
    assert_eq!(world.recorded("unset").await, None);

    let tenant = world.own_tenant().await;
    let late = world.tenant_with(&tenant, None, true);
    let change = world.tenant_change(ChangeKind::TenantUpdated, &late);
    assert!(!world.store.replace_tenant(&late, late.version, &change, Some(&record)).await.unwrap());
    let result = world.store.delete_tenant(&world.tenant, tenant.version, &change, Some(&record)).await;
    assert!(matches!(result, Err(StoreError::TenantInUse)), "{result:?}");
    assert!(!world.store.delete_tenant(&world.tenant, late.version.next(), &change, Some(&record)).await.unwrap_or(false));
    assert_eq!(world.recorded("unset").await, None);
}

pub async fn a_request_that_found_nothing_to_change_is_recorded(world: World) {
    let profile = world.draft(json!({"user_id": "u1"}));
    world.insert_recorded(&profile, None).await.unwrap();
    let record = world.record_of("same", &profile);
    world.store.record_answer(&world.tenant, &record).await.unwrap();
    assert!(world.recorded("same").await.is_some());
    let again = world.store.record_answer(&world.tenant, &record).await;
    assert_eq!(broken_rule(again), Uniqueness::IdempotencyKey);
}

pub async fn a_key_that_was_recorded_is_refused_and_nothing_is_written(world: World) {
    create_at(&world, "key", "u1", START).await.unwrap();
    let first = recorded_at(&world, "key", START.0).await;
    let existing = world.create(json!({"user_id": "u0"})).await;
    let logged = world.log().await;

    assert_eq!(broken_rule(create_at(&world, "key", "u2", START).await), Uniqueness::IdempotencyKey);
    let updated = world.patched(&existing, &json!({"city_id": "X"}));
    let record = world.record_of("key", &updated);
    let update = [replacement(&existing, &updated, ChangeKind::ProfileUpdated)];
    let result = world.store.replace_profiles(&world.tenant, &update, Some(&record)).await;
    assert_eq!(broken_rule(result), Uniqueness::IdempotencyKey);
    assert_eq!(broken_rule(world.put_recorded("u1", "k", "1", Some(&record)).await), Uniqueness::IdempotencyKey);
    let result = world.store.purge_profiles(&world.tenant, &[super::fixtures::purge(&existing, START)], Some(&record)).await;
    assert_eq!(broken_rule(result), Uniqueness::IdempotencyKey);

    assert_eq!(world.search(&everybody()).await.total.value, 2);
    assert_eq!(world.read(existing.profile_id).await, Some(existing));
    assert_eq!(world.preferences("u1").await.unwrap().len(), 0);
    assert_eq!(recorded_at(&world, "key", START.0).await, first);
    assert_eq!(world.log().await, logged);
}

pub async fn keys_of_two_subjects_never_meet(world: World) {
    create_at(&world, "key", "u1", START).await.unwrap();
    let other = Attempt { subject: "another".to_owned(), ..world.attempt("key") };
    assert_eq!(world.store.read_recorded(&world.tenant, &other).await.unwrap(), None);
    let profile = world.draft(json!({"user_id": "u2"}));
    let record = Record { attempt: other.clone(), ..world.record_of("key", &profile) };
    world.insert_recorded(&profile, Some(&record)).await.unwrap();
    let recorded = world.store.read_recorded(&world.tenant, &other).await.unwrap().unwrap();
    assert_eq!(recorded.answer_json, record.answer_json(None).ok());
}

pub async fn keys_of_two_tenants_never_meet(world: World) {
    let other = world.with_tenant("other").await;
    create_at(&world, "key", "u1", START).await.unwrap();
    assert_eq!(recorded_at(&other, "key", START.0).await, None);
    create_at(&other, "key", "u1", START).await.unwrap();
    assert_ne!(recorded_at(&other, "key", START.0).await, recorded_at(&world, "key", START.0).await);
}

pub async fn an_answer_is_kept_for_a_day(world: World) {
    create_at(&world, "key", "u1", START).await.unwrap();
    // The second node's clock may be behind that of the first.
    for later in [-1000, 0, 1, KEPT_FOR_MS / 2, KEPT_FOR_MS - 1] {
        assert!(recorded_at(&world, "key", START.0 + later).await.is_some(), "{later} ms later");
    }
    for later in [KEPT_FOR_MS + 1, KEPT_FOR_MS * 30] {
        assert_eq!(recorded_at(&world, "key", START.0 + later).await, None, "{later} ms later");
    }
}

pub async fn a_key_can_be_used_again_after_a_day(world: World) {
    create_at(&world, "key", "u1", START).await.unwrap();
    let later = TimestampMs(START.0 + KEPT_FOR_MS + 1);
    create_at(&world, "key", "u2", later).await.unwrap();
    let recorded = recorded_at(&world, "key", later.0).await.unwrap();
    assert_eq!(recorded.at, later);
    assert!(recorded.answer_json.unwrap().contains("\"u2\""));
    assert_eq!(broken_rule(create_at(&world, "key", "u3", TimestampMs(later.0 + 1)).await), Uniqueness::IdempotencyKey);
}

pub async fn one_of_many_simultaneous_uses_of_a_key_is_carried_out(world: World) {
    for round in 0..4 {
        let results = at_once(16, |number| {
            let world = world.clone();
            async move { create_at(&world, &format!("key {round}"), &format!("u{round}-{number}"), START).await }
        })
        .await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        for refused in results.into_iter().filter(Result::is_err) {
            assert_eq!(broken_rule(refused), Uniqueness::IdempotencyKey);
        }
    }
    assert_eq!(world.search(&everybody()).await.total.value, 4);
    assert_eq!(world.log().await.len(), 4);
}

/// Repeats of one request that overtake each other would also collide by what they write: the second create would be a
/// duplicate, the second delete would find nothing. They must be told that they are repeats, to get the first answer.
pub async fn simultaneous_repeats_are_told_that_they_are_repeats(world: World) {
    let existing = world.create(json!({"user_id": "u1"})).await;
    let doomed = world.create(json!({"user_id": "u2"})).await;
    world.put("u1", "k", "1").await;
    let other = world.with_tenant("other").await;
    let requests = ["create", "update", "purge", "set", "unset", "new tenant", "change tenant", "delete tenant"];
    for request in requests {
        let results = at_once(8, |_| {
            let (world, other, existing, doomed) = (world.clone(), other.clone(), existing.clone(), doomed.clone());
            async move { repeatable(request, &world, &other, &existing, &doomed).await }
        })
        .await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{request}: {results:?}");
        for refused in results.into_iter().filter(Result::is_err) {
            assert_eq!(broken_rule(refused), Uniqueness::IdempotencyKey, "{request}");
        }
    }
}

/// Carries out a request under its own name as its key; panics if it does nothing.
async fn repeatable(request: &str, world: &World, other: &World, existing: &Profile, doomed: &Profile) -> crate::store::Result<()> {
    let (store, tenant) = (&world.store, &world.tenant);
    let record = |concerns| Some(Record { attempt: world.attempt(request), concerns, answer: Written::Gone });
    let done = |result: crate::store::Result<bool>| result.map(|done| assert!(done, "{request} found nothing to do"));
    let (user, key) = (user_id("u1"), preference_key("k"));
    match request {
        "create" => {
            let profile = world.draft(json!({"user_id": "new", "email_id": "new@example.com"}));
            world.insert_recorded(&profile, record(Concerns::Profile(profile.profile_id)).as_ref()).await
        }
        "update" => {
            let updated = world.patched(existing, &json!({"city_id": "X"}));
            let update = [replacement(existing, &updated, ChangeKind::ProfileUpdated)];
            done(store.replace_profiles(tenant, &update, record(Concerns::Profile(existing.profile_id)).as_ref()).await)
        }
        "purge" => {
            let purge = [super::fixtures::purge(doomed, world.now())];
            done(store.purge_profiles(tenant, &purge, record(Concerns::Profile(doomed.profile_id)).as_ref()).await)
        }
        "set" => {
            let record = record(Concerns::User(user));
            world.put_recorded("u1", "new", "1", record.as_ref()).await.map(|outcome| assert_eq!(outcome, PreferenceOutcome::Created))
        }
        "unset" => {
            let change = world.preference_change(ChangeKind::PreferenceDeleted, &user, &key);
            done(store.delete_preference(tenant, &user, &key, &change, record(Concerns::User(user.clone())).as_ref()).await)
        }
        "new tenant" => {
            let new = world.new_tenant("new");
            let change = world.tenant_change(ChangeKind::TenantCreated, &new);
            store.create_tenant(&new, &change, record(Concerns::Tenant).as_ref()).await
        }
        "change tenant" => {
            let old = Tenant { version: Version::FIRST, ..world.new_tenant(tenant.as_str()) };
            let new = world.tenant_with(&old, Some("Name"), false);
            let change = world.tenant_change(ChangeKind::TenantUpdated, &new);
            done(store.replace_tenant(&new, old.version, &change, record(Concerns::Tenant).as_ref()).await)
        }
        _ => {
            let change = other.tenant_change(ChangeKind::TenantDeleted, &other.new_tenant("other"));
            done(store.delete_tenant(&other.tenant, Version::FIRST, &change, record(Concerns::Tenant).as_ref()).await)
        }
    }
}

pub async fn sweeping_removes_what_is_old_and_nothing_else(world: World) {
    let other = world.with_tenant("other").await;
    for (number, at) in [-3, -2, -1, 0, 1].into_iter().enumerate() {
        let side = if number == 1 { &other } else { &world };
        create_at(side, &format!("key {number}"), &format!("u{number}"), TimestampMs(START.0 + at)).await.unwrap();
    }
    let mut swept = 0;
    loop {
        match world.store.sweep_recorded(START).await.unwrap() {
            0 => break,
            some => swept += some,
        }
    }
    assert_eq!(swept, 3);
    for number in 0..5 {
        let side = if number == 1 { &other } else { &world };
        let kept = recorded_at(side, &format!("key {number}"), START.0).await.is_some();
        assert_eq!(kept, number >= 3, "key {number}");
    }
    create_at(&world, "key 0", "again", START).await.unwrap();
}

pub async fn a_deleted_tenant_still_answers_its_own_retry(world: World) {
    let tenant = world.own_tenant().await;
    let change = world.tenant_change(ChangeKind::TenantDeleted, &tenant);
    let record = Record { attempt: world.attempt("delete"), concerns: Concerns::Tenant, answer: Written::Gone };
    assert!(world.store.delete_tenant(&world.tenant, tenant.version, &change, Some(&record)).await.unwrap());
    assert_eq!(world.recorded("delete").await.unwrap().answer_json.as_deref(), Some("\"gone\""));
}
