//! Where settings come from, and which wins: the file, then the environment, then flags.

use crate::cli::payload;
use crate::process::{bare, finish, text};
use std::path::Path;
use std::process::Output;

/// The audience is a setting that can be read off what the program prints.
fn audience(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let arguments = [&["token", "--tenant", "default"], arguments].concat();
    let output = finish(bare(folder, &arguments).envs(environment.iter().copied()));
    assert!(output.status.success(), "{}", text(&output.stderr));
    payload(&text(&output.stdout))["aud"].as_str().unwrap().to_owned()
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert_eq!(audience(folder, &[], &[]), "n_users");
    std::fs::write(folder.join("n_users.toml"), "oauth_audience = \"file\"\nlisten = \"127.0.0.1:0\"\nmax_in_flight = 7\n").unwrap();
    let environment = [("OAUTH_AUDIENCE", "environment")];
    assert_eq!(audience(folder, &[], &[]), "file");
    assert_eq!(audience(folder, &[], &environment), "environment");
    assert_eq!(audience(folder, &["--oauth-audience", "flag"], &environment), "flag");
    assert_eq!(audience(folder, &["--oauth-audience", "flag"], &[]), "flag");
}

#[test]
fn the_file_can_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("n_users.toml"), "oauth_audience = \"by itself\"").unwrap();
    for name in ["flag", "variable"] {
        std::fs::write(folder.join(format!("{name}.toml")), format!("oauth_audience = \"{name}\"")).unwrap();
    }
    assert_eq!(audience(folder, &["--config", "flag.toml"], &[]), "flag");
    assert_eq!(audience(folder, &["--config=flag.toml"], &[]), "flag");
    assert_eq!(audience(folder, &[], &[("N_USERS_CONFIG", "variable.toml")]), "variable");
    assert_eq!(audience(folder, &["--config", "flag.toml"], &[("N_USERS_CONFIG", "variable.toml")]), "flag");
}

fn refused(output: &Output, words: &[&str]) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for word in words {
        assert!(text(&output.stderr).contains(word), "{word}: {output:?}");
    }
}

#[test]
fn a_file_that_cannot_be_meant_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let with_file = |content: &str| {
        std::fs::write(folder.join("n_users.toml"), content).unwrap();
        finish(&mut bare(folder, &["token", "--tenant", "default"]))
    };
    refused(&with_file("oauth_audiense = \"x\""), &["n_users.toml", "oauth_audiense"]);
    refused(&with_file("oauth_audience = "), &["n_users.toml"]);
    refused(&with_file("listen = [1]"), &["n_users.toml", "listen"]);
    refused(&finish(&mut bare(folder, &["--config", "missing.toml", "version"])), &["missing.toml"]);
}

#[test]
fn values_that_cannot_be_meant_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value) in [("LISTEN", "here"), ("DRAIN_MS", "soon"), ("MAX_BODY_BYTES", "-1")] {
        let output = finish(bare(folder.path(), &[]).env(name, value));
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(text(&output.stderr).contains(value), "{output:?}");
    }
    refused(&finish(bare(folder.path(), &[]).env("LOG", "n_users=loudly")), &["LOG"]);
}

#[test]
fn the_databases_url_has_two_names_and_no_secret_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let migrate = |environment: &[(&str, &str)]| finish(bare(folder, &["migrate"]).envs(environment.iter().copied()));
    assert!(migrate(&[("POSTGRE_URL_VALUE", "sqlite://second.db")]).status.success());
    assert!(folder.join("second.db").exists());
    assert!(migrate(&[("POSTGRE_URL_VALUE", "sqlite://unused.db"), ("DATABASE_URL", "sqlite://first.db")]).status.success());
    assert!(folder.join("first.db").exists() && !folder.join("unused.db").exists());
    for url in
        ["mysql://user:s3cr3t@localhost/x", "sqlite://", "postgres//user:s3cr3t@localhost/x", "postgres://user:s3cr3t@localhost:port/x"]
    {
        let output = migrate(&[("DATABASE_URL", url)]);
        refused(&output, &["URL"]);
        assert!(!format!("{output:?}").contains("s3cr3t"), "{output:?}");
    }
    let help = finish(
        bare(folder, &["--help"])
            .env("DATABASE_URL", "postgres://user:s3cr3t@localhost/x")
            .env("POSTGRE_URL_VALUE", "postgres://user:s3cr3t@localhost/x"),
    );
    assert!(help.status.success() && !text(&help.stdout).contains("s3cr3t"), "{}", text(&help.stdout));
}
