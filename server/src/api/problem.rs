//! Errors as a client sees them: `application/problem+json` (RFC 9457). The cause rides along for the log alone.

use super::limits::Standing;
use crate::auth::Refusal;
use crate::domain::cause::chain;
use crate::domain::invalid::{Fault, Faults};
use crate::service;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

macro_rules! problem_kinds {
    ($($variant:ident = $status:ident $name:literal $title:literal),+ $(,)?) => {
        /// What can go wrong. The name is a promise to clients and never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $($variant),+ }

        impl Kind {
            pub fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),+ }
            }

            pub fn type_uri(self) -> &'static str {
                match self { $(Self::$variant => concat!("urn:n_users:problem:", $name)),+ }
            }

            fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

problem_kinds! {
    MalformedBody = BAD_REQUEST "malformed-body" "The body could not be read",
    Unauthorized = UNAUTHORIZED "unauthorized" "A valid access token is needed",
    InsufficientScope = FORBIDDEN "insufficient-scope" "The token does not allow this",
    TenantSuspended = FORBIDDEN "tenant-suspended" "The tenant is suspended",
    NotFound = NOT_FOUND "not-found" "There is no such thing here",
    MethodNotAllowed = METHOD_NOT_ALLOWED "method-not-allowed" "The method is not allowed here",
    Duplicate = CONFLICT "duplicate" "Somebody else has it already",
    TenantInUse = CONFLICT "tenant-in-use" "The tenant still has users",
    AnswerErased = GONE "answer-erased" "The first answer was erased",
    PreconditionFailed = PRECONDITION_FAILED "precondition-failed" "The condition does not hold",
    BodyTooLarge = PAYLOAD_TOO_LARGE "body-too-large" "The body is too large",
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The media type is not supported",
    Invalid = UNPROCESSABLE_ENTITY "invalid" "The input is invalid",
    KeyReused = UNPROCESSABLE_ENTITY "idempotency-key-reused" "The idempotency key was used for another request",
    TooBroad = UNPROCESSABLE_ENTITY "too-broad" "The search is too broad",
    UnusableImage = UNPROCESSABLE_ENTITY "unusable-image" "The image cannot be used",
    RateLimited = TOO_MANY_REQUESTS "rate-limited" "Too many requests",
    Internal = INTERNAL_SERVER_ERROR "internal" "Something went wrong here",
    Overloaded = SERVICE_UNAVAILABLE "overloaded" "The service is at its limit",
    DeadlineExceeded = SERVICE_UNAVAILABLE "deadline-exceeded" "The request took too long",
    Contended = SERVICE_UNAVAILABLE "contended" "Too many change the same thing at once",
    Unavailable = SERVICE_UNAVAILABLE "unavailable" "A dependency is not available",
}

type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// An error on its way to the client.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: Kind,
    detail: String,
    errors: Faults,
    challenge: Option<String>,
    retry_after_seconds: Option<u64>,
    cause: Option<Cause>,
}

/// The body of every error answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// Names the kind of problem for programs; stable.
    #[schema(example = "urn:n_users:problem:duplicate")]
    r#type: &'a str,
    /// The kind of problem, for people.
    title: &'a str,
    status: u16,
    /// What to do about it.
    detail: &'a str,
    /// The id of the request, as in the header `X-Request-Id` and in the service's log.
    request_id: &'a str,
    /// Everything that is wrong with the input, each with its place.
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    #[schema(value_type = Vec<FaultBody>)]
    errors: &'a [Fault],
}

/// One thing that is wrong with the input; one of the three places is given.
#[derive(Debug, ToSchema)]
#[schema(as = Fault)]
#[expect(dead_code, reason = "describes domain::invalid::Fault in the OpenAPI document")]
pub struct FaultBody {
    /// JSON Pointer (RFC 6901) into the body.
    pointer: Option<String>,
    /// Name of a query parameter.
    parameter: Option<String>,
    /// Name of a header.
    header: Option<String>,
    /// What is expected.
    detail: String,
}

