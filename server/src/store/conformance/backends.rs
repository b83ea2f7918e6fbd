//! A new store for each case, and its end.

use super::fixtures::{START, World};
use crate::store::Store;
use crate::store::route::Costs;
use std::future::Future;
use std::sync::Arc;
use tempfile::TempDir;

async fn run<F: Future<Output = ()>>(store: Arc<dyn Store>, migrate: bool, case: impl FnOnce(World) -> F) {
    let world = World::new(Arc::clone(&store));
    if migrate {
        store.migrate(START).await.unwrap();
        world.create_own_tenant().await;
    }
    case(world).await;
    store.close().await;
}

macro_rules! with_costs {
    ($name:ident, $backend:ident, $costs:expr) => {
        pub mod $name {
            use super::{Future, World, run};

            pub async fn migrated<F: Future<Output = ()>>(case: impl FnOnce(World) -> F) {
                let (store, _scratch) = super::$backend::open_with_costs($costs).await;
                run(store, true, case).await;
            }
        }
    };
}

/// Every search of something that has grams goes by them.
const BY_GRAMS: Costs = Costs {
    scanned_row: 1e9,
    hit: 1e-9,
    entry: 1e-9,
    passed_entry: 1e-9,
    passed_entries: 16.0,
    meeting: 0.0,
    small_tenant: 0.0,
    least_scan: 1.0,
    marks: 1e9,
    part: 1e9,
};
/// Every search is a scan of many short steps.
const BY_SCANS: Costs = Costs {
    scanned_row: 1e-9,
    hit: 1e9,
    entry: 1e9,
    passed_entry: 1e9,
    passed_entries: 16.0,
    meeting: 0.0,
    small_tenant: 2.0,
    least_scan: 2.0,
    marks: 1e9,
    part: 1e9,
};
/// Every page in the order of names is looked for by the word's marks.
const BY_NAMES: Costs = Costs { small_tenant: 0.0, least_scan: 1.0, marks: -1e30, part: 0.0, ..BY_SCANS };

with_costs!(sqlite_by_grams, sqlite, super::BY_GRAMS);
with_costs!(sqlite_by_scans, sqlite, super::BY_SCANS);
with_costs!(sqlite_by_names, sqlite, super::BY_NAMES);
with_costs!(postgres_by_grams, postgres, super::BY_GRAMS);
with_costs!(postgres_by_scans, postgres, super::BY_SCANS);
with_costs!(postgres_by_names, postgres, super::BY_NAMES);

pub mod sqlite {
    use super::{Arc, Costs, Future, Store, TempDir, World, run};
    use crate::store::sqlite::{Sqlite, SqliteOptions};
    use std::time::Duration;

    pub async fn fresh<F: Future<Output = ()>>(case: impl FnOnce(World) -> F) {
        let (store, _scratch) = open();
        run(store, false, case).await;
    }

    pub async fn migrated<F: Future<Output = ()>>(case: impl FnOnce(World) -> F) {
        let (store, _scratch) = open();
        run(store, true, case).await;
    }

    /// The file goes when the second value is dropped.
    pub fn open() -> (Arc<dyn Store>, TempDir) {
        let (store, scratch) = open_file();
        (Arc::new(store), scratch)
    }

    pub async fn open_with_costs(costs: Costs) -> (Arc<dyn Store>, TempDir) {
        let (store, scratch) = open_file();
        (Arc::new(store.with_costs(costs)), scratch)
    }

    fn open_file() -> (Sqlite, TempDir) {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("n_users.db");
        // A budget that only a broken query exceeds: these cases are about what is found, on a busy machine too.
        let options = SqliteOptions { path, readers: 2, search_budget: Duration::from_secs(20) };
        (Sqlite::open(options).unwrap(), scratch)
    }
}

pub mod postgres {
    use super::{Arc, Costs, Future, Store, World, run};
    use crate::store::postgres::testing;

    pub async fn fresh<F: Future<Output = ()>>(case: impl FnOnce(World) -> F) {
        run(open().await, false, case).await;
    }

    pub async fn migrated<F: Future<Output = ()>>(case: impl FnOnce(World) -> F) {
        run(open().await, true, case).await;
    }

    pub async fn open_with_costs(costs: Costs) -> (Arc<dyn Store>, ()) {
        (Arc::new(testing::fresh().await.with_costs(costs)), ())
    }

    pub async fn open() -> Arc<dyn Store> {
        Arc::new(testing::fresh().await)
    }
}
