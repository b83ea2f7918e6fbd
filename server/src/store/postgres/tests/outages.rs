//! A database that goes away, and comes back.

use super::super::testing::{admin, connect, fresh_url, options};
use super::super::{Postgres, PostgresOptions};
use super::*;
use crate::store::{Maintenance, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// Leads to the database, can be cut or fall silent, and be put together again.
struct Proxy {
    url: String,
    line: watch::Sender<Line>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Line {
    Open,
    /// Connections stay, and nothing comes through.
    Silent,
    Cut,
}

impl Proxy {
    async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let config: tokio_postgres::Config = url.parse().unwrap();
        let tokio_postgres::config::Host::Tcp(host) = config.get_hosts()[0].clone() else { panic!("tests need a server on TCP") };
        let server = (host.clone(), config.get_ports()[0]);
        let through = url.replace(&format!("{host}:{}", server.1), &format!("127.0.0.1:{port}"));
        assert_ne!(through, url, "TEST_DATABASE_URL must name host and port");
        let line = watch::Sender::new(Line::Open);
        let state = line.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server.clone(), state.clone()));
            }
        });
        Self { url: through, line }
    }
}

async fn carry(mut client: TcpStream, server: (String, u16), mut line: watch::Receiver<Line>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    tokio::select! {
        biased;
        _ = line.wait_for(|line| *line != Line::Open) => {}
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
    }
    let _ = line.wait_for(|line| *line == Line::Cut).await;
}

fn unavailable<T: std::fmt::Debug>(result: crate::store::Result<T>) {
    assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
}

