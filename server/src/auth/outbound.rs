//! Requests to issuers: to safe addresses only, with a deadline, a bound on the answer, and no redirects.

use crate::config::issuer::{IntrospectionClient, is_safe};
use crate::domain::cause::chain;
use crate::telemetry::traces::{Attribute, Span, Work, within};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use std::time::Duration;
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer: a JWKS with some certificates is far below.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Why an issuer could not be asked. The text is for the log.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{url}: {reason}")]
pub struct FetchError {
    pub url: String,
    pub reason: String,
    pub status: Option<u16>,
}

/// The client for all issuers.
#[derive(Debug, Clone)]
pub struct Outbound(Client);

impl Outbound {
    pub fn new() -> Result<Self, String> {
        Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("n_users/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(Self)
            .map_err(|e| format!("no HTTP client: {}", chain(&e)))
    }

    /// A JSON object, read with GET.
    pub async fn get(&self, url: &Url) -> Result<Map<String, Value>, FetchError> {
        send("GET", url, self.0.get(url.clone())).await
    }

    /// A JSON object, answered to a form that `client` posts as itself (RFC 6749 §2.3.1).
    pub async fn post(&self, url: &Url, client: &IntrospectionClient, form: &[(&str, &str)]) -> Result<Map<String, Value>, FetchError> {
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self
            .0
            .post(url.clone())
            .basic_auth(encoded(&client.id), Some(encoded(client.secret.expose_secret())))
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        send("POST", url, request).await
    }
}

async fn send(method: &'static str, url: &Url, request: RequestBuilder) -> Result<Map<String, Value>, FetchError> {
    within(|| work(method, url), ask(url, request), tell).await
}

async fn ask(url: &Url, request: RequestBuilder) -> Result<Map<String, Value>, FetchError> {
    let failed = |reason: String, status: Option<StatusCode>| FetchError {
        url: url.to_string(),
        reason,
        status: status.map(|status| status.as_u16()),
    };
    if !is_safe(url) {
        return Err(failed("only https is asked, and http on a loopback address".to_owned(), None));
    }
    let request = request.header(http::header::ACCEPT, "application/json");
    let response = request.send().await.map_err(|e| failed(chain(&e.without_url()), None))?;
    let status = response.status();
    if status != StatusCode::OK {
        return Err(failed(format!("answered {status}"), Some(status)));
    }
    let body = bounded(response).await.map_err(|reason| failed(reason, Some(status)))?;
    super::jose::object(&body).ok_or_else(|| failed("the answer is not a JSON object with each member once".to_owned(), Some(status)))
}

/// What a span of the request says of it; the URL may carry what is secret.
fn work(method: &'static str, url: &Url) -> Work {
    let mut attributes = vec![Attribute::new("http.request.method", method)];
    attributes.extend(url.host_str().map(|host| Attribute::new("server.address", host.to_owned())));
    attributes.extend(url.port_or_known_default().map(|port| Attribute::new("server.port", i64::from(port))));
    Work { name: method, is_client: true, attributes }
}

fn tell(outcome: &Result<Map<String, Value>, FetchError>, span: Span<'_>) {
    let status = outcome.as_ref().map_or_else(|error| error.status, |_| Some(200));
    if let Some(status) = status {
        span.tell("http.response.status_code", i64::from(status));
    }
    if outcome.is_err() {
        span.fail("issuer_unavailable");
    }
}

async fn bounded(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| chain(&e.without_url()))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(format!("the answer is longer than {MAX_ANSWER_BYTES} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
