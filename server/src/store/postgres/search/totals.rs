//! What the change log tells of a total that is remembered.

use super::super::pool::{Attempted, Session};
use crate::domain::search::Search;
use crate::domain::tenant::TenantName;
use crate::store::route::{Counted, MOST_CHANGES, Since};

/// A snapshot sees all that transactions before its `xmin` did: so what a later one sees besides was done by that one
/// or those behind it.
pub(in super::super) const READ_SINCE: &str = "\
SELECT count(*) AS changes,
    coalesce(bool_or(c.tenant_name = $2 AND c.kind IN ('tenant_created', 'tenant_deleted')), false) AS all_lost,
    coalesce(array_agg(c.profile_id) FILTER (WHERE c.tenant_name = $2 AND CASE
        WHEN c.kind IN ('profile_deleted', 'profile_purged') THEN true
        WHEN c.kind = 'profile_updated' THEN $3::text[] IS NULL OR c.changed_fields && $3::text[]
        WHEN c.kind = 'profile_restored' THEN $3::text[] IS NULL
        ELSE false END), '{}') AS lost,
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS position
FROM (SELECT tenant_name, kind, profile_id, changed_fields FROM changes WHERE transaction_id >= $1
      ORDER BY transaction_id, change_id LIMIT $4) AS c";

/// What was changed since that count, as far as it concerns the search.
pub(super) async fn since(session: &Session, tenant: &TenantName, search: &Search, before: &Counted) -> Attempted<Since> {
    let (fields, most) = (search.fields(), i64::from(MOST_CHANGES) + 1);
    let row = session.query_one(READ_SINCE, &[&before.at, &tenant.as_str(), &fields, &most]).await?;
    let (changes, all) = (row.try_get("changes")?, row.try_get("all_lost")?);
    Ok(Since { changes, all, lost: row.try_get("lost")?, at: row.try_get("position")? })
}
