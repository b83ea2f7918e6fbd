//! What SQLite's errors mean to the contract: the one place where they are told apart.

use crate::store::{StoreError, Uniqueness};
use rusqlite::ffi::{self, ErrorCode};

/// SQLite names the columns of a unique index that refused a row, not the index.
const CONSTRAINT_OF_COLUMNS: [(&str, &str); 3] = [
    ("profiles.tenant_name, profiles.user_id, profiles.profile_type", "profiles_user_id_profile_type_key"),
    ("tenants.tenant_name", "tenants_pkey"),
    ("idempotency_keys.tenant_name, idempotency_keys.subject, idempotency_keys.idempotency_key", "idempotency_keys_pkey"),
];

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let Some((cause, message)) = parts(&error) else { return Self::internal(error) };
        match cause.code {
            ErrorCode::ConstraintViolation => of_constraint(cause, message).unwrap_or_else(|| Self::internal(error)),
            ErrorCode::OperationInterrupted => Self::TooSlow(error.into()),
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::SystemIoFailure
            | ErrorCode::DiskFull
            | ErrorCode::OutOfMemory
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied => Self::unavailable(error),
            _ => Self::internal(error),
        }
    }
}

fn parts(error: &rusqlite::Error) -> Option<(&ffi::Error, &str)> {
    match error {
        rusqlite::Error::SqliteFailure(cause, message) => Some((cause, message.as_deref().unwrap_or_default())),
        rusqlite::Error::SqlInputError { error, msg, .. } => Some((error, msg)),
        _ => None,
    }
}

fn of_constraint(cause: &ffi::Error, message: &str) -> Option<StoreError> {
    let name = match cause.extended_code {
        // The only foreign keys there are point at tenants.
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => return Some(StoreError::TenantUnknown),
        // Our triggers say the name of the constraint that they stand in for.
        ffi::SQLITE_CONSTRAINT_TRIGGER => message,
        _ => {
            let columns = message.strip_prefix("UNIQUE constraint failed: ")?;
            CONSTRAINT_OF_COLUMNS.iter().find(|(of_name, _)| *of_name == columns)?.1
        }
    };
    Uniqueness::of_constraint(name).map(StoreError::Duplicate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_list_stands_for_a_rule() {
        for (columns, name) in CONSTRAINT_OF_COLUMNS {
            assert!(Uniqueness::of_constraint(name).is_some(), "{columns} -> {name}");
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_is_internal() {
        assert!(matches!(StoreError::from(rusqlite::Error::QueryReturnedNoRows), StoreError::Internal(_)));
    }
}
