//! Search: a page in strict order and a bounded count, from one snapshot and within a budget of time, by the steps that
//! the router chooses.

mod best;
mod budget;
pub(super) mod recall;
mod statements;

use super::derive::any_without_grams;
use super::filter::Sql;
use super::frequencies::Frequencies;
use super::grams;
use super::rows;
use super::tenants::open_tenant;
use crate::domain::geo::Circle;
use crate::domain::profile::Profile;
use crate::domain::search::{Found, Position, RouteStep, Search, Sort, SortField, Start};
use crate::domain::tenant::TenantName;
use crate::store::route::{
    Asked, Conjunct, Costs, Count, Expected, MOST_COUNTED, Memory, Names, Outcome, Rings, Router, Step, Together, Wanted,
};
use crate::store::{Result, StoreError};
use best::Best;
pub(super) use budget::Budgeted;
use rusqlite::{CachedStatement, Connection, Rows, params, params_from_iter};
use statements::{Lookup, Subject, stretches};
use std::time::Duration;
use uuid::Uuid;

/// Measured (docs/search-figures.md).
pub(super) const COSTS: Costs = Costs {
    scanned_row: 0.4,
    hit: 1.2,
    entry: 0.03,
    passed_entry: 0.004_5,
    passed_entries: 1_700.0,
    meeting: 0.0,
    list: 30.0,
    small_tenant: 1_000.0,
    least_scan: 300.0,
    marks: 30.0,
    part: 35.0,
    words: f64::INFINITY,
    read_name: 0.0,
    name: 0.0,
    passed_name: 0.0,
    remembered: Some(30),
};

/// No ring, and no circle, is given up before so many candidates.
const LEAST_RING_CAP: u32 = 20_000;
const LEAST_CIRCLE_CAP: u32 = 200_000;
/// A place is looked for in so many cells of the map: each is looked up in every segment of FTS5's.
const MOST_CELLS: usize = 64;
/// How many candidates are read where nothing but the whole answers.
const NO_CAP: u32 = u32::MAX;

statements! {
    LIST_NUMBERS = "SELECT rowid FROM profile_grams WHERE profile_grams MATCH ?1 LIMIT ?2";
    READ_BY_NUMBER = concat!("SELECT ", profile_columns!(), " FROM profiles WHERE profile_number = ?1");
}

/// What searches share.
#[derive(Clone, Copy)]
pub(super) struct Guide<'a> {
    pub frequencies: &'a Frequencies,
    pub memory: &'a Memory,
    pub costs: Costs,
}

/// Runs a search on a connection that nobody else uses.
pub(super) fn search(
    connection: &mut Connection,
    tenant: &TenantName,
    asked: &Search,
    guide: Guide<'_>,
    budget: Duration,
) -> Result<Found> {
    let remembered = guide.memory.of(tenant, asked, 0);
    let budgeted = Budgeted::start(connection, budget)?;
    let snapshot = budgeted.0.unchecked_transaction()?;
    open_tenant(&snapshot, tenant)?;
    let has_all_grams = !any_without_grams(&snapshot)?;
    let at = recall::position(&snapshot)?;
    let subject = Subject { tenant, search: asked };
    let mut run = Run { connection: &snapshot, subject, guide, has_all_grams, asked: remembered, at, at_least: None, route: Vec::new() };
    run.found()
}

/// One search under way.
struct Run<'a> {
    connection: &'a Connection,
    subject: Subject<'a>,
    guide: Guide<'a>,
    has_all_grams: bool,
    asked: Asked<'a>,
    /// The snapshot's position in the change log.
    at: i64,
    /// How many hits there are at least, if that is remembered and more than is told.
    at_least: Option<i64>,
    route: Vec<RouteStep>,
}

/// The numbers of a page's profiles, in order; and the count, where the step told, with as many of the hits as are counted.
#[derive(Default)]
struct Page {
    numbers: Vec<i64>,
    total: Option<i64>,
    hits: Vec<Uuid>,
}

