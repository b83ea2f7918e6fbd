//! A fresh database for each service that is started, on either backend.

use super::next_number;
use std::path::Path;
use tokio_postgres::NoTls;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// A database that nobody else uses. The one in PostgreSQL is dropped with this value.
pub struct TestDatabase {
    /// For `DATABASE_URL`.
    pub url: String,
    server: Option<String>,
    name: String,
}

impl TestDatabase {
    /// `folder` is where SQLite keeps its file.
    pub async fn create(backend: Backend, folder: &Path) -> Self {
        let name = format!("n_users_{}_{}", std::process::id(), next_number());
        match backend {
            Backend::Sqlite => Self { url: format!("sqlite://{}", folder.join(format!("{name}.db")).display()), server: None, name },
            Backend::Postgres => {
                let server = postgres_server();
                execute(&server, &format!("CREATE DATABASE {name}")).await;
                let (base, _) = server.rsplit_once('/').expect("TEST_DATABASE_URL ends with the name of a database");
                Self { url: format!("{base}/{name}"), server: Some(server), name }
            }
        }
    }

    /// Host and port of the PostgreSQL server, for tests that stand in between.
    pub fn postgres_address(&self) -> String {
        let after_user = self.url.rsplit_once('@').map_or(self.url.as_str(), |(_, rest)| rest);
        after_user.split('/').next().unwrap_or_default().to_owned()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some(server) = self.server.take() else { return };
        let drop_it = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A thread of its own, because a runtime may already be at work on this one.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(execute(&server, &drop_it));
        });
        let _ = dropped.join();
    }
}

/// The server in which tests make their databases. A test without it fails, so that none is passed over silently.
#[expect(clippy::disallowed_methods, reason = "tests have no configuration of their own")]
fn postgres_server() -> String {
    std::env::var("TEST_DATABASE_URL").ok().filter(|url| !url.is_empty()).expect(
        "TEST_DATABASE_URL is not set: these tests need a PostgreSQL server, like postgres://postgres@127.0.0.1:5432/postgres; \
         ./scripts/test.sh starts one of its own",
    )
}

/// The only row of a statement on a connection of its own.
pub async fn query_one(url: &str, sql: &str) -> tokio_postgres::Row {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server of TEST_DATABASE_URL does not answer");
    tokio::spawn(connection);
    client.query_one(sql, &[]).await.unwrap_or_else(|e| panic!("{sql}: {e}"))
}

/// One statement on a connection of its own.
pub async fn execute(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server of TEST_DATABASE_URL does not answer");
    let driver = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    drop(client);
    let _ = driver.await;
}
