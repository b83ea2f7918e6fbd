//! `/v1/tenants/{tenant_name}/users/{user_id}`: the user as a whole.

use super::respond::{json, written};
use crate::api::AppState;
use crate::api::extract::path::PathUserId;
use crate::api::extract::{Authorized, Params, ReadProfiles, Write, WriteProfiles};
use crate::api::problem::Problem;
use crate::domain::profile::User;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(read, delete))
}

/// Read a user: all profiles and preferences
#[utoipa::path(get, operation_id = "read_user", path = "/v1/tenants/{tenant_name}/users/{user_id}", tag = "users",
    params(("tenant_name" = String, Path), ("user_id" = String, Path)),
    responses(
        (status = 200, description = "The user", body = User),
        (status = 404, description = "No such user"),
    ))]
async fn read(
    State(app): State<AppState>,
    auth: Authorized<ReadProfiles>,
    PathUserId(user_id): PathUserId,
    params: Params,
) -> Result<Response, Problem> {
    params.finish()?;
    let mut user = app.directory()?.read_user(&auth.call(None), &user_id).await?;
    user.profiles = user.profiles.into_iter().map(|profile| app.public_url.profile(profile)).collect();
    Ok(json(StatusCode::OK, &user))
}

/// Delete a user with all profiles
///
/// Soft, and all in one step. With `purge=true` the user is erased for good, preferences too.
#[utoipa::path(delete, operation_id = "delete_user", path = "/v1/tenants/{tenant_name}/users/{user_id}", tag = "users",
    params(
        ("tenant_name" = String, Path), ("user_id" = String, Path),
        ("purge" = Option<bool>, Query, description = "Erase for good, also what was soft-deleted; needs profiles:admin"),
        ("Idempotency-Key" = Option<String>, Header),
    ),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "No such user"),
    ))]
async fn delete(
    State(app): State<AppState>,
    auth: Authorized<WriteProfiles>,
    PathUserId(user_id): PathUserId,
    mut params: Params,
    write: Write,
) -> Result<Response, Problem> {
    let purge = params.take_bool("purge");
    params.finish()?;
    if purge {
        auth.require_admin()?;
    }
    let attempt = write.attempt(&app, auth.subject());
    let call = auth.call(attempt);
    let outcome =
        if purge { app.directory()?.purge_user(&call, &user_id).await? } else { app.directory()?.delete_user(&call, &user_id).await? };
    Ok(written(&outcome))
}
