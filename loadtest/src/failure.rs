//! Why a run cannot go on.

/// The text is for the person at the terminal: what is wrong, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A cause, and what was being done when it came.
    pub fn when(what: &str) -> impl Fn(&dyn std::error::Error) -> Self {
        move |cause| Self(format!("{what}: {}", n_users::domain::cause::chain(cause)))
    }
}
