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

with_costs!(sqlite_by_grams, sqlite, super::Costs::BY_GRAMS);
with_costs!(sqlite_by_scans, sqlite, super::Costs::BY_SCANS);
with_costs!(sqlite_by_names, sqlite, super::Costs::BY_NAMES);
with_costs!(sqlite_remembering, sqlite, super::Costs::REMEMBERING);
with_costs!(postgres_by_grams, postgres, super::Costs::BY_GRAMS);
with_costs!(postgres_by_scans, postgres, super::Costs::BY_SCANS);
with_costs!(postgres_by_names, postgres, super::Costs::BY_NAMES);
with_costs!(postgres_by_words, postgres, super::Costs::BY_WORDS);
with_costs!(postgres_remembering, postgres, super::Costs::REMEMBERING);

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
