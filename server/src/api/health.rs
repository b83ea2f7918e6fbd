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
    let database = if answers { "up" } else { "down" };
    let (code, status) = match database {
        _ if app.draining.load(Ordering::Relaxed) => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        "up" => (StatusCode::OK, "ready"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
    };
    (code, Json(Ready { status, dependencies: Dependencies { database } })).into_response()
}
