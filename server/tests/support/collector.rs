//! An OpenTelemetry collector, a process of its own, and the spans that it says it took.

#![allow(dead_code, reason = "each binary uses its own part")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than it takes to start, to be sent the spans of the last five seconds, and to write them, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(40);

/// A span as the collector understood it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Span {
    pub trace_id: String,
    pub parent_id: String,
    pub id: String,
    pub name: String,
    pub kind: String,
    pub status: String,
    /// Its own and, behind the event's name and a `/`, those of its events.
    pub attributes: BTreeMap<String, String>,
    pub events: Vec<String>,
}

impl Span {
    pub fn attribute(&self, key: &str) -> &str {
        self.attributes.get(key).map_or("", String::as_str)
    }
}

pub struct Collector {
    child: Child,
    pub endpoint: String,
    log: PathBuf,
}

impl Collector {
    /// Starts one that writes what it takes into this folder.
    #[expect(clippy::disallowed_methods, reason = "this is no setting of the service")]
    pub async fn start(folder: &Path) -> Self {
        let program = std::env::var_os("TEST_COLLECTOR")
            .expect("TEST_COLLECTOR must name the program of an OpenTelemetry collector: run ./scripts/test.sh");
        let log = folder.join("collector.log");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (child, http) = launch(&program, folder, &log);
            let mut collector = Self { child, endpoint: format!("http://{http}"), log: log.clone() };
            // Ends where somebody else was given its port meanwhile: then with another.
            while collector.child.try_wait().unwrap().is_none() {
                if tokio::net::TcpStream::connect(&http).await.is_ok() {
                    return collector;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            assert!(Instant::now() < deadline, "the collector did not start: {}", collector.log());
        }
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The spans so far, once there are so many of this name.
    pub async fn spans_with(&self, count: usize, name: &str) -> Vec<Span> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let spans = parse(&self.log());
            if spans.iter().filter(|span| span.name == name).count() >= count {
                return spans;
            }
            assert!(Instant::now() < deadline, "no {count} spans {name:?} in {spans:#?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(program: &OsStr, folder: &Path, log: &Path) -> (Child, String) {
    let (http, grpc) = (free_address(), free_address());
    let written = std::fs::File::create(log).unwrap();
    let child = Command::new(program)
        .args(["start", "--exporter", "blackhole", "--debug-log", "traces", "--debug-log-verbosity", "detailed"])
        .args(["--otlp-http-endpoint", &http, "--otlp-grpc-endpoint", &grpc])
        .arg(format!("--pid-file={}", folder.join("collector.pid").display()))
        .stderr(written.try_clone().unwrap())
        .stdout(written)
        .stdin(Stdio::null())
        .spawn()
        .expect("the collector of TEST_COLLECTOR cannot be run");
    (child, http)
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// It writes what it took at once in one piece.
fn parse(log: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut event = String::new();
    for line in log.lines().map(str::trim) {
        if line.starts_with("Span #") {
            spans.push(Span::default());
            event.clear();
            continue;
        }
        let Some(span) = spans.last_mut() else { continue };
        let Some((key, value)) = line.trim_start_matches("-> ").split_once(':') else { continue };
        let (key, value) = (key.trim(), value.trim().to_owned());
        match key {
            "Trace ID" => span.trace_id = value,
            "Parent ID" => span.parent_id = value,
            "ID" => span.id = value,
            "Name" if span.name.is_empty() => span.name = value,
            "Name" => {
                event.clone_from(&value);
                span.events.push(value);
            }
            "Kind" => span.kind = value,
            "Status code" => span.status = value,
            _ => {
                if let Some((_, inner)) = value.split_once('(') {
                    let key = if event.is_empty() { key.to_owned() } else { format!("{event}/{key}") };
                    span.attributes.insert(key, inner.trim_end_matches(')').to_owned());
                }
            }
        }
    }
    spans
}