impl Run<'_> {
    fn found(&mut self) -> Result<Found> {
        let wanted = self.wanted(self.subject.search);
        if let Some(Together { profiles, more, total }) = self.recalled(&wanted)? {
            let total = self.total(total, (profiles.len(), more), &wanted, None)?;
            return Ok(Found::new(profiles, more, total, std::mem::take(&mut self.route)));
        }
        // It looks frequencies up.
        let mut router = self.router(&wanted)?;
        let Page { mut numbers, total, hits } = match self.subject.search.sort.field {
            SortField::Distance(circle) => self.by_distance(circle, &wanted, &router)?,
            _ => self.page(&wanted, &mut router)?,
        };
        if let Some(total) = total {
            self.asked.note_counted(&hits, usize::try_from(total) == Ok(hits.len()), self.at);
        }
        let limit = self.subject.search.limit as usize;
        numbers.truncate(limit + 1);
        let mut profiles = self.profiles(&numbers)?;
        let next = profiles.get(limit).map(|profile| profile.profile_id.0);
        profiles.truncate(limit);
        let total = self.total(total, (profiles.len(), next.is_some()), &wanted, Some(&router))?;
        let ids = profiles.iter().map(|profile| profile.profile_id.0).chain(next);
        self.asked.note_page(ids, self.at, self.guide.costs.remembered, &self.route);
        Ok(Found::new(profiles, next.is_some(), total, std::mem::take(&mut self.route)))
    }

    /// How many hits there are, where the page has so many of them, or more follow: what was told, is remembered, shows on the page, or
    /// is counted.
    fn total(&mut self, told: Option<i64>, (on_page, more): (usize, bool), wanted: &Wanted, router: Option<&Router>) -> Result<i64> {
        if let (None, Some(at_least)) = (told, self.at_least) {
            self.route.push(RouteStep::new("remembered", at_least as f64, at_least));
        }
        match told.or(self.at_least).or_else(|| self.subject.search.start.total_seen(on_page, more)) {
            Some(total) => Ok(total),
            None => match router {
                Some(router) => self.count(wanted, router),
                None => self.count(wanted, &self.router(wanted)?),
            },
        }
    }

    fn wanted(&self, search: &Search) -> Wanted {
        let mut wanted = Wanted::of(self.subject.tenant, search, MOST_CELLS);
        if !self.has_all_grams {
            wanted.narrower |= !wanted.conjuncts.is_empty();
            wanted.conjuncts.clear();
        }
        wanted
    }

    fn router(&self, wanted: &Wanted) -> Result<Router> {
        let Guide { frequencies, costs, .. } = self.guide;
        let search = self.subject.search;
        let tenant_rows = frequencies.of(self.connection, &grams::tenant_word(self.subject.tenant))?;
        let of_conjunct = |conjunct: &Conjunct| match tenant_rows <= costs.small_tenant {
            true => Ok(conjunct.listed(None)),
            false => frequencies.of(self.connection, &grams::any_of(conjunct)).map(|rows| conjunct.listed(Some(rows))),
        };
        let expected = Expected {
            tenant_rows: Some(tenant_rows),
            conjuncts: wanted.conjuncts.iter().map(of_conjunct).collect::<Result<_>>()?,
            narrower: wanted.narrower,
            told: wanted.told,
            keyed: !wanted.keyed.is_empty(),
            // Lists are short here, and rows near: a part of the time is no cheaper than all of it.
            by_creation: false,
            counted: self.at_least.is_some(),
        };
        let offset = if let Start::Offset(offset) = search.start { offset } else { 0 };
        Ok(Router::new(costs, expected, offset + search.limit + 1))
    }

    /// The page by the steps that the router chooses.
    fn page(&mut self, wanted: &Wanted, router: &mut Router) -> Result<Page> {
        let search = self.subject.search;
        let tenant = self.subject.tenant;
        let names = Names::of(tenant, search).or_else(|| Names::of_place(tenant, search)).filter(|_| self.has_all_grams);
        let mut walk = Walk::new(search);
        let mut step = walk.next_step(names.as_ref(), router);
        loop {
            let outcome = match &step {
                Step::Scan { rows } => match self.scan(&mut walk, *rows, names.as_ref(), router)? {
                    Some(next) => {
                        step = next;
                        continue;
                    }
                    None => return Ok(walk.into_page()),
                },
                Step::Names { parts, cap } => match self.by_names(names.as_ref(), &mut walk, (*parts, *cap), wanted, router)? {
                    Some(outcome) => outcome,
                    None => return Ok(walk.into_page()),
                },
                lookup => match self.lookup_step(lookup, wanted, router)? {
                    Some(page) => return Ok(page),
                    None => Outcome::Overflow,
                },
            };
            router.note(&step, outcome);
            step = walk.next_step(names.as_ref(), router);
        }
    }

    /// Scans for as long as the router says so; `None` when that made the page or came to the end, else what is next.
    fn scan(&mut self, walk: &mut Walk, rows: u32, names: Option<&Names<'_>>, router: &mut Router) -> Result<Option<Step>> {
        let connection = self.connection;
        let sort = self.subject.search.sort;
        let texts: Vec<Sql> = stretches(sort, walk.read.as_ref()).iter().map(|stretch| self.subject.scan(stretch)).collect();
        let mut statements = texts.iter().map(|sql| connection.prepare_cached(&sql.text)).collect::<rusqlite::Result<Vec<_>>>()?;
        let mut scan = Scan::start(&mut statements, &texts)?;
        let mut rows = rows;
        loop {
            let (before, read) = (walk.hits.len(), scan.read);
            let ended = scan.go_on(rows, walk)?;
            self.route.push(RouteStep::new("scan", router.expected_hits(), scan.read - read));
            if ended {
                return Ok(None);
            }
            router.note(&Step::Scan { rows }, Outcome::Short { found: u32::try_from(walk.hits.len() - before).unwrap_or(u32::MAX) });
            if names.is_some() {
                walk.read = self.position_of(sort, scan.last)?;
            }
            match walk.next_step(names, router) {
                Step::Scan { rows: more } => rows = more,
                next => {
                    walk.read = self.position_of(sort, scan.last)?;
                    return Ok(Some(next));
                }
            }
        }
    }

    fn position_of(&self, sort: Sort, number: Option<i64>) -> Result<Option<Position>> {
        let profile = self.profiles(number.as_slice())?.pop();
        Ok(profile.map(|profile| sort.position_of(&profile)))
    }

    /// Reads on in the order of names for so many parts of it, by the word's marks; `None` when that makes the page, or
    /// comes to the end.
    fn by_names(
        &mut self,
        names: Option<&Names<'_>>,
        walk: &mut Walk,
        (parts, cap): (u8, u32),
        wanted: &Wanted,
        router: &Router,
    ) -> Result<Option<Outcome>> {
        let Some(names) = names else { return Ok(Some(Outcome::Overflow)) };
        let missing = walk.missing();
        let reach = names.reach(walk.read.as_ref(), parts, missing);
        // The parts' lists of a place are short, and the others' long.
        let others = wanted.conjuncts.iter().filter(|_| names.follows_word());
        let all: Vec<&Conjunct> = others.chain([&reach.marks]).collect();
        let subject = Subject { search: &reach.search, ..self.subject };
        let expected = router.expected_hits();
        let Some(numbers) = self.numbers(&all, cap)? else {
            self.route.push(RouteStep::new("names", expected, 0));
            return Ok(Some(Outcome::Overflow));
        };
        let page = self.look_up(subject, "names", Lookup::Numbers(&numbers), cap, expected)?.unwrap_or_default();
        let found = page.numbers.len();
        walk.hits.extend(page.numbers);
        match reach.end {
            Some(end) if found < missing as usize => {
                walk.read = Some(end);
                Ok(Some(Outcome::Short { found: u32::try_from(found).unwrap_or(u32::MAX) }))
            }
            _ => Ok(None),
        }
    }

    /// The numbers of those who have a gram of each, a JSON array; `None` when there are more than the cap, which the lists tell at a
    /// fraction of what the rows would take.
    fn numbers(&self, conjuncts: &[&Conjunct], cap: u32) -> Result<Option<String>> {
        let mut statement = self.connection.prepare_cached(LIST_NUMBERS)?;
        let numbers = statement.query_map(params![grams::all_of(conjuncts), i64::from(cap) + 1], |row| row.get(0))?;
        let numbers = numbers.collect::<rusqlite::Result<Vec<i64>>>()?;
        let is_all = numbers.len() <= cap as usize;
        is_all.then(|| serde_json::to_string(&numbers).map_err(StoreError::internal)).transpose()
    }

    /// `None` when there are more candidates than the step's cap.
    fn lookup_step(&mut self, step: &Step, wanted: &Wanted, router: &Router) -> Result<Option<Page>> {
        let expected = router.expected_hits();
        match step {
            Step::Keyed { cap } => self.look_up(self.subject, "keyed", Lookup::Keyed(&wanted.keyed), *cap, expected),
            Step::Grams { conjuncts, cap } => {
                self.look_up(self.subject, "grams", Lookup::Grams(&chosen(wanted, conjuncts)), *cap, expected)
            }
            Step::Scan { .. } | Step::Words { .. } | Step::WordsInOrder { .. } | Step::Period { .. } | Step::Names { .. } => Ok(None),
        }
    }

    /// What lies near comes first: rings around the centre are looked into until they hold the page.
    fn by_distance(&mut self, circle: Circle, wanted: &Wanted, router: &Router) -> Result<Page> {
        let search = self.subject.search;
        for (_, inner) in Rings::of(search, circle) {
            let wanted = self.wanted(&inner);
            let router = self.router(&wanted)?;
            let Some((conjuncts, cap)) = router.by_grams_only() else { break };
            let (subject, lookup) = (Subject { search: &inner, ..self.subject }, chosen(&wanted, &conjuncts));
            // A ring has enough if what it holds behind the start fills the page; it knows no total.
            match self.look_up(subject, "near", Lookup::Grams(&lookup), cap.max(LEAST_RING_CAP), router.expected_hits())? {
                Some(page) if page.numbers.len() > search.limit as usize => return Ok(Page { total: None, ..page }),
                Some(_) => {}
                None => break,
            }
        }
        let expected = router.expected_hits();
        if let Some((conjuncts, cap)) = router.by_grams_only() {
            let lookup = chosen(wanted, &conjuncts);
            if let Some(page) = self.look_up(self.subject, "grams", Lookup::Grams(&lookup), cap.max(LEAST_CIRCLE_CAP), expected)? {
                return Ok(page);
            }
        }
        Ok(self.look_up(self.subject, "whole", Lookup::Whole, NO_CAP, expected)?.unwrap_or_default())
    }

    /// The page among the candidates of a lookup; `None` when there are more than the cap.
    fn look_up(&mut self, subject: Subject<'_>, name: &'static str, lookup: Lookup<'_>, cap: u32, expected: f64) -> Result<Option<Page>> {
        let sql = subject.look_up(lookup, i64::from(cap) + 1);
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        let mut rows = statement.query(params_from_iter(&sql.values))?;
        let (mut best, mut read, mut hits, mut all) = (Best::of(subject.search), 0, 0, Vec::new());
        while let Some(row) = rows.next()? {
            read += 1;
            if row.get(3)? {
                hits += 1;
                best.offer(row)?;
                if hits <= MOST_COUNTED.into() {
                    all.push(Uuid::from_bytes(row.get(2)?));
                }
            }
        }
        self.route.push(RouteStep::new(name, expected, read));
        Ok((read <= i64::from(cap)).then(|| Page { numbers: best.into_page(), total: Some(hits), hits: all }))
    }

    fn count(&mut self, wanted: &Wanted, router: &Router) -> Result<i64> {
        let most = self.asked.count_to();
        let (name, sql) = match router.to_count() {
            Count::Grams { conjuncts, .. } => ("count by grams", self.subject.count(Lookup::Grams(&chosen(wanted, &conjuncts)), most)),
            Count::Words | Count::Scan => ("count by a scan", self.subject.count(Lookup::Whole, most)),
        };
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        let ids = statement.query_map(params_from_iter(&sql.values), |row| row.get(0).map(Uuid::from_bytes))?;
        let counted = ids.collect::<rusqlite::Result<Vec<_>>>()?;
        let hits = counted.len() as i64;
        self.asked.note_counted(&counted, hits < most.into(), self.at);
        self.route.push(RouteStep::new(name, router.expected_hits(), hits));
        Ok(hits)
    }

    fn profiles(&self, numbers: &[i64]) -> Result<Vec<Profile>> {
        let mut statement = self.connection.prepare_cached(READ_BY_NUMBER)?;
        numbers.iter().map(|number| Ok(statement.query_row([number], rows::profile)?)).collect()
    }
}

