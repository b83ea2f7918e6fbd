//! `/v1/tenants/{tenant_name}/profiles`: create, read, update, delete, restore.

use super::respond::{versioned, written};
use super::schema::{NewProfile, ProfileUpdate};
use crate::api::AppState;
use crate::api::extract::path::PathProfileId;
use crate::api::extract::{AdminProfiles, Authorized, Params, ReadProfiles, Write, WriteProfiles, params};
use crate::api::problem::Problem;
use crate::domain::filter::{self, Filter};
use crate::domain::invalid::Faults;
use crate::domain::profile::Profile;
use crate::domain::profile_patch::ProfilePatch;
use crate::service::profiles::Condition;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(create)).routes(routes!(read, update, delete)).routes(routes!(restore))
}

/// Create a profile
///
/// A retry with the same `Idempotency-Key` within 24 hours gets the first answer again and makes no second profile.
#[utoipa::path(post, operation_id = "create_profile", path = "/v1/tenants/{tenant_name}/profiles", tag = "profiles", request_body = NewProfile,
    params(
        ("tenant_name" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Chosen by the client, 1 to 255 characters"),
    ),
    responses(
        (status = 201, description = "The new profile", body = Profile, headers(("Location" = String), ("ETag" = String))),
        (status = 400, description = "Malformed JSON"),
        (status = 404, description = "No such tenant"),
        (status = 409, description = "A duplicate: errors names the field"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "Not JSON"),
        (status = 422, description = "Invalid: errors names every fault"),
    ))]
async fn create(State(app): State<AppState>, auth: Authorized<WriteProfiles>, params: Params, write: Write) -> Result<Response, Problem> {
    params.finish()?;
    let attempt = write.attempt(&app, auth.subject());
    let patch = ProfilePatch::read(write.document()?);
    let outcome = app.directory()?.create_profile(&auth.call(attempt), patch).await?;
    Ok(written(&app.public_url.written(outcome)))
}

/// Read a profile
#[utoipa::path(get, operation_id = "read_profile", path = "/v1/tenants/{tenant_name}/profiles/{profile_id}", tag = "profiles",
    params(
        ("tenant_name" = String, Path), ("profile_id" = uuid::Uuid, Path),
        ("include_deleted" = Option<bool>, Query, description = "Also show a soft-deleted one; needs profiles:admin"),
        ("If-None-Match" = Option<String>, Header, description = "An ETag: 304 when it still is the current one"),
    ),
    responses(
        (status = 200, description = "The profile", body = Profile, headers(("ETag" = String))),
        (status = 304, description = "The client has this version already"),
        (status = 404, description = "No such profile"),
    ))]
async fn read(
    State(app): State<AppState>,
    auth: Authorized<ReadProfiles>,
    PathProfileId(profile_id): PathProfileId,
    mut params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let include_deleted = params.take_bool("include_deleted");
    params.finish()?;
    if include_deleted {
        auth.require_admin()?;
    }
    let profile = app.public_url.profile(app.directory()?.read_profile(&auth.call(None), profile_id, include_deleted).await?);
    Ok(versioned(&headers, profile.version, &profile))
}

/// Update a profile
///
/// Changes the given fields in one atomic step, and only if `If-Match` and `filter` hold at that moment.
#[utoipa::path(patch, operation_id = "update_profile", path = "/v1/tenants/{tenant_name}/profiles/{profile_id}", tag = "profiles",
    request_body(content = ProfileUpdate, content_type = "application/merge-patch+json"),
    params(
        ("tenant_name" = String, Path), ("profile_id" = uuid::Uuid, Path),
        ("filter" = Option<String>, Query, description = "Update only if the profile fulfils it, like city_id eq \"BLR\""),
        ("If-Match" = Option<String>, Header, description = "Update only this version: its ETag"),
        ("Idempotency-Key" = Option<String>, Header),
    ),
    responses(
        (status = 200, description = "The profile as it now is", body = Profile, headers(("ETag" = String))),
        (status = 400, description = "Malformed JSON"),
        (status = 404, description = "No such profile"),
        (status = 409, description = "A duplicate: errors names the field"),
        (status = 412, description = "If-Match or filter does not hold; nothing was changed"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "Not JSON"),
        (status = 422, description = "Invalid: errors names every fault"),
    ))]
