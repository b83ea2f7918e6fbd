//! The whole way, on both stores: the real service, a small fill, twenty seconds of the mix, and what is written.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

const OPERATIONS: [&str; 6] = ["get", "search", "search-filter", "patch", "create", "image"];

/// The service as `cargo test --workspace` has built it, beside the folder of the test executables.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.parent().unwrap().parent().unwrap().join("n_users");
    assert!(path.exists(), "{} is missing: run `cargo build -p n_users` first, or `cargo test --workspace`", path.display());
    path
}

struct Service {
    child: Child,
    address: String,
    folder: TempDir,
}

impl Service {
    /// Starts the service with a data directory of its own, and waits until it says where it listens.
    fn start(database_url: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(program());
        command.current_dir(folder.path()).env_clear().env("LISTEN", "127.0.0.1:0").env("LOG", "warn");
        if let Some(url) = database_url {
            command.env("DATABASE_URL", url);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut address = String::new();
        while address.is_empty() {
            let mut line = String::new();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "the service ended before it was ready");
            if let Some(found) = line.trim().strip_prefix("Address   ") {
                found.clone_into(&mut address);
            }
        }
        std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        Self { child, address, folder }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the load test in the service's folder, so that it finds the key in ./data as anyone's would.
    fn loadtest(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
        command.current_dir(self.folder()).env_clear().args(["--target", &self.address]).args(arguments);
        command.output().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A database of PostgreSQL that nobody else uses, dropped at the end.
struct Database {
    server: String,
    name: String,
    runtime: tokio::runtime::Runtime,
}

impl Database {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration of their own")]
    fn create() -> Self {
        let server = std::env::var("TEST_DATABASE_URL").ok().filter(|url| !url.is_empty());
        let server = server.unwrap_or_else(|| panic!("TEST_DATABASE_URL is not set; ./scripts/test.sh starts a server of its own"));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let database = Self { server, name: format!("n_users_smoke_{}", std::process::id()), runtime };
        database.execute(&format!("CREATE DATABASE {}", database.name));
        database
    }

    fn url(&self) -> String {
        format!("{}/{}", self.server.rsplit_once('/').unwrap().0, self.name)
    }

    fn execute(&self, sql: &str) {
        self.runtime.block_on(async {
            let client = loadtest::fill::copy::connect(&self.server).await.unwrap();
            client.batch_execute(sql).await.unwrap();
        });
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// Fills, drives, and holds all that is written to what a reader needs.
fn smoke(service: &Service, database_place: &str) {
    let output = service.loadtest(&["--profiles", "2000", "--rate", "60", "--duration", "20s", "--connections", "16"]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("fill: 2000 profiles made"), "{}", text(&output));
    let report: Value = serde_json::from_slice(&std::fs::read(service.folder().join("loadtest.json")).unwrap()).unwrap();
    for operation in OPERATIONS {
        let found = report["operations"].as_array().unwrap().iter().find(|found| found["name"] == operation).unwrap();
        assert!(found["requests"].as_u64().unwrap() > 0, "{operation} was not asked: {found}");
        assert_eq!(found["errors"].as_object().unwrap().len(), 0, "{found}");
        for percentile in ["p50", "p95", "p99", "p99_9"] {
            assert!(found[percentile]["ms"].as_f64().unwrap() > 0.0, "{percentile}: {found}");
        }
    }
    assert_eq!(report["settings"]["tokens"], 1_000);
    assert!(report["total"]["requests"].as_u64().unwrap().abs_diff(1_200) <= 1, "{}", report["total"]);
    assert!(report["seconds"].as_array().unwrap().len() >= 20);
    assert_eq!(report["server"]["place"], "this_machine");
    assert_eq!(report["database"]["place"], database_place, "{}", report["database"]);
    let processes: &[&str] = if database_place == "this_machine" { &["server", "generator", "database"] } else { &["server", "generator"] };
    for process in processes {
        assert!(report[process]["cpu_us_per_request"].as_f64().unwrap() > 0.0, "{process}: {}", report[process]);
        assert!(report[process]["peak_memory_bytes"].as_u64().unwrap() > 1_000_000, "{process}: {}", report[process]);
    }
    assert_page_is_self_contained(&std::fs::read_to_string(service.folder().join("loadtest.html")).unwrap(), &service.address);
}

fn assert_page_is_self_contained(page: &str, address: &str) {
    // The address of the service stands there as text.
    let page = page.replace(address, "");
    for outside in ["http://", "https://", "//cdn", " src=", " href=", "@import", "url("] {
        assert!(!page.contains(outside), "the page refers to something outside: {outside}");
    }
    assert!(page.contains("<svg") && page.matches("<figure>").count() >= 5);
}

#[test]
fn sqlite() {
    let service = Service::start(None);
    smoke(&service, "in_the_server");
    // Another run finds everybody there, says what changed, and tells an operation alone.
    std::fs::rename(service.folder().join("loadtest.json"), service.folder().join("old.json")).unwrap();
    let again = ["--profiles", "2000", "--rate", "50", "--duration", "2s", "--warmup", "0s", "--mix", "get", "--compare", "old.json"];
    let output = service.loadtest(&again);
    assert!(output.status.success(), "{}", text(&output));
    assert!(!text(&output).contains("profiles made"), "{}", text(&output));
    assert!(text(&output).contains("P95 ms") && text(&output).contains("another mix"), "{}", text(&output));
    refuses_bad_input(&service);
}

/// Each names what is wrong and what to do, and ends with 2.
fn refuses_bad_input(service: &Service) {
    let foreign_key = tempfile::tempdir().unwrap();
    let foreign = foreign_key.path().to_str().unwrap();
    let mint = Command::new(program()).args(["token", "--tenant", "*", "--data-dir", foreign]).env_clear().output().unwrap();
    assert!(mint.status.success());
    let cases: [(&[&str], &str); 8] = [
        (&["--mix", "nonsense"], "there is no such mix; give default, or one operation alone: get, search"),
        (&["--duration", "0"], "must be longer than nothing; give it like 60s"),
        (&["--rate", "0"], "above 0"),
        (&["--data-dir", "nowhere"], "holds no local signing key"),
        (&["--data-dir", foreign], "does not accept the token"),
        (&["--tokens", "nowhere"], "cannot be read"),
        (&["--compare", "nowhere"], "--compare nowhere"),
        (&["--tenant", "NO"], "a-z"),
    ];
    for (arguments, expected) in cases {
        let output = service.loadtest(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output));
        assert!(text(&output).contains(expected), "{arguments:?}: {}", text(&output));
    }
    let mut nobody = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    let output = nobody.current_dir(service.folder()).env_clear().args(["--target", "http://127.0.0.1:9"]).output().unwrap();
    assert!(text(&output).contains("nothing answers at http://127.0.0.1:9"), "{}", text(&output));
}

#[test]
fn postgres() {
    let database = Database::create();
    let service = Service::start(Some(&database.url()));
    smoke(&service, "this_machine");
}

#[test]
fn a_fill_goes_on_where_an_earlier_one_ended() {
    let service = Service::start(None);
    for (profiles, said) in [("60", "fill: 60 profiles made"), ("100", "fill: 60 of 100 profiles are there; going on"), ("80", "")] {
        let output = service.loadtest(&["--profiles", profiles, "--fill-only", "--connections", "8"]);
        assert!(output.status.success() && text(&output).contains(said), "{}", text(&output));
    }
    let database = format!("sqlite://{}", service.folder().join("data/n_users.db").display());
    let output = service.loadtest(&["--profiles", "130", "--fill-only", "--fill-database-url", &database]);
    assert!(output.status.success() && text(&output).contains("fill: 30 profiles made"), "{}", text(&output));
    let output = service.loadtest(&["--profiles", "130", "--fill-only"]);
    assert!(!text(&output).contains("profiles made"), "the service sees all of them: {}", text(&output));
}

#[test]
fn an_interrupted_load_prints_what_was_measured() {
    let service = Service::start(None);
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command.current_dir(service.folder()).env_clear().args(["--target", &service.address, "--profiles", "100", "--mix", "get"]);
    command.args(["--duration", "5m", "--warmup", "0s", "--rate", "20"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // How far the load has come is told every ten seconds.
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(told.any(|line| line.starts_with("20 requests/s: ")), "the load ended before it was interrupted");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && text(&output).contains("(interrupted)"), "{}", text(&output));
}
