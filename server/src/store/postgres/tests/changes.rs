//! The change log under writers that race and commit late.

use super::super::Postgres;
use super::super::testing::{admin, connect, fresh_url, migrated};
use super::*;
use crate::domain::change::ChangePosition;
use crate::store::{ChangeStore, Maintenance, StoreError};
use futures::future::join_all;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long a write that must wait is waited for.
const PATIENCE: Duration = Duration::from_millis(1_000);

/// Reads on until `done` finds enough, and fails if that takes too long.
async fn follow(
    store: &Postgres,
    from: ChangePosition,
    done: impl Fn(&[(ChangePosition, Change)]) -> bool,
) -> Vec<(ChangePosition, Change)> {
    let mut seen: Vec<(ChangePosition, Change)> = Vec::new();
    for _ in 0..3_000 {
        let after = seen.last().map_or(from, |(position, _)| *position);
        let next = store.read_changes(after, 7).await.unwrap();
        seen.extend(next);
        if done(&seen) {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("the log ended after {} changes", seen.len());
}

async fn write_on(store: &Postgres, profile_id: ProfileId, times: i64) {
    let mut made = 0;
    while made < times {
        let old = store.read_profile(&tenant(), profile_id).await.unwrap().unwrap();
        match store.replace_profiles(&tenant(), &[replacement(&old)], None).await {
            Ok(true) => made += 1,
            Ok(false) => {}
            Err(e) => panic!("{e:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_sees_every_version_in_order_while_writers_race() {
    let store = Arc::new(migrated().await);
    let profiles: Vec<_> = (0..3).map(|i| profile_of(&format!("u{i}"))).collect();
    for profile in &profiles {
        create(&*store, profile).await;
    }
    let writers = profiles.iter().flat_map(|profile| {
        (0..4).map(|_| {
            let (store, id) = (Arc::clone(&store), profile.profile_id);
            tokio::spawn(async move { write_on(&store, id, 25).await })
        })
    });
    let writers: Vec<_> = writers.collect();
    let total = 3 + 3 * 4 * 25;
    let seen = follow(&store, ChangePosition::default(), |seen| seen.len() >= total).await;
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    assert_eq!(seen.len(), total);
    let mut versions: HashMap<ProfileId, Vec<i64>> = HashMap::new();
    for (_, change) in &seen {
        versions.entry(change.profile_id.unwrap()).or_default().push(change.version.unwrap().0);
    }
    for versions in versions.values() {
        assert_eq!(*versions, (1..=101).collect::<Vec<_>>());
    }
}

/// How many of the database's transactions wait for an advisory lock: without an id, and with one.
const WAITING: &str = "\
SELECT count(*) FILTER (WHERE backend_xid IS NULL), count(*) FILTER (WHERE backend_xid IS NOT NULL)
FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()";

/// A writer that has to wait must not have its place in the log already: it would stand before those it waits for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_has_no_place_in_the_log_yet() {
    let url = fresh_url().await;
    let store = Arc::new(connect(&url));
    store.migrate(TimestampMs(1)).await.unwrap();
    let profile = profile_of("u");
    create(&*store, &profile).await;
    let blocker = admin(&url).await;
    let locks = [
        (format!("3, hashtext('{}')", profile.profile_id), 2),
        // The same two, a create and a preference.
        ("4, hashtext('default u')".to_owned(), 4),
    ];
    for (lock, expected) in locks {
        blocker.batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock({lock})")).await.unwrap();
        let answered = record("k", 10, Concerns::Profile(profile.profile_id), Written::Gone);
        let other = Profile { profile_type: ProfileType::parse("work").unwrap(), ..profile_of("u") };
        let (created_other, next) = (created(&other), [replacement(&profile)]);
        let (gone, here) = ([purge(&profile)], tenant());
        let writes = async {
            tokio::join!(
                timeout(PATIENCE, store.replace_profiles(&here, &next, None)),
                timeout(PATIENCE, store.purge_profiles(&here, &gone, Some(&answered))),
                async {
                    if expected == 4 {
                        timeout(PATIENCE, store.create_profile(&here, &other, &created_other, None)).await.ok()
                    } else {
                        None
                    }
                },
                async { if expected == 4 { timeout(PATIENCE, put(&*store, "u", "k", "1")).await.ok() } else { None } },
                async {
                    tokio::time::sleep(PATIENCE / 2).await;
                    let row = blocker.query_one(WAITING, &[]).await.unwrap();
                    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (expected, 0), "{lock}");
                }
            )
        };
        let (replaced, purged, inserted, set, ()) = writes.await;
        assert!(replaced.is_err() && purged.is_err() && inserted.is_none() && set.is_none());
        blocker.batch_execute("ROLLBACK").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_commits_late_is_not_missed() {
    let url = fresh_url().await;
    let store = connect(&url);
    store.migrate(TimestampMs(1)).await.unwrap();
    let late = admin(&url).await;
    late.batch_execute(
        "BEGIN; INSERT INTO changes (tenant_name, user_id, kind, changed_by, changed_at, changed_fields) \
         VALUES ('default', 'late', 'preference_set', 'tester', 1, '{theme}')",
    )
    .await
    .unwrap();
    create(&store, &profile_of("early")).await;
    // What is behind the open transaction must wait for it.
    assert_eq!(store.read_changes(ChangePosition::default(), 100).await.unwrap(), []);
    late.batch_execute("COMMIT").await.unwrap();
    let seen = follow(&store, ChangePosition::default(), |seen| seen.len() >= 2).await;
    let users: Vec<_> = seen.iter().map(|(_, change)| change.user_id.clone().unwrap()).collect();
    assert_eq!(users, [user("late"), user("early")]);
}

/// The loser of a race for a place waits for the winner with an id of its own; for one user, the log must not show
/// the second profile of a type before the first is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_users_delete_and_create_stand_in_the_order_in_which_they_took_effect() {
    let store = Arc::new(migrated().await);
    let mut live = profile_of("u");
    create(&*store, &live).await;
    for _ in 0..30 {
        let next = profile_of("u");
        let creating = {
            let (store, next) = (Arc::clone(&store), next.clone());
            tokio::spawn(async move {
                loop {
                    match store.create_profile(&tenant(), &next, &created(&next), None).await {
                        Ok(()) => return,
                        Err(StoreError::Duplicate(_)) => {}
                        Err(e) => panic!("{e:?}"),
                    }
                }
            })
        };
        let deleted = live.clone().deleted("tester", TimestampMs(5_000));
        let change = Change::of_profile(ChangeKind::ProfileDeleted, &deleted, vec![]);
        let replacement = Replacement { profile: deleted, expected: live.version, change };
        assert!(store.replace_profiles(&tenant(), &[replacement], None).await.unwrap());
        creating.await.unwrap();
        live = next;
    }
    let seen = follow(&store, ChangePosition::default(), |seen| seen.len() >= 61).await;
    let kinds: Vec<_> = seen.iter().map(|(_, change)| change.kind).collect();
    for (i, kind) in kinds.iter().enumerate() {
        assert_eq!(*kind, if i % 2 == 0 { ChangeKind::ProfileCreated } else { ChangeKind::ProfileDeleted }, "{kinds:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_replacements_hold_together_and_do_not_lock_each_other_up() {
    let store = Arc::new(migrated().await);
    let profiles: Vec<_> = (0..4).map(|i| profile_of(&format!("u{i}"))).collect();
    for profile in &profiles {
        create(&*store, profile).await;
    }
    let tasks = (0..8).map(|n| {
        let store = Arc::clone(&store);
        let mut all: Vec<_> = profiles.iter().map(replacement).collect();
        if n % 2 == 0 {
            all.reverse();
        }
        tokio::spawn(async move { store.replace_profiles(&tenant(), &all, None).await.unwrap() })
    });
    let applied = join_all(tasks).await.into_iter().filter(|applied| *applied.as_ref().unwrap()).count();
    assert_eq!(applied, 1);
    for profile in &profiles {
        assert_eq!(store.read_profile(&tenant(), profile.profile_id).await.unwrap().unwrap().version, Version(2));
    }
}
