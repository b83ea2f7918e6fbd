//! Traces, for a collector that takes OTLP. A request that is sampled has a span, and what it waits for has spans below that one; a
//! request that is not costs the decision. Names and attributes are OpenTelemetry's semantic conventions for HTTP and databases, and
//! `n_users.…` for what the access log tells. No path, query or token is in them, and nothing of a person but ids.

use super::known_method;
use super::traceparent;
use super::wait::WaitedFor;
use crate::domain::cause::chain;
use http::{HeaderMap, Method, Version};
use opentelemetry::Context;
pub use opentelemetry::KeyValue as Attribute;
use opentelemetry::trace::{FutureExt, Span as _, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use std::sync::OnceLock;
use std::time::Duration;

/// Of this process, in which there is one service; not set where there are no traces.
static TRACING: OnceLock<Tracing> = OnceLock::new();

#[derive(Debug)]
struct Tracing {
    tracer: SdkTracer,
    takes_up_traceparent: bool,
}

/// How long the end of the service waits for the collector to take the last spans.
const LAST_SPANS_WITHIN: Duration = Duration::from_secs(3);
/// Shorter waits for a turn are no news.
const WAIT_WORTH_TELLING: Duration = Duration::from_millis(1);

/// Where traces go, and of which requests.
#[derive(Debug, Clone)]
pub struct TraceOptions {
    /// What spans are posted to.
    pub url: String,
    /// How long that may take.
    pub timeout: Duration,
    /// Whether a caller's trace is gone on with.
    pub takes_up_traceparent: bool,
    /// The share of requests that are sampled, 0 to 1.
    pub share: f64,
    /// Whether a caller whose trace is gone on with decides instead.
    pub follows_caller: bool,
    /// What the service is called, if not as `OTEL_RESOURCE_ATTRIBUTES` says, or else `n_users`.
    pub service_name: Option<String>,
    /// Tells this process from others.
    pub instance_id: String,
}

/// Traces of requests, until it is stopped.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to trace. The collector does not have to answer yet, or ever: what it does not take is dropped, and the log says so.
    pub fn start(options: &TraceOptions) -> Result<Self, String> {
        let exporter = SpanExporter::builder().with_http().with_http_client(client(options.timeout)?);
        let exporter = exporter.with_endpoint(&options.url).with_protocol(Protocol::HttpBinary).with_timeout(options.timeout);
        let exporter = exporter.build().map_err(|e| format!("traces cannot be sent: {e}"))?;
        let share = Sampler::TraceIdRatioBased(options.share);
        let sampler = if options.follows_caller { Sampler::ParentBased(Box::new(share)) } else { share };
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_sampler(sampler).with_resource(resource(options)).build();
        let tracing = Tracing { tracer: provider.tracer("n_users"), takes_up_traceparent: options.takes_up_traceparent };
        TRACING.set(tracing).map_err(|_| "traces are started twice".to_owned())?;
        Ok(Self(provider))
    }

    /// Sends what has not been sent, within bounds.
    pub async fn stop(self) {
        let stopped = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(LAST_SPANS_WITHIN)).await;
        if let Ok(Err(error)) = stopped {
            tracing::warn!(cause = %error, "the last traces were not sent");
        }
    }
}

/// For the exporter's own thread, which blocks. No redirects: they would be sent the headers, and with them the key.
fn client(timeout: Duration) -> Result<reqwest::blocking::Client, String> {
    let build = move || reqwest::blocking::Client::builder().timeout(timeout).redirect(reqwest::redirect::Policy::none()).build();
    // It has a runtime of its own, which cannot be made within another.
    let built = std::thread::spawn(build).join().map_err(|_| "the client for traces panicked".to_owned())?;
    built.map_err(|e| format!("no HTTP client for traces: {}", chain(&e)))
}

fn resource(options: &TraceOptions) -> Resource {
    let own = [
        Attribute::new("service.name", "n_users"),
        Attribute::new("service.version", env!("CARGO_PKG_VERSION")),
        Attribute::new("service.instance.id", options.instance_id.clone()),
    ];
    let resource = Resource::builder_empty().with_attributes(own);
    let resource = resource.with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())]);
    match &options.service_name {
        Some(name) => resource.with_service_name(name.clone()).build(),
        None => resource.build(),
    }
}

/// A span, for what becomes known while it lasts.
#[derive(Debug)]
pub struct Span<'a>(&'a Context);

