//! The change log: a row for every change and none without one, complete and in order for whoever reads on.

use super::fixtures::{START, World, at_once, eventually, replacement, user_id};
use crate::domain::change::{Change, ChangeKind, ChangePosition};
use crate::domain::clock::TimestampMs;
use crate::domain::profile::{Profile, ProfileId};
use crate::domain::version::Version;
use crate::store::StoreError;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub async fn every_kind_of_write_is_logged_once(world: World) {
    let profile = world.create(json!({"user_id": "u1"})).await;
    world.put("u1", "k", "1").await;
    world.put("u1", "k", "2").await;
    world.unset("u1", "k").await;
    let updated = world.update(&profile, json!({"city_id": "X", "gender": "f"})).await;
    let deleted = world.delete(&updated).await;
    let restored = world.try_restore(&deleted).await.unwrap();
    world.purge(&[&restored]).await;
    world.suspend(true).await;
    world.delete_own_tenant().await.unwrap();

    let log: Vec<Change> = world.whole_log().await.into_iter().map(|(_, change)| change).collect();
    let log: Vec<Change> = log.into_iter().filter(|change| change.tenant_name == world.tenant).collect();
    let seen: Vec<_> =
        log.iter().map(|change| (change.kind.as_str(), change.version.map(|version| version.0), change.changed_fields.join(" "))).collect();
    let expected = [
        ("tenant_created", Some(1), ""),
        ("profile_created", Some(1), "full_name"),
        ("preference_set", None, "k"),
        ("preference_set", None, "k"),
        ("preference_deleted", None, "k"),
        ("profile_updated", Some(2), "gender city_id"),
        ("profile_deleted", Some(3), "active"),
        ("profile_restored", Some(4), "active"),
        ("profile_purged", Some(4), ""),
        ("tenant_updated", Some(2), ""),
        ("tenant_deleted", Some(2), ""),
    ];
    assert_eq!(seen, expected.map(|(kind, version, fields)| (kind, version, fields.to_owned())));
    for change in &log {
        let of_profile = change.kind.as_str().starts_with("profile");
        assert_eq!(change.profile_id, of_profile.then_some(profile.profile_id));
        let of_tenant = change.kind.as_str().starts_with("tenant");
        assert_eq!(change.user_id, (!of_tenant).then(|| user_id("u1")));
    }
}

pub async fn one_write_of_several_profiles_logs_each(world: World) {
    let mut replacements = Vec::new();
    for profile_type in ["a", "b", "c"] {
        let old = world.create(json!({"user_id": "u1", "profile_type": profile_type})).await;
        let new = old.clone().deleted("admin", world.now());
        replacements.push(replacement(&old, &new, ChangeKind::ProfileDeleted));
    }
    let created = world.log().await.len();
    assert!(world.store.replace_profiles(&world.tenant, &replacements, None).await.unwrap());
    let deleted: Vec<Profile> = replacements.iter().map(|replacement| replacement.profile.clone()).collect();
    let by_id = |mut changes: Vec<Change>| {
        changes.sort_by_key(|change| change.profile_id);
        changes
    };
    assert_eq!(by_id(world.log().await.split_off(created)), replacements.into_iter().map(|r| r.change).collect::<Vec<_>>());
    assert!(world.purge(&deleted.iter().collect::<Vec<_>>()).await);
    let purged = by_id(world.log().await.split_off(created + 3));
    let seen: Vec<_> = purged.iter().map(|change| (change.kind, change.profile_id, change.version)).collect();
    let expected = deleted.iter().map(|profile| (ChangeKind::ProfilePurged, Some(profile.profile_id), Some(Version(2))));
    assert_eq!(seen, expected.collect::<Vec<_>>());
}

pub async fn who_when_and_what_read_back(world: World) {
    let mut profile = world.draft(json!({"user_id": "𠮷 'u' \\ \"1\""}));
    profile.version = Version(i64::MAX);
    let change = Change {
        changed_by: "sub|𠮷 '%_\\\" {},".to_owned(),
        changed_at: TimestampMs(i64::MAX),
        changed_fields: ["full_name", "a,b", "c \"d\"", "{}", "NULL", "\\", "é", ""].map(str::to_owned).to_vec(),
        ..Change::of_profile(ChangeKind::ProfileCreated, &profile, Vec::new())
    };
    world.store.create_profile(&world.tenant, &profile, &change, None).await.unwrap();
    assert_eq!(world.log().await, [change]);
}

pub async fn pages_of_changes_meet_without_gap_or_overlap(world: World) {
    for number in 0..10 {
        world.create(json!({"user_id": format!("u{number}")})).await;
    }
    let whole = world.whole_log().await;
    let positions: Vec<ChangePosition> = whole.iter().map(|(position, _)| *position).collect();
    assert!(positions.windows(2).all(|pair| pair[0] < pair[1]), "{positions:?}");
    for limit in [1, 2, 3, 7, 1000] {
        let mut pages = Vec::new();
        while pages.len() < whole.len() {
            let after = pages.last().map_or_else(ChangePosition::default, |(position, _)| *position);
            let page = world.store.read_changes(after, limit).await.unwrap();
            assert!((1..=limit as usize).contains(&page.len()));
            pages.extend(page);
        }
        assert_eq!(pages[..whole.len()], whole, "in pages of {limit}");
    }
}

