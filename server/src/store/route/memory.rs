//! Searches remembered: the first page of one that was dear, and whom it counted. The change log tells which profiles were
//! changed since; these are looked at again with those of the page, in the search's own snapshot. So the answer is that which
//! the search would find anew, on every node and with every commit in it.
//!
//! A node keeps this for itself, and forgets it when a connection to its database broke: the next may lead to another one.

use super::Conjunct;
use super::recalled::{First, Recall, Recalled, Together};
use super::recent::{Changes, Mark, Recent, mark};
use crate::domain::profile::Profile;
use crate::domain::search::{MAX_TOTAL, RouteStep, Search, Sort, Start};
use crate::domain::tenant::TenantName;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Counting stops here the first time.
const COUNTED_FIRST: u32 = MAX_TOTAL + 21;
/// And here where something was remembered; no more hits are kept.
pub const MOST_COUNTED: u32 = MAX_TOTAL + 301;
const LONGEST_KEY_BYTES: usize = 2_000;
/// A search that took so long is remembered, however few rows it read.
const LONG: Duration = Duration::from_millis(2);
/// When so many changes were read once more, as happens for as long as somebody's transaction that writes stays open on PostgreSQL, the
/// memory is not used for a while: reading them each time takes longer than finding anew.
const MANY_READ_AGAIN: usize = 200;
const REST: Duration = Duration::from_secs(1);
/// Where more profiles were changed that may be hits, a search begins anew.
const MOST_CHANGED: usize = 300;

/// The ids of a first page in order, and of one more if there is one, as a snapshot at this position found them.
#[derive(Debug)]
pub(super) struct Page {
    pub ids: Vec<Uuid>,
    pub is_all: bool,
    at: AtomicI64,
}

/// These hits there were: all, or some of them.
#[derive(Debug)]
pub(super) struct Counted {
    pub hits: Box<[Mark]>,
    is_all: bool,
    at: AtomicI64,
}

#[derive(Debug, Clone, Copy)]
struct ByHits;

impl Weighter<String, Arc<Counted>> for ByHits {
    fn weight(&self, _: &String, counted: &Arc<Counted>) -> u64 {
        counted.hits.len() as u64 + 10
    }
}

/// How much is remembered.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// So many searches, each in half a kilobyte or so,
    pub searches: usize,
    /// so many of those whom they counted, in eight bytes each,
    pub hits: u64,
    /// and so many changes, in half a kilobyte each.
    pub changes: usize,
}

#[derive(Debug)]
pub struct Memory {
    room: Room,
    pages: Cache<String, Arc<Page>>,
    counted: Cache<String, Arc<Counted>, ByHits>,
    recent: Mutex<Recent>,
    broken: AtomicU64,
    rests_until: Mutex<Option<Instant>>,
    is_none: bool,
}

impl Memory {
    /// Knows of nothing yet, and is to remember as much as there is room for.
    pub fn new(room: Room) -> Self {
        Self {
            room,
            pages: Cache::new(room.searches),
            counted: Cache::with_weighter(room.searches, room.hits, ByHits),
            recent: Mutex::new(Recent::keeping(room.changes)),
            broken: AtomicU64::new(0),
            rests_until: Mutex::default(),
            is_none: false,
        }
    }

    /// Remembers nothing.
    pub fn none() -> Self {
        Self { is_none: true, ..Self::new(Room { searches: 0, hits: 0, changes: 0 }) }
    }

    /// What is remembered of a search. To be called before its snapshot is taken, so that this is the later one; `broken` is
    /// how many connections to the database have broken.
    pub fn of<'a>(&'a self, tenant: &'a TenantName, search: &'a Search, broken: u64) -> Asked<'a> {
        if self.broken.swap(broken, Ordering::AcqRel) != broken {
            self.forget();
        }
        let Search { needles, filter, include_deleted, sort, limit, start } = search;
        let condition = format!("{} {include_deleted} {needles:?} {filter:?}", tenant.as_str());
        let order = (*start == Start::Offset(0)).then(|| format!("{condition} {sort:?} {limit}"));
        let rests = self.rests_until().is_some_and(|until| Instant::now() < until);
        let page = order.as_ref().filter(|_| !rests).and_then(|order| self.pages.get(order));
        let counted = Some(&condition).filter(|_| !rests).and_then(|condition| self.counted.get(condition));
        let read_from = (page.is_some() || counted.is_some()).then(|| self.recent().at());
        Asked { memory: self, tenant, limit: *limit as usize, condition, order, page, counted, read_from, begun: Instant::now() }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rests_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.rests_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self) {
        *self.recent() = Recent::keeping(self.room.changes);
        self.pages.clear();
        self.counted.clear();
    }
}

