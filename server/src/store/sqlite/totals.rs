//! What the change log tells of a total that is remembered.

use crate::domain::search::Search;
use crate::domain::tenant::TenantName;
use crate::store::route::{Counted, MOST_CHANGES, Since};
use crate::store::{Result, StoreError};
use rusqlite::{Connection, params};

statements! {
    READ_SINCE = "SELECT count(*), coalesce(sum(CASE
            WHEN tenant_name <> ?2 THEN 0
            WHEN kind IN ('tenant_created', 'tenant_deleted') THEN 1000000000
            WHEN kind IN ('profile_deleted', 'profile_purged') THEN 1
            WHEN kind = 'profile_updated' THEN ?3 IS NULL OR EXISTS (
                SELECT 1 FROM json_each(changed_fields) AS changed JOIN json_each(?3) AS searched ON changed.value = searched.value)
            WHEN kind = 'profile_restored' THEN ?3 IS NULL
            ELSE 0 END), 0)
        FROM (SELECT tenant_name, kind, changed_fields FROM changes WHERE change_id > ?1 ORDER BY change_id LIMIT ?4)";
    READ_POSITION = "SELECT coalesce(max(change_id), 0) FROM changes";
}

/// What was changed since that count, as far as it concerns the search.
pub(super) fn since(connection: &Connection, tenant: &TenantName, search: &Search, before: Counted) -> Result<Since> {
    let fields = search.fields().map(|fields| serde_json::to_string(&fields)).transpose().map_err(StoreError::internal)?;
    let at = position(connection)?;
    let values = params![before.at, tenant.as_str(), fields, i64::from(MOST_CHANGES) + 1];
    let counts = connection.prepare_cached(READ_SINCE)?.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)));
    let (changes, lost) = counts?;
    Ok(Since { changes, lost, at })
}

/// The last change that this snapshot sees.
pub(super) fn position(connection: &Connection) -> Result<i64> {
    Ok(connection.prepare_cached(READ_POSITION)?.query_row([], |row| row.get(0))?)
}