impl Problem {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Faults::default(), challenge: None, retry_after_seconds: None, cause: None }
    }

    pub fn invalid(errors: Faults) -> Self {
        let detail = match errors.as_slice().len() {
            1 => "One thing is wrong with the input; errors says what and where.".to_owned(),
            many => format!("{many} things are wrong with the input; errors says what and where."),
        };
        Self { errors, ..Self::new(Kind::Invalid, detail) }
    }

    /// 401 (RFC 6750 §3). `refusal` is why a given token is not accepted.
    pub fn unauthorized(refusal: Option<&str>) -> Self {
        let (detail, challenge) = match refusal {
            None => ("Send an access token: Authorization: Bearer <token>.".to_owned(), "Bearer realm=\"n_users\"".to_owned()),
            Some(why) => (
                format!("The access token is not accepted: {why}."),
                format!("Bearer realm=\"n_users\", error=\"invalid_token\", error_description=\"{}\"", quotable(why)),
            ),
        };
        Self { challenge: Some(challenge), ..Self::new(Kind::Unauthorized, detail) }
    }

    /// 403 (RFC 6750 §3.1).
    pub fn insufficient_scope(scope: &str) -> Self {
        let challenge = format!("Bearer realm=\"n_users\", error=\"insufficient_scope\", scope=\"{scope}\"");
        Self { challenge: Some(challenge), ..Self::new(Kind::InsufficientScope, format!("The access token lacks the scope {scope}.")) }
    }

    /// 429: one of the limits of this node.
    pub fn rate_limited(standing: &Standing) -> Self {
        let seconds = standing.retry_after.map_or(1, |wait| wait.as_secs_f64().ceil().max(1.0) as u64);
        let detail = format!(
            "This {} has sent more requests than this node takes of one ({}): try again after Retry-After seconds.",
            standing.name(),
            standing.describe()
        );
        Self { retry_after_seconds: Some(seconds), ..Self::new(Kind::RateLimited, detail) }
    }

    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Kind::Internal, "The fault is ours, and is in the service's log under this request_id.").because(cause)
    }

    /// Adds the cause, which only the log will tell.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into().into());
        self
    }

    /// The last part of its type.
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// The chain of causes in one line, for the log.
    pub fn cause(&self) -> Option<String> {
        self.cause.as_deref().map(|cause| chain(cause))
    }

    /// The answer, complete. `resource_metadata` is where a client learns whose tokens are taken (RFC 9728 §5.1).
    pub fn render(&self, request_id: &str, resource_metadata: Option<&str>) -> Response {
        let body = ProblemBody {
            r#type: self.kind.type_uri(),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: &self.detail,
            request_id,
            errors: self.errors.as_slice(),
        };
        let mut response = Response::new(Body::from(serde_json::to_vec(&body).unwrap_or_default()));
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.kind.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        let challenge = self.challenge.as_ref().map(|challenge| match resource_metadata {
            Some(url) => format!("{challenge}, resource_metadata=\"{url}\""),
            None => challenge.clone(),
        });
        if let Some(challenge) = challenge.and_then(|challenge| HeaderValue::from_str(&challenge).ok()) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// RFC 6750 §3 allows printable ASCII without quotes and backslashes in a description.
fn quotable(text: &str) -> String {
    text.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect()
}

/// The layer around all handlers renders it, because only there the request's id is known.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(why) => Self::unauthorized(Some(&why)),
            Refusal::Unavailable { detail, cause } => Self::new(Kind::Unavailable, detail).because(cause),
        }
    }
}

impl From<Faults> for Problem {
    fn from(faults: Faults) -> Self {
        Self::invalid(faults)
    }
}

impl From<service::Error> for Problem {
    fn from(error: service::Error) -> Self {
        use service::Error;
        match error {
            Error::Invalid(faults) => Self::invalid(faults),
            Error::Duplicate { field, detail } => Self {
                errors: Faults::field(field, detail),
                ..Self::new(Kind::Duplicate, format!("{field}: {detail}. Nothing was written."))
            },
            Error::TenantInUse => Self::new(Kind::TenantInUse, "The tenant has live users: delete them first."),
            Error::NotFound(what) => Self::new(Kind::NotFound, format!("There is no such {what}, or the token does not reach it.")),
            Error::PreconditionFailed(detail) => Self::new(Kind::PreconditionFailed, detail),
            Error::TenantSuspended => {
                Self::new(Kind::TenantSuspended, "The tenant is suspended: an administrator of tenants can bring it back.")
            }
            Error::Forbidden(detail) => Self::new(Kind::InsufficientScope, detail),
            Error::KeyReused => Self::new(
                Kind::KeyReused,
                "This Idempotency-Key was used within the last 24 hours for a request with other content: send a new key with a new request.",
            ),
            Error::AnswerErased => Self::new(Kind::AnswerErased, "The request was carried out, but what it answered was purged since."),
            Error::TooBroad(cause) => Self::new(
                Kind::TooBroad,
                "No index serves this search within its budget: add a word to query, or a filter on user_id, email_id or mobile.",
            )
            .because(cause),
            Error::Contended => Self::new(Kind::Contended, "Others kept changing this at the same time: try again."),
            Error::Unavailable(cause) => Self::new(Kind::Unavailable, "The database is not available: try again shortly.").because(cause),
            Error::UnsupportedImage => Self::new(
                Kind::UnsupportedMediaType,
                "This is no JPEG, PNG, WebP or GIF: its content tells, not its name or its Content-Type.",
            ),
            Error::UnusableImage(detail) => Self::new(Kind::UnusableImage, format!("The image {detail}.")),
            Error::Busy => Self::new(Kind::Overloaded, "This node has all the images at work that it can: try again."),
            Error::ImagesUnavailable(cause) => {
                Self::new(Kind::Unavailable, "Images are not available: try again shortly. Everything else is.").because(cause)
            }
            Error::Internal(cause) => Self::internal(cause),
        }
    }
}
