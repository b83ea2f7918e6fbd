//! The one layer around every request: its id, its deadline, the bound on how many run at once, its log line, and the
//! rendering of problems.

use super::AppState;
use super::context::{RequestContext, accepted_request_id};
use super::problem::{Kind, Problem};
use super::unread;
use crate::telemetry::metrics::METRICS;
use crate::telemetry::traces::RequestSpan;
use crate::telemetry::{ACCESS, known_method};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::header::{CONNECTION, CONTENT_LENGTH, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Serves one request through `next`.
pub async fn around(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let _at_work = METRICS.begin_request();
    let given = request.headers().get(X_REQUEST_ID).and_then(|id| id.to_str().ok());
    let request_id = accepted_request_id(given).map_or_else(|| app.clock.new_id().simple().to_string(), str::to_owned);
    let context = RequestContext::new(request_id);
    request.extensions_mut().insert(context.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    let span = begin_span(&context, route, &request);
    let route = route.unwrap_or("unmatched");

    let resource_metadata = app.resource.metadata_url(request.headers(), request.uri());
    let (request, read) = unread::watched(request);
    let is_http1 = request.version() < Version::HTTP_2;
    let answered = bounded(&app, route, request, next);
    let response = match &span {
        Some(span) => span.around(answered).await,
        None => answered.await,
    };
    let problem = response.extensions().get::<Problem>().map(Problem::name);
    let (mut response, cause) = rendered(response, &method, context.request_id(), resource_metadata.as_deref());
    tell_limits(&context, response.headers_mut());
    if let Ok(value) = HeaderValue::from_str(context.request_id()) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if is_http1 && !read.holds() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let took = started.elapsed();
    METRICS.note_request(&method, route, response.status().as_u16(), took);
    let trace_id = span.as_ref().map(RequestSpan::trace_id);
    log(&context, &method, route, &response, took, cause.as_deref(), trace_id.as_deref());
    if let Some(span) = span {
        end_span(span, &context, response.status().as_u16(), problem);
    }
    response
}

/// Probes are not traced.
fn begin_span(context: &RequestContext, route: Option<&str>, request: &Request) -> Option<RequestSpan> {
    if route.is_some_and(is_health) {
        return None;
    }
    let span = RequestSpan::begin(request.method(), route, request.version(), request.headers())?;
    // At once: a request that its client gives up is traced, too.
    span.span().tell("n_users.request_id", context.request_id().to_owned());
    Some(span)
}

/// With the fields of the access log, but for the cause, which that tells.
fn end_span(request: RequestSpan, context: &RequestContext, status: u16, problem: Option<&'static str>) {
    let span = request.span();
    for (key, value) in [("n_users.tenant", context.tenant()), ("n_users.subject", context.subject()), ("n_users.problem", problem)] {
        if let Some(value) = value {
            span.tell(key, value.to_owned());
        }
    }
    if status >= 500 {
        span.fail(problem.unwrap_or("internal"));
    }
    request.end(status);
}

/// Health is answered however busy the node is.
fn is_health(route: &str) -> bool {
    route.starts_with("/health/")
}

fn is_upload(route: &str, method: &Method) -> bool {
    method == Method::PUT && route == super::v1::image::PATH
}

async fn bounded(app: &AppState, route: &str, request: Request, next: Next) -> Response {
    let _permit = if is_health(route) {
        None
    } else {
        match app.in_flight.try_acquire() {
            Ok(permit) => Some(permit),
            Err(_) => {
                return Problem::new(Kind::Overloaded, "This node has all the requests that it can serve: try again.").into_response();
            }
        }
    };
    let deadline = if is_upload(route, request.method()) { app.upload_deadline } else { app.request_deadline };
    let guarded = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(deadline, guarded).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => Problem::internal(panic_text(panic.as_ref())).into_response(),
        Err(_) => Problem::new(
            Kind::DeadlineExceeded,
            "The request did not finish in time. A write may or may not have happened: try again with an Idempotency-Key.",
        )
        .into_response(),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a handler panicked: {}", text.unwrap_or_default())
}

fn rendered(mut response: Response, method: &Method, request_id: &str, resource_metadata: Option<&str>) -> (Response, Option<String>) {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return (response, None) };
    METRICS.note_problem(problem.name());
    let mut body = problem.render(request_id, resource_metadata);
    for (name, value) in response.headers() {
        if name != CONTENT_LENGTH && !body.headers().contains_key(name) {
            body.headers_mut().append(name.clone(), value.clone());
        }
    }
    if method == Method::HEAD {
        *body.body_mut() = axum::body::Body::empty();
    }
    (body, problem.cause())
}

fn tell_limits(context: &RequestContext, headers: &mut HeaderMap) {
    for standing in context.standings() {
        for (name, value) in [(RATE_LIMIT_POLICY, standing.policy()), (RATE_LIMIT, standing.left())] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(name, value);
            }
        }
    }
}

fn log(
    context: &RequestContext,
    method: &Method,
    route: &str,
    response: &Response,
    took: Duration,
    cause: Option<&str>,
    trace_id: Option<&str>,
) {
    let status = response.status().as_u16();
    let duration_ms = took.as_micros() as f64 / 1000.0;
    let method = known_method(method).unwrap_or("other");
    let (request_id, tenant, subject) = (context.request_id(), context.tenant(), context.subject());
    macro_rules! line {
        ($level:expr) => {
            tracing::event!(target: ACCESS, $level, method, route, status, duration_ms, request_id, tenant, subject, trace_id, cause)
        };
    }
    if status >= 500 {
        line!(tracing::Level::ERROR);
    } else if is_health(route) {
        line!(tracing::Level::DEBUG);
    } else {
        line!(tracing::Level::INFO);
    }
}
