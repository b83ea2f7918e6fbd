//! A search that is remembered: what the change log tells of it, and its page from those who may be on it.

use super::super::partitions::{Partition, for_each_partition};
use super::super::pool::{Attempted, Session};
use super::super::rows;
use super::Run;
use crate::domain::profile::Profile;
use crate::domain::search::RouteStep;
use crate::domain::tenant::TenantName;
use crate::store::error::Result;
use crate::store::route::{Change, Changes, MOST_CHANGES, Recall, Together};
use std::collections::HashMap;
use tokio_postgres::Row;
use uuid::Uuid;

/// A snapshot sees all that transactions before its `xmin` did: so what a later one sees besides was done by that one
/// or those behind it. With the grams of one tenant's profiles.
macro_rules! read_changes_in {
    ($partition:literal) => {
        concat!(
            "SELECT c.transaction_id, c.change_id, c.tenant_name, c.profile_id, p.grams, c.tenant_name = $3 AND p.profile_id IS NULL ",
            "FROM (SELECT l.transaction_id, l.change_id, l.tenant_name, l.profile_id FROM changes l WHERE l.transaction_id >= $1 ",
            "AND (l.profile_id IS NOT NULL OR l.kind IN ('tenant_created', 'tenant_deleted')) ",
            "ORDER BY l.transaction_id, l.change_id LIMIT $2) AS c LEFT JOIN profiles_p",
            $partition,
            " p ON p.tenant_name = $3 AND p.profile_id = c.profile_id AND c.tenant_name = $3"
        )
    };
}

pub(in super::super) const READ_CHANGES_IN: [&str; 8] = for_each_partition!(read_changes_in);

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
pub(super) async fn changes(
    session: &Session,
    tenant: &TenantName,
    partition: Partition,
    from: Option<i64>,
) -> Attempted<Option<Vec<Change>>> {
    let Some(from) = from else { return Ok(None) };
    let most = i64::from(MOST_CHANGES) + 1;
    let rows = session.query(partition.of(&READ_CHANGES_IN), &[&from, &most, &tenant.as_str()]).await?;
    let change = |row: &Row| -> Attempted<Change> {
        let is_gone: bool = row.try_get(5)?;
        let grams: Option<Vec<i32>> = row.try_get(4)?;
        Ok(Change {
            position: row.try_get(0)?,
            change_id: row.try_get(1)?,
            tenant: TenantName::from_stored(row.try_get(2)?),
            profile: row.try_get(3)?,
            grams: grams.or(is_gone.then(Vec::new)),
        })
    };
    rows.iter().map(change).collect::<Attempted<_>>().map(Some)
}

impl Run<'_> {
    /// The page, if it is remembered and what was changed since leaves no doubt about it.
    pub(super) async fn recalled(&mut self, changes: Vec<Change>) -> Attempted<Option<Together>> {
        let seen = Changes { changes, at: self.at };
        self.asked.note(&seen);
        self.tell_grams().await?;
        let Recall { page, at_least } = self.asked.recall(&seen, &self.wanted.conjuncts);
        self.at_least = at_least;
        let Some(recalled) = page else { return Ok(None) };
        let to_read = recalled.to_read();
        let read = if to_read.is_empty() { Vec::new() } else { self.run(self.subject.read(&to_read)).await? };
        let read = read.iter().map(|row| rows::profile(row, 0)).collect::<Result<Vec<Profile>>>()?;
        self.route.push(RouteStep::new("remembered page", recalled.hits() as f64, to_read.len() as i64));
        Ok(self.asked.put_together(&recalled, read, self.subject.search.sort, self.at))
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
