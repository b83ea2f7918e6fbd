//! Search: a page in strict order and how many there are, from one snapshot, by the steps that the router chooses.

mod count;
mod names;
mod period;
mod recall;
mod scan;
mod statements;
mod words;

use super::Postgres;
use super::error::Failure;
use super::filter::Value;
use super::frequencies::Frequencies;
use super::options::milliseconds;
use super::partitions::for_each_partition;
use super::pool::{Attempted, Session};
use super::rows::{self, profile_columns};
use super::timeline::Timeline;
use crate::domain::geo::Circle;
use crate::domain::grams::Grams;
use crate::domain::profile::{Profile, ProfileId};
use crate::domain::search::{Found, Position, RouteStep, Search, SortField, SortKey, Start};
use crate::domain::tenant::TenantName;
use crate::store::error::{Result, StoreError};
use crate::store::route::{
    Asked, Change, Conjunct, Costs, Expected, Known, Listed, Names, Outcome, Rings, Router, Step, Together, Wanted, Words,
};
use period::{InPeriod, Span};
#[cfg(test)]
pub(super) use recall::{READ_CHANGES_IN, READ_GRAMS_IN};
use scan::Scan;
use statements::{Lookup, Statement, Subject, is_integer};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Measured (docs/search-figures.md).
pub(super) const COSTS: Costs = Costs {
    scanned_row: 1.5,
    hit: 2.0,
    entry: 0.1,
    passed_entry: 0.003,
    passed_entries: 600.0,
    meeting: 0.015,
    list: 0.0,
    small_tenant: 1_000.0,
    least_scan: 300.0,
    marks: 200.0,
    part: 5.0,
    words: 60.0,
    read_name: 0.15,
    name: 0.3,
    passed_name: 0.05,
    remembered: Some(100),
};

/// Whether the tenant is suspended, and the snapshot's position in the change log. One row when there is such a tenant.
pub(super) const OPEN_TENANT: &str =
    "SELECT t.suspended, pg_snapshot_xmin(pg_current_snapshot())::text::bigint FROM tenants t WHERE t.tenant_name = $1";

macro_rules! read_page_in {
    ($partition:literal) => {
        concat!(
            "SELECT ",
            profile_columns!("p"),
            " FROM profiles_p",
            $partition,
            " p WHERE p.tenant_name = $1 AND p.profile_id = ANY ($2::uuid[])"
        )
    };
}

pub(super) const READ_PAGE_IN: [&str; 8] = for_each_partition!(read_page_in);

/// A place is looked for in so many cells of the map.
const MOST_CELLS: usize = 256;
/// How many candidates are read where nothing but the whole answers.
const NO_CAP: u32 = u32::MAX;

impl Postgres {
    pub(super) async fn search(&self, tenant: &TenantName, search: &Search) -> Result<Found> {
        let frequencies = self.frequencies.current(&self.pool);
        // Texts are made so that one plan is good for all values: the planner need not look at them.
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}; SET LOCAL enable_seqscan = off; \
             SET LOCAL enable_sort = off; SET LOCAL plan_cache_mode = force_generic_plan",
            milliseconds(self.search_budget)
        );
        let (begin, frequencies) = (begin.as_str(), &frequencies);
        let partition = self.partitions.of(tenant, &self.lanes).await?;
        let found = self.pool.read(|session| async move {
            let deadline = Instant::now() + self.search_budget;
            let asked = self.memory.of(tenant, search, self.pool.broken());
            let changes = recall::changes(&session, tenant, partition, asked.read_from());
            let open = [&tenant.as_str() as &(dyn ToSql + Sync)];
            let ((), tenants, changes) =
                futures::future::try_join3(session.begin(begin), session.query(OPEN_TENANT, &open), changes).await?;
            let row = tenants.first().ok_or(StoreError::TenantUnknown)?;
            rows::in_service(row.try_get(0)?)?;
            let subject = Subject { tenant, partition, search };
            let timeline = self.growth.timeline(&self.pool, tenant, partition, frequencies).unwrap_or_default();
            let guide = Guide { frequencies, timeline, costs: self.costs };
            let mut run = Run::new(&session, subject, guide, deadline, (&asked, row.try_get(1)?));
            run.found(changes).await
        });
        found.await.map_err(too_slow)
    }
}

