//! The way to PostgreSQL encrypted, and to the right server only.

use crate::process::{Place, eventually, run};
use crate::support::{Backend, Value, database};
use std::path::PathBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Where the test command has put the authority of the server's certificate, `ca.pem`, and another, `other.pem`. The certificate is for
/// the name `localhost` alone.
#[expect(clippy::disallowed_methods, reason = "this is no setting of the service")]
fn authorities() -> PathBuf {
    PathBuf::from(std::env::var_os("TEST_DATABASE_AUTHORITIES").expect(
        "TEST_DATABASE_AUTHORITIES must name the folder of ca.pem and other.pem: run ./scripts/test.sh, whose PostgreSQL speaks TLS",
    ))
}

/// A database of its own, to be reached by this name and with these parameters.
async fn place(host: &str, parameters: &str) -> Place {
    let place = Place::new(Backend::Postgres).await;
    let (_, port) = place.database.postgres_address().rsplit_once(':').map(|(host, port)| (host.to_owned(), port.to_owned())).unwrap();
    let (base, name) = place.database.url.rsplit_once('/').unwrap();
    let user = base.rsplit_once('@').map_or(base, |(user, _)| user);
    let url = format!("{user}@{host}:{port}/{name}?{parameters}");
    place.with("DATABASE_URL", &url).with("DRAIN_MS", "0")
}

fn verified(authority: &str) -> String {
    format!("sslmode=verify-full&sslrootcert={}", authorities().join(authority).display())
}

/// Whether the connections of the service that was started here are encrypted.
async fn is_encrypted(place: &Place) -> bool {
    let all = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'n_users' AND datname = current_database()";
    database::query_one(&place.database.url, all).await.get(0)
}

/// Why the service, which waits for its database, does not come by it.
async fn refusal(place: &Place) -> String {
    let service = place.launch();
    eventually("the service says what it waits for", async || {
        let events = service.log().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        events.filter(|event| event["message"] == "waiting for the database").find_map(|event| Some(event["cause"].as_str()?.to_owned()))
    })
    .await
}

#[test]
fn without_a_word_it_is_encrypted_where_the_server_can() {
    run(async {
        let place = place("127.0.0.1", "").await;
        let _service = place.start();
        assert!(is_encrypted(&place).await);
    });
}

#[test]
fn it_can_be_left_unencrypted() {
    run(async {
        let place = place("127.0.0.1", "sslmode=disable").await;
        let _service = place.start();
        assert!(!is_encrypted(&place).await);
    });
}

#[test]
fn a_server_is_verified_by_its_authority_and_its_name() {
    run(async {
        let place = place("localhost", &verified("ca.pem")).await;
        let service = place.start();
        assert!(is_encrypted(&place).await);
        service.client().get("/profiles").expect(200).await;
    });
}

#[test]
fn a_server_of_another_authority_is_refused_and_the_log_says_what_to_do() {
    run(async {
        for parameters in [verified("other.pem"), "sslmode=require".to_owned()] {
            let why = refusal(&place("localhost", &parameters).await).await;
            assert!(why.contains("UnknownIssuer") && why.contains("set sslrootcert in DATABASE_URL"), "{parameters}: {why}");
        }
    });
}

#[test]
fn a_server_of_another_name_is_refused_and_the_log_says_what_to_do() {
    run(async {
        let why = refusal(&place("127.0.0.1", &verified("ca.pem")).await).await;
        assert!(why.contains("not valid for name") && why.contains("DATABASE_URL must name the server by a name"), "{why}");
    });
}

#[test]
fn a_server_without_tls_is_refused_where_it_is_required() {
    run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // PostgreSQL's answer to a request for TLS that it does not have (its protocol, "SSL Session Encryption").
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read_exact(&mut [0; 8]).await;
                let _ = stream.write_all(b"N").await;
            }
        });
        let place = Place::new(Backend::Postgres).await.with("DRAIN_MS", "0");
        let place = place.with("DATABASE_URL", &format!("postgres://u@127.0.0.1:{port}/d?{}", verified("ca.pem")));
        let why = refusal(&place).await;
        assert!(why.contains("server does not support TLS"), "{why}");
    });
}
