//! One request as the service sees it.

use crate::domain::caller::{Reach, TenantAccess};
use crate::domain::idempotency::{Attempt, Concerns, Record, Written};
use crate::domain::tenant::TenantName;

/// A request within one tenant, already permitted.
#[derive(Debug, Clone)]
pub struct Call {
    pub tenant: TenantName,
    /// The token's subject.
    pub subject: String,
    /// Whose data it may reach.
    pub reach: Reach,
    /// Set when the client named an idempotency key.
    pub attempt: Option<Attempt>,
}

/// A request that administers tenants.
#[derive(Debug, Clone)]
pub struct AdminCall {
    pub subject: String,
    pub tenants: TenantAccess,
    pub attempt: Option<Attempt>,
}

/// What is to be recorded if the client named a key.
pub(super) fn record(attempt: Option<&Attempt>, concerns: Concerns, answer: &Written) -> Option<Record> {
    attempt.map(|attempt| Record { attempt: attempt.clone(), concerns, answer: answer.clone() })
}