fn too_slow(failure: Failure) -> StoreError {
    let timeout = failure.is_timeout();
    match StoreError::from(failure) {
        StoreError::Unavailable(cause) if timeout => StoreError::TooSlow(cause),
        other => other,
    }
}

/// What the way of a search is chosen by.
struct Guide<'a> {
    frequencies: &'a Arc<Frequencies>,
    timeline: Cow<'a, Timeline>,
    costs: Costs,
}

/// One search under way.
struct Run<'a> {
    session: &'a Session,
    subject: Subject<'a>,
    wanted: Wanted,
    /// Where that is all that is asked for.
    words: Option<Words>,
    guide: Guide<'a>,
    deadline: Instant,
    route: Vec<RouteStep>,
    /// Once it was asked for.
    span: Option<Span>,
    /// The last ring that was looked into, and how many hits it holds.
    ring: Option<(Circle, i64)>,
    asked: &'a Asked<'a>,
    /// The snapshot's position in the change log.
    at: i64,
    /// How many hits there are at least, if that is remembered and more than is told.
    at_least: Option<i64>,
}

/// The ids of a page, in order; and the count, where the step told, with as many of the hits as are counted.
#[derive(Default)]
struct Page {
    ids: Vec<Uuid>,
    /// Of each its name as it is compared, where the page is in that order.
    names: Vec<String>,
    total: Option<i64>,
    hits: Vec<Uuid>,
}

impl Page {
    /// Puts others in order among these, each once.
    fn add(&mut self, others: Self, descending: bool) {
        let [these, others] = [std::mem::take(self), others].map(|page| page.names.into_iter().zip(page.ids));
        let mut all: Vec<(String, Uuid)> = these.chain(others).collect();
        all.sort_unstable();
        all.dedup();
        if descending {
            all.reverse();
        }
        (self.names, self.ids) = all.into_iter().unzip();
    }

    /// Whether so many of these come before the end, up to where all hits are known.
    fn reaches(&self, wanted: usize, end: &Position, descending: bool) -> bool {
        let SortKey::Text(end) = &end.key else { return false };
        self.names.get(wanted - 1).is_some_and(|name| if descending { name >= end } else { name < end })
    }
}

impl<'a> Run<'a> {
    fn new(session: &'a Session, subject: Subject<'a>, guide: Guide<'a>, deadline: Instant, (asked, at): (&'a Asked<'a>, i64)) -> Self {
        let wanted = wanted(subject, guide.frequencies, subject.search);
        let words = Words::of(subject.tenant, subject.search).map(|words| words::expected(words, guide.frequencies, subject.partition));
        Self { session, subject, wanted, words, guide, deadline, route: Vec::new(), span: None, ring: None, asked, at, at_least: None }
    }

    /// Ends the transaction. `changes` are there when something of the search is remembered.
    async fn found(&mut self, changes: Option<Vec<Change>>) -> Attempted<Found> {
        let recalled = match changes {
            Some(changes) => self.recalled(changes).await?,
            None => None,
        };
        if let Some(Together { profiles, more, total }) = recalled {
            let total = self.total(total, profiles.len(), more, None).await?;
            self.session.end_unheard();
            return Ok(Found::new(profiles, more, total, std::mem::take(&mut self.route)));
        }
        let mut router = self.router(&self.wanted.conjuncts, 0.0);
        let Page { mut ids, total, hits, .. } = match self.subject.search.sort.field {
            SortField::Distance(circle) => self.by_distance(circle, &mut router).await?,
            _ => self.page(&mut router).await?,
        };
        if let Some(total) = total {
            self.asked.note_counted(&hits, usize::try_from(total) == Ok(hits.len()), self.at);
        }
        let limit = self.subject.search.limit as usize;
        let next = ids.get(limit).copied();
        ids.truncate(limit);
        let total = self.total(total, ids.len(), next.is_some(), Some(&router)).await?;
        let profiles = self.profiles_at_last(&ids).await?;
        self.asked.note_page(ids.into_iter().chain(next), self.at, self.guide.costs.remembered, &self.route);
        Ok(Found::new(profiles, next.is_some(), total, std::mem::take(&mut self.route)))
    }

