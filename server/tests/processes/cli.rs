//! The commands.

use crate::process::{Place, bare, finish, run, text};
use crate::support::{Backend, json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::process::Output;

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// The command must fail with 1 and tell the person at the terminal, and nobody else, why.
fn refused(output: &Output, words: &[&str]) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let reason = text(&output.stderr);
    for word in words {
        assert!(reason.contains(word), "{word}: {reason}");
    }
}

pub fn payload(token: &str) -> serde_json::Value {
    let part = token.trim().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn token_prints_the_token_alone() {
    run(async {
        let place = Place::new(Backend::Sqlite).await;
        let output =
            finish(&mut place.command(&["token", "--tenant", "default", "--subject", "me", "--scope", "profiles:read", "--ttl", "2m"]));
        let printed = stdout(&output);
        assert!(output.stderr.is_empty(), "{output:?}");
        let token = printed.trim_end();
        assert_eq!(printed, format!("{token}\n"));
        assert_eq!(token.split('.').count(), 3);
        let claims = payload(token);
        assert_eq!((&claims["sub"], &claims["tenant"], &claims["scope"]), (&json!("me"), &json!("default"), &json!("profiles:read")));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 120);
        let service = place.start();
        let reader = service.anonymous().with_token(token).in_tenant("default");
        reader.get("/profiles").expect(200).await;
        reader.post("/profiles", &json!({})).expect(403).await;
        let all = stdout(&finish(&mut place.command(&["token", "--tenant", "*"])));
        service.anonymous().with_token(all.trim()).get("/v1/tenants").expect(200).await;
    });
}

#[test]
fn token_refuses_what_would_not_work() {
    run(async {
        let place = Place::new(Backend::Sqlite).await;
        let mut command = place.command(&["token", "--tenant", "default"]);
        refused(&finish(command.env("OAUTH_ISSUER", "https://issuer.example")), &["OAUTH_ISSUER", "https://issuer.example"]);
        for arguments in [
            &["token"][..],
            &["token", "--tenant", "NO"],
            &["token", "--tenant", "a", "--scope", "profiles:all"],
            &["token", "--tenant", "a", "--ttl", "soon"],
        ] {
            let output = finish(&mut place.command(arguments));
            assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(2), true), "{output:?}");
        }
    });
}

#[test]
fn serve_refuses_to_trust_local_tokens_beyond_this_machine() {
    run(async {
        let place = Place::new(Backend::Sqlite).await;
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8085"] {
            let output = finish(place.command(&[]).env("LISTEN", address));
            refused(&output, &["loopback", "OAUTH_ISSUER", address.split(':').next().unwrap()]);
        }
        let output = finish(&mut place.command(&["serve", "--listen", "0.0.0.0:0"]));
        refused(&output, &["loopback"]);
    });
}

#[test]
fn an_address_that_is_taken_is_named() {
    run(async {
        let place = Place::new(Backend::Sqlite).await;
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        refused(&finish(place.command(&[]).env("LISTEN", &address)), &[&address]);
    });
}

#[test]
fn only_its_owner_can_read_the_signing_key() {
    use std::os::unix::fs::PermissionsExt;
    run(async {
        let place = Place::new(Backend::Sqlite).await;
        finish(&mut place.command(&["token", "--tenant", "default"]));
        let mode = |name: &str| std::fs::metadata(place.data_dir().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("local_signing_key.pem"), 0o600);
        assert_eq!(std::fs::read_dir(place.data_dir()).unwrap().count(), 1, "nothing is left beside it");
    });
}

#[test]
fn version_and_help_say_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let version = format!("n_users {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(stdout(&finish(&mut bare(folder.path(), &["version"]))), version);
    assert_eq!(stdout(&finish(&mut bare(folder.path(), &["--version"]))), version);
    let help = stdout(&finish(&mut bare(folder.path(), &["--help"])));
    for word in ["serve", "migrate", "token", "tenant", "version"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    let serve = stdout(&finish(&mut bare(folder.path(), &["serve", "--help"])));
    for variable in [
        "LISTEN",
        "DATABASE_URL",
        "POSTGRE_URL_VALUE",
        "DATA_DIR",
        "OAUTH_ISSUER",
        "OAUTH_AUDIENCE",
        "DRAIN_MS",
        "SHUTDOWN_TIMEOUT_MS",
        "LOG",
    ] {
        assert!(serve.contains(variable), "{variable}: {serve}");
    }
    for arguments in [&["frobnicate"][..], &["--frobnicate"], &["serve", "extra"]] {
        assert_eq!(finish(&mut bare(folder.path(), arguments)).status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "to ask leaves nothing behind");
}

async fn migrate_says_what_it_did(backend: Backend) {
    let place = Place::new(backend).await;
    let first = stdout(&finish(&mut place.command(&["migrate"])));
    assert!(first.starts_with("applied ") && first.contains("the schema is at version "), "{first}");
    let second = stdout(&finish(&mut place.command(&["migrate"])));
    assert!(second.starts_with("the schema is at version "), "{second}");
    assert!(first.ends_with(&second));
}

async fn tenants_are_created_and_listed(backend: Backend) {
    let place = Place::new(backend).await;
    let create = |arguments: &[&str]| finish(&mut place.command(&[&["tenant", "create"], arguments].concat()));
    assert_eq!(stdout(&create(&["acme", "--display-name", "Acme Ltd"])), "created tenant acme\n");
    refused(&create(&["acme"]), &["there is a tenant of this name"]);
    refused(&create(&["NOT A NAME"]), &["a-z"]);
    assert_eq!(stdout(&finish(&mut place.command(&["tenant", "list"]))), "acme\ndefault\n");
    let service = place.start();
    let tenant = service.client().get("/v1/tenants/acme").expect(200).await.json();
    assert_eq!(tenant["display_name"], "Acme Ltd");
    // On a database that a service is using, and the service sees it at once.
    assert_eq!(stdout(&create(&["late"])), "created tenant late\n");
    service.client().in_tenant("late").get("/profiles").expect(200).await;
    service.client().patch("/v1/tenants/late", &json!({"suspended": true})).expect(200).await;
    assert_eq!(stdout(&finish(&mut place.command(&["tenant", "list"]))), "acme\ndefault\nlate  (suspended)\n");
}

crate::process::cases! {
    migrate_says_what_it_did,
    tenants_are_created_and_listed,
}
