//! Tokens: from the bearer's string to a `Caller`, or a refusal that an honest developer understands.
//!
//! `verifier` is the way of a token of an issuer: `cache` (verified before?), `jose` (its form), `jwks` and `jwt` (its
//! key, signature and claims) or `introspection` (an opaque one), `claims` (the caller). `local` is for development.

pub mod cache;
pub mod claims;
pub mod discovery;
pub mod introspection;
pub mod jose;
pub mod jwk;
pub mod jwks;
pub mod jwt;
pub mod local;
pub mod outbound;
pub mod verifier;

use crate::domain::caller::Caller;
use async_trait::async_trait;
use std::sync::Arc;

/// Why a token is not accepted. The text is for the client and tells nothing of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Invalid(String),
    /// The issuer would have to be asked and cannot be: nothing is known of the token. The cause is for the log.
    #[error("{detail}")]
    Unavailable { detail: String, cause: String },
}

impl Refusal {
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::Invalid(detail.into())
    }
}

/// Verifies bearer tokens.
#[async_trait]
pub trait TokenVerifier: Send + Sync {
    /// The caller whom the token speaks for.
    async fn verify(&self, token: &str) -> Result<Arc<Caller>, Refusal>;

    /// Whether tokens can be verified; `None` where that depends on nobody else.
    fn issuers_are_up(&self) -> Option<bool>;
}
