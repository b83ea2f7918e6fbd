//! Totals beyond 1,000, remembered. A total is told exactly up to `MAX_TOTAL`; beyond, only that it is more. Where so many
//! more were counted once, and the change log holds fewer changes since then that could have made a hit none, there
//! still are more: that is proved by reading the changes instead of a thousand hits.
//!
//! A node keeps this for itself. It is never stale: the changes are read in the snapshot of the search.

use crate::domain::search::{MAX_TOTAL, Search};
use crate::domain::tenant::TenantName;
use quick_cache::sync::Cache;
use std::time::{Duration, Instant};

/// Counting stops here, for a search that is not remembered and for one that was.
const COUNTED_FIRST: u32 = MAX_TOTAL + 21;
const COUNTED_AGAIN: u32 = MAX_TOTAL + 1_001;
/// More changes than this are not read: counting anew takes less.
pub const MOST_CHANGES: u32 = 2_000;
const REMEMBERED: usize = 10_000;
const LONGEST_KEY_BYTES: usize = 2_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(600);

/// So many hits there were at a position of the change log: whatever had been changed before it was seen by the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    pub hits: i64,
    pub at: i64,
}

/// What the change log tells since then.
#[derive(Debug, Clone, Copy)]
pub struct Since {
    /// How many changes were read; more than `MOST_CHANGES` if there are more.
    pub changes: i64,
    /// How many of them may have made a hit none.
    pub lost: i64,
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
    pub fn before(&self) -> Option<Counted> {
        self.before
    }

    /// How many hits there are at least, if that is more than is told.
    pub fn still(&self, since: Since) -> Option<i64> {
        let before = self.before?;
        let hits = before.hits - since.lost;
        let is_proved = since.at >= before.at && since.changes <= MOST_CHANGES.into() && hits > MAX_TOTAL.into();
        if is_proved && since.changes > i64::from(MOST_CHANGES) / 20 {
            self.note(Counted { hits, at: since.at });
        }
        is_proved.then_some(hits)
    }

    /// Where counting is to stop: what is asked for again is worth being counted further.
    pub fn count_to(&self) -> u32 {
        if self.before.is_some() { COUNTED_AGAIN } else { COUNTED_FIRST }
    }

    pub fn note(&self, counted: Counted) {
        if counted.hits > MAX_TOTAL.into() && self.key.len() <= LONGEST_KEY_BYTES {
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

    #[test]
    fn a_total_holds_until_so_many_changes_may_have_taken_the_surplus() {
        let totals = Totals::default();
        totals.of(&tenant("a"), &search("smith")).note(Counted { hits: 1_101, at: 50 });
        let still = |changes, lost, at| totals.of(&tenant("a"), &search("smith")).still(Since { changes, lost, at });
        assert_eq!(still(90, 0, 60), Some(1_101));
        assert_eq!(still(90, 100, 60), Some(1_001));
        assert_eq!(still(90, 101, 60), None);
        assert_eq!(still(2_001, 0, 60), None, "not all changes were read");
        assert_eq!(still(0, 0, 49), None, "a log that ends before it was counted is another one");
        // From here on fewer changes are to be read.
        assert_eq!(still(1_000, 50, 70), Some(1_051));
        assert_eq!(totals.of(&tenant("a"), &search("smith")).before(), Some(Counted { hits: 1_051, at: 70 }));
    }

    #[test]
    fn only_the_same_condition_of_the_same_tenant_is_remembered_and_only_what_is_beyond_telling() {
        let totals = Totals::default();
        let counted = Counted { hits: 1_001, at: 1 };
        totals.of(&tenant("a"), &search("smith")).note(counted);
        totals.of(&tenant("a"), &search("jones")).note(Counted { hits: 1_000, at: 1 });
        let before = |name, search: &Search| totals.of(&tenant(name), search).before();
        assert_eq!(before("a", &Search { limit: 5, start: Start::Offset(40), ..search("smith") }), Some(counted));
        for (name, search) in [("b", search("smith")), ("a", search("jones")), ("a", Search { include_deleted: true, ..search("smith") })] {
            assert_eq!(before(name, &search), None);
        }
    }
}
