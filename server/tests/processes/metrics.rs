//! `GET /metrics`, as Prometheus itself reads it.

use crate::process::{Place, Service, cases, eventually, finish, text};
use crate::support::client::path_of;
use crate::support::{Backend, Value, json, raw};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

cases! {
    what_was_asked_is_counted_and_nobody_is_named,
    what_is_at_work_is_told_while_it_is,
    prometheus_reads_the_metrics,
    an_address_that_cannot_be_listened_on_is_told_at_the_start,
}

/// Longer than Prometheus takes to start and to read once, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

async fn place(backend: Backend) -> Place {
    Place::new(backend).await.with("METRICS_LISTEN", "127.0.0.1:0").with("DRAIN_MS", "0")
}

/// Where the metrics of a service are, from its log.
fn address_of(service: &Service) -> String {
    let events = service.log().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let told = events.filter(|event| event["message"] == "metrics are told").find_map(|event| Some(event["address"].as_str()?.to_owned()));
    told.unwrap_or_else(|| panic!("the service does not say where its metrics are: {:?}", service.log()))
}

async fn metrics_of(service: &Service) -> String {
    let answer = reqwest::get(format!("http://{}/metrics", address_of(service))).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    answer.text().await.unwrap()
}

/// The value of the only series that has this name and all of these labels.
fn value_of(metrics: &str, name: &str, labels: &[&str]) -> f64 {
    let is_wanted = |line: &&str| line.split(['{', ' ']).next() == Some(name) && labels.iter().all(|label| line.contains(label));
    let found: Vec<&str> = metrics.lines().filter(is_wanted).collect();
    assert_eq!(found.len(), 1, "{name} {labels:?} in\n{metrics}");
    found[0].rsplit(' ').next().unwrap().parse().unwrap()
}

async fn what_was_asked_is_counted_and_nobody_is_named(backend: Backend) {
    let place = place(backend).await;
    let service = place.start();
    let client = service.client();
    let person = json!({"user_id": "secret-user", "full_name": "Secret Person", "email_id": "secret@example.com"});
    let path = path_of(&client.profile(person.clone()).await);
    client.post("/profiles", &json!({"full_name": "Else", "email_id": "secret@example.com"})).expect(409).await;
    client.get(&path).expect(200).await;
    client.get(&path).expect(200).await;
    client.get("/profiles?query=secret").expect(200).await;
    service.anonymous().in_tenant("default").get("/profiles").expect(401).await;
    let metrics = metrics_of(&service).await;

    let of = |method, route, status| value_of(&metrics, "n_users_http_request_duration_seconds_count", &[method, route, status]);
    let (all, one) = ("route=\"/v1/tenants/{tenant_name}/profiles\"", "route=\"/v1/tenants/{tenant_name}/profiles/{profile_id}\"");
    assert_eq!(of("method=\"POST\"", all, "status=\"201\""), 1.0);
    assert_eq!(of("method=\"POST\"", all, "status=\"409\""), 1.0);
    assert_eq!(of("method=\"GET\"", one, "status=\"200\""), 2.0);
    assert_eq!(of("method=\"GET\"", all, "status=\"401\""), 1.0);
    assert_eq!(value_of(&metrics, "n_users_problems_total", &["problem=\"duplicate\""]), 1.0);
    assert_eq!(value_of(&metrics, "n_users_problems_total", &["problem=\"unauthorized\""]), 1.0);
    assert_eq!(value_of(&metrics, "n_users_search_steps_total", &["step=\"scan\""]), 1.0);
    assert_eq!(value_of(&metrics, "n_users_http_requests_in_flight", &[]), 0.0);
    let waited_for: &[_] = match backend {
        Backend::Sqlite => &["waited_for=\"writer\"", "waited_for=\"reader\""],
        Backend::Postgres => &["waited_for=\"connection\""],
    };
    for waited_for in waited_for {
        assert!(value_of(&metrics, "n_users_database_wait_seconds_count", &[waited_for]) >= 2.0, "{waited_for}: {metrics}");
    }
    assert!(value_of(&metrics, "process_resident_memory_bytes", &[]) > 1e6 && value_of(&metrics, "process_cpu_seconds_total", &[]) > 0.0);
    for personal in ["secret", "Secret", "default", "tester"] {
        assert!(!metrics.contains(personal), "{personal} in\n{metrics}");
    }
    // The API's own address does not tell them.
    service.anonymous().get("/metrics").expect(404).await;
}

