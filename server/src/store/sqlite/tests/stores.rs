//! Several stores on one file, the budget of a search, and a pool that gets its connections back.

use super::*;
use crate::store::{StoreError, TenantStore};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stores_that_open_and_migrate_together_do_it_once() {
    let folder = Folder::new();
    let tasks: Vec<_> = (0..4)
        .map(|i| {
            let path = folder.file();
            tokio::task::spawn_blocking(move || {
                let store = open(&path);
                tokio::runtime::Handle::current().block_on(async move {
                    let report = store.migrate(TimestampMs(i)).await.unwrap();
                    let secret = store.shared_secret([u8::try_from(i).unwrap(); 32]).await.unwrap();
                    (report, secret, store)
                })
            })
        })
        .collect();
    let mut applied = 0;
    let mut secrets = Vec::new();
    let mut stores = Vec::new();
    for task in tasks {
        let (report, secret, store) = task.await.unwrap();
        assert_eq!(report.version, 2);
        applied += report.applied.len();
        secrets.push(secret);
        stores.push(store);
    }
    assert_eq!(applied, 2);
    secrets.dedup();
    assert_eq!(secrets.len(), 1);
    create(&stores[0], profile(1)).await.unwrap();
    assert_eq!(stores[3].read_profile(&tenant(), profile(1).profile_id).await.unwrap(), Some(profile(1)));
}

#[tokio::test]
async fn the_first_tenant_is_made_once_and_its_end_is_final() {
    let (_folder, store) = migrated().await;
    let first = store.read_tenant(&tenant()).await.unwrap().unwrap();
    assert_eq!((first.created_at, first.suspended, first.created_by.as_str()), (AT, false, "n_users"));
    let change = Change::of_tenant(ChangeKind::TenantDeleted, &tenant(), first.version, "test", AT);
    assert!(store.delete_tenant(&tenant(), first.version, &change, None).await.unwrap());
    assert_eq!(store.migrate(AT).await.unwrap().applied, Vec::<String>::new());
    assert_eq!(store.read_tenant(&tenant()).await.unwrap(), None);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (folder, store) = migrated().await;
    let other = rusqlite::Connection::open(folder.file()).unwrap();
    other.execute("INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (999, 'later', '', 0)", []).unwrap();
    assert!(matches!(store.migrate(AT).await, Err(StoreError::Internal(_))));
}

#[tokio::test]
async fn a_search_over_its_budget_is_too_slow_and_leaves_the_connection_usable() {
    let (folder, store) = migrated().await;
    for number in 1..=400 {
        create(&store, profile(number)).await.unwrap();
    }
    let hurried = with_budget(&folder.file(), Duration::ZERO);
    let search = Search { needles: vec!["nobody".to_owned()], ..everything() };
    for _ in 0..5 {
        let result = hurried.search_profiles(&tenant(), &search).await;
        assert!(matches!(result, Err(StoreError::TooSlow(_))), "{result:?}");
    }
    // What is not a search has no budget: were it not lifted, these would be broken off.
    for _ in 0..5 {
        let counted: i64 = hurried
            .read(|connection| {
                assert!(connection.is_autocommit());
                Ok(connection.query_row("SELECT count(*) FROM profiles a, profiles b", [], |row| row.get(0))?)
            })
            .await
            .unwrap();
        assert_eq!(counted, 160_000);
    }
}

#[tokio::test]
async fn a_lent_connection_always_comes_back() {
    let (_folder, store) = migrated().await;
    for _ in 0..8 {
        let panicked: Result<()> = store
            .read_aside(|connection| {
                let snapshot = connection.transaction()?;
                snapshot.query_row("SELECT count(*) FROM profiles", [], |row| row.get::<_, i64>(0))?;
                panic!("a defect of ours");
            })
            .await;
        assert!(matches!(panicked, Err(StoreError::Internal(_))));
        let user_id = profile(1).user_id;
        let tenant = tenant();
        let mut leaving = Box::pin(store.read_user(&tenant, &user_id));
        let _ = futures::poll!(leaving.as_mut());
    }
    create(&store, profile(1)).await.unwrap();
    assert_eq!(store.read_user(&tenant(), &profile(1).user_id).await.unwrap().profiles, [profile(1)]);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_an_internal_error() {
    let (folder, store) = migrated().await;
    create(&store, profile(1)).await.unwrap();
    let other = rusqlite::Connection::open(folder.file()).unwrap();
    for (spoil, mend) in [
        ("birth_date = 'yesterday'", "birth_date = NULL"),
        ("attributes = '{'", "attributes = '{}'"),
        ("full_name = CAST(x'ff' AS TEXT)", "full_name = 'Person 1'"),
    ] {
        other.execute(&format!("UPDATE profiles SET {spoil}"), []).unwrap();
        let result = store.read_profile(&tenant(), profile(1).profile_id).await;
        assert!(matches!(result, Err(StoreError::Internal(_))), "{spoil}: {result:?}");
        other.execute(&format!("UPDATE profiles SET {mend}"), []).unwrap();
        assert!(store.read_profile(&tenant(), profile(1).profile_id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn readers_cannot_write() {
    let (_folder, store) = migrated().await;
    let result = store.read(|connection| Ok(connection.execute("DELETE FROM tenants", [])?)).await;
    assert!(result.is_err());
}
