//! What the change log tells of a total that is remembered.

use super::super::pool::{Attempted, Session};
use crate::domain::search::Search;
use crate::domain::tenant::TenantName;
use crate::store::route::{Counted, MOST_CHANGES, Since};

/// A snapshot sees all that transactions before its `xmin` did: so what a later one sees besides was done by that one
/// or those behind it.
pub(in super::super) const READ_SINCE: &str = "\
SELECT count(*) AS changes, coalesce(sum(CASE
    WHEN c.tenant_name <> $2 THEN 0
    WHEN c.kind IN ('tenant_created', 'tenant_deleted') THEN 1000000000
    WHEN c.kind IN ('profile_deleted', 'profile_purged') THEN 1
    WHEN c.kind = 'profile_updated' THEN ($3::text[] IS NULL OR c.changed_fields && $3::text[])::int
    WHEN c.kind = 'profile_restored' THEN ($3::text[] IS NULL)::int
    ELSE 0 END), 0)::bigint AS lost, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS position
FROM (SELECT tenant_name, kind, changed_fields FROM changes WHERE transaction_id >= $1
      ORDER BY transaction_id, change_id LIMIT $4) AS c";

/// What was changed since that count, as far as it concerns the search.
pub(super) async fn since(session: &Session, tenant: &TenantName, search: &Search, before: Counted) -> Attempted<Since> {
    let (fields, most) = (search.fields(), i64::from(MOST_CHANGES) + 1);
    let row = session.query_one(READ_SINCE, &[&before.at, &tenant.as_str(), &fields, &most]).await?;
    Ok(Since { changes: row.try_get("changes")?, lost: row.try_get("lost")?, at: row.try_get("position")? })
}
