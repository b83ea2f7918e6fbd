//! The change log.

use super::Postgres;
use super::rows;
use crate::domain::change::{Change, ChangePosition};
use crate::store::ChangeStore;
use crate::store::error::Result;
use async_trait::async_trait;

/// Only what stands below the oldest transaction still running: everything below it has ended, so nothing can appear
/// there later.
pub(super) const READ_CHANGES: &str = "\
SELECT transaction_id, change_id, tenant_name, user_id, profile_id, kind, version, changed_by, changed_at, changed_fields
FROM changes
WHERE (transaction_id, change_id) > ($1::bigint, $2::bigint)
AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY transaction_id, change_id LIMIT $3";

#[async_trait]
impl ChangeStore for Postgres {
    async fn read_changes(&self, after: ChangePosition, limit: u32) -> Result<Vec<(ChangePosition, Change)>> {
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&after.transaction_id, &after.change_id, &i64::from(limit)];
        let rows = self.pool.query(READ_CHANGES, &params).await?;
        rows.iter().map(rows::change).collect()
    }
}