    /// How many hits there are, where the page has so many of them: what was told, is remembered, shows on the page, or is counted.
    async fn total(&mut self, told: Option<i64>, on_page: usize, more: bool, router: Option<&Router>) -> Attempted<i64> {
        if let (None, Some(at_least)) = (told, self.at_least) {
            self.route.push(RouteStep::new("remembered", at_least as f64, at_least));
        }
        match told.or(self.at_least).or_else(|| self.subject.search.start.total_seen(on_page, more)) {
            Some(total) => Ok(total),
            None => match router {
                Some(router) => self.count(router).await,
                None => self.count(&self.router(&self.wanted.conjuncts, 0.0)).await,
            },
        }
    }

    fn router(&self, conjuncts: &[Conjunct], least: f64) -> Router {
        let router = self.router_without_words(conjuncts, least);
        let in_names = self.in_names(router.expected_hits());
        router.with_words(in_names)
    }

    /// Those of the conjuncts that are not the search's own have at least so many rows.
    fn router_without_words(&self, conjuncts: &[Conjunct], least: f64) -> Router {
        let search = self.subject.search;
        let of_tenant = self.guide.frequencies.of_tenant(self.subject.tenant);
        let rows = |any_of: &[i32]| self.guide.frequencies.of_any(self.subject.partition, any_of);
        let listed = |conjunct: &Conjunct| {
            let listed = conjunct.listed_by(rows, of_tenant);
            let is_own = self.wanted.conjuncts.contains(conjunct);
            Listed { rows: listed.rows.map(|rows| if is_own { rows } else { rows.max(least) }), ..listed }
        };
        let expected = Expected {
            tenant_rows: of_tenant,
            conjuncts: conjuncts.iter().map(listed).collect(),
            narrower: self.wanted.narrower,
            told: self.wanted.told,
            keyed: !self.wanted.keyed.is_empty(),
            by_creation: search.sort.field == SortField::CreatedAt,
            counted: self.at_least.is_some(),
        };
        Router::new(self.guide.costs, expected, self.page_rows())
    }

    /// How many hits make the page, with those that it begins behind.
    fn page_rows(&self) -> u32 {
        let search = self.subject.search;
        let offset = if let Start::Offset(offset) = search.start { offset } else { 0 };
        offset + search.limit + 1
    }

    /// The page by the steps that the router chooses.
    async fn page(&mut self, router: &mut Router) -> Attempted<Page> {
        let search = self.subject.search;
        let names = Names::of(self.subject.tenant, search).or_else(|| Names::of_place(self.subject.tenant, search));
        let mut scan = Scan::new(search);
        loop {
            let density = names.as_ref().and_then(|names| self.density(names, &scan, router));
            router.stands_at(names.as_ref().map(|names| names.place(scan.read.as_ref())), density);
            let step = router.next_step();
            let outcome = match &step {
                Step::Keyed { cap } => {
                    let keyed = self.wanted.keyed.clone();
                    match self.look_up("keyed", Lookup::Keyed(&keyed), *cap, router.expected_hits()).await? {
                        Some(page) => return Ok(page),
                        None => Outcome::Overflow,
                    }
                }
                Step::Grams { conjuncts, cap } => {
                    let all = self.wanted.conjuncts.clone();
                    let chosen: Vec<&Conjunct> = conjuncts.iter().filter_map(|at| all.get(*at)).collect();
                    match self.look_up("grams", Lookup::Grams(&chosen), *cap, router.expected_hits()).await? {
                        Some(page) => return Ok(page),
                        None => Outcome::Overflow,
                    }
                }
                Step::Words { cap } => match self.by_words(*cap, router.expected_hits()).await? {
                    Some(page) => return Ok(page),
                    None => Outcome::Overflow,
                },
                Step::WordsInOrder { cap } => match self.by_words_in_order(names.as_ref(), *cap, router.expected_hits()).await? {
                    Ok(page) => return Ok(page),
                    Err(outcome) => outcome,
                },
                Step::Period { share } => match self.in_period(*share, router.expected_hits()).await? {
                    InPeriod::Page(page, hits) => {
                        router.learn(*share, hits);
                        return Ok(page);
                    }
                    InPeriod::Not(outcome) => outcome,
                },
                Step::Names { parts, cap } => match self.by_names(names.as_ref(), &mut scan, (*parts, *cap), router.expected_hits()).await?
                {
                    Some((done, outcome)) => {
                        router.note(&done, outcome);
                        router.spend(std::mem::take(&mut scan.spent));
                        continue;
                    }
                    None => return Ok(Page { ids: scan.page(), ..Page::default() }),
                },
                Step::Scan { rows } => {
                    let before = scan.hits.len();
                    if self.scan(&mut scan, *rows, router.expected_hits()).await? {
                        return Ok(Page { ids: scan.page(), ..Page::default() });
                    }
                    Outcome::Short { found: u32::try_from(scan.hits.len() - before).unwrap_or(u32::MAX) }
                }
            };
            router.note(&step, outcome);
        }
    }

