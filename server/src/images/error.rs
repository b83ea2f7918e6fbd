//! What can go wrong with an image. The words for the client are in `Unsupported` and `Unusable`; a cause is for the
//! log alone.

type Cause = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// By its content, it is in none of the formats that are taken.
    #[error("not an image of a kind that is taken")]
    Unsupported,
    /// A sentence that begins behind "The image".
    #[error("the image {0}")]
    Unusable(String),
    /// All places are taken.
    #[error("too many images are at work at once")]
    Busy,
    #[error("no such object")]
    NotFound,
    /// The object store is not reachable, or refuses.
    #[error("the image store is unavailable")]
    Unavailable(#[source] Cause),
    #[error("an image could not be processed")]
    Internal(#[source] Cause),
}

pub type Result<T> = std::result::Result<T, ImageError>;

impl ImageError {
    pub fn unusable(detail: impl Into<String>) -> Self {
        Self::Unusable(detail.into())
    }

    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<object_store::Error> for ImageError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            // A wrong key, a bucket that is gone, a full disk: whatever it is, images cannot be kept or shown now.
            other => Self::Unavailable(Box::new(other)),
        }
    }
}
