//! `/v1/tenants`: administration, within the tenants that the token speaks for.

use super::respond::{json, versioned, written};
use super::schema::{NewTenant, TenantUpdate, TenantsAnswer};
use crate::api::AppState;
use crate::api::extract::{Params, TenantsAdmin, Write};
use crate::api::problem::Problem;
use crate::domain::invalid::Faults;
use crate::domain::search::MAX_LIMIT;
use crate::domain::tenant::{Tenant, TenantPatch};
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(read, update, delete))
}

/// Create a tenant
#[utoipa::path(post, operation_id = "create_tenant", path = "/v1/tenants", tag = "tenants", request_body = NewTenant,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, description = "The new tenant", body = Tenant, headers(("Location" = String), ("ETag" = String))),
        (status = 400, description = "Malformed JSON"),
        (status = 409, description = "There is one of this name"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "Not JSON"),
        (status = 422, description = "Invalid: errors names every fault"),
    ))]
async fn create(State(app): State<AppState>, auth: TenantsAdmin, params: Params, write: Write) -> Result<Response, Problem> {
    params.finish()?;
    let document = write.document()?;
    let attempt = write.attempt(&app, auth.subject());
    Ok(written(&app.directory()?.create_tenant(&auth.call(attempt), document).await?))
}

/// List tenants, by name
#[utoipa::path(get, operation_id = "list_tenants", path = "/v1/tenants", tag = "tenants",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 200. Default: 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses((status = 200, description = "A page", body = TenantsAnswer), (status = 422, description = "Invalid")))]
async fn list(State(app): State<AppState>, auth: TenantsAdmin, mut params: Params) -> Result<Response, Problem> {
    let limit = params.take_integer("limit");
    let cursor = params.take("cursor");
    params.finish()?;
    let limit = match limit.map(u32::try_from) {
        None => None,
        Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => Some(limit),
        Some(_) => return Err(Faults::parameter("limit", format!("must be from 1 to {MAX_LIMIT}")).into()),
    };
    let page = app.directory()?.list_tenants(&auth.call(None), limit, cursor.as_deref()).await?;
    Ok(json(StatusCode::OK, &TenantsAnswer { tenants: page.tenants, next_cursor: page.next_cursor }))
}

/// Read a tenant
#[utoipa::path(get, operation_id = "read_tenant", path = "/v1/tenants/{tenant_name}", tag = "tenants",
    params(("tenant_name" = String, Path), ("If-None-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "The tenant", body = Tenant, headers(("ETag" = String))),
        (status = 304, description = "The client has this version already"),
        (status = 404, description = "No such tenant"),
    ))]
async fn read(State(app): State<AppState>, auth: TenantsAdmin, params: Params, headers: HeaderMap) -> Result<Response, Problem> {
    params.finish()?;
    let name = auth.tenant()?;
    let tenant = app.directory()?.read_tenant(&auth.call(None), &name).await?;
    Ok(versioned(&headers, tenant.version, &tenant))
}

/// Update a tenant
///
/// While it is suspended, requests for its users are answered 403.
#[utoipa::path(patch, operation_id = "update_tenant", path = "/v1/tenants/{tenant_name}", tag = "tenants",
    request_body(content = TenantUpdate, content_type = "application/merge-patch+json"),
    params(("tenant_name" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, description = "The tenant as it now is", body = Tenant, headers(("ETag" = String))),
        (status = 400, description = "Malformed JSON"),
        (status = 404, description = "No such tenant"),
        (status = 412, description = "If-Match does not hold; nothing was changed"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "Not JSON"),
        (status = 422, description = "Invalid: errors names every fault"),
    ))]
async fn update(State(app): State<AppState>, auth: TenantsAdmin, params: Params, write: Write) -> Result<Response, Problem> {
    params.finish()?;
    let patch = TenantPatch::from_document(write.document()?)?;
    let name = auth.tenant()?;
    let attempt = write.attempt(&app, auth.subject());
    Ok(written(&app.directory()?.update_tenant(&auth.call(attempt), &name, &patch, &write.expected).await?))
}

/// Delete a tenant without live users
///
/// For good, with all that was soft-deleted in it.
#[utoipa::path(delete, operation_id = "delete_tenant", path = "/v1/tenants/{tenant_name}", tag = "tenants",
    params(("tenant_name" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "No such tenant"),
        (status = 409, description = "It has live users"),
        (status = 412, description = "If-Match does not hold; nothing was changed"),
    ))]
async fn delete(State(app): State<AppState>, auth: TenantsAdmin, params: Params, write: Write) -> Result<Response, Problem> {
    params.finish()?;
    let name = auth.tenant()?;
    let attempt = write.attempt(&app, auth.subject());
    Ok(written(&app.directory()?.delete_tenant(&auth.call(attempt), &name, &write.expected).await?))
}