impl Span<'_> {
    pub fn tell(&self, key: &'static str, value: impl Into<opentelemetry::Value>) {
        self.0.span().set_attribute(Attribute::new(key, value));
    }

    /// Something that happened at this moment.
    pub fn note(&self, event: &'static str, attributes: Vec<Attribute>) {
        self.0.span().add_event(event, attributes);
    }

    /// It failed, with an error of this kind.
    pub fn fail(&self, error_type: &'static str) {
        self.tell("error.type", error_type);
        self.0.span().set_status(Status::error(""));
    }
}

/// The span of a request that is sampled. Given up, it ends as it is.
#[derive(Debug)]
pub struct RequestSpan(Context);

impl RequestSpan {
    /// `None` when there are no traces, or none of this request. `route` is the pattern, if there is one.
    pub fn begin(method: &Method, route: Option<&str>, version: Version, headers: &HeaderMap) -> Option<Self> {
        let Tracing { tracer, takes_up_traceparent } = TRACING.get()?;
        let caller = if *takes_up_traceparent { traceparent::context_of(headers) } else { Context::new() };
        let name = known_method(method).unwrap_or("HTTP");
        let span = tracer.build_with_context(SpanBuilder::from_name(name).with_kind(SpanKind::Server), &caller);
        if !span.is_recording() {
            return None;
        }
        let span = Self(caller.with_span(span));
        if let Some(route) = route {
            span.0.span().update_name(format!("{name} {route}"));
            span.span().tell("http.route", route.to_owned());
        }
        span.span().tell("http.request.method", known_method(method).unwrap_or("_OTHER"));
        let version = match version {
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            _ => "1.1",
        };
        span.span().tell("network.protocol.version", version);
        Some(span)
    }

    pub fn span(&self) -> Span<'_> {
        Span(&self.0)
    }

    /// As `traceparent` has it: 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        self.0.span().span_context().trace_id().to_string()
    }

    /// Does the work of the request, with the spans that it begins below this one.
    pub fn around<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = T> {
        work.with_context(self.0.clone())
    }

    pub fn end(self, status: u16) {
        self.span().tell("http.response.status_code", i64::from(status));
        self.0.span().end();
    }
}

/// What a span below a request's is about.
#[derive(Debug, Clone)]
pub struct Work {
    pub name: &'static str,
    /// Whether a database or another service does it, whose client this one is.
    pub is_client: bool,
    pub attributes: Vec<Attribute>,
}

/// Does `work` in a span of its own below the present one; `tell` adds what is known at the end. Where there is no present one, only
/// the work is done.
pub async fn within<T>(about: impl FnOnce() -> Work, work: impl Future<Output = T>, tell: impl FnOnce(&T, Span<'_>)) -> T {
    let Some(context) = begin_below(about) else { return work.await };
    let outcome = work.with_context(context.clone()).await;
    tell(&outcome, Span(&context));
    context.span().end();
    outcome
}

fn begin_below(about: impl FnOnce() -> Work) -> Option<Context> {
    let Present(present) = Present::get();
    let present = present?;
    let Work { name, is_client, attributes } = about();
    let kind = if is_client { SpanKind::Client } else { SpanKind::Internal };
    let span = SpanBuilder::from_name(name).with_kind(kind).with_attributes(attributes);
    Some(present.with_span(TRACING.get()?.tracer.build_with_context(span, &present)))
}

/// The span that work belongs to, if its request is sampled; may be kept for another thread.
#[derive(Debug, Clone)]
pub struct Present(Option<Context>);

impl Present {
    pub fn get() -> Self {
        Self(Context::map_current(|current| current.has_active_span().then(|| current.clone())))
    }

    /// Does work that is spawned, with the spans that it begins below this one.
    pub fn around<T>(self, work: impl Future<Output = T>) -> impl Future<Output = T> {
        work.with_context(self.0.unwrap_or_default())
    }

    /// Work had to wait for its turn so long.
    pub fn note_wait(&self, waited_for: WaitedFor, waited: Duration) {
        let Some(context) = &self.0 else { return };
        if waited >= WAIT_WORTH_TELLING {
            let wait_ms = waited.as_micros() as f64 / 1000.0;
            Span(context)
                .note("waited", vec![Attribute::new("n_users.waited_for", waited_for.name()), Attribute::new("n_users.wait_ms", wait_ms)]);
        }
    }
}
