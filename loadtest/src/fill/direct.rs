//! Fills a database through the store itself, without a server: for fills that would take long over HTTP.

use super::frontier::first_absent;
use super::{LOADER, copy, new_tenant};
use crate::failure::{Failure, Result};
use crate::people::residents::resident;
use crate::progress::Progress;
use futures::TryStreamExt;
use n_users::domain::change::{Change, ChangeKind};
use n_users::domain::clock::TimestampMs;
use n_users::domain::profile::Profile;
use n_users::domain::tenant::TenantName;
use n_users::store::postgres::{Postgres, PostgresOptions};
use n_users::store::sqlite::{Sqlite, SqliteOptions};
use n_users::store::{Store, StoreError};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Creates at work at once: SQLite commits waiting ones together.
const WRITERS: u64 = 200;

/// The store that a database URL names. It finds anew whatever it is asked again.
pub fn open_store(url: &str) -> Result<Arc<dyn Store>> {
    let budget = Duration::from_secs(5);
    let failed = |error: StoreError| Failure::when("the database")(&error);
    if let Some(path) = url.strip_prefix("sqlite://") {
        let store = Sqlite::open(SqliteOptions { path: path.into(), readers: 8, search_budget: budget }).map_err(failed)?;
        return Ok(Arc::new(store.forgetful()));
    }
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(Failure::new("a database URL begins with sqlite:// or postgres://"));
    }
    let store = Postgres::connect(PostgresOptions {
        url: url.to_owned().into(),
        pool_size: 8,
        shared_clients: 2,
        search_budget: budget,
        statement_timeout: Duration::from_secs(30),
    });
    Ok(Arc::new(store.map_err(failed)?.forgetful()))
}

/// Migrates the database and brings the tenant to this many people; how many of them were made now.
pub async fn fill(url: &str, tenant: &TenantName, profiles: u64) -> Result<u64> {
    let store = open_store(url)?;
    let failed = |error: StoreError| Failure::when("the database could not be filled")(&error);
    store.migrate(TimestampMs(1)).await.map_err(failed)?;
    let present = first_absent(profiles, async |at| match store.read_user(tenant, &resident(tenant, at).user_id).await {
        Ok(user) => Ok(!user.profiles.is_empty()),
        Err(StoreError::TenantUnknown) => Ok(false),
        Err(error) => Err(failed(error)),
    })
    .await?;
    let progress = Progress::of_fill(profiles, present);
    if present < profiles {
        let postgres = url.starts_with("postgres");
        let copied = present == 0 && postgres && copy::is_allowed(url).await.map_err(|error| Failure::when("the database")(&error))?;
        if copied {
            let people = (0..profiles).map(|at| resident(tenant, at));
            let tenants = std::iter::once(tenant.to_string());
            let loaded = copy::load(url, tenants, people, |done| progress.set(done)).await;
            loaded.map_err(|error| Failure::when("the database could not be filled")(&*error))?;
        } else {
            create_tenants(&store, std::iter::once(tenant.to_string())).await.map_err(failed)?;
            let tenant = tenant.clone();
            let from = present.saturating_sub(WRITERS);
            let done = |count| progress.set(from + count);
            create_people(&store, from..profiles, move |at| resident(&tenant, at), &done).await.map_err(failed)?;
        }
    }
    store.close().await;
    progress.finish(profiles - present);
    Ok(profiles - present)
}

/// Creates those tenants that are not there.
pub async fn create_tenants(store: &Arc<dyn Store>, names: impl Iterator<Item = String>) -> std::result::Result<(), StoreError> {
    let creates = names.map(|name| {
        let tenant = new_tenant(name);
        async move {
            let change = Change::of_tenant(ChangeKind::TenantCreated, &tenant.tenant_name, tenant.version, LOADER, TimestampMs(1));
            present(store.create_tenant(&tenant, &change, None).await)
        }
    });
    futures::StreamExt::buffer_unordered(futures::stream::iter(creates), 200).try_collect().await
}

/// Creates those of these people who are not there; `done` hears now and then how many of them there are now.
pub async fn create_people(
    store: &Arc<dyn Store>,
    places: Range<u64>,
    person: impl Fn(u64) -> Profile + Clone + Send + 'static,
    done: &dyn Fn(u64),
) -> std::result::Result<(), StoreError> {
    let next = Arc::new(AtomicU64::new(places.start));
    let writers = (0..WRITERS).map(|_| {
        let (store, next, person, end) = (Arc::clone(store), Arc::clone(&next), person.clone(), places.end);
        tokio::spawn(async move {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= end {
                    return Ok(());
                }
                let profile = person(at);
                let change = Change::of_profile(ChangeKind::ProfileCreated, &profile, Vec::new());
                present(store.create_profile(&profile.tenant_name, &profile, &change, None).await)?;
            }
        })
    });
    let all = futures::future::try_join_all(writers);
    futures::pin_mut!(all);
    let mut ticks = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            ended = &mut all => {
                let ended = ended.map_err(StoreError::internal)?;
                return ended.into_iter().collect();
            }
            _ = ticks.tick() => done(next.load(Ordering::Relaxed).min(places.end) - places.start),
        }
    }
}

/// Who is there already was made by an earlier fill.
fn present(written: std::result::Result<(), StoreError>) -> std::result::Result<(), StoreError> {
    match written {
        Err(StoreError::Duplicate(_)) => Ok(()),
        other => other,
    }
}
