//! From what the service says to HTTP.

use crate::api::extract::condition::{etag, is_known};
use crate::api::problem::Problem;
use crate::domain::idempotency::Written;
use crate::domain::profile::Profile;
use crate::domain::tenant::Tenant;
use crate::domain::version::Version;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

/// Most profiles fit.
const USUAL_BYTES: usize = 1024;

/// JSON that no cache may show to others, nor to the same client without asking again.
pub fn json<T: Serialize + ?Sized>(status: StatusCode, value: &T) -> Response {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    match serde_json::to_writer(&mut bytes, value) {
        Ok(()) => {
            let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "private, no-cache")];
            (status, headers, Body::from(bytes)).into_response()
        }
        Err(error) => Problem::internal(error).into_response(),
    }
}

/// A resource with its ETag; 304 when the client has this version already.
pub fn versioned<T: Serialize>(headers: &HeaderMap, version: Version, value: &T) -> Response {
    if is_known(headers, version) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        set_etag(&mut response, version);
        return response;
    }
    let mut response = json(StatusCode::OK, value);
    set_etag(&mut response, version);
    response
}

/// The outcome of a write.
pub fn written(written: &Written) -> Response {
    let status = |created: bool| if created { StatusCode::CREATED } else { StatusCode::OK };
    match written {
        Written::Profile { created, profile } => located(status(*created), *created, profile.version, &profile_path(profile), &**profile),
        Written::Tenant { created, tenant } => located(status(*created), *created, tenant.version, &tenant_path(tenant), tenant),
        Written::Preference { created, value } => json(status(*created), value),
        Written::Gone => StatusCode::NO_CONTENT.into_response(),
    }
}

fn located<T: Serialize>(status: StatusCode, created: bool, version: Version, path: &str, value: &T) -> Response {
    let mut response = json(status, value);
    set_etag(&mut response, version);
    if let Ok(path) = HeaderValue::from_str(path)
        && created
    {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

fn set_etag(response: &mut Response, version: Version) {
    if let Ok(tag) = HeaderValue::from_str(&etag(version)) {
        response.headers_mut().insert(ETAG, tag);
    }
}

fn profile_path(profile: &Profile) -> String {
    format!("/v1/tenants/{}/profiles/{}", profile.tenant_name, profile.profile_id)
}

fn tenant_path(tenant: &Tenant) -> String {
    format!("/v1/tenants/{}", tenant.tenant_name)
}