/// How far one has come in the order that was asked for.
struct Walk {
    /// From the offset's beginning on.
    wanted: usize,
    offset: usize,
    hits: Vec<i64>,
    /// All hits up to here were found.
    read: Option<Position>,
}

impl Walk {
    fn new(search: &Search) -> Self {
        let (read, offset) = match &search.start {
            Start::Offset(offset) => (None, *offset as usize),
            Start::After(position) => (Some(position.clone()), 0),
        };
        Self { wanted: offset + search.limit as usize + 1, offset, hits: Vec::new(), read }
    }

    fn next_step(&self, names: Option<&Names<'_>>, router: &mut Router) -> Step {
        router.stands_at(names.map(|names| names.place(self.read.as_ref())), None);
        router.next_step()
    }

    fn missing(&self) -> u32 {
        u32::try_from(self.wanted.saturating_sub(self.hits.len())).unwrap_or(u32::MAX)
    }

    fn into_page(mut self) -> Page {
        Page { numbers: self.hits.split_off(self.hits.len().min(self.offset)), ..Page::default() }
    }
}

/// A scan under way: its statements stay open from one step to the next.
struct Scan<'s> {
    stretches: std::vec::IntoIter<Rows<'s>>,
    current: Option<Rows<'s>>,
    read: i64,
    last: Option<i64>,
}

