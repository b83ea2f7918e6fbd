//! What can go wrong below the rules. The public words are made above; the cause is for the log alone.

use std::error::Error as StdError;

type Cause = Box<dyn StdError + Send + Sync>;

/// What only the database can promise, and just refused to break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// A `(user_id, profile_type)` stands once among the live profiles of a tenant.
    UserAndType,
    /// An e-mail address belongs to one user.
    Email,
    /// A mobile number belongs to one user.
    Mobile,
    TenantName,
    /// The key was recorded by another request since it was looked up.
    IdempotencyKey,
}

impl Uniqueness {
    /// The one place where a constraint's name becomes a rule; both backends use the same names.
    pub fn of_constraint(name: &str) -> Option<Self> {
        // A partition's index carries the partition's own name: what counts is how the name ends.
        let ends = |suffix: &str| name.ends_with(suffix);
        match () {
            () if ends("user_id_profile_type_key") => Some(Self::UserAndType),
            () if ends("email_id_key") => Some(Self::Email),
            () if ends("mobile_key") => Some(Self::Mobile),
            () if ends("tenants_pkey") => Some(Self::TenantName),
            () if ends("idempotency_keys_pkey") => Some(Self::IdempotencyKey),
            () => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("a duplicate: {0:?}")]
    Duplicate(Uniqueness),
    #[error("no such tenant")]
    TenantUnknown,
    #[error("the tenant is suspended")]
    TenantSuspended,
    /// A tenant with live users is not deleted.
    #[error("the tenant has live users")]
    TenantInUse,
    /// The statement ran into its time limit and was stopped; nothing was changed.
    #[error("the statement took too long")]
    TooSlow(#[source] Cause),
    /// The database is not reachable, or broke off; a write may or may not have happened.
    #[error("the database is unavailable")]
    Unavailable(#[source] Cause),
    #[error("the database answered with an error")]
    Internal(#[source] Cause),
}

impl StoreError {
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }

    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;
