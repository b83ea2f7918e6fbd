//! `/v1/tenants/{tenant_name}/users/{user_id}/preferences`: any JSON by key.

use super::respond::{json, written};
use crate::api::AppState;
use crate::api::extract::path::{PathPreferenceKey, PathUserId};
use crate::api::extract::{Authorized, Params, ReadProfiles, Write, WriteProfiles};
use crate::api::problem::Problem;
use crate::domain::invalid::Faults;
use crate::domain::preference::PreferenceValue;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read, put, delete))
}

/// Read all preferences of a user
#[utoipa::path(get, operation_id = "list_preferences", path = "/v1/tenants/{tenant_name}/users/{user_id}/preferences", tag = "preferences",
    params(("tenant_name" = String, Path), ("user_id" = String, Path)),
    responses(
        (status = 200, description = "An object: each key with its value", body = Object),
        (status = 404, description = "No such user"),
    ))]
async fn list(
    State(app): State<AppState>,
    auth: Authorized<ReadProfiles>,
    PathUserId(user_id): PathUserId,
    params: Params,
) -> Result<Response, Problem> {
    params.finish()?;
    Ok(json(StatusCode::OK, &app.directory()?.list_preferences(&auth.call(None), &user_id).await?))
}

/// Read one preference
#[utoipa::path(get, operation_id = "read_preference", path = "/v1/tenants/{tenant_name}/users/{user_id}/preferences/{preference_key}", tag = "preferences",
    params(("tenant_name" = String, Path), ("user_id" = String, Path), ("preference_key" = String, Path)),
    responses(
        (status = 200, description = "The value: any JSON", body = serde_json::Value),
        (status = 404, description = "No such user or preference"),
    ))]
async fn read(
    State(app): State<AppState>,
    auth: Authorized<ReadProfiles>,
    PathUserId(user_id): PathUserId,
    PathPreferenceKey(key): PathPreferenceKey,
    params: Params,
) -> Result<Response, Problem> {
    params.finish()?;
    Ok(json(StatusCode::OK, &app.directory()?.read_preference(&auth.call(None), &user_id, &key).await?))
}

/// Set one preference
///
/// The body is the value: any JSON, at most 16 KiB in compact form.
#[utoipa::path(put, operation_id = "set_preference", path = "/v1/tenants/{tenant_name}/users/{user_id}/preferences/{preference_key}", tag = "preferences",
    request_body(content = serde_json::Value, content_type = "application/json", example = json!("dark")),
    params(
        ("tenant_name" = String, Path), ("user_id" = String, Path),
        ("preference_key" = String, Path, description = "1 to 128 characters"),
        ("Idempotency-Key" = Option<String>, Header),
    ),
    responses(
        (status = 200, description = "Replaced: the value", body = serde_json::Value),
        (status = 201, description = "Created: the value", body = serde_json::Value),
        (status = 400, description = "Malformed JSON"),
        (status = 404, description = "No such user"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "Not JSON"),
        (status = 422, description = "Invalid: errors says why"),
    ))]
async fn put(
    State(app): State<AppState>,
    auth: Authorized<WriteProfiles>,
    PathUserId(user_id): PathUserId,
    PathPreferenceKey(key): PathPreferenceKey,
    params: Params,
    write: Write,
) -> Result<Response, Problem> {
    params.finish()?;
    let value = PreferenceValue::parse(write.json()?).map_err(|detail| Faults::field("", detail))?;
    let attempt = write.attempt(&app, auth.subject());
    Ok(written(&app.directory()?.put_preference(&auth.call(attempt), &user_id, &key, value).await?))
}

/// Delete one preference
#[utoipa::path(delete, operation_id = "delete_preference", path = "/v1/tenants/{tenant_name}/users/{user_id}/preferences/{preference_key}", tag = "preferences",
    params(
        ("tenant_name" = String, Path), ("user_id" = String, Path), ("preference_key" = String, Path),
        ("Idempotency-Key" = Option<String>, Header),
    ),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "No such user or preference"),
    ))]
async fn delete(
    State(app): State<AppState>,
    auth: Authorized<WriteProfiles>,
    PathUserId(user_id): PathUserId,
    PathPreferenceKey(key): PathPreferenceKey,
    params: Params,
    write: Write,
) -> Result<Response, Problem> {
    params.finish()?;
    let attempt = write.attempt(&app, auth.subject());
    Ok(written(&app.directory()?.delete_preference(&auth.call(attempt), &user_id, &key).await?))
}
