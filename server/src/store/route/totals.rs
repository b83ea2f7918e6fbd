//! Totals beyond 1,000, remembered. A total is told exactly up to `MAX_TOTAL`; beyond, only that it is more. Where a few
//! more were counted once, and of those that were counted the change log names fewer since then, there still are
//! more: that is proved by reading the changes instead of a thousand hits.
//!
//! A node keeps this for itself. It is never stale: the changes are read in the snapshot of the search.

use crate::domain::search::{MAX_TOTAL, Search};
use crate::domain::tenant::TenantName;
use quick_cache::sync::Cache;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Counting stops here, for a search that is not remembered and for one that was.
const COUNTED_FIRST: u32 = MAX_TOTAL + 21;
const COUNTED_AGAIN: u32 = MAX_TOTAL + 301;
/// More changes than this are not read: counting anew takes less.
pub const MOST_CHANGES: u32 = 2_000;
/// Each takes some four kilobytes.
const REMEMBERED: usize = 3_000;
const LONGEST_KEY_BYTES: usize = 2_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(600);

/// These hits there were at a position of the change log: whatever had been changed before it was seen by the count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    hits: Arc<[Mark]>,
    pub at: i64,
}

/// A part of a profile's id. Where two have the same, a change of one is taken for a change of both.
type Mark = u32;

fn mark(id: Uuid) -> Mark {
    let [.., a, b, c, d] = id.into_bytes();
    Mark::from_be_bytes([a, b, c, d])
}

impl Counted {
    pub fn of(hits: impl IntoIterator<Item = Uuid>, at: i64) -> Self {
        Self { hits: hits.into_iter().map(mark).collect(), at }
    }

    pub fn hits(&self) -> i64 {
        i64::try_from(self.hits.len()).unwrap_or(i64::MAX)
    }

    fn without(&self, changed: &[Uuid], at: i64) -> Self {
        let changed: HashSet<Mark> = changed.iter().copied().map(mark).collect();
        Self { hits: self.hits.iter().copied().filter(|hit| !changed.contains(hit)).collect(), at }
    }
}

/// What the change log tells since then.
#[derive(Debug, Clone)]
pub struct Since {
    /// How many changes were read; more than `MOST_CHANGES` if there are more.
    pub changes: i64,
    /// Whether one of them may have made all hits none.
    pub all: bool,
    /// The profiles that one of them may have made none.
    pub lost: Vec<Uuid>,
    /// The position of this snapshot.
    pub at: i64,
}

#[derive(Debug)]
pub struct Totals(Cache<String, (Counted, Instant)>);

/// One search's total.
#[derive(Debug)]
pub struct Remembered<'a> {
    totals: &'a Totals,
    key: String,
    before: Option<Counted>,
}

impl Default for Totals {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl Totals {
    /// What is remembered of a search: of its condition, in whatever order and wherever its page begins.
    pub fn of(&self, tenant: &TenantName, search: &Search) -> Remembered<'_> {
        let Search { needles, filter, include_deleted, .. } = search;
        let key = format!("{} {include_deleted} {needles:?} {filter:?}", tenant.as_str());
        let before = self.0.get(&key).filter(|(_, since)| since.elapsed() < REMEMBERED_FOR).map(|(counted, _)| counted);
        Remembered { totals: self, key, before }
    }
}

impl Remembered<'_> {
    pub fn before(&self) -> Option<&Counted> {
        self.before.as_ref()
    }

    /// How many hits there are at least, if that is more than is told.
    pub fn still(&self, since: &Since) -> Option<i64> {
        let before = self.before.as_ref()?;
        if since.all || since.at < before.at || since.changes > MOST_CHANGES.into() {
            return None;
        }
        let left = before.without(&since.lost, since.at);
        let hits = left.hits();
        if hits <= MAX_TOTAL.into() {
            return None;
        }
        if since.changes > i64::from(MOST_CHANGES) / 100 {
            self.note(left);
        }
        Some(hits)
    }

    /// Where counting is to stop: what is asked for again is worth being counted further.
    pub fn count_to(&self) -> u32 {
        if self.before.is_some() { COUNTED_AGAIN } else { COUNTED_FIRST }
    }

    pub fn note(&self, counted: Counted) {
        if counted.hits() > MAX_TOTAL.into() && self.key.len() <= LONGEST_KEY_BYTES {
            self.totals.0.insert(self.key.clone(), (counted, Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::search::{Sort, Start};
    use crate::domain::search_text::needles;

    fn search(query: &str) -> Search {
        Search { needles: needles(query), filter: None, sort: Sort::DEFAULT, limit: 20, start: Start::Offset(0), include_deleted: false }
    }

    fn tenant(name: &str) -> TenantName {
        TenantName::from_stored(name.to_owned())
    }

    fn ids(numbers: std::ops::Range<u128>) -> Vec<Uuid> {
        numbers.map(Uuid::from_u128).collect()
    }

    #[test]
    fn a_total_holds_until_so_many_of_the_hits_were_changed_that_no_more_than_are_told_are_left() {
        let totals = Totals::default();
        totals.of(&tenant("a"), &search("smith")).note(Counted::of(ids(0..1_101), 50));
        let since = |changes, lost, at| Since { changes, all: false, lost: ids(lost), at };
        let still = |since: Since| totals.of(&tenant("a"), &search("smith")).still(&since);
        assert_eq!(still(since(20, 0..0, 60)), Some(1_101));
        assert_eq!(still(since(20, 0..100, 60)), Some(1_001));
        assert_eq!(still(since(20, 0..101, 60)), None);
        assert_eq!(still(since(20, 2_000..2_090, 60)), Some(1_101), "changes of others");
        assert_eq!(still(Since { all: true, ..since(1, 0..0, 60) }), None, "the tenant is another one");
        assert_eq!(still(since(2_001, 0..0, 60)), None, "not all changes were read");
        assert_eq!(still(since(0, 0..0, 49)), None, "a log that ends before it was counted is another one");
        // From here on fewer changes are to be read.
        assert_eq!(still(since(1_000, 0..50, 70)), Some(1_051));
        assert_eq!(totals.of(&tenant("a"), &search("smith")).before(), Some(&Counted::of(ids(50..1_101), 70)));
        assert_eq!(still(since(1, 0..50, 80)), Some(1_051), "those changed again");
    }

    #[test]
    fn a_change_of_one_takes_all_that_cannot_be_told_from_it() {
        let counted = Counted::of([1, 2, 1 << 40 | 1].map(Uuid::from_u128), 1);
        assert_eq!(counted.without(&ids(1..2), 2), Counted::of(ids(2..3), 2));
    }

    #[test]
    fn only_the_same_condition_of_the_same_tenant_is_remembered_and_only_what_is_beyond_telling() {
        let totals = Totals::default();
        let counted = Counted::of(ids(0..1_001), 1);
        totals.of(&tenant("a"), &search("smith")).note(counted.clone());
        totals.of(&tenant("a"), &search("jones")).note(Counted::of(ids(0..1_000), 1));
        let before = |name, search: &Search| totals.of(&tenant(name), search).before().cloned();
        assert_eq!(before("a", &Search { limit: 5, start: Start::Offset(40), ..search("smith") }), Some(counted));
        for (name, search) in [("b", search("smith")), ("a", search("jones")), ("a", Search { include_deleted: true, ..search("smith") })] {
            assert_eq!(before(name, &search), None);
        }
    }
}