async fn update(
    State(app): State<AppState>,
    auth: Authorized<WriteProfiles>,
    PathProfileId(profile_id): PathProfileId,
    mut params: Params,
    write: Write,
) -> Result<Response, Problem> {
    let filter = params.take("filter");
    params.finish()?;
    let filter = filter.as_deref().map(condition).transpose()?;
    let attempt = write.attempt(&app, auth.subject());
    let patch = ProfilePatch::read(write.document()?);
    let condition = Condition { expected: write.expected, filter };
    let outcome = app.directory()?.update_profile(&auth.call(attempt), profile_id, &patch, &condition).await?;
    Ok(written(&app.public_url.written(outcome)))
}

fn condition(text: &str) -> Result<Filter, Problem> {
    filter::parse(text).map_err(|error| {
        let mut faults = Faults::default();
        faults.add(params::place("filter"), error.to_string());
        faults.into()
    })
}

/// Delete a profile
///
/// Soft: it disappears, its identifiers are free, and it can be restored. With `purge=true` it is erased for good.
#[utoipa::path(delete, operation_id = "delete_profile", path = "/v1/tenants/{tenant_name}/profiles/{profile_id}", tag = "profiles",
    params(
        ("tenant_name" = String, Path), ("profile_id" = uuid::Uuid, Path),
        ("purge" = Option<bool>, Query, description = "Erase for good, also what was soft-deleted; needs profiles:admin"),
        ("If-Match" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header),
    ),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "No such profile"),
        (status = 412, description = "If-Match does not hold; nothing was changed"),
    ))]
async fn delete(
    State(app): State<AppState>,
    auth: Authorized<WriteProfiles>,
    PathProfileId(profile_id): PathProfileId,
    mut params: Params,
    write: Write,
) -> Result<Response, Problem> {
    let purge = params.take_bool("purge");
    params.finish()?;
    if purge {
        auth.require_admin()?;
    }
    let call = auth_call(&app, auth, &write);
    let outcome = if purge {
        app.directory()?.purge_profile(&call, profile_id, &write.expected).await?
    } else {
        app.directory()?.delete_profile(&call, profile_id, &write.expected).await?
    };
    Ok(written(&outcome))
}

/// Restore a soft-deleted profile
#[utoipa::path(post, operation_id = "restore_profile", path = "/v1/tenants/{tenant_name}/profiles/{profile_id}/restore", tag = "profiles",
    params(
        ("tenant_name" = String, Path), ("profile_id" = uuid::Uuid, Path),
        ("If-Match" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header),
    ),
    responses(
        (status = 200, description = "The profile, live again", body = Profile, headers(("ETag" = String))),
        (status = 404, description = "No such profile"),
        (status = 409, description = "An identifier was taken meanwhile: errors names the field"),
        (status = 412, description = "If-Match does not hold; nothing was changed"),
    ))]
async fn restore(
    State(app): State<AppState>,
    auth: Authorized<AdminProfiles>,
    PathProfileId(profile_id): PathProfileId,
    params: Params,
    write: Write,
) -> Result<Response, Problem> {
    params.finish()?;
    let call = auth_call(&app, auth, &write);
    let outcome = app.directory()?.restore_profile(&call, profile_id, &write.expected).await?;
    Ok(written(&app.public_url.written(outcome)))
}

fn auth_call<P>(app: &AppState, auth: Authorized<P>, write: &Write) -> crate::service::Call {
    let attempt = write.attempt(app, auth.subject());
    auth.call(attempt)
}