async fn comes_back(store: &Postgres) {
    let since = Instant::now();
    while store.ping().await.is_err() {
        assert!(since.elapsed() < Duration::from_secs(15), "the database did not come back");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_database_is_unavailable_and_comes_back_by_itself() {
    let url = fresh_url().await;
    connect(&url).migrate(TimestampMs(1)).await.unwrap();
    let proxy = Proxy::to(&url).await;
    let store = connect(&proxy.url);
    let profile = profile_of("u");
    create(&store, &profile).await;
    assert!(store.read_profile(&tenant(), profile.profile_id).await.unwrap().is_some());

    for _ in 0..3 {
        proxy.line.send_replace(Line::Cut);
        sleep(Duration::from_millis(100)).await;
        unavailable(store.read_profile(&tenant(), profile.profile_id).await);
        unavailable(store.read_user(&tenant(), &profile.user_id).await);
        let other = profile_of("other");
        unavailable(store.create_profile(&tenant(), &other, &created(&other), None).await);
        proxy.line.send_replace(Line::Open);
        comes_back(&store).await;
        assert!(store.read_profile(&tenant(), profile.profile_id).await.unwrap().is_some());
        assert_eq!(store.read_user(&tenant(), &profile.user_id).await.unwrap().profiles.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_comes_later_is_used_then() {
    let url = fresh_url().await;
    let proxy = Proxy::to(&url).await;
    proxy.line.send_replace(Line::Cut);
    let store = connect(&proxy.url);
    unavailable(store.ping().await);
    unavailable(store.migrate(TimestampMs(1)).await);
    proxy.line.send_replace(Line::Open);
    comes_back(&store).await;
    store.migrate(TimestampMs(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_falls_silent_is_given_up() {
    let url = fresh_url().await;
    connect(&url).migrate(TimestampMs(1)).await.unwrap();
    let proxy = Proxy::to(&url).await;
    let store = Postgres::connect(PostgresOptions { statement_timeout: Duration::from_millis(300), ..options(&proxy.url) }).unwrap();
    let profile = profile_of("u");
    create(&store, &profile).await;
    proxy.line.send_replace(Line::Silent);
    let since = Instant::now();
    unavailable(store.read_profile(&tenant(), profile.profile_id).await);
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
    proxy.line.send_replace(Line::Open);
    comes_back(&store).await;
    assert!(store.read_profile(&tenant(), profile.profile_id).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_when_connections_are_ended_one_by_one() {
    reads_go_on_when_are_ended("ORDER BY random() LIMIT 1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_when_all_connections_are_ended_at_once() {
    reads_go_on_when_are_ended("").await;
}

async fn reads_go_on_when_are_ended(some: &str) {
    let url = fresh_url().await;
    let store = Arc::new(connect(&url));
    store.migrate(TimestampMs(1)).await.unwrap();
    let profile = profile_of("u");
    create(&*store, &profile).await;
    let client = admin(&url).await;
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'n_users' {some}"
    );
    for _ in 0..10 {
        client.query(&end, &[]).await.unwrap();
        for _ in 0..20 {
            assert!(store.read_profile(&tenant(), profile.profile_id).await.unwrap().is_some());
            let one_of_many = async || store.read_user(&tenant(), &profile.user_id).await.unwrap().profiles.len();
            assert_eq!(tokio::join!(one_of_many(), one_of_many(), one_of_many()), (1, 1, 1));
        }
    }
}

/// A server that ends one connection may be about to end the others: a read that goes on does so on a new one.
#[tokio::test]
async fn once_a_read_met_a_broken_connection_those_made_before_are_not_used_again() {
    let url = fresh_url().await;
    let store = connect(&url);
    let pid = async || -> i32 { store.pool.query("SELECT pg_backend_pid()", &[]).await.unwrap()[0].get(0) };
    let (one, other) = tokio::join!(pid(), pid());
    assert_ne!(one, other);
    let last = pid().await;
    // This test has one thread: while it waits for another one, nobody notices that the connection ends.
    std::thread::scope(|threads| threads.spawn(|| end(&url, last)).join()).unwrap();
    let next = pid().await;
    assert!(next != one && next != other);
    assert_eq!(pid().await, next);
}

#[tokio::main(flavor = "current_thread")]
async fn end(url: &str, pid: i32) {
    let ended = admin(url).await.query_one("SELECT pg_terminate_backend($1, 5000)", &[&pid]).await.unwrap();
    assert!(ended.get::<_, bool>(0));
}

#[tokio::test]
async fn statements_that_no_longer_fit_are_prepared_anew() {
    let url = fresh_url().await;
    let store = connect(&url);
    store.migrate(TimestampMs(1)).await.unwrap();
    let profile = profile_of("u");
    create(&store, &profile).await;
    let client = admin(&url).await;
    for column_type in ["varchar(50) COLLATE \"C\"", "text COLLATE \"C\""] {
        for _ in 0..8 {
            assert!(store.read_profile(&tenant(), profile.profile_id).await.unwrap().is_some());
            assert_eq!(store.read_user(&tenant(), &profile.user_id).await.unwrap().profiles.len(), 1);
        }
        client.batch_execute(&format!("ALTER TABLE profiles ALTER COLUMN gender TYPE {column_type}")).await.unwrap();
    }
    assert!(store.read_profile(&tenant(), profile.profile_id).await.unwrap().is_some());
    assert_eq!(store.read_user(&tenant(), &profile.user_id).await.unwrap().profiles.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_takes_too_long_is_unavailable_and_leaves_nothing_behind() {
    let url = fresh_url().await;
    let short = PostgresOptions { statement_timeout: Duration::from_millis(300), ..options(&url) };
    connect(&url).migrate(TimestampMs(1)).await.unwrap();
    let store = Postgres::connect(short).unwrap();
    let profile = profile_of("u");
    create(&store, &profile).await;
    let blocker = admin(&url).await;
    blocker.batch_execute("BEGIN; UPDATE profiles SET city_id = 'x'").await.unwrap();
    unavailable(store.replace_profiles(&tenant(), &[replacement(&profile)], None).await);
    blocker.batch_execute("ROLLBACK").await.unwrap();
    assert!(store.replace_profiles(&tenant(), &[replacement(&profile)], None).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_given_up_frees_its_locks() {
    let url = fresh_url().await;
    let store = connect(&url);
    store.migrate(TimestampMs(1)).await.unwrap();
    let profile = profile_of("u");
    create(&store, &profile).await;
    let blocker = admin(&url).await;
    blocker.batch_execute("BEGIN; LOCK TABLE preferences").await.unwrap();
    assert!(timeout(Duration::from_millis(200), put(&store, "u", "k", "1")).await.is_err());
    blocker.batch_execute("COMMIT").await.unwrap();
    assert_eq!(timeout(Duration::from_secs(5), put(&store, "u", "k", "1")).await.unwrap(), PreferenceOutcome::Created);
}

#[tokio::test]
async fn a_closed_store_is_unavailable() {
    let store = connect(&fresh_url().await);
    store.ping().await.unwrap();
    store.close().await;
    unavailable(store.ping().await);
    unavailable(store.migrate(TimestampMs(1)).await);
}