    /// What lies near comes first: rings around the centre are looked into until they hold the page.
    async fn by_distance(&mut self, circle: Circle, router: &mut Router) -> Attempted<Page> {
        let search = self.subject.search;
        for (ring, inner) in Rings::of(search, circle) {
            let Some((wanted, chosen, cap)) = self.by_grams(&inner, 0.0) else { break };
            let chosen: Vec<&Conjunct> = chosen.iter().filter_map(|at| wanted.conjuncts.get(*at)).collect();
            let expected = self.router(&wanted.conjuncts, 0.0).expected_hits();
            let subject = Subject { search: &inner, ..self.subject };
            // A ring has enough if what it holds behind the start fills the page; it knows no total.
            let page = self.look_up_in(subject, "near", Lookup::Grams(&chosen), cap.max(20_000), expected).await?;
            self.ring = page.as_ref().and_then(|page| Some((ring, page.total?)));
            match page {
                Some(page) if page.ids.len() > search.limit as usize => return Ok(Page { total: None, ..page }),
                Some(_) => {}
                None => break,
            }
        }
        if let Some((chosen, cap)) = router.by_grams_only() {
            let all = self.wanted.conjuncts.clone();
            let chosen: Vec<&Conjunct> = chosen.iter().filter_map(|at| all.get(*at)).collect();
            if let Some(page) = self.look_up("grams", Lookup::Grams(&chosen), cap.max(200_000), router.expected_hits()).await? {
                return Ok(page);
            }
        }
        let page = self.look_up("whole", Lookup::Whole, NO_CAP, router.expected_hits()).await?;
        Ok(page.unwrap_or_default())
    }

    /// The page among the candidates of a lookup; `None` when there are more than the cap.
    async fn look_up(&mut self, name: &'static str, lookup: Lookup<'_>, cap: u32, expected: f64) -> Attempted<Option<Page>> {
        self.look_up_in(self.subject, name, lookup, cap, expected).await
    }

    async fn look_up_in(
        &mut self,
        subject: Subject<'_>,
        name: &'static str,
        lookup: Lookup<'_>,
        cap: u32,
        expected: f64,
    ) -> Attempted<Option<Page>> {
        let (page, is_all) = self.look_up_all(subject, name, lookup, cap, expected).await?;
        Ok(is_all.then_some(page))
    }