async fn what_is_at_work_is_told_while_it_is(backend: Backend) {
    let place = place(backend).await;
    let service = place.start();
    let mut slow = TcpStream::connect(service.address()).await.unwrap();
    let head = raw::head_of_create("HTTP/1.1", &service.client(), 17);
    slow.write_all(head.as_bytes()).await.unwrap();
    let in_flight = async || value_of(&metrics_of(&service).await, "n_users_http_requests_in_flight", &[]);
    eventually("one request is at work", async || (in_flight().await == 1.0).then_some(())).await;
    slow.write_all(b"{\"user_id\":\"slow\"").await.unwrap();
    raw::read_answer(&mut slow).await.expect("the request was cut off");
    eventually("no request is at work", async || (in_flight().await == 0.0).then_some(())).await;
}

async fn prometheus_reads_the_metrics(backend: Backend) {
    let place = place(backend).await;
    let service = place.start();
    service.client().profile(json!({"user_id": "u"})).await;
    let metrics = metrics_of(&service).await;
    check(place.folder(), &metrics);

    let prometheus = Prometheus::start(place.folder(), &address_of(&service));
    let of_creates = "n_users_http_request_duration_seconds_count{method=\"POST\",status=\"201\"}";
    let deadline = Instant::now() + PATIENCE;
    let value = loop {
        if let Some(value) = prometheus.query(of_creates).await {
            break value;
        }
        assert!(Instant::now() < deadline, "Prometheus has no {of_creates}:\n{}", prometheus.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(value, "1");
    assert_eq!(prometheus.query("up").await.as_deref(), Some("1"));
}

async fn an_address_that_cannot_be_listened_on_is_told_at_the_start(backend: Backend) {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (given, said) in [
        (address.as_str(), format!("{address} cannot be listened on")),
        ("9085", "METRICS_LISTEN must be an address and a port, like 127.0.0.1:9085, not \"9085\"".to_owned()),
    ] {
        let place = Place::new(backend).await.with("METRICS_LISTEN", given);
        let ended = finish(&mut place.command(&[]));
        assert!(!ended.status.success(), "{given}");
        assert!(text(&ended.stderr).contains(&said), "{}", text(&ended.stderr));
    }
    // Empty is as if it were not set.
    let place = Place::new(backend).await.with("METRICS_LISTEN", "");
    let service = place.start();
    service.anonymous().get("/health/live").expect(200).await;
}

/// Where the test command has put Prometheus and its promtool.
#[expect(clippy::disallowed_methods, reason = "this is no setting of the service")]
fn tools() -> PathBuf {
    let folder = std::env::var_os("TEST_PROMETHEUS")
        .expect("TEST_PROMETHEUS must name the folder of prometheus and promtool: run ./scripts/test.sh");
    PathBuf::from(folder)
}

/// What Prometheus's own checker says of names, units and help texts.
fn check(folder: &Path, metrics: &str) {
    let file = folder.join("metrics.txt");
    std::fs::write(&file, metrics).unwrap();
    let checked =
        Command::new(tools().join("promtool")).args(["check", "metrics"]).stdin(std::fs::File::open(file).unwrap()).output().unwrap();
    assert!(checked.status.success() && checked.stderr.is_empty(), "{}\n{metrics}", text(&checked.stderr));
}

struct Prometheus {
    child: Child,
    address: String,
    log: PathBuf,
}

impl Prometheus {
    /// Reads the metrics at `target` once a second.
    fn start(folder: &Path, target: &str) -> Self {
        let config = folder.join("prometheus.yml");
        let jobs = format!(
            "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: n_users\n    static_configs:\n      - targets: ['{target}']\n"
        );
        std::fs::write(&config, jobs).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let log = folder.join("prometheus.log");
        let child = Command::new(tools().join("prometheus"))
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("prometheus").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self { child, address, log }
    }

    /// The value of the only series of this expression, once there is one.
    async fn query(&self, expression: &str) -> Option<String> {
        let url = reqwest::Url::parse_with_params(&format!("http://{}/api/v1/query", self.address), [("query", expression)]).unwrap();
        let answer: Value = reqwest::get(url).await.ok()?.json().await.ok()?;
        Some(answer["data"]["result"][0]["value"][1].as_str()?.to_owned())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