/// One search, with what is remembered of it.
#[derive(Debug)]
pub struct Asked<'a> {
    memory: &'a Memory,
    tenant: &'a TenantName,
    limit: usize,
    condition: String,
    order: Option<String>,
    page: Option<Arc<Page>>,
    counted: Option<Arc<Counted>>,
    read_from: Option<i64>,
    begun: Instant,
}

impl Asked<'_> {
    /// From where the change log is to be read, if anything is remembered.
    pub fn read_from(&self) -> Option<i64> {
        self.read_from
    }

    /// Takes what the search's snapshot sees in the change log.
    pub fn note(&self, seen: &Changes) {
        if self.read_from.is_some_and(|from| seen.at < from) {
            // Positions only grow: this is another log.
            return self.memory.forget();
        }
        if self.memory.recent().note(seen) > MANY_READ_AGAIN {
            *self.memory.rests_until() = Some(Instant::now() + REST);
        }
    }

    /// Profiles whose grams are to be told.
    pub fn untold(&self, at: i64) -> Vec<Uuid> {
        if self.page.is_some() { self.memory.recent().untold(self.tenant, at) } else { Vec::new() }
    }

    /// What `untold` asked for; whoever is missing is gone.
    pub fn tell(&self, at: i64, asked: &[Uuid], told: &HashMap<Uuid, Vec<i32>>) {
        self.memory.recent().tell(self.tenant, at, asked, told);
    }

    /// What is remembered, for the snapshot whose changes were noted. Every hit has a gram of each conjunct.
    pub fn recall(&self, seen: &Changes, conjuncts: &[Conjunct]) -> Recall {
        let recent = self.memory.recent();
        let holds = |since: &AtomicI64| {
            let since = since.load(Ordering::Acquire);
            (since <= seen.at && recent.covers(self.tenant, since)).then_some(since)
        };
        let counted = self.counted.as_ref().and_then(|counted| Some((counted, holds(&counted.at)?)));
        let page = self.page.as_ref().and_then(|page| Some((page, holds(&page.at)?)));
        let Some(since) = counted.map(|(_, since)| since).into_iter().chain(page.map(|(_, since)| since)).min() else {
            return Recall::default();
        };
        let counted = counted.map(|(counted, _)| counted);
        let hits = counted.iter().flat_map(|counted| counted.hits.iter());
        let changed_hits: Vec<Uuid> = hits.filter_map(|hit| recent.changed(*hit, since)).collect();
        let left = counted.map_or(0, |counted| counted.hits.len() - changed_hits.len());
        let recalled = page.and_then(|(page, _)| {
            let mut changed = recent.found_by(self.tenant, conjuncts, since, seen, MOST_CHANGED)?;
            changed.extend(page.ids.iter().filter_map(|id| recent.changed(mark(id), since)).chain(changed_hits));
            (changed.len() <= MOST_CHANGED).then(|| Recalled {
                unchanged: page.ids.iter().filter(|id| !changed.contains(id)).copied().collect(),
                changed,
                page: Arc::clone(page),
                counted: counted.map(Arc::clone),
                limit: self.limit,
            })
        });
        Recall { page: recalled, at_least: (left > MAX_TOTAL as usize).then_some(left as i64) }
    }

    /// The page and its total, if no doubt about them is left; `read` are those of `to_read` who are hits in the snapshot, which is at `at`.
    pub fn put_together(&self, recalled: &Recalled, read: Vec<Profile>, sort: Sort, at: i64) -> Option<Together> {
        let First { ids, mut profiles, come } = recalled.with(read, sort);
        let total = self.renew(recalled, &ids, &come, at)?;
        profiles.truncate(self.limit);
        Some(Together { profiles, more: ids.len() > self.limit, total })
    }

    /// How many hits there are, if that is known, when the page that was recalled holds: it begins with `first`, in order and one
    /// more than the limit if there is one, and of those who were changed these are hits. What holds is remembered as it is now.
    fn renew(&self, recalled: &Recalled, first: &[Uuid], come: &[Uuid], at: i64) -> Option<Option<i64>> {
        let is_whole = recalled.holds(first)?;
        let Recalled { page, counted, changed, .. } = recalled;
        let of_page = page.is_all.then(|| (recalled.unchanged.len() + come.len()) as i64);
        let told = |counted: &Counted, hits: usize| (counted.is_all || hits > MAX_TOTAL as usize).then_some(hits as i64).or(of_page);
        if changed.is_empty() {
            page.at.fetch_max(at, Ordering::AcqRel);
            let Some(counted) = counted else { return Some(of_page) };
            counted.at.fetch_max(at, Ordering::AcqRel);
            return Some(told(counted, counted.hits.len()));
        }
        if is_whole {
            self.insert_page(first.to_vec(), at);
        }
        let Some(counted) = counted else { return Some(of_page) };
        let changed: HashSet<Mark> = changed.iter().map(mark).collect();
        let kept = counted.hits.iter().copied().filter(|hit| !changed.contains(hit));
        let kept: Vec<Mark> = kept.chain(come.iter().map(mark)).collect();
        let hits = kept.len();
        if is_whole {
            let is_all = counted.is_all && hits <= MOST_COUNTED as usize;
            self.insert_counted(kept.into_iter().take(MOST_COUNTED as usize).collect(), is_all, at);
        }
        Some(told(counted, hits))
    }

    /// Where counting is to stop: what is asked for again is worth being counted further.
    pub fn count_to(&self) -> u32 {
        if self.counted.is_some() { MOST_COUNTED } else { COUNTED_FIRST }
    }

    /// The ids of the page and of one more if there is one, as a snapshot at `at` found them. They are remembered if the steps read
    /// `least` rows, or took long.
    pub fn note_page(&self, ids: impl Iterator<Item = Uuid>, at: i64, least: Option<i64>, steps: &[RouteStep]) {
        let is_dear = |least| steps.iter().map(|step| step.read).sum::<i64>() >= least || self.begun.elapsed() >= LONG;
        if least.is_some_and(is_dear) {
            self.insert_page(ids.collect(), at);
        }
    }

    fn insert_page(&self, ids: Vec<Uuid>, at: i64) {
        if let Some(order) = self.order.as_ref().filter(|order| self.is_kept(order)) {
            self.memory.recent().begin(at);
            let is_all = ids.len() <= self.limit;
            self.memory.pages.insert(order.clone(), Arc::new(Page { ids, is_all, at: at.into() }));
        }
    }

    /// These are hits, as a snapshot at `at` counted them: all there are, or more than are told.
    pub fn note_counted(&self, ids: &[Uuid], is_all: bool, at: i64) {
        self.insert_counted(ids.iter().map(mark).collect(), is_all, at);
    }

    fn is_kept(&self, key: &str) -> bool {
        !self.memory.is_none && key.len() <= LONGEST_KEY_BYTES
    }

    fn insert_counted(&self, hits: Box<[Mark]>, is_all: bool, at: i64) {
        if (is_all || hits.len() > MAX_TOTAL as usize) && self.is_kept(&self.condition) {
            self.memory.recent().begin(at);
            self.memory.counted.insert(self.condition.clone(), Arc::new(Counted { hits, is_all, at: at.into() }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Change;
    use super::*;
    use crate::domain::search::Sort;
    use crate::domain::search_text::needles;

    const ROOM: Room = Room { searches: 100, hits: 10_000, changes: 10_000 };

    fn tenant() -> TenantName {
        TenantName::from_stored("a".to_owned())
    }

    fn search(query: &str) -> Search {
        Search { needles: needles(query), filter: None, sort: Sort::DEFAULT, limit: 3, start: Start::Offset(0), include_deleted: false }
    }

    fn ids(numbers: impl IntoIterator<Item = u128>) -> Vec<Uuid> {
        numbers.into_iter().map(Uuid::from_u128).collect()
    }

    fn changes(changed: impl IntoIterator<Item = u128>) -> Changes {
        let change = |(position, profile)| Change { position, change_id: position, tenant: tenant(), profile: Some(profile), grams: None };
        let changes: Vec<Change> = (10..).zip(ids(changed)).map(change).collect();
        let at = 10 + changes.len() as i64;
        Changes { changes, at }
    }

    /// After these were changed, one after the other from position 10 on, when the search is asked again.
    fn recalled(memory: &Memory, search: &Search, changed: impl IntoIterator<Item = u128>) -> Recall {
        let (tenant, seen) = (tenant(), changes(changed));
        let asked = memory.of(&tenant, search, 1);
        asked.note(&seen);
        asked.recall(&seen, &[])
    }

    /// The total, if the page of `remembering` holds when these were changed, of whom some are hits.
    fn told(
        memory: &Memory,
        changed: impl IntoIterator<Item = u128>,
        first: impl IntoIterator<Item = u128>,
        come: impl IntoIterator<Item = u128>,
    ) -> Option<Option<i64>> {
        let (tenant, search) = (tenant(), search("smith"));
        let recalled = recalled(memory, &search, changed).page?;
        memory.of(&tenant, &search, 1).renew(&recalled, &ids(first), &ids(come), 20)
    }

    fn remembering(page: Vec<Uuid>, counted: Vec<Uuid>, is_all: bool) -> Memory {
        let (memory, tenant) = (Memory::new(ROOM), tenant());
        let search = search("smith");
        let asked = memory.of(&tenant, &search, 1);
        asked.note_page(page.into_iter(), 10, Some(0), &[]);
        asked.note_counted(&counted, is_all, 10);
        memory
    }

    #[test]
    fn a_page_is_put_together_from_those_on_it_and_those_who_were_changed() {
        let memory = || remembering(ids([9, 7, 5, 3]), ids([9, 7, 5, 3, 1]), true);
        let page = recalled(&memory(), &search("smith"), [7, 8, 1]).page.unwrap();
        assert_eq!(page.unchanged, ids([9, 5, 3]));
        assert_eq!(page.changed, ids([1, 7, 8]).into_iter().collect());
        assert_eq!(told(&memory(), [7, 8, 1], [9, 8, 7, 5], [8, 7, 1]), Some(Some(6)), "8 has come");
        assert_eq!(told(&memory(), [7, 8, 1], [9, 5, 3], []), None, "7 and 1 have gone, and who follows 3 is not known");
        assert_eq!(told(&memory(), [7, 8, 1], [9, 5, 3, 1], [1]), Some(Some(4)), "7 has gone, and somebody follows 3");
        assert_eq!(told(&memory(), [7, 5, 1, 0], [9, 3, 1, 0], [1, 0]), None, "before 1 there may be others");
        assert_eq!(told(&memory(), [3], [9, 7, 5, 3], [3]), None, "3 may have come from far behind");
        assert_eq!(told(&memory(), [], [9, 7, 5, 3], []), Some(Some(5)));
    }

    #[test]
    fn whoever_stands_behind_the_page_is_read_only_where_others_may_come_before() {
        let to_read = |changed: &[u128]| {
            let memory = remembering(ids([9, 7, 5, 3]), Vec::new(), false);
            let mut to_read = recalled(&memory, &search("smith"), changed.iter().copied()).page.unwrap().to_read();
            to_read.sort_unstable();
            to_read
        };
        assert_eq!(to_read(&[]), ids([5, 7, 9]));
        assert_eq!(to_read(&[4]), ids([3, 4, 5, 7, 9]));
        assert_eq!(to_read(&[7]), ids([3, 5, 7, 9]));
    }

    #[test]
    fn what_holds_is_remembered_as_it_is_now() {
        let memory = remembering(ids([9, 7, 5, 3]), ids([9, 7, 5, 3, 1]), true);
        assert_eq!(told(&memory, [8, 1], [9, 8, 7, 5], [8]), Some(Some(5)));
        let (tenant, search) = (tenant(), search("smith"));
        let asked = memory.of(&tenant, &search, 1);
        let recalled = asked.recall(&Changes { changes: Vec::new(), at: 20 }, &[]).page.unwrap();
        assert_eq!((recalled.unchanged.as_slice(), recalled.changed.is_empty()), (ids([9, 8, 7, 5]).as_slice(), true));
        assert_eq!(asked.renew(&recalled, &recalled.unchanged, &[], 25), Some(Some(5)));
        let again = memory.of(&tenant, &search, 1);
        assert!(again.recall(&Changes { changes: Vec::new(), at: 24 }, &[]).page.is_none(), "a snapshot before");
        assert!(again.recall(&Changes { changes: Vec::new(), at: 25 }, &[]).page.is_some());
    }

    #[test]
    fn a_page_with_all_hits_is_always_put_together() {
        let memory = || remembering(ids([9, 7]), Vec::new(), false);
        assert_eq!(told(&memory(), [9, 8], [8, 7], [8]), Some(Some(2)));
        assert_eq!(told(&memory(), [9, 8], [9, 8, 7], [9, 8]), Some(Some(3)));
        assert_eq!(told(&memory(), [9, 7], [], []), Some(Some(0)));
    }

    #[test]
    fn a_total_holds_until_so_many_of_the_hits_were_changed_that_no_more_than_are_told_are_left() {
        let at_least = |changed: std::ops::Range<u128>| {
            let memory = remembering(Vec::new(), ids(0..1_101), false);
            recalled(&memory, &search("smith"), changed).at_least
        };
        assert_eq!(at_least(0..0), Some(1_101));
        assert_eq!(at_least(2_000..2_090), Some(1_101), "changes of others");
        assert_eq!(at_least(0..100), Some(1_001));
        assert_eq!(at_least(0..101), None);
    }

    #[test]
    fn too_many_changes_and_another_log_are_begun_anew() {
        let memory = remembering(ids([9, 7, 5, 3]), Vec::new(), false);
        assert!(recalled(&memory, &search("smith"), 100..100 + MOST_CHANGED as u128 + 1).page.is_none());
        let memory = remembering(ids([9, 7, 5, 3]), Vec::new(), false);
        let (tenant, search) = (tenant(), search("smith"));
        let asked = memory.of(&tenant, &search, 1);
        assert_eq!(asked.read_from(), Some(10));
        let before = Changes { changes: Vec::new(), at: 9 };
        asked.note(&before);
        assert!(asked.recall(&before, &[]).page.is_none());
        assert_eq!(memory.of(&tenant, &search, 1).read_from(), None, "a log that ends before is another one");
        let memory = remembering(ids([9, 7, 5, 3]), Vec::new(), false);
        assert_eq!(memory.of(&tenant, &search, 2).read_from(), None, "another connection may lead to another database");
    }

    #[test]
    fn while_changes_are_read_again_and_again_the_memory_rests() {
        let memory = remembering(ids([9, 7, 5, 3]), Vec::new(), false);
        let (tenant, search) = (tenant(), search("smith"));
        let asked = memory.of(&tenant, &search, 1);
        let open = Changes { at: 10, ..changes(100..301) };
        asked.note(&open);
        assert!(memory.of(&tenant, &search, 1).read_from().is_some(), "these were new");
        asked.note(&open);
        assert_eq!(memory.of(&tenant, &search, 1).read_from(), None);
    }

    #[test]
    fn without_a_memory_everything_is_found_anew() {
        let (memory, tenant, search) = (Memory::none(), tenant(), search("smith"));
        memory.of(&tenant, &search, 1).note_page(ids([9, 7, 5, 3]).into_iter(), 10, Some(0), &[]);
        memory.of(&tenant, &search, 1).note_counted(&ids(0..1_001), false, 10);
        assert_eq!(memory.of(&tenant, &search, 1).read_from(), None);
    }

    #[test]
    fn only_the_same_search_of_the_same_tenant_is_remembered() {
        let memory = remembering(ids([9, 7, 5, 3]), ids(0..1_001), false);
        let known = |tenant: &str, search: &Search| {
            let tenant = TenantName::from_stored(tenant.to_owned());
            let asked = memory.of(&tenant, search, 1);
            (asked.page.is_some(), asked.counted.is_some())
        };
        let smith = search("smith");
        assert_eq!(known("a", &smith), (true, true));
        assert_eq!(known("a", &Search { limit: 5, ..smith.clone() }), (false, true), "the count serves any page");
        assert_eq!(known("a", &Search { start: Start::Offset(20), ..smith.clone() }), (false, true));
        assert_eq!(known("a", &Search { include_deleted: true, ..smith.clone() }), (false, false));
        assert_eq!(known("b", &smith), (false, false));
        assert_eq!(known("a", &search("jones")), (false, false));
    }
}
