//! The texts of a search: one for each step that the router may take. Each is made for the search at hand; values are
//! parameters, always.
//!
//! They are shaped so that the planner has no choice that could hurt: a partition is named, a scan goes in an order
//! that has an index, and grams stand where no other index fits, for the tenant is compared in the select list.

use super::super::filter::{self, Value, Values, distance};
use super::super::partitions::Partition;
use super::super::rows::profile_columns;
use super::words::{Having, InOrder};
use crate::domain::birth_date::BirthDate;
use crate::domain::filter::Filter;
use crate::domain::profile::ProfileId;
use crate::domain::search::{Position, Search, Sort, SortField, SortKey, Start};
use crate::domain::tenant::TenantName;
use crate::store::error::{Result, StoreError};
use crate::store::route::{Conjunct, MOST_COUNTED, Words};
use uuid::Uuid;

/// A statement that is made for one search.
#[derive(Debug)]
pub(in super::super) struct Statement {
    pub text: String,
    pub values: Values,
}

/// What all statements of a search share.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Subject<'a> {
    pub tenant: &'a TenantName,
    /// That which the tenant is in.
    pub partition: Partition,
    pub search: &'a Search,
}

/// How a statement finds its candidates.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Lookup<'a> {
    /// One gram of each.
    Grams(&'a [&'a Conjunct]),
    /// Conditions with an index of their own.
    Keyed(&'a [Filter]),
    /// These words, at the ends of names or elsewhere.
    Words(&'a Words),
    /// The same, as far as they may be on the page in the order of names.
    WordsInOrder(&'a Words),
    /// Those of them who have the words at the ends of their names.
    EndsInOrder(&'a Words),
    /// All of the tenant.
    Whole,
}

/// A part of the order that a scan can read off an index.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Stretch {
    Whole,
    /// Those that have a value, behind a position.
    Valued {
        after: Option<Position>,
    },
    /// Those that have none, behind an id.
    Missing {
        after: Option<ProfileId>,
    },
}

/// What stands behind the start, piece by piece: a condition for all of it at once would use no index.
pub(in super::super) fn stretches(sort: Sort, after: Option<&Position>) -> Vec<Stretch> {
    let Some(position) = after else { return vec![Stretch::Whole] };
    let missing = Stretch::Missing { after: Some(position.profile_id) };
    match (&position.key, sort.descending) {
        (SortKey::Missing, true) => vec![missing, Stretch::Valued { after: None }],
        (SortKey::Missing, false) => vec![missing],
        (_, false) if may_be_missing(sort.field) => {
            vec![Stretch::Valued { after: Some(position.clone()) }, Stretch::Missing { after: None }]
        }
        _ => vec![Stretch::Valued { after: Some(position.clone()) }],
    }
}

impl Subject<'_> {
    pub(super) fn table(&self) -> String {
        format!("profiles_p{} p", self.partition.number())
    }

    /// What a profile of this tenant must fulfil to be a hit.
    fn is_hit(&self, tenant: &str, values: &mut Values) -> String {
        let mut all = vec![format!("p.tenant_name = {tenant}")];
        if !self.search.include_deleted {
            all.push("p.deleted_at IS NULL".to_owned());
        }
        all.extend(self.search.needles.iter().map(|needle| format!("strpos(p.search_doc, {}) > 0", values.text(needle))));
        all.extend(self.search.filter.as_ref().map(|filter| filter::condition(filter, values)));
        format!("({}) IS TRUE", all.join(" AND "))
    }

    /// Goes on in sort order for `rows` rows: the hits among them, `wanted` at most, and the last row if it gets there.
    pub(in super::super) fn scan(&self, stretch: &Stretch, rows: u32, wanted: u32) -> Result<Statement> {
        let mut values = Values::default();
        let tenant = values.text(self.tenant.as_str());
        let sort = self.search.sort;
        let column = sort_expression(sort.field, &mut values);
        let behind = match stretch {
            Stretch::Whole => String::new(),
            Stretch::Valued { after: None } => format!(" AND {column} IS NOT NULL"),
            Stretch::Valued { after: Some(position) } => format!(" AND {}", beyond(sort, &column, "p.profile_id", position, &mut values)?),
            Stretch::Missing { after } => {
                let behind = if sort.descending { "<" } else { ">" };
                let after = after.map(|id| format!(" AND p.profile_id {behind} {}", values.bind(Value::Id(id.0))));
                format!(" AND {column} IS NULL{}", after.unwrap_or_default())
            }
        };
        let hit = self.is_hit(&tenant, &mut values);
        let (rows, limit) = (values.bind(Value::Integer(rows.into())), values.bind(Value::Integer(i64::from(wanted) + 1)));
        let text = format!(
            "SELECT w.profile_id, w.sort_key, w.hit, w.nr = {rows} AS last FROM (\
             SELECT q.profile_id, q.sort_key, q.hit, row_number() OVER () AS nr FROM (\
             SELECT p.profile_id, {key} AS sort_key, {hit} AS hit FROM {table} \
             WHERE p.tenant_name = {tenant}{behind} {order} LIMIT {rows}) AS q) AS w \
             WHERE w.hit OR w.nr = {rows} LIMIT {limit}",
            key = shown(sort.field, &column),
            table = self.table(),
            order = order_by(sort, &column, "p.profile_id"),
        );
        Ok(Statement { text, values })
    }

    /// Reads `cap` candidates and one more: the page among them, and behind it a row without a profile that says how
    /// many candidates and how many hits there are, with the ids of as many of these as are counted. In the order of names the page's are told.
    pub(in super::super) fn look_up(&self, lookup: Lookup<'_>, cap: u32, wanted: u32) -> Result<Statement> {
        let mut values = Values::default();
        let tenant = values.text(self.tenant.as_str());
        let sort = self.search.sort;
        let column = sort_expression(sort.field, &mut values);
        let hit = self.is_hit(&tenant, &mut values);
        let cap = values.bind(Value::Integer(i64::from(cap) + 1));
        let select = format!("SELECT p.profile_id, {column} AS sort_key, {hit} AS hit FROM {}", self.table());
        let candidates = match lookup {
            Lookup::Grams(conjuncts) => format!(
                "({select} WHERE {} LIMIT {cap}) UNION ALL ({select} WHERE p.tenant_name = {tenant} AND p.grams IS NULL LIMIT {cap})",
                have(conjuncts, &mut values)
            ),
            Lookup::Keyed(conditions) => {
                let all: Vec<String> = conditions.iter().map(|one| filter::condition(one, &mut values)).collect();
                format!("{select} WHERE p.tenant_name = {tenant} AND {} LIMIT {cap}", all.join(" AND "))
            }
            Lookup::Words(words) | Lookup::WordsInOrder(words) | Lookup::EndsInOrder(words) => {
                let in_order = if let Lookup::Words(_) = lookup { None } else { Some(self.first(wanted, &mut values)?) };
                let only_ends = matches!(lookup, Lookup::EndsInOrder(_));
                let select = |within: &str, hit: &str| {
                    format!("SELECT p.profile_id, {column} AS sort_key, {hit} AS hit FROM {} WHERE {within}", self.table())
                };
                self.having(words, &Having { tenant: &tenant, hit: &hit, most: &cap, in_order, only_ends, select: &select }, &mut values)
            }
            Lookup::Whole => format!("{select} WHERE p.tenant_name = {tenant} LIMIT {cap}"),
        };
        let (behind, offset) = match &self.search.start {
            Start::Offset(offset) => (String::new(), *offset),
            Start::After(position) => (format!(" AND {}", beyond_any(sort, position, &mut values)?), 0),
        };
        let (limit, offset) = (values.bind(Value::Integer(wanted.into())), values.bind(Value::Integer(offset.into())));
        let order = order_by(sort, "h.sort_key", "h.profile_id");
        let name = if sort.field == SortField::FullName { "h.sort_key" } else { "NULL::text" };
        let text = format!(
            "WITH candidates AS MATERIALIZED ({candidates}) \
             (SELECT h.profile_id, 0::bigint, 0::bigint, NULL::uuid[], {name} FROM candidates h WHERE h.hit{behind} {order} LIMIT {limit} OFFSET {offset}) \
             UNION ALL SELECT NULL, count(*), count(*) FILTER (WHERE c.hit), \
             (SELECT array_agg(w.profile_id) FROM (SELECT a.profile_id FROM candidates a WHERE a.hit LIMIT {MOST_COUNTED}) AS w), NULL FROM candidates c"
        );
        Ok(Statement { text, values })
    }

    /// The hits among those with these ids, in no order.
    pub(in super::super) fn read(&self, ids: &[Uuid]) -> Statement {
        let mut values = Values::default();
        let tenant = values.text(self.tenant.as_str());
        let (ids, hit) = (values.bind(Value::Ids(ids.to_vec())), self.is_hit(&tenant, &mut values));
        let (columns, table) = (profile_columns!("p"), self.table());
        let text = format!("SELECT {columns} FROM {table} WHERE p.tenant_name = {tenant} AND p.profile_id = ANY ({ids}) AND {hit}");
        Statement { text, values }
    }

    /// What ends a statement that reads in sort order: behind the start, and no further than the page may reach.
    fn first(&self, wanted: u32, values: &mut Values) -> Result<InOrder> {
        let sort = self.search.sort;
        let column = sort_expression(sort.field, values);
        let (behind, offset) = match &self.search.start {
            Start::Offset(offset) => (String::new(), *offset),
            Start::After(position) => (format!(" AND {}", beyond(sort, &column, "p.profile_id", position, values)?), 0),
        };
        let rows = offset + wanted;
        let most = values.bind(Value::Integer(rows.into()));
        Ok(InOrder { end: format!("{behind} {} LIMIT {most}", order_by(sort, &column, "p.profile_id")), rows })
    }

    /// When the first and the last of the tenant's profiles were created.
    pub(in super::super) fn span(&self) -> Statement {
        let mut values = Values::default();
        let tenant = values.text(self.tenant.as_str());
        let end = |direction| {
            format!(
                "(SELECT p.created_at FROM {} WHERE p.tenant_name = {tenant} ORDER BY p.created_at {direction}, p.profile_id {direction} LIMIT 1)",
                self.table()
            )
        };
        Statement { text: format!("SELECT {}, {}", end("ASC"), end("DESC")), values }
    }

    /// The ids of the hits, in no order and no more than `most`.
    pub(in super::super) fn count(&self, lookup: Lookup<'_>, most: u32) -> Statement {
        let mut values = Values::default();
        let tenant = values.text(self.tenant.as_str());
        let hit = self.is_hit(&tenant, &mut values);
        let most = values.bind(Value::Integer(i64::from(most)));
        let table = self.table();
        let rows = match lookup {
            Lookup::Grams(conjuncts) => {
                // No index fits a comparison of this kind.
                let hit = hit.replacen("p.tenant_name =", "p.tenant_name IS NOT DISTINCT FROM", 1);
                format!(
                    "(SELECT p.profile_id FROM {table} WHERE {} AND {hit} LIMIT {most}) UNION ALL \
                     (SELECT p.profile_id FROM {table} WHERE p.tenant_name = {tenant} AND p.grams IS NULL AND {hit} LIMIT {most})",
                    have(conjuncts, &mut values)
                )
            }
            Lookup::Keyed(conditions) => {
                let all: Vec<String> = conditions.iter().map(|one| filter::condition(one, &mut values)).collect();
                format!("SELECT p.profile_id FROM {table} WHERE p.tenant_name = {tenant} AND {} AND {hit} LIMIT {most}", all.join(" AND "))
            }
            Lookup::Words(words) | Lookup::WordsInOrder(words) | Lookup::EndsInOrder(words) => {
                let hit = hit.replacen("p.tenant_name =", "p.tenant_name IS NOT DISTINCT FROM", 1);
                let select = |within: &str, hit: &str| format!("SELECT p.profile_id FROM {table} WHERE {within} AND {hit}");
                let having = Having { tenant: &tenant, hit: &hit, most: &most, in_order: None, only_ends: false, select: &select };
                self.having(words, &having, &mut values)
            }
            Lookup::Whole => format!(
                "SELECT p.profile_id FROM {table} WHERE p.tenant_name = {tenant} AND {hit} ORDER BY p.tenant_name, p.created_at DESC, p.profile_id DESC LIMIT {most}"
            ),
        };
        let text = format!(
            "SELECT coalesce(array_agg(counted.profile_id), '{{}}') \
             FROM (SELECT matching.profile_id FROM ({rows}) AS matching LIMIT {most}) AS counted"
        );
        Statement { text, values }
    }
}

/// The condition of having a gram of each.
fn have(conjuncts: &[&Conjunct], values: &mut Values) -> String {
    let single: Vec<i32> = conjuncts.iter().filter_map(|conjunct| only(&conjunct.any_of)).collect();
    let mut all = Vec::new();
    if !single.is_empty() {
        all.push(format!("p.grams @> {}", values.bind(Value::Grams(single))));
    }
    let several = conjuncts.iter().filter(|conjunct| only(&conjunct.any_of).is_none());
    all.extend(several.map(|conjunct| format!("p.grams && {}", values.bind(Value::Grams(conjunct.any_of.clone())))));
    all.join(" AND ")
}

fn only(grams: &[i32]) -> Option<i32> {
    match grams {
        [gram] => Some(*gram),
        _ => None,
    }
}

fn order_by(sort: Sort, column: &str, id: &str) -> String {
    let direction = if sort.descending { "DESC" } else { "ASC" };
    format!("ORDER BY {column} {direction}, {id} {direction}")
}

/// The value that rows are sorted by.
fn sort_expression(field: SortField, values: &mut Values) -> String {
    match field {
        SortField::FullName => "p.full_name_key".to_owned(),
        SortField::EmailId => "p.email_key".to_owned(),
        SortField::Distance(from) => distance(&from, values),
        plain => format!("p.{}", plain.as_str()),
    }
}

/// The same as it is read: a date as text, which does not depend on `DateStyle` this way.
fn shown(field: SortField, column: &str) -> String {
    if field == SortField::BirthDate { format!("to_char({column}, 'YYYY-MM-DD')") } else { column.to_owned() }
}

pub(in super::super) fn is_integer(field: SortField) -> bool {
    matches!(field, SortField::CreatedAt | SortField::UpdatedAt | SortField::Distance(_))
}

fn may_be_missing(field: SortField) -> bool {
    !matches!(field, SortField::FullName | SortField::CreatedAt | SortField::UpdatedAt | SortField::UserId)
}

/// Beyond a position that has a value, among those that have one.
fn beyond(sort: Sort, column: &str, id: &str, position: &Position, values: &mut Values) -> Result<String> {
    let behind = if sort.descending { "<" } else { ">" };
    let key = sort_key(sort.field, &position.key, values)?;
    Ok(format!("({column}, {id}) {behind} ({key}, {})", values.bind(Value::Id(position.profile_id.0))))
}

/// Beyond any position, among all: what is missing comes last ascending and first descending, as in `ORDER BY`.
fn beyond_any(sort: Sort, position: &Position, values: &mut Values) -> Result<String> {
    if position.key == SortKey::Missing {
        let id = values.bind(Value::Id(position.profile_id.0));
        return Ok(match sort.descending {
            false => format!("(h.sort_key IS NULL AND h.profile_id > {id})"),
            true => format!("((h.sort_key IS NULL AND h.profile_id < {id}) OR h.sort_key IS NOT NULL)"),
        });
    }
    let beyond = beyond(sort, "h.sort_key", "h.profile_id", position, values)?;
    Ok(if sort.descending { beyond } else { format!("({beyond} OR h.sort_key IS NULL)") })
}

/// The key as a parameter of the column's type.
fn sort_key(field: SortField, key: &SortKey, values: &mut Values) -> Result<String> {
    match (key, field) {
        (SortKey::Integer(at), _) if is_integer(field) => Ok(values.bind(Value::Integer(*at))),
        (SortKey::Text(date), SortField::BirthDate) if BirthDate::parse(date).is_ok() => Ok(format!("{}::date", values.text(date))),
        (SortKey::Text(text), _) if !is_integer(field) && field != SortField::BirthDate => Ok(values.text(text)),
        _ => Err(StoreError::internal("a position of another order")),
    }
}
