//! What holds when many write at once. Nothing here may end in an error other than the one that the rules give.

use super::fixtures::{World, at_once, eventually, everybody, replacement, user_id};
use crate::domain::change::ChangeKind;
use crate::domain::profile::{Profile, ProfileId};
use crate::domain::search::Search;
use crate::store::{PreferenceOutcome, Result, StoreError, Uniqueness};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Creates by many at once; how many succeeded. All others must have broken `rule`.
async fn winners(world: &World, count: usize, rule: Uniqueness, fields: impl Fn(usize) -> Value) -> usize {
    let results = at_once(count, |number| {
        let (world, fields) = (world.clone(), fields(number));
        async move { world.try_create(fields).await }
    })
    .await;
    count_winners(&results, rule)
}

fn count_winners<T: std::fmt::Debug>(results: &[Result<T>], rule: Uniqueness) -> usize {
    for result in results {
        assert!(result.is_ok() || matches!(result, Err(StoreError::Duplicate(broken)) if *broken == rule), "{result:?}");
    }
    results.iter().filter(|result| result.is_ok()).count()
}

async fn live(world: &World) -> Vec<Profile> {
    world.search(&everybody()).await.profiles
}

pub async fn one_of_many_simultaneous_creates_of_an_email_wins(world: World) {
    let fields = |number: usize| json!({"user_id": format!("u{number}"), "email_id": "ada@example.com"});
    assert_eq!(winners(&world, 64, Uniqueness::Email, fields).await, 1);
    assert_eq!(live(&world).await.len(), 1);
    assert_eq!(world.log().await.len(), 1);
}

pub async fn one_of_many_simultaneous_creates_of_a_mobile_wins(world: World) {
    let fields = |number: usize| json!({"user_id": format!("u{number}"), "mobile": "+14155550100"});
    assert_eq!(winners(&world, 64, Uniqueness::Mobile, fields).await, 1);
    assert_eq!(live(&world).await.len(), 1);
}

pub async fn one_of_many_simultaneous_creates_of_a_user_wins(world: World) {
    assert_eq!(winners(&world, 64, Uniqueness::UserAndType, |_| json!({"user_id": "u1"})).await, 1);
    assert_eq!(live(&world).await.len(), 1);
}

pub async fn one_of_a_restore_and_many_creates_wins(world: World) {
    for round in 0..8 {
        let email = format!("{round}@example.com");
        let deleted = world.delete(&world.create(json!({"email_id": email})).await).await;
        let results = at_once(8, |number| {
            let (world, deleted, email) = (world.clone(), deleted.clone(), email.clone());
            async move { if number == 4 { world.try_restore(&deleted).await } else { world.try_create(json!({"email_id": email})).await } }
        })
        .await;
        assert_eq!(count_winners(&results, Uniqueness::Email), 1);
    }
    assert_eq!(live(&world).await.len(), 8);
}

pub async fn one_of_many_simultaneous_updates_to_an_email_wins(world: World) {
    let mut profiles = Vec::new();
    for number in 0..16 {
        profiles.push(world.create(json!({"user_id": format!("u{number}")})).await);
    }
    let results = at_once(profiles.len(), |number| {
        let (world, profile) = (world.clone(), profiles[number].clone());
        async move { world.try_update(&profile, &json!({"email_id": "ada@example.com"})).await }
    })
    .await;
    assert_eq!(count_winners(&results, Uniqueness::Email), 1);
    assert_eq!(live(&world).await.iter().filter(|profile| profile.email_id.is_some()).count(), 1);
}

/// E-mail addresses and mobiles claimed in every combination: a store that locks them one by one could deadlock.
pub async fn crossing_claims_never_end_in_an_error(world: World) {
    let results = at_once(64, |number| {
        let world = world.clone();
        let email = format!("{}@example.com", number % 8);
        let mobile = format!("+1415555010{}", number / 8);
        async move { world.try_create(json!({"user_id": format!("u{number}"), "email_id": email, "mobile": mobile})).await }
    })
    .await;
    for result in &results {
        assert!(matches!(result, Ok(_) | Err(StoreError::Duplicate(Uniqueness::Email | Uniqueness::Mobile))), "{result:?}");
    }
    let live = live(&world).await;
    let distinct = |of: fn(&Profile) -> String| live.iter().map(of).collect::<BTreeSet<_>>().len();
    assert!(!live.is_empty());
    assert_eq!(distinct(|profile| profile.email_id.as_ref().unwrap().key()), live.len());
    assert_eq!(distinct(|profile| profile.mobile.as_ref().unwrap().as_str().to_owned()), live.len());
}

async fn count_up(world: &World, ids: &[ProfileId]) {
    loop {
        let mut replacements = Vec::new();
        for id in ids {
            let old = world.read(*id).await.unwrap();
            let count = old.attributes.to_value()["count"].as_i64().unwrap() + 1;
            let new = world.patched(&old, &json!({"attributes": {"count": count}}));
            replacements.push(replacement(&old, &new, ChangeKind::ProfileUpdated));
        }
        if world.store.replace_profiles(&world.tenant, &replacements, None).await.unwrap() {
            return;
        }
    }
}

