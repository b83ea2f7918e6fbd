//! Search: a page in strict order and a bounded count, from one snapshot and within a budget of time.

use super::filter::Sql;
use super::rows;
use super::tenants::open_tenant;
use crate::domain::profile::{Profile, ProfileId};
use crate::domain::search::{Found, MAX_TOTAL, Position, Route, Search, Sort, SortField, SortKey, Start, Total};
use crate::domain::tenant::TenantName;
use crate::store::Result;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::borrow::Cow;
use std::time::{Duration, Instant};

/// How many steps of SQLite's machine pass between two looks at the clock: well below a millisecond of work.
const STEPS_BETWEEN_LOOKS: i32 = 2_000;

const SELECT_PAGE: &str = concat!("SELECT ", profile_columns!(), " FROM profiles WHERE ");

/// Runs a search on a connection that nobody else uses.
pub(super) fn search(connection: &mut Connection, tenant: &TenantName, asked: &Search, budget: Duration) -> Result<Found> {
    let budgeted = Budgeted::start(connection, budget)?;
    let snapshot = budgeted.0.unchecked_transaction()?;
    open_tenant(&snapshot, tenant)?;
    let hits = hits(tenant, asked);
    let wanted = asked.limit as usize;
    let mut profiles = page(&snapshot, &hits, asked, wanted.saturating_add(1))?;
    let more = profiles.len() > wanted;
    profiles.truncate(wanted);
    let total = match seen_to_the_end(&asked.start, profiles.len(), more) {
        Some(total) => total,
        None => count(&snapshot, &hits)?,
    };
    Ok(Found { profiles, more, total: Total::of_counted(total), route: Route::default() })
}

/// A connection whose statements are interrupted when the time is up; afterwards it is as it was before.
struct Budgeted<'c>(&'c mut Connection);

impl<'c> Budgeted<'c> {
    fn start(connection: &'c mut Connection, budget: Duration) -> Result<Self> {
        let end = Instant::now().checked_add(budget);
        connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || end.is_some_and(|end| Instant::now() >= end)))?;
        Ok(Self(connection))
    }
}

impl Drop for Budgeted<'_> {
    fn drop(&mut self) {
        // Fails only on a connection that is closed.
        let _ = self.0.progress_handler(0, None::<fn() -> bool>);
    }
}

/// The condition that every hit fulfils. What is cheap to judge comes first.
fn hits(tenant: &TenantName, asked: &Search) -> Sql {
    let mut sql = Sql::default();
    sql.push("tenant_name = ");
    sql.bind(tenant.as_str().to_owned());
    if !asked.include_deleted {
        sql.push(" AND deleted_at IS NULL");
    }
    for needle in &asked.needles {
        sql.push(" AND instr(search_doc, ");
        sql.bind(needle.clone());
        sql.push(") > 0");
    }
    if let Some(filter) = &asked.filter {
        sql.push(" AND ");
        sql.push_filter(filter);
    }
    sql
}

/// At most `wanted` hits from the start on.
fn page(connection: &Connection, hits: &Sql, asked: &Search, wanted: usize) -> Result<Vec<Profile>> {
    let mut profiles = Vec::new();
    for stretch in stretches(asked.sort, &asked.start) {
        let missing = wanted - profiles.len();
        if missing == 0 {
            break;
        }
        let sql = stretch.of(hits, asked.sort, missing);
        let mut statement = connection.prepare_cached(&sql.text)?;
        for profile in statement.query_map(params_from_iter(&sql.values), rows::profile)? {
            profiles.push(profile?);
        }
    }
    Ok(profiles)
}

fn count(connection: &Connection, hits: &Sql) -> Result<i64> {
    let mut sql = hits.clone();
    sql.text = format!("SELECT count(*) FROM (SELECT 1 FROM profiles WHERE {} LIMIT ", hits.text);
    sql.bind(i64::from(MAX_TOTAL) + 1);
    sql.push(")");
    Ok(connection.prepare_cached(&sql.text)?.query_row(params_from_iter(&sql.values), |row| row.get(0))?)
}

/// How many hits there are, if the page itself tells.
fn seen_to_the_end(start: &Start, found: usize, more: bool) -> Option<i64> {
    match start {
        Start::Offset(offset) if !more && (found > 0 || *offset == 0) => Some(i64::from(*offset) + i64::try_from(found).ok()?),
        _ => None,
    }
}

/// A part of the order that one statement can read off an index.
enum Stretch {
    /// All of it, from an offset on.
    Whole { offset: u32 },
    /// Those that have a value, behind a position.
    Valued { after: Option<(Value, ProfileId)> },
    /// Those that have none, behind an id.
    Missing { after: Option<ProfileId> },
}

/// What stands behind the start, piece by piece: a condition for all of it at once would use no index.
fn stretches(sort: Sort, start: &Start) -> Vec<Stretch> {
    let Position { key, profile_id } = match start {
        Start::Offset(offset) => return vec![Stretch::Whole { offset: *offset }],
        Start::After(position) => position,
    };
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

impl Stretch {
    fn of(&self, hits: &Sql, sort: Sort, limit: usize) -> Sql {
        let column = column(sort.field);
        let (direction, behind) = if sort.descending { ("DESC", "<") } else { ("ASC", ">") };
        let mut sql = Sql { text: format!("{SELECT_PAGE}{}", hits.text), values: hits.values.clone() };
        match self {
            Self::Whole { .. } => {}
            Self::Valued { after: None } => sql.push(&format!(" AND {column} IS NOT NULL")),
            Self::Valued { after: Some((value, profile_id)) } => {
                sql.push(&format!(" AND ({column}, profile_id) {behind} ("));
                sql.bind(value.clone());
                sql.push(", ");
                sql.bind(profile_id.0.as_bytes().to_vec());
                sql.push(")");
            }
            Self::Missing { after } => {
                sql.push(&format!(" AND {column} IS NULL"));
                if let Some(profile_id) = after {
                    sql.push(&format!(" AND profile_id {behind} "));
                    sql.bind(profile_id.0.as_bytes().to_vec());
                }
            }
        }
        // SQLite takes NULL for the least value, this order for the greatest; and an index does not mind.
        let nulls = match self {
            Self::Whole { .. } if may_be_missing(sort.field) => {
                if sort.descending {
                    " NULLS FIRST"
                } else {
                    " NULLS LAST"
                }
            }
            _ => "",
        };
        sql.push(&format!(" ORDER BY {column} {direction}{nulls}, profile_id {direction} LIMIT "));
        sql.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        if let Self::Whole { offset: offset @ 1.. } = self {
            sql.push(" OFFSET ");
            sql.bind(i64::from(*offset));
        }
        sql
    }
}

/// What holds the key of the order: a column, or the distance from a centre.
fn column(field: SortField) -> Cow<'static, str> {
    match field {
        SortField::FullName => "full_name_key".into(),
        SortField::EmailId => "email_key".into(),
        // Numbers that were parsed as such.
        SortField::Distance(from) => format!("distance_mm(latitude, longitude, {:?}, {:?})", from.latitude, from.longitude).into(),
        other => other.as_str().into(),
    }
}

fn may_be_missing(field: SortField) -> bool {
    match field {
        SortField::FullName | SortField::CreatedAt | SortField::UpdatedAt | SortField::UserId => false,
        SortField::BirthDate | SortField::CityId | SortField::CountryId | SortField::EmailId | SortField::Distance(_) => true,
    }
}
