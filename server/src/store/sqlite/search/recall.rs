//! A search that is remembered: what the change log tells of it, and its page from those who may be on it.

use super::super::rows;
use super::Run;
use crate::domain::grams::Grams;
use crate::domain::profile::Profile;
use crate::domain::search::RouteStep;
use crate::domain::search_text::search_doc;
use crate::domain::tenant::TenantName;
use crate::store::Result;
use crate::store::route::{Change, Changes, MOST_CHANGES, Recall, Together, Wanted};
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use std::collections::HashMap;
use uuid::Uuid;

statements! {
    READ_CHANGES = "SELECT change_id, tenant_name, profile_id FROM changes
        WHERE change_id >= ?1 AND (profile_id IS NOT NULL OR kind IN ('tenant_created', 'tenant_deleted')) ORDER BY change_id LIMIT ?2";
    READ_POSITION = "SELECT coalesce(max(change_id), 0) + 1 FROM changes";
    READ_CHANGED = concat!("SELECT ", profile_columns!(), " FROM profiles WHERE tenant_name = ?1 AND profile_id = ?2");
}

/// Behind the last change that this snapshot sees.
pub(super) fn position(connection: &Connection) -> Result<i64> {
    Ok(connection.prepare_cached(READ_POSITION)?.query_row([], |row| row.get(0))?)
}

fn changes(connection: &Connection, from: i64) -> Result<Vec<Change>> {
    let mut statement = connection.prepare_cached(READ_CHANGES)?;
    let changes = statement.query_map(params![from, MOST_CHANGES + 1], |row| {
        Ok(Change {
            position: row.get(0)?,
            change_id: row.get(0)?,
            tenant: TenantName::from_stored(row.get(1)?),
            profile: row.get::<_, Option<[u8; 16]>>(2)?.map(Uuid::from_bytes),
            grams: None,
        })
    });
    Ok(changes?.collect::<rusqlite::Result<_>>()?)
}

impl Run<'_> {
    /// The page, if it is remembered and what was changed since leaves no doubt about it.
    pub(super) fn recalled(&mut self, wanted: &Wanted) -> Result<Option<Together>> {
        let Some(from) = self.asked.read_from() else { return Ok(None) };
        let seen = Changes { changes: changes(self.connection, from)?, at: self.at };
        self.asked.note(&seen);
        self.tell_grams()?;
        let Recall { page, at_least } = self.asked.recall(&seen, &wanted.conjuncts);
        self.at_least = at_least;
        let Some(recalled) = page else { return Ok(None) };
        let to_read = recalled.to_read();
        let read = self.read(&to_read)?;
        self.route.push(RouteStep::new("remembered page", recalled.hits() as f64, to_read.len() as i64));
        Ok(self.asked.put_together(&recalled, read, self.subject.search.sort, self.at))
    }

    /// The hits among those with these ids, in no order.
    fn read(&self, ids: &[Uuid]) -> Result<Vec<Profile>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = self.subject.read(ids);
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        let hits = statement.query_map(params_from_iter(&sql.values), rows::profile)?;
        Ok(hits.collect::<rusqlite::Result<_>>()?)
    }

    fn tell_grams(&self) -> Result<()> {
        let untold = self.asked.untold(self.at);
        let tenant = self.subject.tenant;
        let mut told = HashMap::with_capacity(untold.len());
        for id in &untold {
            let mut statement = self.connection.prepare_cached(READ_CHANGED)?;
            let profile = statement.query_row(params![tenant.as_str(), id.as_bytes()], rows::profile).optional()?;
            told.extend(profile.map(|profile| (*id, Grams::of(tenant).of_profile(&profile, &search_doc(&profile)))));
        }
        self.asked.tell(self.at, &untold, &told);
        Ok(())
    }
}