pub async fn a_reader_misses_nothing_while_others_write(world: World) {
    const WRITERS: usize = 8;
    let writing = Arc::new(AtomicUsize::new(WRITERS));
    let reader = {
        let (world, writing) = (world.clone(), Arc::clone(&writing));
        tokio::spawn(async move {
            let mut read = Vec::new();
            while writing.load(Ordering::Acquire) > 0 {
                let after = read.last().map_or_else(ChangePosition::default, |(position, _)| *position);
                read.extend(world.store.read_changes(after, 5).await.unwrap());
                tokio::task::yield_now().await;
            }
            read
        })
    };
    at_once(WRITERS, |writer| {
        let (world, writing) = (world.clone(), Arc::clone(&writing));
        async move {
            for number in 0..12 {
                let profile = world.create(json!({"user_id": format!("u{writer}-{number}")})).await;
                let other = world.create(json!({"user_id": format!("u{writer}-{number}"), "profile_type": "work"})).await;
                let new = [&profile, &other].map(|old| world.patched(old, &json!({"city_id": "X"})));
                let both = [(&profile, &new[0]), (&other, &new[1])].map(|(old, new)| replacement(old, new, ChangeKind::ProfileUpdated));
                assert!(world.store.replace_profiles(&world.tenant, &both, None).await.unwrap());
                // A write that fails between others leaves no gap that a reader could take for one still to come.
                world.try_create(json!({"user_id": format!("u{writer}-{number}")})).await.unwrap_err();
            }
            writing.fetch_sub(1, Ordering::Release);
        }
    })
    .await;
    let mut read = reader.await.unwrap();
    let whole = world.whole_log().await;
    assert_eq!(whole.iter().filter(|(_, change)| change.user_id.is_some()).count(), WRITERS * 12 * 4);
    eventually("the reader has caught up", async || {
        let after = read.last().map_or_else(ChangePosition::default, |(position, _)| *position);
        read.extend(world.store.read_changes(after, 50).await.unwrap());
        read.len() > whole.len()
    })
    .await;
    // The last one read is the mark that `whole_log` makes.
    read.pop();
    assert_eq!(read, whole);
}

pub async fn versions_of_a_profile_are_logged_in_order(world: World) {
    let ids: Vec<ProfileId> = [
        world.create(json!({"user_id": "u1", "profile_type": "a"})).await,
        world.create(json!({"user_id": "u1", "profile_type": "b"})).await,
    ]
    .map(|profile| profile.profile_id)
    .to_vec();
    at_once(6, |number| {
        let world = world.clone();
        let own = match number % 3 {
            0 => vec![ids[0], ids[1]],
            1 => vec![ids[1]],
            _ => vec![ids[0]],
        };
        async move {
            for _ in 0..25 {
                let mut replacements = Vec::new();
                for id in &own {
                    let old = world.read(*id).await.unwrap();
                    let new = world.patched(&old, &json!({"attributes": {"at": world.now().0}}));
                    replacements.push(replacement(&old, &new, ChangeKind::ProfileUpdated));
                }
                world.store.replace_profiles(&world.tenant, &replacements, None).await.unwrap();
            }
        }
    })
    .await;
    let mut versions: BTreeMap<ProfileId, Vec<i64>> = BTreeMap::new();
    for change in world.log().await {
        versions.entry(change.profile_id.unwrap()).or_default().push(change.version.unwrap().0);
    }
    for id in ids {
        let last = world.read(id).await.unwrap().version.0;
        assert_eq!(versions[&id], (1..=last).collect::<Vec<_>>());
    }
}

pub async fn a_preference_is_logged_in_the_order_in_which_it_changed(world: World) {
    world.create(json!({"user_id": "u1"})).await;
    at_once(6, |number| {
        let world = world.clone();
        async move {
            for _ in 0..15 {
                if number % 2 == 0 {
                    world.put("u1", "k", "1").await;
                } else {
                    world.unset("u1", "k").await;
                }
            }
        }
    })
    .await;
    let mut there = false;
    for change in world.log().await.into_iter().skip(1) {
        let deleted = change.kind == ChangeKind::PreferenceDeleted;
        assert!(there || !deleted, "what is deleted must have been set");
        there = !deleted;
    }
    assert_eq!(world.preference("u1", "k").await.is_some(), there);
}

/// Of profiles that follow one another under one user id and type, the log never shows two as live at once. Some come
/// with a key: a transaction that records an answer first has begun to write long before it inserts the profile.
pub async fn a_user_id_that_passes_on_is_logged_in_order(world: World) {
    at_once(8, |number| {
        let world = world.clone();
        async move {
            for round in 0..40 {
                let profile = world.draft(json!({"user_id": "u1"}));
                let record = world.record_of(&format!("{number} {round}"), &profile);
                match world.insert_recorded(&profile, (number % 2 == 0).then_some(&record)).await {
                    Ok(()) => {
                        world.delete(&profile).await;
                    }
                    Err(StoreError::Duplicate(_)) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
    })
    .await;
    let mut live: Option<ProfileId> = None;
    for change in world.log().await {
        match change.kind {
            ChangeKind::ProfileCreated => {
                assert_eq!(live, None, "{change:?}");
                live = change.profile_id;
            }
            ChangeKind::ProfileDeleted => {
                assert_eq!(live, change.profile_id, "{change:?}");
                live = None;
            }
            _ => panic!("{change:?}"),
        }
    }
    assert_eq!(live, None);
    assert!(world.now() > START);
}
