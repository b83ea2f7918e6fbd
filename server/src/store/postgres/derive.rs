//! Rows that were written before grams were: they get theirs. Searches find such rows in the meantime, only slower.

use super::pool::{Attempted, Pool, Session};
use super::rows::{self, profile_columns};
use crate::domain::grams::Grams;
use crate::domain::search_text::search_doc;
use crate::store::error::Result;
use uuid::Uuid;

/// So many at once: a transaction that holds locks for some milliseconds.
const ROWS: i64 = 200;

pub(super) const READ_WITHOUT_GRAMS: &str =
    concat!("SELECT ", profile_columns!("p"), " FROM profiles p WHERE p.grams IS NULL ORDER BY p.tenant_name LIMIT $1");

/// Only where the row is still as it was read. No change of the profile: neither its version nor the log knows of it.
pub(super) const WRITE_GRAMS: &str = "\
UPDATE profiles p SET grams = derived.grams::int[]
FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[]) AS derived (tenant_name, profile_id, version, grams)
WHERE p.tenant_name = derived.tenant_name AND p.profile_id = derived.profile_id AND p.version = derived.version AND p.grams IS NULL";

/// Until there is no such row.
pub(super) async fn derive_grams(pool: &Pool) -> Result<u64> {
    let mut derived = 0;
    loop {
        let some = pool.write(derive_some).await?;
        derived += some;
        if some == 0 {
            return Ok(derived);
        }
    }
}

async fn derive_some(session: Session) -> Attempted<u64> {
    let (mut tenants, mut ids, mut versions, mut grams) = (Vec::new(), Vec::<Uuid>::new(), Vec::new(), Vec::new());
    for row in session.query(READ_WITHOUT_GRAMS, &[&ROWS]).await? {
        let profile = rows::profile(&row, 0)?;
        let of_profile = Grams::of(&profile.tenant_name).all_of_profile(&profile, &search_doc(&profile));
        let list = of_profile.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        tenants.push(profile.tenant_name.as_str().to_owned());
        ids.push(profile.profile_id.0);
        versions.push(profile.version.0);
        grams.push(format!("{{{list}}}"));
    }
    if !ids.is_empty() {
        session.query(WRITE_GRAMS, &[&tenants, &ids, &versions, &grams]).await?;
    }
    Ok(ids.len() as u64)
}
