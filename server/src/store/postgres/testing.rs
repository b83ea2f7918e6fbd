//! Databases for tests: each has its own, on the server that `TEST_DATABASE_URL` names.

use super::{Postgres, PostgresOptions};
use crate::domain::clock::{Clock, SystemClock, TimestampMs};
use crate::store::Maintenance;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio_postgres::NoTls;

/// Databases of earlier runs go after this.
const KEPT_FOR_MS: i64 = 15 * 60 * 1000;

/// A store on a new, empty database: nothing is migrated.
pub async fn fresh() -> Postgres {
    connect(&fresh_url().await)
}

/// A store on a new database with the schema and the default tenant.
pub async fn migrated() -> Postgres {
    let store = fresh().await;
    store.migrate(TimestampMs(1)).await.unwrap();
    store
}

/// A store on the database of this URL.
pub fn connect(url: &str) -> Postgres {
    Postgres::connect(options(url)).unwrap()
}

pub fn options(url: &str) -> PostgresOptions {
    PostgresOptions {
        url: url.into(),
        pool_size: 8,
        shared_clients: 2,
        search_budget: Duration::from_secs(10),
        statement_timeout: Duration::from_secs(20),
    }
}

/// The URL of a new, empty database.
pub async fn fresh_url() -> String {
    static SWEPT: OnceCell<()> = OnceCell::const_new();
    SWEPT.get_or_init(sweep).await;
    let id = SystemClock.new_id().simple().to_string();
    let name = format!("nu_{}_{}", SystemClock.now().0, &id[20..]);
    admin(&server_url()).await.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")).await.unwrap();
    on_database(&name)
}

/// A plain client, for what a store does not do.
pub async fn admin(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("TEST_DATABASE_URL names no server that answers");
    tokio::spawn(connection);
    client
}

#[expect(clippy::disallowed_methods, reason = "tests have no configuration to read it from")]
pub fn server_url() -> String {
    std::env::var("TEST_DATABASE_URL").expect(
        "tests of the PostgreSQL store need a throw-away server: set TEST_DATABASE_URL, \
         for example to postgres://postgres@127.0.0.1:5432/postgres",
    )
}

/// The server's URL with another database.
fn on_database(name: &str) -> String {
    let url = server_url();
    let (base, query) = url.split_once('?').unwrap_or((&url, ""));
    let server = base.rsplit_once('/').filter(|(server, _)| !server.ends_with('/')).map_or(base, |(server, _)| server);
    if query.is_empty() { format!("{server}/{name}") } else { format!("{server}/{name}?{query}") }
}

async fn sweep() {
    let client = admin(&server_url()).await;
    let names = client.query("SELECT datname::text FROM pg_database WHERE datname LIKE 'nu\\_%'", &[]).await.unwrap();
    for row in names {
        let name: String = row.get(0);
        let made_at = name.split('_').nth(1).and_then(|at| at.parse::<i64>().ok());
        if made_at.is_some_and(|at| at < SystemClock.now().0 - KEPT_FOR_MS) {
            // One that is still in use stays.
            let _ = client.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).await;
        }
    }
}
