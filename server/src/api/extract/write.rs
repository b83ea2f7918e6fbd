//! A request that changes something: its body within bounds, its conditions, and whether it may be a repeat.

use super::condition::if_match;
use crate::api::AppState;
use crate::api::problem::{Kind, Problem};
use crate::domain::document::{Document, DocumentError};
use crate::domain::idempotency::{Attempt, IdempotencyKey};
use crate::domain::invalid::Faults;
use crate::domain::version::Expected;
use aws_lc_rs::digest::{Context, SHA256};
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, IF_MATCH};
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::value::RawValue;

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// What every write may carry in its headers: the version it is for, and the key that makes a repeat of it known.
pub struct Conditions {
    pub expected: Expected,
    key: Option<IdempotencyKey>,
}

impl Conditions {
    /// Refuses with all that is wrong with them.
    pub fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut faults = Faults::default();
        let expected = if_match(headers).unwrap_or_else(|found| {
            faults.append(found);
            Expected::Any
        });
        let key = idempotency_key(headers).unwrap_or_else(|found| {
            faults.append(found);
            None
        });
        faults.into_result()?;
        Ok(Self { expected, key })
    }

    /// The attempt of this client, if the request carries an idempotency key.
    pub fn attempt(&self, app: &AppState, subject: &str, fingerprint: [u8; 32]) -> Option<Attempt> {
        let key = self.key.clone()?;
        Some(Attempt { key, subject: subject.to_owned(), fingerprint, at: app.clock.now() })
    }
}

/// What tells this request from another under the same idempotency key.
pub fn fingerprint(parts: &Parts, body: &[u8]) -> [u8; 32] {
    let mut hash = Context::new(&SHA256);
    let if_match = parts.headers.get(IF_MATCH).map(http::HeaderValue::as_bytes).unwrap_or_default();
    let target = parts.uri.path_and_query().map(http::uri::PathAndQuery::as_str).unwrap_or_default();
    for part in [parts.method.as_str().as_bytes(), target.as_bytes(), if_match, body] {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(hash.finish().as_ref());
    fingerprint
}

/// Everything of a write but who sends it and whom it is about.
pub struct Write {
    pub expected: Expected,
    headers: HeaderMap,
    body: Bytes,
    conditions: Conditions,
    fingerprint: [u8; 32],
}

impl Write {
    /// The attempt of this client, if the request carries an idempotency key.
    pub fn attempt(&self, app: &AppState, subject: &str) -> Option<Attempt> {
        self.conditions.attempt(app, subject, self.fingerprint)
    }

    /// The body as a JSON object.
    pub fn document(&self) -> Result<Document, Problem> {
        self.check_json()?;
        Document::parse(&self.body).map_err(|error| match error {
            DocumentError::Malformed(detail) => Problem::new(Kind::MalformedBody, detail),
            DocumentError::Invalid(faults) => faults.into(),
        })
    }

    /// The body as any JSON value, its syntax checked.
    pub fn json(&self) -> Result<&str, Problem> {
        self.check_json()?;
        let malformed = |e: &dyn std::fmt::Display| Problem::new(Kind::MalformedBody, format!("the body is not valid JSON: {e}"));
        let text = std::str::from_utf8(&self.body).map_err(|e| malformed(&e))?;
        serde_json::from_str::<&RawValue>(text).map(RawValue::get).map_err(|e| malformed(&e))
    }

    fn check_json(&self) -> Result<(), Problem> {
        let media_type = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_json = essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
        if is_json {
            Ok(())
        } else {
            Err(Problem::new(Kind::UnsupportedMediaType, "Send JSON, with the header Content-Type: application/json."))
        }
    }
}

impl FromRequest<AppState> for Write {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let conditions = Conditions::read(&parts.headers)?;
        let body = read_body(&parts.headers, body, app.max_body_bytes).await?;
        let fingerprint = fingerprint(&parts, &body);
        Ok(Self { expected: conditions.expected.clone(), headers: parts.headers, body, conditions, fingerprint })
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Faults> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Faults::header("Idempotency-Key", "is given more than once"));
    }
    IdempotencyKey::parse(value.to_str().unwrap_or_default()).map(Some).map_err(|detail| Faults::header("Idempotency-Key", detail))
}

async fn read_body(headers: &HeaderMap, body: Body, max_bytes: usize) -> Result<Bytes, Problem> {
    if announced_length(headers).is_some_and(|length| length > max_bytes as u64) {
        return Err(too_large(max_bytes));
    }
    match Limited::new(body, max_bytes).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(max_bytes)),
        Err(error) => Err(Problem::new(Kind::MalformedBody, "The body could not be read to its end.").because(error)),
    }
}

pub fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
}

pub fn too_large(max_bytes: usize) -> Problem {
    Problem::new(Kind::BodyTooLarge, format!("The body of this request has at most {max_bytes} bytes."))
}
