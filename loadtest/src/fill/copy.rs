//! Fills a PostgreSQL database that has the schema: by COPY into tables without their indexes, which are made afterwards.

use super::rows::{COLUMNS, push_row};
use super::{LOADER, new_tenant};
use futures::SinkExt;
use n_users::domain::profile::Profile;
use std::error::Error;
use tokio_postgres::{Client, NoTls};

/// Of the parent; the unique one stays, because its parts have names of their own.
const INDEXES: &str = "SELECT c.relname::text, replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON ') FROM pg_index i \
    JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'profiles'::regclass AND NOT i.indisunique";
const MAY_COPY: &str = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";

/// Opens a connection that ends with the client.
pub async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Whether the role is one that may switch triggers off, without which COPY would be no faster than creates.
pub async fn is_allowed(url: &str) -> Result<bool, tokio_postgres::Error> {
    Ok(connect(url).await?.query_one(MAY_COPY, &[]).await?.get(0))
}

/// Loads tenants and people, none of whom may be there yet: all of them or, if it breaks off, none. `done` hears how
/// many people were sent so far.
pub async fn load(
    url: &str,
    tenants: impl Iterator<Item = String>,
    people: impl Iterator<Item = Profile>,
    mut done: impl FnMut(u64),
) -> Result<(), Box<dyn Error>> {
    let client = connect(url).await?;
    // Neither foreign keys nor claims are checked: the people made here keep to them.
    client.batch_execute("BEGIN; SET LOCAL session_replication_role = replica; SET LOCAL maintenance_work_mem = '1GB'").await?;
    let indexes: Vec<(String, String)> = client.query(INDEXES, &[]).await?.iter().map(|row| (row.get(0), row.get(1))).collect();
    for (name, _) in &indexes {
        client.batch_execute(&format!("DROP INDEX {name}")).await?;
    }
    let tenants: String = tenants.map(|name| format!("{}\tf\t{LOADER}\t{LOADER}\t1\t1\t1\n", new_tenant(name).tenant_name)).collect();
    client.batch_execute("CREATE TEMP TABLE new_tenants (LIKE tenants) ON COMMIT DROP").await?;
    let columns = "(tenant_name, suspended, created_by, updated_by, created_at, updated_at, version)";
    copy(&client, &format!("new_tenants {columns}"), std::iter::once(tenants)).await?;
    client.batch_execute("INSERT INTO tenants SELECT * FROM new_tenants ON CONFLICT DO NOTHING").await?;
    let mut people = people.peekable();
    let mut sent = 0;
    let batches = std::iter::from_fn(|| {
        people.peek()?;
        let mut text = String::with_capacity(2 << 20);
        let batch = people.by_ref().take(2_000).map(|profile| push_row(&mut text, &profile)).count();
        sent += batch as u64;
        done(sent);
        Some(text)
    });
    copy(&client, &format!("profiles ({COLUMNS})"), batches).await?;
    for (name, definition) in &indexes {
        let started = std::time::Instant::now();
        client.batch_execute(definition).await?;
        println!("{name}: {:.0} s", started.elapsed().as_secs_f64());
    }
    client.batch_execute("COMMIT").await?;
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
