//! A client that holds every single answer to what section 3 of the design promises of errors.

use super::{encoded, next_number};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// Speaks to one service, under one path, with one token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    prefix: String,
    token: Option<String>,
}

impl Client {
    /// `base` is like `http://127.0.0.1:8085`.
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, base: base.to_owned(), prefix: String::new(), token: None }
    }

    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// Paths that do not begin with `/v1/` are taken to be below `/v1/tenants/{tenant}`.
    pub fn in_tenant(&self, tenant: &str) -> Self {
        Self { prefix: format!("/v1/tenants/{}", encoded(tenant)), ..self.clone() }
    }

    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// The path below which this client works.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    pub fn call(&self, method: Method, path: &str) -> Call {
        let prefix = if path.starts_with("/v1/") { "" } else { &self.prefix };
        let mut request = self.http.request(method.clone(), format!("{}{prefix}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Call { what: format!("{method} {path}"), request }
    }

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str, body: &Value) -> Call {
        self.call(Method::POST, path).json(body)
    }

    pub fn put(&self, path: &str, body: &Value) -> Call {
        self.call(Method::PUT, path).json(body)
    }

    pub fn patch(&self, path: &str, body: &Value) -> Call {
        self.call(Method::PATCH, path).json(body)
    }

    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// Creates a profile and gives it as the service shows it. Where nothing identifies the user, an e-mail is added.
    pub async fn profile(&self, mut body: Value) -> Value {
        let fields = body.as_object_mut().unwrap();
        fields.entry("full_name").or_insert_with(|| "Ada Lovelace".into());
        if !["user_id", "email_id", "mobile"].iter().any(|name| fields.contains_key(*name)) {
            fields.insert("email_id".to_owned(), format!("somebody-{}@example.com", next_number()).into());
        }
        self.post("/profiles", &body).expect(201).await.json()
    }

    /// The names in the order in which a search with this query string finds them.
    pub async fn names(&self, query: &str) -> Vec<String> {
        let page = self.get(&format!("/profiles?{query}")).expect(200).await.json();
        page["profiles"].as_array().unwrap().iter().map(|profile| profile["full_name"].as_str().unwrap().to_owned()).collect()
    }
}

/// The path of a profile.
pub fn path_of(profile: &Value) -> String {
    format!("/profiles/{}", profile["profile_id"].as_str().unwrap())
}

/// A request on its way.
pub struct Call {
    what: String,
    request: reqwest::RequestBuilder,
}

impl Call {
    pub fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value), ..self }
    }

    pub fn json(self, body: &Value) -> Self {
        Self { request: self.request.json(body), ..self }
    }

    /// A body as it is, with its media type.
    pub fn body(self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { request: self.request.header("Content-Type", media_type).body(body.into()), ..self }
    }

    /// JSON as it is, valid or not.
    pub fn raw_json(self, body: impl Into<Vec<u8>>) -> Self {
        self.body("application/json", body)
    }

    pub fn key(self, idempotency_key: &str) -> Self {
        self.header("Idempotency-Key", idempotency_key)
    }

    /// The answer, or why there is none.
    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let response = self.request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await?.to_vec();
        let answer = Answer { what: self.what, status, headers, body };
        answer.check();
        Ok(answer)
    }

    pub async fn send(self) -> Answer {
        let what = self.what.clone();
        self.try_send().await.unwrap_or_else(|e| panic!("{what}: {e:?}"))
    }

    /// The answer, which must have this status.
    pub async fn expect(self, status: u16) -> Answer {
        let answer = self.send().await;
        assert_eq!(answer.status, status, "{answer:?}");
        answer
    }

    /// An answer of 422 whose faults stand at these places, in any order: `/full_name` in the body, `limit` in the
    /// query, `Idempotency-Key` among the headers.
    pub async fn expect_faults(self, places: &[&str]) -> Answer {
        let answer = self.expect(422).await;
        let mut expected = places.to_vec();
        expected.sort_unstable();
        let mut found = answer.fault_places();
        found.sort_unstable();
        assert_eq!(found, expected, "{answer:?}");
        answer
    }
}

/// An answer, whole.
pub struct Answer {
    what: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} -> {} {:?} {}", self.what, self.status, self.headers, String::from_utf8_lossy(&self.body))
    }
}

impl Answer {
    pub fn of_raw(what: String, status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { what, status, headers, body }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The last part of the problem's type.
    pub fn problem(&self) -> String {
        let body = self.json();
        body["type"].as_str().and_then(|name| name.strip_prefix("urn:n_users:problem:")).unwrap_or_default().to_owned()
    }

    /// Where the faults stand.
    pub fn fault_places(&self) -> Vec<String> {
        let body = self.json();
        let faults = body["errors"].as_array().cloned().unwrap_or_default();
        let place = |fault: &Value| {
            let places: Vec<_> = ["pointer", "parameter", "header"].iter().filter_map(|kind| fault[*kind].as_str()).collect();
            assert_eq!(places.len(), 1, "a fault has one place: {fault}");
            assert!(!fault["detail"].as_str().unwrap().is_empty(), "{fault}");
            places[0].to_owned()
        };
        faults.iter().map(place).collect()
    }

    /// What holds for every answer: an id, and for errors the form of RFC 9457 that names this id.
    pub fn check(&self) {
        let request_id = self.header("x-request-id");
        assert!(!request_id.is_empty(), "an answer without an id: {self:?}");
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{self:?}");
        let is_readiness = self.what.ends_with("/health/ready");
        if self.status < 400 || self.what.starts_with("HEAD") || is_readiness {
            return;
        }
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        for name in ["type", "title", "detail"] {
            assert!(problem[name].as_str().is_some_and(|text| !text.is_empty()), "a problem without {name}: {self:?}");
        }
        assert_eq!(problem["status"], self.status, "{self:?}");
        assert_eq!(problem["request_id"], request_id, "{self:?}");
        assert_eq!(self.status == 503, self.headers.contains_key("retry-after"), "Retry-After goes with 503: {self:?}");
        assert_eq!(self.status == 401, self.header("www-authenticate").starts_with("Bearer") && self.status != 403, "{self:?}");
    }
}