impl<'s> Scan<'s> {
    fn start(statements: &'s mut [CachedStatement<'_>], texts: &[Sql]) -> Result<Self> {
        let started = statements.iter_mut().zip(texts).map(|(statement, sql)| statement.query(params_from_iter(&sql.values)));
        let mut stretches = started.collect::<rusqlite::Result<Vec<_>>>()?.into_iter();
        Ok(Self { current: stretches.next(), stretches, read: 0, last: None })
    }

    /// Reads on for so many rows; whether it has the page or has come to the end.
    fn go_on(&mut self, rows: u32, walk: &mut Walk) -> Result<bool> {
        let end = self.read + i64::from(rows);
        while self.read < end {
            let Some(current) = &mut self.current else { return Ok(true) };
            let Some(row) = current.next()? else {
                self.current = self.stretches.next();
                continue;
            };
            self.read += 1;
            let number = row.get(0)?;
            self.last = Some(number);
            if row.get(1)? {
                walk.hits.push(number);
                if walk.hits.len() == walk.wanted {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

fn chosen<'w>(wanted: &'w Wanted, conjuncts: &[usize]) -> Vec<&'w Conjunct> {
    conjuncts.iter().filter_map(|at| wanted.conjuncts.get(*at)).collect()
}

/// The texts of a scan in order, of a page and a count by grams, and of those who are known by their numbers and ids.
#[cfg(test)]
pub(super) fn texts(tenant: &TenantName, search: &Search) -> (String, [String; 2], [String; 2]) {
    let (subject, wanted) = (Subject { tenant, search }, Wanted::of(tenant, search, MOST_CELLS));
    let conjuncts: Vec<&Conjunct> = wanted.conjuncts.iter().collect();
    let lookup = Lookup::Grams(&conjuncts);
    let by_grams = [subject.look_up(lookup, 9).text, subject.count(lookup, 9).text];
    let known = [subject.look_up(Lookup::Numbers("[1]"), 9).text, subject.read(&[Uuid::nil()]).text];
    (subject.scan(&statements::Stretch::Whole).text, by_grams, known)
}
