//! Every request that a load or a fill sends.

use crate::people::residents::create_body;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use n_users::domain::profile::Profile;
use n_users::domain::tenant::TenantName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What may stand in a path or a query as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub type Outbound = Request<Full<Bytes>>;

/// Requests to one tenant, with these tokens by turns.
pub struct Requests {
    pub tenant: TenantName,
    authorizations: Vec<HeaderValue>,
}

impl Requests {
    /// There must be at least one token.
    pub fn new(tenant: TenantName, authorizations: Vec<HeaderValue>) -> Self {
        Self { tenant, authorizations }
    }

    /// How many different tokens there are.
    pub fn token_count(&self) -> usize {
        self.authorizations.len()
    }

    pub fn read_tenant(&self) -> Outbound {
        self.request(Method::GET, path(&format!("/v1/tenants/{}", self.tenant)), 0, None)
    }

    pub fn create_tenant(&self) -> Outbound {
        let body = serde_json::json!({ "tenant_name": self.tenant, "display_name": "Load test" }).to_string();
        self.json(Method::POST, path("/v1/tenants"), 0, body.into_bytes())
    }

    pub fn any_search(&self) -> Outbound {
        self.request(Method::GET, self.of_tenant("/profiles?limit=1"), 0, None)
    }

    pub fn read_user(&self, user_id: &str) -> Outbound {
        let user_id = utf8_percent_encode(user_id, ENCODED);
        self.request(Method::GET, self.of_tenant(&format!("/users/{user_id}")), 0, None)
    }

    pub fn create(&self, turn: u64, profile: &Profile) -> Outbound {
        self.json(Method::POST, self.of_tenant("/profiles"), turn, create_body(profile))
    }

    pub fn put_image(&self, profile_id: &str, jpeg: Vec<u8>) -> Outbound {
        let uri = self.of_tenant(&format!("/profiles/{profile_id}/image"));
        let mut request = self.request(Method::PUT, uri, 0, Some(jpeg));
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
        request
    }

    pub fn profile_uri(&self, profile_id: &str) -> Uri {
        self.of_tenant(&format!("/profiles/{profile_id}"))
    }

    pub fn image_uri(&self, profile_id: &str) -> Uri {
        self.of_tenant(&format!("/profiles/{profile_id}/image?size=256"))
    }

    pub fn search_uri(&self, query: &str) -> Uri {
        self.of_tenant(&format!("/profiles?query={}", utf8_percent_encode(query, ENCODED)))
    }

    pub fn search_body_uri(&self) -> Uri {
        self.of_tenant("/profiles/search")
    }

    pub fn get(&self, uri: Uri, turn: u64) -> Outbound {
        self.request(Method::GET, uri, turn, None)
    }

    /// A request with a JSON body.
    pub fn json(&self, method: Method, uri: Uri, turn: u64, body: Vec<u8>) -> Outbound {
        let mut request = self.request(method, uri, turn, Some(body));
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request
    }

    fn of_tenant(&self, rest: &str) -> Uri {
        path(&format!("/v1/tenants/{}{rest}", self.tenant))
    }

    fn request(&self, method: Method, uri: Uri, turn: u64, body: Option<Vec<u8>>) -> Outbound {
        let mut request = Request::new(Full::new(body.map(Bytes::from).unwrap_or_default()));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let turn = usize::try_from(turn).unwrap_or_default() % self.authorizations.len().max(1);
        if let Some(authorization) = self.authorizations.get(turn) {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        request
    }
}

/// The paths made here are all valid.
fn path(text: &str) -> Uri {
    text.parse().unwrap_or_default()
}
