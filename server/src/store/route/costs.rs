//! What the steps of a search take.

use super::names::MOST_PARTS;
use crate::domain::name_order::Part;

/// What things take, in microseconds; they differ between backends, and only their proportions count.
#[derive(Debug, Clone, Copy)]
pub struct Costs {
    /// A row that a scan in sort order looks at.
    pub scanned_row: f64,
    /// A row that an index led to.
    pub hit: f64,
    /// An entry of the list that is read: the shortest of those that are met with one another.
    pub entry: f64,
    /// An entry of a longer list that is passed over to meet the shortest; and how many are at most, for each entry of that one.
    pub passed_entry: f64,
    pub passed_entries: f64,
    /// What meeting a list takes for each entry of the shortest, and by itself.
    pub meeting: f64,
    pub list: f64,
    /// Up to here a tenant is small: a scan of all of it is the best there is.
    pub small_tenant: f64,
    /// No scan is shorter.
    pub least_scan: f64,
    /// A lookup by a word's marks by itself, and each of the parts that it looks into.
    pub marks: f64,
    pub part: f64,
    /// A look at the words of names by itself; each entry of an index over them that is read, and what a hit takes besides;
    /// and each that is passed over.
    pub words: f64,
    pub read_name: f64,
    pub name: f64,
    pub passed_name: f64,
    /// Pages are remembered for which so many rows were read; `None`: none is.
    pub remembered: Option<i64>,
}

/// What is expected of a conjunct.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Listed {
    /// The profiles that fulfil it; `None` when nothing is known.
    pub rows: Option<f64>,
    /// The share of those that fulfil the other conjuncts who fulfil this one; `None` where they are independent.
    pub share: Option<f64>,
    /// How many lists it is made of: one for each of its grams.
    pub lists: f64,
}

/// What a look at the words of names should meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InNames {
    /// Entries of the indexes over names that have the words; the hits are among them.
    pub told: f64,
    /// Those of names that end with a longer word than the one asked for: they are not in the order of names.
    pub longer: f64,
    /// Entries that are passed over between others.
    pub passed: f64,
    /// Entries of the lists of those who have a word elsewhere, and how many rows of theirs are read.
    pub entries: f64,
    pub rows: f64,
    /// Whether the page is in the order of names; and whether those in its next parts are told by marks.
    pub in_order: bool,
    pub marked: bool,
}

impl InNames {
    /// How many of so many hits the indexes over names should tell.
    pub(super) fn hits_among(&self, hits: f64) -> f64 {
        hits * self.told / (self.told + self.rows).max(1.0)
    }

    /// What share of all that is in the order of names a page takes of so many hits, and of how many parts; `None` where marks do not
    /// tell who has the words there.
    pub(super) fn share_on_page(&self, hits: f64, wanted: f64) -> Option<(f64, f64)> {
        let share = (wanted / hits.max(1.0)).min(1.0);
        let parts = share * (f64::from(Part::LAST.number()) + 1.0) + 1.0;
        (self.marked && parts <= f64::from(MOST_PARTS)).then_some((share, parts))
    }
}

impl Costs {
    /// What it takes to meet a shortest list of so many entries with a longer one.
    pub(super) fn of_meeting(&self, entries: f64, lists: f64, shortest: f64) -> f64 {
        let lists = lists.max(1.0);
        let passed = entries.min(shortest * self.passed_entries * lists);
        passed * self.passed_entry + lists * (shortest * self.meeting + self.list)
    }

    /// What it takes to find `most` of so many hits: first those whom the words of names tell, and then all others.
    pub(super) fn of_words(&self, in_names: InNames, hits: f64, most: f64) -> f64 {
        let told = in_names.hits_among(hits);
        let found = told.min(most);
        let others = if told < most { self.of_others(in_names) } else { 0.0 };
        let read = found / told.max(1.0) * in_names.told;
        self.words + in_names.passed * self.passed_name + read * self.read_name + found * self.name + others
    }

    /// What it takes to find the first `wanted` of so many hits in the order of names.
    pub(super) fn of_words_in_order(&self, in_names: InNames, hits: f64, wanted: f64) -> f64 {
        let read = (wanted * in_names.told / in_names.hits_among(hits).max(1.0)).min(in_names.told);
        let streams = 2.0 * (read * self.read_name + wanted * self.name);
        self.words
            + streams
            + in_names.passed * self.passed_name
            + in_names.longer * (self.read_name + self.name)
            + match in_names.share_on_page(hits, wanted) {
                Some((share, parts)) => self.words + parts * self.part + share * self.of_others(in_names),
                None => self.of_others(in_names),
            }
    }

    fn of_others(&self, in_names: InNames) -> f64 {
        in_names.entries * self.entry + in_names.rows * self.hit
    }
}

#[cfg(test)]
impl Costs {
    /// Every search of something that has grams goes by them.
    pub const BY_GRAMS: Self = Self {
        scanned_row: 1e9,
        hit: 1e-9,
        entry: 1e-9,
        passed_entry: 1e-9,
        passed_entries: 16.0,
        meeting: 0.0,
        list: 0.0,
        small_tenant: 0.0,
        least_scan: 1.0,
        marks: 1e9,
        part: 1e9,
        words: 1e30,
        read_name: 0.0,
        name: 0.0,
        passed_name: 0.0,
        remembered: None,
    };
    /// Every search is a scan of many short steps.
    pub const BY_SCANS: Self = Self {
        scanned_row: 1e-9,
        hit: 1e9,
        entry: 1e9,
        passed_entry: 1e9,
        passed_entries: 16.0,
        meeting: 0.0,
        list: 0.0,
        small_tenant: 2.0,
        least_scan: 2.0,
        marks: 1e9,
        part: 1e9,
        words: 1e30,
        read_name: 0.0,
        name: 0.0,
        passed_name: 0.0,
        remembered: None,
    };
    /// Every page in the order of names is looked for by the word's marks.
    pub const BY_NAMES: Self = Self { small_tenant: 0.0, least_scan: 1.0, marks: -1e30, part: 0.0, ..Self::BY_SCANS };

    /// Words are looked for among those of names wherever that is possible.
    pub const BY_WORDS: Self = Self { words: -1e30, ..Self::BY_GRAMS };

    /// Every page is remembered.
    pub const REMEMBERING: Self = Self { remembered: Some(0), ..Self::PLAIN };

    /// Lists are met entry by entry.
    pub const PLAIN: Self = Self {
        scanned_row: 1.5,
        hit: 3.0,
        entry: 0.02,
        passed_entry: 0.02,
        passed_entries: 16.0,
        meeting: 0.0,
        list: 0.0,
        small_tenant: 1_000.0,
        least_scan: 300.0,
        marks: 150.0,
        part: 5.0,
        words: 1e30,
        read_name: 0.15,
        name: 0.3,
        passed_name: 0.05,
        remembered: Some(100),
    };

    /// Long lists are passed over quickly.
    pub const PASSING: Self = Self { entry: 0.1, passed_entry: 0.003, passed_entries: 600.0, meeting: 0.015, hit: 2.0, ..Self::PLAIN };
}