    /// The page among the first candidates, and whether these are all.
    async fn look_up_all(
        &mut self,
        subject: Subject<'_>,
        name: &'static str,
        lookup: Lookup<'_>,
        cap: u32,
        expected: f64,
    ) -> Attempted<(Page, bool)> {
        let rows = self.run(subject.look_up(lookup, cap, subject.search.limit + 1)?).await?;
        let (mut page, mut read) = (Page { ids: Vec::with_capacity(rows.len()), ..Page::default() }, 0);
        for row in &rows {
            match row.try_get::<_, Option<Uuid>>(0)? {
                Some(id) => {
                    page.ids.push(id);
                    page.names.extend(row.try_get::<_, Option<String>>(4)?);
                }
                None => {
                    read = row.try_get::<_, i64>(1)?;
                    (page.total, page.hits) = (Some(row.try_get(2)?), row.try_get::<_, Option<_>>(3)?.unwrap_or_default());
                }
            }
        }
        self.route.push(RouteStep::new(name, expected, read));
        Ok((page, read <= i64::from(cap)))
    }

    /// Goes on with a scan; whether it has the page or has come to the end.
    async fn scan(&mut self, scan: &mut Scan, rows: u32, expected: f64) -> Attempted<bool> {
        let (mut left, mut read) = (rows, 0);
        let ended = loop {
            let Some(stretch) = scan.stretches.first().cloned() else { break true };
            let wanted = scan.missing();
            if wanted == 0 {
                break true;
            }
            let rows = self.run(self.subject.scan(&stretch, left, wanted)?).await?;
            let mut last = None;
            for row in &rows {
                let id = ProfileId(row.try_get(0)?);
                if row.try_get(2)? && scan.hits.len() < scan.wanted as usize {
                    scan.hits.push(id.0);
                }
                if row.try_get(3)? {
                    last = Some(Position { key: sort_key(self.subject.search.sort.field, row)?, profile_id: id });
                }
            }
            read += left;
            match last {
                Some(position) => {
                    // A stretch that begins behind the last row takes the place of this one; those after it stay.
                    scan.goes_on_behind(self.subject.search.sort, position);
                    break scan.hits.len() >= scan.wanted as usize;
                }
                None if scan.hits.len() >= scan.wanted as usize => break true,
                None => {
                    scan.stretches.remove(0);
                    left = left.max(1);
                }
            }
        };
        self.route.push(RouteStep::new("scan", expected, read.into()));
        Ok(ended)
    }

    /// Those of a page, in its order. What is read last ends the transaction in the same round trip.
    async fn profiles_at_last(&self, ids: &[Uuid]) -> Attempted<Vec<Profile>> {
        let [statement] = self.session.prepare([self.subject.partition.of(&READ_PAGE_IN)]).await?;
        let of_page = [&self.subject.tenant.as_str() as &(dyn ToSql + Sync), &ids];
        let read = async { if ids.is_empty() { Ok(Vec::new()) } else { self.session.run(&statement, &of_page).await } };
        let rows = self.session.last(read).await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            let profile = rows::profile(row, 0)?;
            found.insert(profile.profile_id.0, profile);
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    async fn run(&self, statement: Statement) -> Attempted<Vec<Row>> {
        if Instant::now() >= self.deadline {
            return Err(StoreError::TooSlow("the steps of a search took too long together".into()).into());
        }
        let params: Vec<_> = statement.values.0.iter().map(Value::as_param).collect();
        self.session.run_made(&statement.text, &params).await
    }
}

/// What such a search, of the same tenant, asks for.
fn wanted(subject: Subject<'_>, frequencies: &Frequencies, search: &Search) -> Wanted {
    let rows = |any_of: &[i32]| frequencies.of_any(subject.partition, any_of);
    let wanted = Wanted::of(subject.tenant, search, MOST_CELLS);
    match frequencies.of_tenant(subject.tenant) {
        Some(of_tenant) => wanted.with_facts_together(search, Known { grams: Grams::of(subject.tenant), rows: &rows, of_tenant }),
        None => wanted,
    }
}

fn sort_key(field: SortField, row: &Row) -> Attempted<SortKey> {
    let key = if is_integer(field) {
        row.try_get::<_, Option<i64>>(1)?.map(SortKey::Integer)
    } else {
        row.try_get::<_, Option<String>>(1)?.map(SortKey::Text)
    };
    Ok(key.unwrap_or(SortKey::Missing))
}
