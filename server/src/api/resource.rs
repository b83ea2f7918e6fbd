//! `/.well-known/oauth-protected-resource` (RFC 9728): which issuers' tokens are good here, for a client that has none yet.
//!
//! It is no part of the OpenAPI document: its form is the RFC's, not ours. An issuer that speaks for some tenants only is
//! not named: it would tell everybody who the customers are.

use super::AppState;
use crate::domain::caller::Scope;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, HOST};
use http::{HeaderMap, Uri};
use serde_json::json;

const PATH: &str = "/.well-known/oauth-protected-resource";

/// What this service says of itself as a protected resource.
#[derive(Debug, Default)]
pub struct ProtectedResource {
    /// The address by which clients reach the service; else it is as each request says.
    pub public_url: Option<String>,
    /// The issuers that may speak for any tenant.
    pub issuers: Vec<String>,
}

impl ProtectedResource {
    /// Where the metadata are (§3.1), for a challenge (§5.1); none where tokens come from no issuer.
    pub fn metadata_url(&self, headers: &HeaderMap, uri: &Uri) -> Option<String> {
        if self.issuers.is_empty() {
            return None;
        }
        let resource = self.resource(headers, uri)?;
        // A path of the resource goes behind the well-known one.
        let origin_end = resource.find("://").map_or(0, |at| at + 3);
        let path_start = resource[origin_end..].find('/').map_or(resource.len(), |at| origin_end + at);
        Some(format!("{}{PATH}{}", &resource[..path_start], &resource[path_start..]))
    }

    /// The resource's identifier. What a request says of it only goes back to whoever sent it.
    fn resource(&self, headers: &HeaderMap, uri: &Uri) -> Option<String> {
        if let Some(url) = &self.public_url {
            return Some(url.clone());
        }
        let host = uri.authority().map(http::uri::Authority::as_str).or_else(|| headers.get(HOST)?.to_str().ok())?;
        // Nothing that could leave the quotes of a challenge.
        if host.is_empty() || !host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b)) {
            return None;
        }
        let proto = headers.get("x-forwarded-proto").and_then(|proto| proto.to_str().ok());
        Some(format!("{}://{host}", if proto == Some("https") { "https" } else { "http" }))
    }
}

pub fn router() -> Router<AppState> {
    Router::new().route(PATH, get(metadata)).route(&format!("{PATH}/{{*path}}"), get(metadata))
}

async fn metadata(State(app): State<AppState>, headers: HeaderMap, uri: Uri) -> Response {
    let resource = app.resource.resource(&headers, &uri);
    let metadata = json!({
        "resource": resource,
        "authorization_servers": app.resource.issuers,
        "scopes_supported": Scope::ALL.map(Scope::as_str),
        "bearer_methods_supported": ["header"],
        "resource_name": "n_users",
        "resource_documentation": resource.map(|resource| format!("{resource}/docs")),
    });
    // Pages of other origins look for their issuer here, too; nothing in it is secret or anybody's.
    ([(CACHE_CONTROL, "no-store"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")], Json(metadata)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn url(public_url: Option<&str>, host: &'static str, proto: Option<&'static str>) -> Option<String> {
        let resource = ProtectedResource { public_url: public_url.map(str::to_owned), issuers: vec!["i".into()] };
        let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
        if let Some(proto) = proto {
            headers.insert("x-forwarded-proto", HeaderValue::from_static(proto));
        }
        resource.metadata_url(&headers, &Uri::from_static("/v1/tenants"))
    }

    #[test]
    fn the_metadata_are_at_the_well_known_place_of_the_resource() {
        let own = Some("http://127.0.0.1:8085/.well-known/oauth-protected-resource".to_owned());
        assert_eq!(url(None, "127.0.0.1:8085", None), own);
        assert_eq!(url(None, "u.example", Some("https")).as_deref(), Some("https://u.example/.well-known/oauth-protected-resource"));
        let public = url(Some("https://u.example/users"), "127.0.0.1:8085", None);
        assert_eq!(public.as_deref(), Some("https://u.example/.well-known/oauth-protected-resource/users"));
        assert_eq!(url(None, "a\"b", None), None);
    }
}
