//! A purge is for good: the row, what was recorded of it, and with the last profile all that hung on the user.

use super::fixtures::{World, everybody, preference_value, purge, user_id};
use crate::domain::idempotency::{Attempt, Concerns, Record, Written};
use crate::domain::profile::Profile;
use crate::domain::search::Search;
use crate::domain::version::Version;
use crate::store::{PreferenceOutcome, UserRows};
use serde_json::json;

pub async fn a_purged_profile_is_gone(world: World) {
    let profile = world.create(json!({"user_id": "u1", "email_id": "a@example.com"})).await;
    let kept = world.create(json!({"user_id": "u2"})).await;
    assert!(world.purge(&[&profile]).await);
    assert_eq!(world.read(profile.profile_id).await, None);
    assert_eq!(world.store.read_user(&world.tenant, &profile.user_id).await.unwrap(), UserRows::default());
    let found = world.search(&Search { include_deleted: true, ..everybody() }).await;
    assert_eq!(found.profiles, [kept]);
    assert!(!world.purge(&[&profile]).await, "it is gone already");
}

pub async fn a_deleted_profile_can_be_purged(world: World) {
    let profile = world.create(json!({"user_id": "u1"})).await;
    let deleted = world.delete(&profile).await;
    assert!(world.purge(&[&deleted]).await);
    assert_eq!(world.read(profile.profile_id).await, None);
}

pub async fn a_purge_of_an_old_version_erases_nothing(world: World) {
    let first = world.create(json!({"user_id": "u1"})).await;
    assert_eq!(world.put("u1", "k", "1").await, PreferenceOutcome::Created);
    let second = world.update(&first, json!({"city_id": "A"})).await;
    let logged = world.log().await;
    let record = Record { answer: Written::Gone, ..world.record_of("purge", &first) };
    assert!(!world.purge_recorded(&[&first], Some(&record)).await);
    assert_eq!(world.read(first.profile_id).await, Some(second));
    assert_eq!(world.preference("u1", "k").await.as_deref(), Some("1"));
    assert_eq!(world.log().await, logged);
    assert_eq!(world.recorded("purge").await, None);
}

pub async fn several_profiles_are_purged_together_or_not_at_all(world: World) {
    let work = world.create(json!({"user_id": "u1", "profile_type": "work"})).await;
    let home = world.create(json!({"user_id": "u1", "profile_type": "home"})).await;
    world.put("u1", "k", "1").await;
    let logged = world.log().await;
    for stale in 0..2 {
        let mut purges = [purge(&work, world.now()), purge(&home, world.now())];
        purges[stale].expected = Version(9);
        assert!(!world.store.purge_profiles(&world.tenant, &purges, None).await.unwrap());
    }
    assert_eq!(world.store.read_user(&world.tenant, &work.user_id).await.unwrap().profiles, [work.clone(), home.clone()]);
    assert_eq!(world.log().await, logged);
    assert!(world.purge(&[&work, &home]).await);
    assert_eq!(world.store.read_user(&world.tenant, &work.user_id).await.unwrap(), UserRows::default());
    assert_eq!(world.log().await.len(), logged.len() + 2);
}

pub async fn purging_a_user_erases_the_preferences(world: World) {
    let profile = world.create(json!({"user_id": "u1"})).await;
    world.create(json!({"user_id": "u2"})).await;
    for user in ["u1", "u2"] {
        world.put(user, "theme", "\"dark\"").await;
        world.put(user, "size", "12").await;
    }
    assert!(world.purge(&[&profile]).await);
    assert_eq!(world.store.read_user(&world.tenant, &user_id("u1")).await.unwrap(), UserRows::default());
    assert_eq!(world.preferences("u2").await.unwrap().len(), 2);
}

pub async fn preferences_stay_while_a_profile_is_left_in_any_state(world: World) {
    let work = world.create(json!({"user_id": "u1", "profile_type": "work"})).await;
    let home = world.create(json!({"user_id": "u1", "profile_type": "home"})).await;
    world.put("u1", "theme", "\"dark\"").await;
    let home = world.delete(&home).await;
    assert!(world.purge(&[&work]).await);
    assert_eq!(world.preferences("u1").await, None, "no profile is live");
    world.try_restore(&home).await.unwrap();
    assert_eq!(world.preference("u1", "theme").await.as_deref(), Some("\"dark\""));
}

