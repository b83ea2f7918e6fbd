//! Health: live is the process, ready is every dependency.

use super::AppState;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long a dependency may take to answer a probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

#[derive(Debug, Serialize, ToSchema)]
struct Live {
    #[schema(example = "live")]
    status: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
struct Ready {
    /// `ready`, `not_ready`, or `draining` while the node stops.
    status: &'static str,
    dependencies: Dependencies,
}

/// Each dependency by name: `up` or `down`.
#[derive(Debug, Serialize, ToSchema)]
struct Dependencies {
    database: &'static str,
    /// Up when the keys of the OAuth issuers are there; missing where tokens are local.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'static str>,
}

/// Whether the process runs
#[utoipa::path(get, operation_id = "health_live", path = "/health/live", tag = "health", security(()), responses((status = 200, description = "It does", body = Live)))]
async fn live() -> Json<Live> {
    Json(Live { status: "live" })
}

/// Whether this node can serve requests
#[utoipa::path(get, operation_id = "health_ready", path = "/health/ready", tag = "health", security(()), responses(
    (status = 200, description = "It can", body = Ready),
    (status = 503, description = "It cannot: a dependency is down, or the node is stopping", body = Ready, content_type = "application/json"),
))]
async fn ready(State(app): State<AppState>) -> Response {
    let answers = match app.directory.get() {
        Some(directory) => matches!(tokio::time::timeout(PROBE_TIMEOUT, directory.ping()).await, Ok(Ok(()))),
        None => false,
    };
    let issuers_are_up = app.verifier.issuers_are_up();
    let state = |is_up: bool| if is_up { "up" } else { "down" };
    let dependencies = Dependencies { database: state(answers), issuer: issuers_are_up.map(state) };
    let (code, status) = match answers && issuers_are_up.unwrap_or(true) {
        _ if app.draining.load(Ordering::Relaxed) => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
    };
    (code, Json(Ready { status, dependencies })).into_response()
}
