//! The group commit: neighbours, callers that leave, jobs that panic, and a store that closes.

use super::super::writer::Verdict;
use super::*;
use crate::domain::email::EmailAddress;
use crate::domain::mobile::Mobile;
use crate::store::{ChangeStore, StoreError, Uniqueness};
use std::sync::mpsc;

/// Keeps the writer busy until the sender is dropped, so that what comes next is one group.
pub(super) async fn hold_writer(store: &std::sync::Arc<Sqlite>) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel::<()>();
    let (started, start) = tokio::sync::oneshot::channel();
    let holder = std::sync::Arc::clone(store);
    tokio::spawn(async move {
        let work = move |_: &rusqlite::Connection| {
            let _ = started.send(());
            let _ = released.recv();
            Ok(Verdict::Keep(()))
        };
        holder.write(work).await
    });
    start.await.unwrap();
    release
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_fails_undoes_nothing_of_its_neighbours() {
    let (_folder, store) = migrated().await;
    let store = std::sync::Arc::new(store);
    let release = hold_writer(&store).await;
    let repeat = Profile { profile_id: ProfileId(uuid::Uuid::from_u128(99)), ..profile(1) };
    let results = async {
        tokio::join!(
            biased;
            create(&store, profile(1)),
            create(&store, repeat),
            store.write(|connection| -> Result<Verdict<()>> {
                connection.execute("DELETE FROM profiles", [])?;
                panic!("a defect of ours");
            }),
            store.write(|connection| {
                connection.execute("DELETE FROM profiles", [])?;
                Ok(Verdict::Undo(()))
            }),
            create(&store, profile(2)),
            async { drop(release) },
        )
    };
    let (first, second, panicked, undone, last, ()) = results.await;
    first.unwrap();
    assert!(matches!(second, Err(StoreError::Duplicate(Uniqueness::UserAndType))), "{second:?}");
    assert!(matches!(panicked, Err(StoreError::Internal(_))), "{panicked:?}");
    undone.unwrap();
    last.unwrap();
    let found = store.search_profiles(&tenant(), &everything()).await.unwrap();
    assert_eq!(found.profiles.len(), 2);
    assert_eq!(store.read_changes(Default::default(), 10).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_transaction_is_told_to_the_whole_group_and_the_next_one_works() {
    let (_folder, store) = migrated().await;
    let store = std::sync::Arc::new(store);
    let release = hold_writer(&store).await;
    let breaks = |connection: &rusqlite::Connection| {
        connection.execute_batch("ROLLBACK")?;
        Ok(Verdict::Keep(()))
    };
    let (before, broken, behind, ()) = tokio::join!(
        biased;
        create(&store, profile(1)),
        store.write(breaks),
        create(&store, profile(2)),
        async { drop(release) },
    );
    for result in [before, broken, behind] {
        assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    }
    create(&store, profile(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_leaves_breaks_nothing() {
    let (_folder, store) = migrated().await;
    let store = std::sync::Arc::new(store);
    let release = hold_writer(&store).await;
    let one = profile(1);
    let two = profile(2);
    {
        let mut leaving = Box::pin(create(&store, one.clone()));
        assert!(futures::poll!(leaving.as_mut()).is_pending());
    }
    let (stays, ()) = tokio::join!(biased; create(&store, two.clone()), async { drop(release) });
    stays.unwrap();
    // Nobody waited for it, so it was not done.
    assert_eq!(store.read_profile(&tenant(), one.profile_id).await.unwrap(), None);
    create(&store, one.clone()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_at_once() {
    let (_folder, store) = migrated().await;
    let store = std::sync::Arc::new(store);
    let release = hold_writer(&store).await;
    let nothing = |_: &rusqlite::Connection| Ok(Verdict::Keep(()));
    let mut waiting: Vec<_> = (0..1024).map(|_| Box::pin(store.write(nothing))).collect();
    for one in &mut waiting {
        assert!(futures::poll!(one.as_mut()).is_pending());
    }
    assert!(matches!(store.write(nothing).await, Err(StoreError::Unavailable(_))));
    drop(release);
    for one in waiting {
        one.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_finishes_what_waits_and_refuses_what_comes() {
    let (folder, store) = migrated().await;
    let store = std::sync::Arc::new(store);
    let release = hold_writer(&store).await;
    let one = profile(1);
    let mut waits = Box::pin(create(&store, one.clone()));
    assert!(futures::poll!(waits.as_mut()).is_pending());
    let (waited, (), (), ()) = tokio::join!(biased; waits, store.close(), store.close(), async { drop(release) });
    waited.unwrap();
    assert!(matches!(create(&store, profile(2)).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.search_profiles(&tenant(), &everything()).await, Err(StoreError::Unavailable(_))));
    store.close().await;
    let wal = folder.file().with_extension("db-wal");
    assert!(!wal.exists(), "the last one to close leaves no log behind");
    assert_eq!(open(&folder.file()).read_profile(&tenant(), one.profile_id).await.unwrap(), Some(one));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "a measurement: it prints how many writes a second there are, and a time is nothing to assert"]
#[expect(clippy::print_stderr, reason = "says what it measured")]
async fn writes_a_second_with_64_tasks() {
    const TASKS: u32 = 64;
    const EACH: u32 = 250;
    let (_folder, store) = migrated().await;
    let store = std::sync::Arc::new(store);
    let begin = std::time::Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let store = std::sync::Arc::clone(&store);
            tokio::spawn(async move {
                let mut slowest = Duration::ZERO;
                for i in 0..EACH {
                    let begin = std::time::Instant::now();
                    let number = task * EACH + i;
                    let email_id = Some(EmailAddress::from_stored(format!("person-{number}@example.com")));
                    let mobile = Some(Mobile::from_stored(format!("+1415{number:07}")));
                    create(&store, Profile { email_id, mobile, ..profile(number) }).await.unwrap();
                    slowest = slowest.max(begin.elapsed());
                }
                slowest
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for task in tasks {
        slowest = slowest.max(task.await.unwrap());
    }
    let rate = f64::from(TASKS * EACH) / begin.elapsed().as_secs_f64();
    let id = profile(77).profile_id;
    let begin = std::time::Instant::now();
    for _ in 0..20_000 {
        store.read_profile(&tenant(), id).await.unwrap().unwrap();
    }
    let read = begin.elapsed() / 20_000;
    let search = Search { needles: vec![" person".into(), " 77".into()], include_deleted: false, limit: 20, ..everything() };
    let begin = std::time::Instant::now();
    let found = store.search_profiles(&tenant(), &search).await.unwrap();
    let (found, search) = (found.profiles.len(), begin.elapsed());
    eprintln!("{rate:.0} writes/s, the slowest {slowest:?}; a read {read:?}; {found} found among {} in {search:?}", TASKS * EACH);
}
