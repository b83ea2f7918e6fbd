//! The change log. Its ids are given by the one writer at a time, so they are in the order of the commits.

use super::{Sqlite, rows};
use crate::domain::change::{Change, ChangeKind, ChangePosition};
use crate::domain::clock::TimestampMs;
use crate::domain::profile::UserId;
use crate::domain::tenant::TenantName;
use crate::domain::version::Version;
use crate::store::{ChangeStore, Result, StoreError};
use async_trait::async_trait;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

statements! {
    INSERT_CHANGE = "INSERT INTO changes (tenant_name, user_id, profile_id, kind, version, changed_by, changed_at, changed_fields)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    READ_CHANGES = "SELECT change_id, tenant_name, user_id, profile_id, kind, version, changed_by, changed_at, changed_fields
        FROM changes WHERE change_id > ?1 ORDER BY change_id LIMIT ?2";
}

/// Logs a change, within the savepoint of the write that it tells of.
pub(super) fn insert_change(connection: &Connection, change: &Change) -> Result<()> {
    let changed_fields = serde_json::to_string(&change.changed_fields).map_err(StoreError::internal)?;
    connection.prepare_cached(INSERT_CHANGE)?.execute(params![
        change.tenant_name.as_str(),
        change.user_id.as_ref().map(UserId::as_str),
        change.profile_id.as_ref().map(|id| id.0.as_bytes().as_slice()),
        change.kind.as_str(),
        change.version.map(|version| version.0),
        change.changed_by,
        change.changed_at.0,
        changed_fields,
    ])?;
    Ok(())
}

#[async_trait]
impl ChangeStore for Sqlite {
    async fn read_changes(&self, after: ChangePosition, limit: u32) -> Result<Vec<(ChangePosition, Change)>> {
        self.read_aside(move |connection| {
            let mut statement = connection.prepare_cached(READ_CHANGES)?;
            let changes = statement.query_map(params![after.change_id, limit], positioned_change)?;
            Ok(changes.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

fn positioned_change(row: &Row<'_>) -> rusqlite::Result<(ChangePosition, Change)> {
    let position = ChangePosition { transaction_id: 0, change_id: row.get(0)? };
    let profile_id = match row.get_ref(3)?.data_type() {
        Type::Null => None,
        _ => Some(rows::profile_id(row, 3)?),
    };
    let kind: String = row.get(4)?;
    let kind = ChangeKind::from_stored(&kind).ok_or_else(|| rows::unreadable(4, Type::Text, format!("{kind} is no kind of change")))?;
    let fields: String = row.get(8)?;
    let change = Change {
        tenant_name: TenantName::from_stored(row.get(1)?),
        user_id: row.get::<_, Option<String>>(2)?.map(UserId::from_stored),
        profile_id,
        kind,
        version: row.get::<_, Option<i64>>(5)?.map(Version),
        changed_by: row.get(6)?,
        changed_at: TimestampMs(row.get(7)?),
        changed_fields: serde_json::from_str(&fields).map_err(|e| rows::unreadable(8, Type::Text, e))?,
    };
    Ok((position, change))
}
