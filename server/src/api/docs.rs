//! `/openapi.json`, and `/docs`: a page to read and try the API, all of it served from this binary.

use super::AppState;
use super::extract::path::not_found;
use axum::Router;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use std::sync::Arc;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

const PAGE: &str = r##"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>n_users API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png" sizes="32x32">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"##;

const START: &str = r##"SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
"##;

/// The page may load nothing from elsewhere.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

pub fn router(document: &OpenApi) -> Router<AppState> {
    let json = serde_json::to_string(document).unwrap_or_default();
    let assets: Arc<Config<'static>> = Arc::new(Config::from("/openapi.json"));
    Router::new()
        .route("/openapi.json", get(move || async move { ([(CONTENT_TYPE, "application/json")], json) }))
        .route("/docs", get(page))
        .route("/docs/", get(page))
        .route("/docs/start.js", get(|| async { ([(CONTENT_TYPE, "text/javascript")], START) }))
        .route(
            "/docs/{file}",
            get(move |file: Result<Path<String>, PathRejection>| async move {
                file.map_or_else(|_| not_found("page").into_response(), |Path(file)| asset(&file, assets))
            }),
        )
}

async fn page() -> Response {
    ([(CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE)).into_response()
}

fn asset(file: &str, config: Arc<Config<'static>>) -> Response {
    match utoipa_swagger_ui::serve(file, config) {
        Ok(Some(file)) => {
            let headers = [(CONTENT_TYPE, file.content_type), (CACHE_CONTROL, "public, max-age=86400".to_owned())];
            (headers, file.bytes.into_owned()).into_response()
        }
        _ => not_found("page").into_response(),
    }
}
