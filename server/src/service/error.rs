//! What can become of a request, in the words of the directory: no HTTP here and no SQL.

use crate::domain::invalid::Faults;
use crate::images::ImageError;
use crate::store::{StoreError, Uniqueness};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the input is invalid")]
    Invalid(Faults),
    /// Somebody else has it: the field, and a sentence for a person.
    #[error("duplicate {field}: {detail}")]
    Duplicate { field: &'static str, detail: &'static str },
    #[error("the tenant still has live users")]
    TenantInUse,
    /// There is none, or none for this caller.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// `If-Match` or `filter` does not hold.
    #[error("precondition failed: {0}")]
    PreconditionFailed(String),
    #[error("the tenant is suspended")]
    TenantSuspended,
    #[error("the caller may not do this: {0}")]
    Forbidden(&'static str),
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The first answer under this idempotency key was erased by a purge.
    #[error("the answer was erased by a purge")]
    AnswerErased,
    #[error("the search is too broad for its budget")]
    TooBroad(#[source] StoreError),
    /// Others changed the resource faster than this request could.
    #[error("too many concurrent changes")]
    Contended,
    #[error("a dependency is unavailable")]
    Unavailable(#[source] StoreError),
    /// By its content, it is in none of the formats that are taken.
    #[error("the image is of no kind that is taken")]
    UnsupportedImage,
    /// A sentence that begins behind "The image".
    #[error("the image {0}")]
    UnusableImage(String),
    /// All places for this kind of work are taken.
    #[error("too many images are at work at once")]
    Busy,
    #[error("the image store is unavailable")]
    ImagesUnavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

pub type Result<T> = std::result::Result<T, Error>;

impl From<Faults> for Error {
    fn from(faults: Faults) -> Self {
        Self::Invalid(faults)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Duplicate(Uniqueness::UserAndType) => {
                Self::Duplicate { field: "user_id", detail: "this user already has a profile of this profile_type" }
            }
            StoreError::Duplicate(Uniqueness::Email) => {
                Self::Duplicate { field: "email_id", detail: "this e-mail address belongs to another user of the tenant" }
            }
            StoreError::Duplicate(Uniqueness::Mobile) => {
                Self::Duplicate { field: "mobile", detail: "this mobile number belongs to another user of the tenant" }
            }
            StoreError::Duplicate(Uniqueness::TenantName) => {
                Self::Duplicate { field: "tenant_name", detail: "there is a tenant of this name" }
            }
            // The service looks the key up again before it lets this out; see `retry`.
            StoreError::Duplicate(Uniqueness::IdempotencyKey) => Self::Contended,
            StoreError::TenantUnknown => Self::NotFound("tenant"),
            StoreError::TenantSuspended => Self::TenantSuspended,
            StoreError::TenantInUse => Self::TenantInUse,
            error @ StoreError::TooSlow(_) => Self::TooBroad(error),
            error @ StoreError::Unavailable(_) => Self::Unavailable(error),
            error @ StoreError::Internal(_) => Self::Internal(Box::new(error)),
        }
    }
}

impl From<ImageError> for Error {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Unsupported => Self::UnsupportedImage,
            ImageError::Unusable(detail) => Self::UnusableImage(detail),
            ImageError::Busy => Self::Busy,
            ImageError::NotFound => Self::NotFound("image"),
            ImageError::Unavailable(cause) => Self::ImagesUnavailable(cause),
            ImageError::Internal(cause) => Self::Internal(cause),
        }
    }
}
