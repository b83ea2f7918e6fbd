//! The texts of a search: one for each step that the router may take. Each is made for the search at hand; values are
//! parameters, always.
//!
//! They are shaped so that the planner has no choice that could hurt: whether a row is a hit stands in the select list,
//! where no index fits it, and `CROSS JOIN` has the grams come before the rows.

use super::super::filter::Sql;
use super::super::grams;
use crate::domain::filter::Filter;
use crate::domain::profile::ProfileId;
use crate::domain::search::{Position, Search, Sort, SortField, SortKey};
use crate::domain::tenant::TenantName;
use crate::store::route::Conjunct;
use rusqlite::types::Value;
use uuid::Uuid;

const FROM_GRAMS: &str = " FROM profile_grams CROSS JOIN profiles ON profile_number = profile_grams.rowid WHERE profile_grams MATCH ";

/// What all statements of a search share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub tenant: &'a TenantName,
    pub search: &'a Search,
}

/// How a statement finds its candidates.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lookup<'a> {
    /// One gram of each.
    Grams(&'a [&'a Conjunct]),
    /// Conditions with an index of their own.
    Keyed(&'a [Filter]),
    /// Those with these numbers, a JSON array.
    Numbers(&'a str),
    /// All of the tenant.
    Whole,
}

/// A part of the order that one statement can read off an index.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stretch {
    Whole,
    /// Those that have a value, behind a position.
    Valued {
        after: Option<(Value, ProfileId)>,
    },
    /// Those that have none, behind an id.
    Missing {
        after: Option<ProfileId>,
    },
}

/// What stands behind a position, piece by piece: a condition for all of it at once would use no index.
pub(super) fn stretches(sort: Sort, after: Option<&Position>) -> Vec<Stretch> {
    let Some(Position { key, profile_id }) = after else { return vec![Stretch::Whole] };
    let value = match key {
        SortKey::Integer(integer) => Value::Integer(*integer),
        SortKey::Text(text) => Value::Text(text.clone()),
        SortKey::Missing if sort.descending => {
            return vec![Stretch::Missing { after: Some(*profile_id) }, Stretch::Valued { after: None }];
        }
        SortKey::Missing => return vec![Stretch::Missing { after: Some(*profile_id) }],
    };
    let valued = Stretch::Valued { after: Some((value, *profile_id)) };
    if sort.descending || !may_be_missing(sort.field) { vec![valued] } else { vec![valued, Stretch::Missing { after: None }] }
}

