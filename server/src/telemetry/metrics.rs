//! What the service counts, for Prometheus. Every metric is declared here, once; its labels have the names of the log's fields. No
//! tenant, person, token or address is a label.

pub use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

use super::wait::WaitedFor;
use super::{known_method, process};
use http::Method;
use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::LazyLock;
use std::time::Duration;

/// Those of this process, in which there is one service.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Upper ends of buckets, in seconds: from less than a read takes to the deadline of a request.
const DURATIONS_S: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRequest {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfProblem {
    problem: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStep {
    step: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfWait {
    waited_for: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRefresh {
    issuer: String,
    outcome: &'static str,
}

/// What a family is told apart by.
trait Labels: EncodeLabelSet + Debug + Clone + Eq + Hash + Send + Sync + 'static {}
impl<T: EncodeLabelSet + Debug + Clone + Eq + Hash + Send + Sync + 'static> Labels for T {}

fn registered<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn counts<L: Labels>(registry: &mut Registry, name: &str, help: &str) -> Family<L, Counter> {
    registered(registry, name, help, Family::default())
}

fn durations<L: Labels>(registry: &mut Registry, name: &str, help: &str) -> Family<L, Histogram> {
    let family = Family::<L, Histogram>::new_with_constructor(|| Histogram::new(DURATIONS_S));
    registry.register_with_unit(name, help, Unit::Seconds, family.clone());
    family
}

/// All metrics, and what writes them out.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<OfRequest, Histogram>,
    in_flight: Gauge,
    problems: Family<OfProblem, Counter>,
    search_steps: Family<OfStep, Counter>,
    database_waits: Family<OfWait, Histogram>,
    key_refreshes: Family<OfRefresh, Counter>,
}

impl Metrics {
    /// Each under the name that Prometheus knows it by: `n_users_`, the name here, its unit, and `_total` for what is counted.
    fn new() -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(process::Usage));
        let own = registry.sub_registry_with_prefix("n_users");
        own.register("build", "The version that runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        Self {
            requests: durations(own, "http_request_duration", "From a request's headers to those of its answer"),
            in_flight: registered(own, "http_requests_in_flight", "Requests at work at this moment", Gauge::default()),
            problems: counts(own, "problems", "Errors that were answered, by the last part of their problem's type"),
            search_steps: counts(own, "search_steps", "Steps that searches took, as explain=true tells them"),
            database_waits: durations(own, "database_wait", "How long work in the database waited for its turn"),
            key_refreshes: counts(own, "issuer_key_refreshes", "Attempts to fetch an issuer's keys"),
            registry,
        }
    }

    /// Everything, in Prometheus's text format (0.0.4).
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Nothing that is written to a string fails.
        let _ = prometheus_text::encode(&mut text, &self.registry);
        text
    }

    /// A request is at work until the result is dropped.
    pub fn begin_request(&self) -> InFlight<'_> {
        self.in_flight.inc();
        InFlight(&self.in_flight)
    }

    /// A request was answered. `route` is the pattern, not the path.
    pub fn note_request(&self, method: &Method, route: &str, status: u16, took: Duration) {
        let of = OfRequest { method: known_method(method).unwrap_or("other"), route: route.to_owned(), status };
        self.requests.get_or_create(&of).observe(took.as_secs_f64());
    }

    /// An error was answered.
    pub fn note_problem(&self, problem: &'static str) {
        self.problems.get_or_create(&OfProblem { problem }).inc();
    }

    /// A search took this step.
    pub fn note_search_step(&self, step: &'static str) {
        self.search_steps.get_or_create(&OfStep { step }).inc();
    }

    /// Work in the database had to wait for so long.
    pub(super) fn note_wait(&self, waited_for: WaitedFor, waited: Duration) {
        self.database_waits.get_or_create(&OfWait { waited_for: waited_for.name() }).observe(waited.as_secs_f64());
    }

    /// An issuer was asked for its keys.
    pub fn note_key_refresh(&self, issuer: &str, succeeded: bool) {
        let outcome = if succeeded { "succeeded" } else { "failed" };
        self.key_refreshes.get_or_create(&OfRefresh { issuer: issuer.to_owned(), outcome }).inc();
    }
}

/// A request that is at work.
#[derive(Debug)]
pub struct InFlight<'a>(&'a Gauge);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_of(text: &str, series: &str) -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{series} is missing in\n{text}")).parse().unwrap()
    }

    #[test]
    fn what_is_noted_is_told_under_its_name() {
        let metrics = Metrics::new();
        let at_work = metrics.begin_request();
        metrics.note_request(&Method::GET, "/v1/tenants/{tenant_name}", 200, Duration::from_micros(700));
        metrics.note_request(&Method::GET, "/v1/tenants/{tenant_name}", 200, Duration::from_secs(20));
        metrics.note_request(&Method::from_bytes(b"BREW").unwrap(), "unmatched", 404, Duration::ZERO);
        metrics.note_problem("not-found");
        metrics.note_search_step("grams");
        metrics.note_wait(WaitedFor::Writer, Duration::from_millis(3));
        metrics.note_key_refresh("https://id.example/\"", false);
        let text = metrics.render();
        let request = "method=\"GET\",route=\"/v1/tenants/{tenant_name}\",status=\"200\"";
        for (series, value) in [
            (format!("n_users_http_request_duration_seconds_count{{{request}}}"), 2.0),
            (format!("n_users_http_request_duration_seconds_sum{{{request}}}"), 20.0007),
            (format!("n_users_http_request_duration_seconds_bucket{{{request},le=\"0.001\"}}"), 1.0),
            (format!("n_users_http_request_duration_seconds_bucket{{{request},le=\"+Inf\"}}"), 2.0),
            ("n_users_http_request_duration_seconds_count{method=\"other\",route=\"unmatched\",status=\"404\"}".to_owned(), 1.0),
            ("n_users_http_requests_in_flight".to_owned(), 1.0),
            ("n_users_problems_total{problem=\"not-found\"}".to_owned(), 1.0),
            ("n_users_search_steps_total{step=\"grams\"}".to_owned(), 1.0),
            ("n_users_database_wait_seconds_count{waited_for=\"writer\"}".to_owned(), 1.0),
            ("n_users_issuer_key_refreshes_total{issuer=\"https://id.example/\\\"\",outcome=\"failed\"}".to_owned(), 1.0),
        ] {
            assert!((value_of(&text, &series) - value).abs() < 1e-9, "{series} in\n{text}");
        }
        assert!(text.contains(&format!("n_users_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))), "{text}");
        drop(at_work);
        assert!(value_of(&metrics.render(), "n_users_http_requests_in_flight").abs() < 1e-9);
    }
}
