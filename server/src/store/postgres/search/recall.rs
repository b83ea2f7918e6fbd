//! A search that is remembered: what the change log tells of it, and its page from those who may be on it.

use super::super::partitions::for_each_partition;
use super::super::pool::{Attempted, Session};
use super::statements::Lookup;
use super::{NO_CAP, Page, Run};
use crate::domain::tenant::TenantName;
use crate::store::route::{Change, Changes, MOST_CHANGES, Recall};
use std::collections::HashMap;
use uuid::Uuid;

/// A snapshot sees all that transactions before its `xmin` did: so what a later one sees besides was done by that one
/// or those behind it.
pub(in super::super) const READ_CHANGES: &str = "\
SELECT c.transaction_id, c.change_id, c.tenant_name, c.profile_id FROM changes c
WHERE c.transaction_id >= $1 AND (c.profile_id IS NOT NULL OR c.kind IN ('tenant_created', 'tenant_deleted'))
ORDER BY c.transaction_id, c.change_id LIMIT $2";

macro_rules! read_grams_in {
    ($partition:literal) => {
        concat!(
            "SELECT p.profile_id, p.grams FROM profiles_p",
            $partition,
            " p WHERE p.tenant_name = $1 AND p.profile_id = ANY ($2::uuid[])"
        )
    };
}

pub(in super::super) const READ_GRAMS_IN: [&str; 8] = for_each_partition!(read_grams_in);

/// What was changed from a position on.
pub(super) async fn changes(session: &Session, from: Option<i64>) -> Attempted<Option<Vec<Change>>> {
    let Some(from) = from else { return Ok(None) };
    let rows = session.query(READ_CHANGES, &[&from, &(i64::from(MOST_CHANGES) + 1)]).await?;
    let change = |row: &tokio_postgres::Row| -> Attempted<Change> {
        Ok(Change {
            position: row.try_get(0)?,
            change_id: row.try_get(1)?,
            tenant: TenantName::from_stored(row.try_get(2)?),
            profile: row.try_get(3)?,
        })
    };
    rows.iter().map(change).collect::<Attempted<_>>().map(Some)
}

impl Run<'_> {
    /// The page, if it is remembered and what was changed since leaves no doubt about it.
    pub(super) async fn recalled(&mut self, changes: Vec<Change>) -> Attempted<Option<Page>> {
        self.asked.note(Changes { changes, at: self.at });
        self.tell_grams().await?;
        let Recall { page, at_least } = self.asked.recall(self.at, &self.wanted.conjuncts);
        self.at_least = at_least;
        let Some(recalled) = page else { return Ok(None) };
        let found = self.look_up("remembered page", Lookup::Ids(&recalled.candidates), NO_CAP, 0.0).await?;
        let Some(Page { ids, total: Some(hits), .. }) = found else { return Ok(None) };
        Ok(recalled.holds(&ids, hits).map(|total| Page { ids, total, ..Page::default() }))
    }

    async fn tell_grams(&self) -> Attempted<()> {
        let mut untold = self.asked.untold(self.at);
        if untold.is_empty() {
            return Ok(());
        }
        let statement = self.subject.partition.of(&READ_GRAMS_IN);
        let rows = self.session.query(statement, &[&self.subject.tenant.as_str(), &untold]).await?;
        let mut told: HashMap<Uuid, Vec<i32>> = HashMap::with_capacity(rows.len());
        for row in &rows {
            let id = row.try_get(0)?;
            match row.try_get(1)? {
                Some(grams) => drop(told.insert(id, grams)),
                // A row of an earlier program may have any.
                None => untold.retain(|other| *other != id),
            }
        }
        self.asked.tell(self.at, &untold, &told);
        Ok(())
    }
}
