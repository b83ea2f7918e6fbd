//! Whatever races, uniqueness holds and nodes start together.

use super::super::testing::{connect, fresh_url, migrated};
use super::*;
use crate::store::{Maintenance, StoreError, TenantStore, Uniqueness};
use futures::future::join_all;
use std::sync::Arc;

/// How many of the writes went through; all others were refused by this rule.
fn winners(results: Vec<crate::store::Result<()>>, rule: Uniqueness) -> usize {
    for result in &results {
        assert!(matches!(result, Ok(())) || matches!(result, Err(StoreError::Duplicate(r)) if *r == rule), "{result:?}");
    }
    results.iter().filter(|result| result.is_ok()).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_creates_with_one_address_one_goes_through() {
    let store = Arc::new(migrated().await);
    for round in 0..5 {
        let tasks = (0..64).map(|i| {
            let store = Arc::clone(&store);
            let profile = with_email(&format!("u{round}-{i}"), &format!("Same{round}@example.com"));
            tokio::spawn(async move { store.create_profile(&tenant(), &profile, &created(&profile), None).await })
        });
        let results = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(winners(results, Uniqueness::Email), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_creates_of_one_user_and_type_one_goes_through() {
    let store = Arc::new(migrated().await);
    let tasks = (0..64).map(|_| {
        let store = Arc::clone(&store);
        let profile = profile_of("one");
        tokio::spawn(async move { store.create_profile(&tenant(), &profile, &created(&profile), None).await })
    });
    let results = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(winners(results, Uniqueness::UserAndType), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_requests_with_one_key_one_goes_through_and_the_others_learn_why() {
    let store = Arc::new(migrated().await);
    let tasks = (0..64).map(|_| {
        let store = Arc::clone(&store);
        let profile = with_email("one", "one@example.com");
        let record = record("k", 10, Concerns::Profile(profile.profile_id), Written::Gone);
        tokio::spawn(async move { store.create_profile(&tenant(), &profile, &created(&profile), Some(&record)).await })
    });
    let results = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(winners(results, Uniqueness::IdempotencyKey), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_preference_slips_in_beside_a_purge() {
    let store = Arc::new(migrated().await);
    for round in 0..20 {
        let name = format!("u{round}");
        let profile = profile_of(&name);
        create(&*store, &profile).await;
        let puts = (0..4).map(|i| {
            let (store, name) = (Arc::clone(&store), name.clone());
            tokio::spawn(async move { put(&*store, &name, &format!("k{i}"), "1").await })
        });
        let puts: Vec<_> = puts.collect();
        assert!(store.purge_profiles(&tenant(), &[purge(&profile)], None).await.unwrap());
        join_all(puts).await;
        assert_eq!(store.read_user(&tenant(), &user(&name)).await.unwrap(), Default::default());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_nodes_migrate_one_new_database_together() {
    let url = fresh_url().await;
    let stores: Vec<_> = (0..8).map(|_| connect(&url)).collect();
    let reports = join_all(stores.iter().map(|store| store.migrate(TimestampMs(77)))).await;
    let mut applied: Vec<_> = reports.into_iter().flat_map(|report| report.unwrap().applied).collect();
    applied.sort_unstable();
    assert_eq!(applied, ["0001_directory", "0002_search"]);
    let default = stores[3].read_tenant(&tenant()).await.unwrap().unwrap();
    assert_eq!((default.created_at, default.version, default.suspended), (TimestampMs(77), Version(1), false));
    assert_eq!(stores[0].migrate(TimestampMs(99)).await.unwrap().applied.len(), 0);

    let secrets = join_all(stores.iter().zip(0u8..).map(|(store, n)| store.shared_secret([n; 32]))).await;
    let first = secrets[0].as_ref().unwrap();
    assert!(secrets.iter().all(|secret| secret.as_ref().unwrap() == first));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_or_vanishing_tenant_takes_no_profile() {
    let store = Arc::new(migrated().await);
    let mut suspended = store.read_tenant(&tenant()).await.unwrap().unwrap();
    suspended.suspended = true;
    suspended.version = Version(2);
    let change = Change::of_tenant(ChangeKind::TenantUpdated, &tenant(), Version(2), "tester", TimestampMs(9));
    assert!(store.replace_tenant(&suspended, Version(1), &change, None).await.unwrap());
    let profile = profile_of("u");
    let refused = store.create_profile(&tenant(), &profile, &created(&profile), None).await;
    assert!(matches!(refused, Err(StoreError::TenantSuspended)));
    suspended.suspended = false;
    suspended.version = Version(3);
    assert!(store.replace_tenant(&suspended, Version(2), &change, None).await.unwrap());

    let creates = (0..16).map(|i| {
        let store = Arc::clone(&store);
        let profile = profile_of(&format!("u{i}"));
        tokio::spawn(async move { store.create_profile(&tenant(), &profile, &created(&profile), None).await.is_ok() })
    });
    let creates: Vec<_> = creates.collect();
    let gone = Change::of_tenant(ChangeKind::TenantDeleted, &tenant(), Version(3), "tester", TimestampMs(9));
    let deleted = store.delete_tenant(&tenant(), Version(3), &gone, None).await;
    let any_created = join_all(creates).await.into_iter().any(Result::unwrap);
    match deleted {
        Ok(true) => assert!(!any_created),
        Err(StoreError::TenantInUse) => assert!(any_created),
        other => panic!("{other:?}"),
    }
}