/// A create that is recorded under `key`.
async fn create_recorded(world: &World, key: &str, user: &str, profile_type: &str) -> Profile {
    let profile = world.draft(json!({"user_id": user, "profile_type": profile_type, "full_name": "Secret Name"}));
    let record = world.record_of(key, &profile);
    world.insert_recorded(&profile, Some(&record)).await.unwrap();
    profile
}

async fn answer(world: &World, key: &str) -> Option<String> {
    world.recorded(key).await.expect("the key stays, so that a retry is still known as one").answer_json
}

pub async fn purging_erases_the_recorded_answers_that_show_the_profile(world: World) {
    let profile = create_recorded(&world, "create", "u1", "work").await;
    create_recorded(&world, "sibling", "u1", "home").await;
    create_recorded(&world, "other", "u2", "work").await;
    let updated = world.patched(&profile, &json!({"city_id": "X"}));
    let by_another = Attempt { subject: "another client".to_owned(), ..world.attempt("update") };
    let record = Record { attempt: by_another.clone(), ..world.record_of("update", &updated) };
    let update = super::fixtures::replacement(&profile, &updated, crate::domain::change::ChangeKind::ProfileUpdated);
    assert!(world.store.replace_profiles(&world.tenant, &[update], Some(&record)).await.unwrap());

    let record = Record { answer: Written::Gone, ..world.record_of("purge", &updated) };
    assert!(world.purge_recorded(&[&updated], Some(&record)).await);

    assert_eq!(answer(&world, "create").await, None);
    let of_another = world.store.read_recorded(&world.tenant, &by_another).await.unwrap().unwrap();
    assert_eq!((of_another.fingerprint, of_another.answer_json), (by_another.fingerprint, None));
    assert_eq!(answer(&world, "purge").await.as_deref(), Some("\"gone\""), "the purge's own answer stays");
    assert!(answer(&world, "sibling").await.unwrap().contains("Secret Name"));
    assert!(answer(&world, "other").await.unwrap().contains("Secret Name"));
}

pub async fn answers_that_show_preferences_go_with_the_last_profile(world: World) {
    let work = world.create(json!({"user_id": "u1", "profile_type": "work"})).await;
    let home = world.create(json!({"user_id": "u1", "profile_type": "home"})).await;
    world.create(json!({"user_id": "u2"})).await;
    for user in ["u1", "u2"] {
        let answer = Written::Preference { created: true, value: preference_value("\"dark\"") };
        let record = Record { attempt: world.attempt(user), concerns: Concerns::User(user_id(user)), answer };
        world.put_recorded(user, "theme", "\"dark\"", Some(&record)).await.unwrap();
    }
    assert!(world.purge(&[&work]).await);
    assert!(answer(&world, "u1").await.is_some());
    assert!(world.purge(&[&home]).await);
    assert_eq!(answer(&world, "u1").await, None);
    assert!(answer(&world, "u2").await.is_some());
}

pub async fn purging_spares_the_same_user_of_another_tenant(world: World) {
    let other = world.with_tenant("other").await;
    let here = create_recorded(&world, "create", "u1", "work").await;
    // Even the same id, which a store must not rely on to be unique among tenants.
    let there = Profile { tenant_name: other.tenant.clone(), ..here.clone() };
    let record = other.record_of("create", &there);
    other.insert_recorded(&there, Some(&record)).await.unwrap();
    for side in [&world, &other] {
        side.put("u1", "theme", "\"dark\"").await;
    }
    assert!(world.purge(&[&here]).await);
    assert_eq!(other.read(there.profile_id).await, Some(there));
    assert_eq!(other.preference("u1", "theme").await.as_deref(), Some("\"dark\""));
    assert!(answer(&other, "create").await.is_some());
}

pub async fn purging_frees_the_identifiers(world: World) {
    let fields = json!({"user_id": "u1", "email_id": "a@example.com", "mobile": "+14155550100"});
    let profile = world.create(fields.clone()).await;
    assert!(world.purge(&[&profile]).await);
    world.create(fields).await;
    let mut another = json!({"user_id": "u2"});
    another["profile_type"] = json!("work");
    world.create(another).await;
}
