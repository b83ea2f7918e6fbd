//! Health: live is the process, ready is every dependency.

use super::AppState;
use crate::service;
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

const UP: &str = "up";
const DOWN: &str = "down";
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
    /// `ready`; `degraded` when only images are missing; `not_ready`; or `draining` while the node stops.
    status: &'static str,
    dependencies: Dependencies,
}

/// Each dependency by name: `up` or `down`; images `unknown` before the database is there.
#[derive(Debug, Serialize, ToSchema)]
struct Dependencies {
    database: &'static str,
    images: &'static str,
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
    (status = 200, description = "It can, perhaps all but images", body = Ready),
    (status = 503, description = "It cannot: a dependency is down, or the node is stopping", body = Ready, content_type = "application/json"),
))]
async fn ready(State(app): State<AppState>) -> Response {
    let (database, images) = match app.directory.get() {
        Some(directory) => tokio::join!(probe(directory.ping()), probe(directory.ping_images())),
        // Still waiting for the database, and not yet at work on anything else.
        None => (DOWN, "unknown"),
    };
    let issuers = app.verifier.issuers_are_up();
    let issuer = issuers.map(|are_up| if are_up { UP } else { DOWN });
    let (code, status) = match (database, issuer.unwrap_or(UP), images) {
        _ if app.draining.load(Ordering::Relaxed) => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        (UP, UP, UP) => (StatusCode::OK, "ready"),
        // No reason to take requests away from this node: all but those for images are served.
        (UP, UP, _) => (StatusCode::OK, "degraded"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
    };
    (code, Json(Ready { status, dependencies: Dependencies { database, images, issuer } })).into_response()
}

async fn probe(answer: impl Future<Output = service::Result<()>>) -> &'static str {
    match tokio::time::timeout(PROBE_TIMEOUT, answer).await {
        Ok(Ok(())) => UP,
        _ => DOWN,
    }
}
