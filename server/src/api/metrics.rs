//! `GET /metrics`, on a listener of its own: what it tells is for whoever runs the service, and it asks for no token.

use crate::telemetry::metrics::{CONTENT_TYPE, METRICS};
use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header;

pub fn router() -> Router {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], METRICS.render())
}
