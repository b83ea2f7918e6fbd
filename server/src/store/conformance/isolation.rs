//! Every method is bound to the tenant given first: one that is unknown or suspended is refused, and what belongs to
//! another might as well not be there.

use super::fixtures::{World, everybody, preference_key, preference_value, user_id};
use crate::domain::change::ChangeKind;
use crate::domain::idempotency::{Concerns, Record, Written};
use crate::domain::profile::Profile;
use crate::domain::search::Search;
use crate::domain::spelling::{Probe, Shown};
use crate::store::{PreferenceOutcome, StoreError, UserRows};
use serde_json::json;

/// How each method that looks at the tenant's state answers, by its name.
async fn answers(world: &World, profile: &Profile) -> Vec<(&'static str, Result<(), StoreError>)> {
    let (store, tenant) = (&world.store, &world.tenant);
    let (user, key) = (user_id("u1"), preference_key("k"));
    let change = |kind| world.preference_change(kind, &user, &key);
    vec![
        ("create_profile", world.try_create(json!({"user_id": "new"})).await.map(|_| ())),
        ("read_profile", store.read_profile(tenant, profile.profile_id).await.map(|_| ())),
        ("read_profile of an unknown id", store.read_profile(tenant, world.new_id()).await.map(|_| ())),
        ("read_user", store.read_user(tenant, &user).await.map(|_| ())),
        ("read_user of an unknown user", store.read_user(tenant, &user_id("nobody")).await.map(|_| ())),
        ("search_profiles", store.search_profiles(tenant, &everybody()).await.map(|_| ())),
        ("search_profiles for a word", {
            let search = Search { needles: vec![" ada".to_owned()], include_deleted: true, ..everybody() };
            store.search_profiles(tenant, &search).await.map(|_| ())
        }),
        ("sample_profiles", {
            let probe = Probe { beginnings: vec!["ada".to_owned()], wanted: 1, examined: 1, shown: Shown::Always, include_deleted: true };
            store.sample_profiles(tenant, &probe).await.map(|_| ())
        }),
        ("list_preferences", store.list_preferences(tenant, &user).await.map(|_| ())),
        ("read_preference", store.read_preference(tenant, &user, &key).await.map(|_| ())),
        ("put_preference", {
            let value = preference_value("1");
            store.put_preference(tenant, &user, &key, &value, &change(ChangeKind::PreferenceSet), None).await.map(|_| ())
        }),
        ("delete_preference", {
            store.delete_preference(tenant, &user, &key, &change(ChangeKind::PreferenceDeleted), None).await.map(|_| ())
        }),
    ]
}

pub async fn an_unknown_tenant_is_refused_by_every_method(world: World) {
    let nowhere = world.seen_from("nowhere");
    let profile = nowhere.draft(json!({"user_id": "u1"}));
    for (method, answer) in answers(&nowhere, &profile).await {
        assert!(matches!(answer, Err(StoreError::TenantUnknown)), "{method}: {answer:?}");
    }
    // These do not look at the tenant: what is not there has no version, and nothing was recorded.
    assert!(!nowhere.try_update(&profile, &json!({"city_id": "X"})).await.unwrap());
    assert!(!nowhere.purge(&[&profile]).await);
    assert_eq!(nowhere.recorded("key").await, None);
    assert_eq!(nowhere.log().await, []);
}

pub async fn a_suspended_tenant_is_refused_by_every_method(world: World) {
    let profile = world.draft(json!({"user_id": "u1"}));
    let record = world.record_of("create", &profile);
    world.insert_recorded(&profile, Some(&record)).await.unwrap();
    world.put("u1", "k", "0").await;
    world.suspend(true).await;
    let logged = world.log().await;
    for (method, answer) in answers(&world, &profile).await {
        assert!(matches!(answer, Err(StoreError::TenantSuspended)), "{method}: {answer:?}");
    }
    assert_eq!(world.log().await, logged);
    // A retry of the request that suspended the tenant must find its answer.
    assert!(world.recorded("create").await.is_some());
    // Whoever replaces or purges has read before, and what was begun may end.
    let updated = world.update(&profile, json!({"city_id": "X"})).await;
    world.suspend(false).await;
    assert_eq!(world.read(profile.profile_id).await, Some(updated.clone()));
    assert_eq!(world.preference("u1", "k").await.as_deref(), Some("0"));
    world.suspend(true).await;
    assert!(world.purge(&[&updated]).await);
    world.suspend(false).await;
    assert_eq!(world.read(profile.profile_id).await, None);
}

pub async fn nothing_of_another_tenant_can_be_read(world: World) {
    let other = world.with_tenant("other").await;
    let draft = world.draft(json!({"user_id": "u1", "email_id": "ada@example.com"}));
    let record = world.record_of("key", &draft);
    world.insert_recorded(&draft, Some(&record)).await.unwrap();
    world.put("u1", "k", "1").await;
    world.delete(&world.create(json!({"user_id": "u2"})).await).await;

    assert_eq!(other.read(draft.profile_id).await, None);
    assert_eq!(other.store.read_user(&other.tenant, &draft.user_id).await.unwrap(), UserRows::default());
    assert_eq!(other.preferences("u1").await, None);
    assert_eq!(other.preference("u1", "k").await, None);
    assert_eq!(other.recorded("key").await, None);
    for needles in [vec![], vec![" ada".to_owned()], vec![" lovelace".to_owned(), " u1".to_owned()]] {
        let found = other.search(&Search { needles, include_deleted: true, ..everybody() }).await;
        assert_eq!((found.profiles.len(), found.total.value, found.more), (0, 0, false));
    }
}

pub async fn nothing_of_another_tenant_can_be_changed(world: World) {
    let other = world.with_tenant("other").await;
    let profile = world.create(json!({"user_id": "u1"})).await;
    world.put("u1", "k", "1").await;
    let answer = Written::Profile { created: false, profile: Box::new(profile.clone()) };
    let record =
        |key: &str| Record { attempt: other.attempt(key), concerns: Concerns::Profile(profile.profile_id), answer: answer.clone() };
    let foreign = Profile { tenant_name: other.tenant.clone(), ..profile.clone() };
    let updated = other.patched(&foreign, &json!({"city_id": "X"}));
    let replacement = super::fixtures::replacement(&foreign, &updated, ChangeKind::ProfileUpdated);
    assert!(!other.store.replace_profiles(&other.tenant, &[replacement], Some(&record("update"))).await.unwrap());
    assert!(!other.purge_recorded(&[&foreign], Some(&record("purge"))).await);
    assert_eq!(other.put_recorded("u1", "k", "2", Some(&record("put"))).await.unwrap(), PreferenceOutcome::NoUser);
    assert!(!other.unset("u1", "k").await);

    assert_eq!(world.read(profile.profile_id).await, Some(profile));
    assert_eq!(world.preference("u1", "k").await.as_deref(), Some("1"));
    for key in ["update", "purge", "put"] {
        assert_eq!(other.recorded(key).await, None, "{key}");
    }
    assert_eq!(other.log().await, []);
    assert_eq!(world.log().await.len(), 2);
    assert!(other.delete_own_tenant().await.unwrap(), "the profile of the other tenant does not keep it");
}
