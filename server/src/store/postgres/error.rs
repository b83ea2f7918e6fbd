//! The one place where what PostgreSQL answers becomes a `StoreError`.

use super::tls;
use crate::domain::cause::chain;
use crate::store::error::{StoreError, Uniqueness};
use deadpool_postgres::PoolError;
use std::error::Error as _;
use std::io;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// What ended an attempt: still the driver's error, so that it can be judged whether to try again.
#[derive(Debug)]
pub(super) enum Failure {
    /// Decided by us; final.
    Store(StoreError),
    Driver(Error),
    /// There was no connection to be had, so nothing was sent.
    Pool(PoolError),
}

impl From<StoreError> for Failure {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

impl From<Error> for Failure {
    fn from(e: Error) -> Self {
        Self::Driver(e)
    }
}

impl From<PoolError> for Failure {
    fn from(e: PoolError) -> Self {
        Self::Pool(e)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(e) => e,
            Failure::Driver(e) => store_error(e),
            Failure::Pool(e) => Self::unavailable(pool_cause(e)),
        }
    }
}

impl Failure {
    fn driver(&self) -> Option<&Error> {
        match self {
            Self::Driver(e) => Some(e),
            Self::Pool(PoolError::Backend(e)) => Some(e),
            Self::Store(_) | Self::Pool(_) => None,
        }
    }

    fn has_code(&self, codes: &[SqlState]) -> bool {
        self.driver().and_then(Error::code).is_some_and(|code| codes.contains(code))
    }

    /// The statement's time was up.
    pub(super) fn is_timeout(&self) -> bool {
        self.has_code(&[SqlState::QUERY_CANCELED])
    }

    /// The transaction was undone for the sake of another one, and would go through now.
    pub(super) fn is_conflict(&self) -> bool {
        self.has_code(&[SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED])
    }

    /// The client's prepared statements no longer fit the schema, or are gone.
    pub(super) fn is_stale_plan(&self) -> bool {
        self.has_code(&[SqlState::FEATURE_NOT_SUPPORTED, SqlState::INVALID_SQL_STATEMENT_NAME])
    }

    /// A row that another one needs was to go, or was not there.
    pub(super) fn is_foreign_key(&self) -> bool {
        self.has_code(&[SqlState::FOREIGN_KEY_VIOLATION])
    }

    /// The server is no longer the primary.
    pub(super) fn is_read_only(&self) -> bool {
        self.has_code(&[SqlState::READ_ONLY_SQL_TRANSACTION])
    }

    /// The connection is gone; what was under way on it may or may not have happened.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Driver(e) if is_lost(e))
    }
}

/// Whether an error leaves the connection unusable.
pub(super) fn is_lost(e: &Error) -> bool {
    match e.code() {
        Some(code) => ends_the_session(code),
        None => e.is_closed() || e.source().is_some_and(<dyn std::error::Error>::is::<io::Error>),
    }
}

fn ends_the_session(code: &SqlState) -> bool {
    let ends = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::DATABASE_DROPPED,
        SqlState::IDLE_SESSION_TIMEOUT,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    code.code().starts_with("08") || ends.contains(code)
}

fn store_error(e: Error) -> StoreError {
    let Some(refusal) = e.as_db_error() else {
        return if is_lost(&e) { StoreError::unavailable(e) } else { StoreError::internal(e) };
    };
    let cause = Refusal::of(refusal);
    match *refusal.code() {
        SqlState::UNIQUE_VIOLATION => match refusal.constraint().and_then(Uniqueness::of_constraint) {
            Some(rule) => StoreError::Duplicate(rule),
            None => StoreError::internal(cause),
        },
        // Writes of a tenant's resources need the tenant's row; `tenants` says for itself what it means there.
        SqlState::FOREIGN_KEY_VIOLATION => StoreError::TenantUnknown,
        SqlState::QUERY_CANCELED
        | SqlState::LOCK_NOT_AVAILABLE
        | SqlState::T_R_SERIALIZATION_FAILURE
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::READ_ONLY_SQL_TRANSACTION
        | SqlState::TOO_MANY_CONNECTIONS => StoreError::unavailable(cause),
        ref code if ends_the_session(code) || code.code().starts_with("53") => StoreError::unavailable(cause),
        _ => StoreError::internal(cause),
    }
}

/// Why no connection could be had, in words without data.
fn pool_cause(e: PoolError) -> Box<dyn std::error::Error + Send + Sync> {
    match e {
        PoolError::Backend(e) => connect_cause(e),
        other => other.into(),
    }
}

/// Why a connection could not be made.
pub(super) fn connect_cause(e: Error) -> Box<dyn std::error::Error + Send + Sync> {
    match (e.as_db_error(), tls::advice(&e)) {
        (Some(refusal), _) => Refusal::of(refusal).into(),
        (None, Some(advice)) => format!("{}: {advice}", chain(&e)).into(),
        (None, None) => e.into(),
    }
}

/// What the log may know of a refusal. PostgreSQL's details quote values, and so do its messages about data.
#[derive(Debug, thiserror::Error)]
#[error("SQLSTATE {code}: {message}{place}")]
struct Refusal {
    code: String,
    message: String,
    place: String,
}

impl Refusal {
    fn of(e: &DbError) -> Self {
        let code = e.code().code();
        let quotes_values = code.starts_with("22") || code.starts_with("23");
        let message = if quotes_values { "the data was refused".to_owned() } else { e.message().to_owned() };
        let named = |what: &str, name: Option<&str>| name.map(|name| format!(", {what} {name}")).unwrap_or_default();
        let place = [named("constraint", e.constraint()), named("table", e.table()), named("column", e.column())].concat();
        Self { code: code.to_owned(), message, place }
    }
}
