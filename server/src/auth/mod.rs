//! Tokens: from the bearer's string to a `Caller`, or a refusal that an honest developer understands.

pub mod claims;
pub mod local;

use crate::domain::caller::Caller;
use async_trait::async_trait;

/// Why a token is not accepted. The text is for the client and tells nothing of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Invalid(String),
}

/// Verifies bearer tokens.
#[async_trait]
pub trait TokenVerifier: Send + Sync {
    /// The caller whom the token speaks for.
    async fn verify(&self, token: &str) -> Result<Caller, Refusal>;
}
