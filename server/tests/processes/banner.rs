//! What a newcomer sees first, and copies.

use crate::process::{PROGRAM, Place, Service, bare, bash, run, text};
use crate::support::{Backend, Value};
use std::path::Path;

fn curl_line(service: &Service) -> String {
    service.banner().iter().find(|line| line.trim().starts_with("curl ")).unwrap().trim().to_owned()
}

/// Runs the line as a person would who copies it; the profile that it made.
fn copied(folder: &Path, line: &str) -> Value {
    let output = bash(folder, line);
    assert!(output.status.success(), "{line}: {} {}", text(&output.stderr), text(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {line} printed {}", text(&output.stdout)))
}

#[test]
fn its_one_line_creates_a_first_user() {
    run(async {
        let place = Place::new(Backend::Sqlite).await;
        let service = place.start();
        let profile = copied(place.folder(), &curl_line(&service));
        assert_eq!((&profile["full_name"], &profile["version"]), (&"Ada Lovelace".into(), &1.into()), "{profile}");
        assert_eq!(service.client().names("query=ada").await, ["Ada Lovelace"]);
        let banner = service.banner().join("\n");
        for shown in [format!("http://{}\n", service.address()), format!("http://{}/docs", service.address())] {
            assert!(banner.contains(&shown), "{banner}");
        }
    });
}

#[test]
fn with_no_setting_at_all_everything_is_below_data() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        let mut service = Service::launch(bare(folder.path(), &["--listen", "127.0.0.1:0"]).env("LOG", "warn"), &data_dir);
        service.wait_until_ready();
        copied(folder.path(), &curl_line(&service));
        assert!(data_dir.join("n_users.db").exists());
        assert!(service.log().is_empty(), "nothing to warn of: {:?}", service.log());
    });
}

#[test]
fn its_line_works_wherever_the_program_and_its_data_are() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("my programs");
        std::fs::create_dir(&odd).unwrap();
        let program = odd.join("n_users");
        if std::fs::hard_link(PROGRAM, &program).is_err() {
            std::fs::copy(PROGRAM, &program).unwrap();
        }
        let data_dir = folder.path().join("it's data");
        let mut command = std::process::Command::new(&program);
        command
            .current_dir(folder.path())
            .env_clear()
            .env("LISTEN", "127.0.0.1:0")
            .env("OAUTH_AUDIENCE", "another one")
            .env("DATA_DIR", &data_dir);
        let mut service = Service::launch(&mut command, &data_dir);
        service.wait_until_ready();
        copied(folder.path(), &curl_line(&service));
    });
}
