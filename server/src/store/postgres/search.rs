//! Search: a page in strict order, and how many there are, from one statement and so from one snapshot.

use super::Postgres;
use super::error::Failure;
use super::filter::{self, Value, Values};
use super::options::milliseconds;
use super::rows::{self, profile_column_names, profile_columns};
use crate::domain::birth_date::BirthDate;
use crate::domain::search::{Found, MAX_TOTAL, Position, Search, Sort, SortField, SortKey, Start, Total};
use crate::domain::tenant::TenantName;
use crate::store::error::{Result, StoreError};
use tokio_postgres::Row;

/// A statement that is made for one search.
struct Statement {
    text: String,
    values: Values,
}

impl Postgres {
    pub(super) async fn search(&self, tenant: &TenantName, search: &Search) -> Result<Found> {
        let statement = statement(tenant, search)?;
        let params: Vec<_> = statement.values.0.iter().map(Value::as_param).collect();
        // Its values decide how such a statement is best run, unlike those of the prepared ones.
        let begin = format!(
            "BEGIN READ ONLY; SET LOCAL statement_timeout = {}; SET LOCAL plan_cache_mode = force_custom_plan",
            milliseconds(self.search_budget)
        );
        let (text, params, begin) = (statement.text.as_str(), params.as_slice(), begin.as_str());
        let rows = self.pool.read(|session| async move { session.within(begin, session.run_once(text, params)).await });
        found(&rows.await.map_err(too_slow)?, search.limit)
    }
}

fn too_slow(failure: Failure) -> StoreError {
    let timeout = failure.is_timeout();
    match StoreError::from(failure) {
        StoreError::Unavailable(cause) if timeout => StoreError::TooSlow(cause),
        other => other,
    }
}

/// One row per profile of the page, or one without a profile; none when there is no such tenant.
fn statement(tenant: &TenantName, search: &Search) -> Result<Statement> {
    let mut values = Values::default();
    let tenant = values.text(tenant.as_str());
    let conditions = conditions(search, &tenant, &mut values);
    let column = sort_column(search.sort.field);
    let (behind, offset) = match &search.start {
        Start::Offset(offset) => (String::new(), *offset),
        Start::After(position) => (format!(" AND {}", behind(search.sort, position, &mut values)?), 0),
    };
    let direction = if search.sort.descending { "DESC" } else { "ASC" };
    let text = format!(
        "SELECT t.suspended, \
         CASE WHEN NOT t.suspended THEN \
         (SELECT count(*) FROM (SELECT FROM profiles p WHERE {conditions} LIMIT {count_limit}) AS counted) END, \
         page.profile_id IS NOT NULL, {columns} \
         FROM tenants t LEFT JOIN (SELECT {names}, {column} AS sort_key FROM profiles p WHERE {conditions}{behind} \
         ORDER BY {column} {direction}, p.profile_id {direction} LIMIT {limit} OFFSET {offset}) AS page ON NOT t.suspended \
         WHERE t.tenant_name = {tenant} \
         ORDER BY page.sort_key {direction}, page.profile_id {direction}",
        count_limit = MAX_TOTAL + 1,
        columns = profile_columns!("page"),
        names = profile_column_names!(),
        limit = u64::from(search.limit) + 1,
    );
    Ok(Statement { text, values })
}

/// What a profile must fulfil, wherever the page starts.
fn conditions(search: &Search, tenant: &str, values: &mut Values) -> String {
    let mut all = vec![format!("p.tenant_name = {tenant}")];
    if !search.include_deleted {
        all.push("p.deleted_at IS NULL".to_owned());
    }
    all.extend(search.needles.iter().map(|needle| format!("strpos(p.search_doc, {}) > 0", values.text(needle))));
    all.extend(search.filter.as_ref().map(|filter| filter::condition(filter, values)));
    all.join(" AND ")
}

fn sort_column(field: SortField) -> &'static str {
    match field {
        SortField::FullName => "p.full_name_key",
        SortField::CreatedAt => "p.created_at",
        SortField::UpdatedAt => "p.updated_at",
        SortField::BirthDate => "p.birth_date",
        SortField::CityId => "p.city_id",
        SortField::CountryId => "p.country_id",
        SortField::EmailId => "p.email_key",
        SortField::UserId => "p.user_id",
        SortField::Distance(_) => "sort_key",
    }
}

fn may_be_missing(field: SortField) -> bool {
    matches!(field, SortField::BirthDate | SortField::CityId | SortField::CountryId | SortField::EmailId)
}

/// What stands behind a position: what is missing comes last ascending and first descending, as in `ORDER BY`.
fn behind(sort: Sort, position: &Position, values: &mut Values) -> Result<String> {
    let column = sort_column(sort.field);
    let key = sort_key(sort.field, &position.key, values)?;
    let id = values.bind(Value::Id(position.profile_id.0));
    Ok(match (key, sort.descending) {
        (Some(key), false) if may_be_missing(sort.field) => {
            format!("((({column}, p.profile_id) > ({key}, {id})) OR {column} IS NULL)")
        }
        (Some(key), false) => format!("(({column}, p.profile_id) > ({key}, {id}))"),
        (Some(key), true) => format!("(({column}, p.profile_id) < ({key}, {id}))"),
        (None, false) => format!("({column} IS NULL AND p.profile_id > {id})"),
        (None, true) => format!("(({column} IS NULL AND p.profile_id < {id}) OR {column} IS NOT NULL)"),
    })
}

/// The key as a parameter of the column's type; `None` when it is missing.
fn sort_key(field: SortField, key: &SortKey, values: &mut Values) -> Result<Option<String>> {
    let is_time = matches!(field, SortField::CreatedAt | SortField::UpdatedAt);
    match (key, field) {
        (SortKey::Missing, _) => Ok(None),
        (SortKey::Integer(at), _) if is_time => Ok(Some(values.bind(Value::Integer(*at)))),
        (SortKey::Text(date), SortField::BirthDate) if BirthDate::parse(date).is_ok() => Ok(Some(format!("{}::date", values.text(date)))),
        (SortKey::Text(text), _) if !is_time && field != SortField::BirthDate => Ok(Some(values.text(text))),
        _ => Err(StoreError::internal("a position of another order")),
    }
}

fn found(rows: &[Row], limit: u32) -> Result<Found> {
    let first = rows.first().ok_or(StoreError::TenantUnknown)?;
    rows::in_service(first.try_get(0).map_err(StoreError::internal)?)?;
    let total = Total::of_counted(first.try_get(1).map_err(StoreError::internal)?);
    let mut profiles = Vec::with_capacity(rows.len());
    for row in rows {
        let present: bool = row.try_get(2).map_err(StoreError::internal)?;
        if present {
            profiles.push(rows::profile(row, 3)?);
        }
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = profiles.len() > limit;
    profiles.truncate(limit);
    Ok(Found { profiles, more, total })
}
