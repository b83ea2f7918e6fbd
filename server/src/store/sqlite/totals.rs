//! What the change log tells of a total that is remembered.

use crate::domain::search::Search;
use crate::domain::tenant::TenantName;
use crate::store::route::{Counted, MOST_CHANGES, Since};
use crate::store::{Result, StoreError};
use rusqlite::{Connection, params};
use uuid::Uuid;

statements! {
    /// Of each change whether it concerns all of the tenant, or its profile, and which that is.
    READ_SINCE = "SELECT tenant_name = ?2 AND kind IN ('tenant_created', 'tenant_deleted'), tenant_name = ?2 AND CASE
            WHEN kind IN ('profile_deleted', 'profile_purged') THEN 1
            WHEN kind = 'profile_updated' THEN ?3 IS NULL OR EXISTS (
                SELECT 1 FROM json_each(changed_fields) AS changed JOIN json_each(?3) AS searched ON changed.value = searched.value)
            WHEN kind = 'profile_restored' THEN ?3 IS NULL
            ELSE 0 END, profile_id
        FROM changes WHERE change_id > ?1 ORDER BY change_id LIMIT ?4";
    READ_POSITION = "SELECT coalesce(max(change_id), 0) FROM changes";
}

/// What was changed since that count, as far as it concerns the search.
pub(super) fn since(connection: &Connection, tenant: &TenantName, search: &Search, before: &Counted) -> Result<Since> {
    let fields = search.fields().map(|fields| serde_json::to_string(&fields)).transpose().map_err(StoreError::internal)?;
    let at = position(connection)?;
    let values = params![before.at, tenant.as_str(), fields, i64::from(MOST_CHANGES) + 1];
    let mut since = Since { changes: 0, all: false, lost: Vec::new(), at };
    let mut statement = connection.prepare_cached(READ_SINCE)?;
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        since.changes += 1;
        since.all |= row.get::<_, bool>(0)?;
        if row.get(1)? {
            since.lost.extend(row.get::<_, Option<[u8; 16]>>(2)?.map(Uuid::from_bytes));
        }
    }
    Ok(since)
}

/// The last change that this snapshot sees.
pub(super) fn position(connection: &Connection) -> Result<i64> {
    Ok(connection.prepare_cached(READ_POSITION)?.query_row([], |row| row.get(0))?)
}