pub async fn simultaneous_updates_lose_none(world: World) {
    let counter = world.create(json!({"user_id": "u1", "attributes": {"count": 0}})).await;
    at_once(8, |_| {
        let (world, ids) = (world.clone(), [counter.profile_id]);
        async move {
            for _ in 0..10 {
                count_up(&world, &ids).await;
            }
        }
    })
    .await;
    let read = world.read(counter.profile_id).await.unwrap();
    assert_eq!((read.attributes.to_value()["count"].as_i64(), read.version.0), (Some(80), 81));
    assert_eq!(world.log().await.len(), 81);
}

/// In either order of naming them: a store that locks rows as they are named could deadlock.
pub async fn simultaneous_updates_of_several_profiles_lose_none(world: World) {
    let work = world.create(json!({"user_id": "u1", "profile_type": "work", "attributes": {"count": 0}})).await.profile_id;
    let home = world.create(json!({"user_id": "u1", "profile_type": "home", "attributes": {"count": 0}})).await.profile_id;
    at_once(6, |number| {
        let world = world.clone();
        let ids = if number % 2 == 0 { [work, home] } else { [home, work] };
        async move {
            for _ in 0..8 {
                count_up(&world, &ids).await;
            }
        }
    })
    .await;
    for id in [work, home] {
        assert_eq!(world.read(id).await.unwrap().attributes.to_value()["count"].as_i64(), Some(48));
    }
}

pub async fn a_tenant_is_never_deleted_under_a_new_profile(world: World) {
    for round in 0..12 {
        let doomed = world.with_tenant(&format!("doomed-{round}")).await;
        let results = at_once(4, |number| {
            let doomed = doomed.clone();
            async move {
                if number == 1 {
                    return doomed.delete_own_tenant().await.map(|deleted| assert!(deleted));
                }
                doomed.try_create(json!({"user_id": format!("u{number}")})).await.map(|_| ())
            }
        })
        .await;
        let created = results.iter().enumerate().filter(|(number, result)| *number != 1 && result.is_ok()).count();
        match &results[1] {
            Ok(()) => assert_eq!(created, 0, "the tenant is gone, and with it a profile that was acknowledged"),
            Err(StoreError::TenantInUse) => assert_eq!(live(&doomed).await.len(), created),
            Err(other) => panic!("{other:?}"),
        }
        for (number, result) in results.iter().enumerate() {
            assert!(number == 1 || matches!(result, Ok(()) | Err(StoreError::TenantUnknown)), "{result:?}");
        }
    }
}

pub async fn one_of_many_simultaneous_sets_creates_the_preference(world: World) {
    world.create(json!({"user_id": "u1"})).await;
    let outcomes = at_once(16, |number| {
        let world = world.clone();
        async move { world.put("u1", "k", &number.to_string()).await }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == PreferenceOutcome::Created).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == PreferenceOutcome::Replaced).count(), 15);
}

/// Whoever comes first: after the purge there is no user, and so no preference, not even one that nobody can see.
pub async fn a_purge_and_a_preference_never_leave_an_orphan(world: World) {
    for round in 0..16 {
        let user = format!("u{round}");
        let profile = world.create(json!({"user_id": user})).await;
        at_once(4, |number| {
            let (world, profile, user) = (world.clone(), profile.clone(), user.clone());
            async move {
                if number == 1 {
                    assert!(world.purge(&[&profile]).await);
                } else {
                    world.put(&user, &format!("k{number}"), "1").await;
                }
            }
        })
        .await;
        let rows = world.store.read_user(&world.tenant, &user_id(&user)).await.unwrap();
        assert!(rows.preferences.is_empty(), "round {round}: {rows:?}");
        world.create(json!({"user_id": user})).await;
        assert_eq!(world.preferences(&user).await.unwrap().len(), 0);
    }
    assert_eq!(world.search(&Search { include_deleted: true, ..everybody() }).await.profiles.len(), 16);
}

/// A client that hangs up drops what is under way. The store may finish it or not, but not half of it, and goes on.
pub async fn an_abandoned_write_is_done_whole_or_not_at_all(world: World) {
    let drafts: Vec<Profile> = (0..64).map(|number| world.draft(json!({"user_id": format!("u{number}")}))).collect();
    for (number, draft) in drafts.iter().enumerate() {
        let (world, draft) = (world.clone(), draft.clone());
        let write = tokio::spawn(async move {
            let record = world.record_of(&format!("key {number}"), &draft);
            world.insert_recorded(&draft, Some(&record)).await
        });
        tokio::time::sleep(Duration::from_micros(number as u64 * 40)).await;
        write.abort();
    }
    eventually("what was abandoned is all there or not at all", async || {
        let logged: BTreeSet<_> = world.log().await.into_iter().filter_map(|change| change.profile_id).collect();
        let found: BTreeSet<_> = live(&world).await.into_iter().map(|profile| profile.profile_id).collect();
        let mut recorded = BTreeSet::new();
        for (number, draft) in drafts.iter().enumerate() {
            if world.recorded(&format!("key {number}")).await.is_some() {
                recorded.insert(draft.profile_id);
            }
        }
        logged == found && found == recorded
    })
    .await;
    at_once(16, |number| {
        let world = world.clone();
        async move { world.create(json!({"user_id": format!("later {number}")})).await }
    })
    .await;
}
