//! Fills a database that has the schema: by COPY into tables without their indexes, which are made afterwards.

use crate::people::{person, tenants};
use crate::rows::{COLUMNS, push_row};
use futures::{SinkExt, StreamExt, TryStreamExt};
use n_users::domain::change::{Change, ChangeKind};
use n_users::domain::clock::TimestampMs;
use n_users::domain::tenant::{Tenant, TenantName};
use n_users::domain::version::Version;
use n_users::store::Store;
use std::error::Error;
use std::sync::Arc;
use tokio_postgres::{Client, NoTls};

/// Of the parent; the unique one stays, because its parts have names of their own.
const INDEXES: &str = "SELECT c.relname::text, replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON ') FROM pg_index i \
    JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'profiles'::regclass AND NOT i.indisunique";

pub async fn connect(url: &str) -> Result<Client, Box<dyn Error>> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

pub async fn load(url: &str, seed: u64, profiles: u64) -> Result<(), Box<dyn Error>> {
    let client = connect(url).await?;
    // Neither foreign keys nor claims are checked: the people made here keep to them.
    client.batch_execute("SET session_replication_role = replica; SET maintenance_work_mem = '1GB'").await?;
    let indexes: Vec<(String, String)> = client.query(INDEXES, &[]).await?.iter().map(|row| (row.get(0), row.get(1))).collect();
    for (name, _) in &indexes {
        client.batch_execute(&format!("DROP INDEX {name}")).await?;
    }
    let tenants: String = tenants().map(|name| format!("{name}\tf\tloader\tloader\t1\t1\t1\n")).collect();
    copy(&client, "tenants (tenant_name, suspended, created_by, updated_by, created_at, updated_at, version)", std::iter::once(tenants))
        .await?;
    const BATCH: u64 = 2_000;
    let batches = (0..profiles).step_by(2_000).map(|from| {
        let mut text = String::with_capacity(2 << 20);
        (from..profiles.min(from + BATCH)).for_each(|at| push_row(&mut text, &person(seed, at)));
        text
    });
    copy(&client, &format!("profiles ({COLUMNS})"), batches).await?;
    for (name, definition) in &indexes {
        let started = std::time::Instant::now();
        client.batch_execute(definition).await?;
        println!("{name}: {:.0} s", started.elapsed().as_secs_f64());
    }
    client.batch_execute("VACUUM (ANALYZE) profiles").await?;
    Ok(())
}

async fn copy(client: &Client, into: &str, batches: impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let sink = client.copy_in(&format!("COPY {into} FROM STDIN")).await?;
    futures::pin_mut!(sink);
    for batch in batches {
        sink.send(std::io::Cursor::new(batch.into_bytes())).await?;
    }
    sink.finish().await?;
    Ok(())
}

/// The same through the store, many at a time: a store in a file has no COPY.
pub async fn create_all(store: &Arc<dyn Store>, seed: u64, profiles: u64) -> Result<(), Box<dyn Error>> {
    const WRITERS: u64 = 200;
    let create_tenants = tenants().map(|name| {
        let tenant = Tenant {
            tenant_name: TenantName::from_stored(name),
            display_name: None,
            suspended: false,
            created_by: "loader".to_owned(),
            updated_by: "loader".to_owned(),
            created_at: TimestampMs(1),
            updated_at: TimestampMs(1),
            version: Version::FIRST,
        };
        async move {
            let change = Change::of_tenant(ChangeKind::TenantCreated, &tenant.tenant_name, tenant.version, "loader", TimestampMs(1));
            store.create_tenant(&tenant, &change, None).await
        }
    });
    futures::stream::iter(create_tenants).buffer_unordered(200).try_collect::<Vec<()>>().await?;
    let writers = (0..WRITERS).map(|writer| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            for at in (writer..profiles).step_by(200) {
                let profile = person(seed, at);
                let change = Change::of_profile(ChangeKind::ProfileCreated, &profile, Vec::new());
                store.create_profile(&profile.tenant_name, &profile, &change, None).await?;
            }
            Ok::<(), n_users::store::StoreError>(())
        })
    });
    for written in futures::future::join_all(writers).await {
        written??;
    }
    Ok(())
}