impl Subject<'_> {
    /// The condition that every hit fulfils. What is cheap to judge comes first.
    fn push_hit(self, sql: &mut Sql) {
        // With the sign no index fits it; where one should, the tenant is named once more.
        sql.push("+tenant_name = ");
        sql.bind(self.tenant.as_str().to_owned());
        if !self.search.include_deleted {
            sql.push(" AND deleted_at IS NULL");
        }
        for needle in &self.search.needles {
            sql.push(" AND instr(search_doc, ");
            sql.bind(needle.clone());
            sql.push(") > 0");
        }
        if let Some(filter) = &self.search.filter {
            sql.push(" AND ");
            sql.push_filter(filter);
        }
    }

    fn push_of_tenant(self, sql: &mut Sql) {
        sql.push("tenant_name = ");
        sql.bind(self.tenant.as_str().to_owned());
    }

    /// The tenant's profiles in sort order: the number of each, and whether it is a hit.
    pub fn scan(self, stretch: &Stretch) -> Sql {
        let Sort { field, descending } = self.search.sort;
        let mut sql = Sql::default();
        sql.push("SELECT profile_number, (");
        self.push_hit(&mut sql);
        sql.push(") IS TRUE FROM profiles WHERE ");
        self.push_of_tenant(&mut sql);
        let column = column(field);
        let (direction, behind) = if descending { ("DESC", "<") } else { ("ASC", ">") };
        match stretch {
            Stretch::Whole => {}
            Stretch::Valued { after: None } => sql.push(&format!(" AND {column} IS NOT NULL")),
            Stretch::Valued { after: Some((value, profile_id)) } => {
                sql.push(&format!(" AND ({column}, profile_id) {behind} ("));
                sql.bind(value.clone());
                sql.push(", ");
                sql.bind(profile_id.0.as_bytes().to_vec());
                sql.push(")");
            }
            Stretch::Missing { after } => {
                sql.push(&format!(" AND {column} IS NULL"));
                if let Some(profile_id) = after {
                    sql.push(&format!(" AND profile_id {behind} "));
                    sql.bind(profile_id.0.as_bytes().to_vec());
                }
            }
        }
        // SQLite takes NULL for the least value, this order for the greatest; and an index does not mind.
        let nulls = match (stretch, descending) {
            (Stretch::Whole, true) if may_be_missing(field) => " NULLS FIRST",
            (Stretch::Whole, false) if may_be_missing(field) => " NULLS LAST",
            _ => "",
        };
        sql.push(&format!(" ORDER BY {column} {direction}{nulls}, profile_id {direction}"));
        sql
    }

    fn push_candidates(self, lookup: Lookup<'_>, sql: &mut Sql) {
        if let Lookup::Grams(conjuncts) = lookup {
            sql.push(FROM_GRAMS);
            sql.bind(grams::all_of(conjuncts));
            return;
        }
        if let Lookup::Numbers(numbers) = lookup {
            sql.push(" FROM json_each(");
            sql.bind(numbers.to_owned());
            sql.push(") AS listed CROSS JOIN profiles ON profile_number = listed.value WHERE TRUE");
            return;
        }
        sql.push(" FROM profiles WHERE ");
        self.push_of_tenant(sql);
        match lookup {
            Lookup::Keyed(conditions) => {
                for condition in conditions {
                    sql.push(" AND ");
                    sql.push_filter(condition);
                }
            }
            Lookup::Grams(_) | Lookup::Numbers(_) | Lookup::Whole => {}
        }
    }

    /// The candidates in any order, `limit` at most: number, key, id, and whether it is a hit.
    pub fn look_up(self, lookup: Lookup<'_>, limit: i64) -> Sql {
        let mut sql = Sql::default();
        sql.push("SELECT profile_number, ");
        match self.search.sort.field {
            SortField::Distance(center) => sql.push_distance(&center),
            field => sql.push(column(field)),
        }
        sql.push(", profile_id, (");
        self.push_hit(&mut sql);
        sql.push(") IS TRUE");
        self.push_candidates(lookup, &mut sql);
        sql.push(" LIMIT ");
        sql.bind(limit);
        sql
    }

    /// The hits among those with these ids, in no order.
    pub fn read(self, ids: &[Uuid]) -> Sql {
        let mut sql = Sql::default();
        sql.push(concat!("SELECT ", profile_columns!(), " FROM profiles WHERE "));
        self.push_of_tenant(&mut sql);
        push_one_of(ids, &mut sql);
        // Not so as an index of the filter's could fit it.
        sql.push(" AND (");
        self.push_hit(&mut sql);
        sql.push(") IS TRUE");
        sql
    }

    /// The ids of the hits, in no order and no more than `most`.
    pub fn count(self, lookup: Lookup<'_>, most: u32) -> Sql {
        let mut sql = Sql::default();
        sql.push("SELECT profile_id");
        self.push_candidates(lookup, &mut sql);
        sql.push(" AND ");
        self.push_hit(&mut sql);
        sql.push(" LIMIT ");
        sql.bind(i64::from(most));
        sql
    }
}

/// Of as many ids as fit one of a few texts, so that these are kept: the last one stands in several places.
fn push_one_of(ids: &[Uuid], sql: &mut Sql) {
    let places = ids.len().max(16).next_power_of_two();
    sql.push(" AND profile_id IN (");
    let last = ids.last().copied().unwrap_or_default();
    for place in 0..places {
        sql.push(if place == 0 { "" } else { ", " });
        sql.bind(ids.get(place).unwrap_or(&last).as_bytes().to_vec());
    }
    sql.push(")");
}

/// The column that holds the key of an order. A distance has none, and is never scanned for.
fn column(field: SortField) -> &'static str {
    match field {
        SortField::FullName => "full_name_key",
        SortField::EmailId => "email_key",
        SortField::Distance(_) => "NULL",
        other => other.as_str(),
    }
}

fn may_be_missing(field: SortField) -> bool {
    match field {
        SortField::FullName | SortField::CreatedAt | SortField::UpdatedAt | SortField::UserId => false,
        SortField::BirthDate | SortField::CityId | SortField::CountryId | SortField::EmailId | SortField::Distance(_) => true,
    }
}
