//! The decision: from what is expected to the next step, and from what came of it to the one behind that.
//!
//! The steps may be wrong in their expectations, never in what they find. A scan that is short of hits is gone on
//! with while it costs less than the grams would, and the grams give way to the scan when they find too many.

use super::costs::{Costs, InNames, Listed};
use super::names::Place;
use super::parts::Parts;
use crate::domain::search::MAX_TOTAL;

/// What is known before the first step.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The tenant's profiles; `None` when nothing is known.
    pub tenant_rows: Option<f64>,
    pub conjuncts: Vec<Listed>,
    /// Whether further conditions make the hits fewer.
    pub narrower: bool,
    /// About what share of those who fulfil the conjuncts have the words that these stand for.
    pub told: f64,
    /// Whether there are conditions with an index of their own.
    pub keyed: bool,
    /// Whether the page is in the order of creation.
    pub by_creation: bool,
    /// Whether it is known that there are more hits than are told.
    pub counted: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Read what the conditions with an index of their own lead to; give up beyond `cap`.
    Keyed { cap: u32 },
    /// Read what has the grams of these conjuncts; give up beyond `cap`.
    Grams { conjuncts: Vec<usize>, cap: u32 },
    /// Go on in sort order for so many rows.
    Scan { rows: u32 },
    /// Read what has the grams in this share of the tenant's time, from where the page begins.
    Period { share: f64 },
    /// Read the words of names off their indexes, and whoever has them elsewhere; give up beyond `cap`.
    Words { cap: u32 },
    /// The same in the order of names, as far as the page goes; give up beyond `cap`.
    WordsInOrder { cap: u32 },
    /// Read what has the word's marks in the next so many parts of the order of names; give up beyond `cap`.
    Names { parts: u8, cap: u32 },
}

/// How to learn how many hits there are.
#[derive(Debug, Clone, PartialEq)]
pub enum Count {
    Scan,
    /// By the words of names, and whoever has them elsewhere.
    Words,
    /// By the grams of these conjuncts; first in this share of the tenant's time, where that should be enough.
    Grams {
        conjuncts: Vec<usize>,
        share: Option<f64>,
    },
}

/// What became of a step that did not find the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There is more than the cap.
    Overflow,
    /// The scan read its rows, found so many, and there are more rows.
    Short { found: u32 },
}

/// What is tried before anything is known of the conditions with an index of their own.
const KEYED_CAP: u32 = 5_000;
const MOST_SCAN: f64 = 400_000.0;
/// How many profiles of a large tenant a conjunct of which nothing is known may have.
const UNKNOWN: f64 = 2_000.0;
/// What asking for a period takes by itself, in microseconds.
const PERIOD_COST: f64 = 200.0;
/// How many lists a period is made of.
const PERIOD_LISTS: f64 = 8.0;
/// More of the tenant's time than this is not worth being asked for.
const MOST_OF_TIME: f64 = 0.3;
/// By how much further conditions are taken to narrow what they follow.
pub const NARROWER: f64 = 0.5;
/// How much rarer a word is among names that do not begin with it, and among those of another script.
pub(super) const ELSEWHERE: f64 = 0.5;
const FOREIGN: f64 = 0.02;
/// So many may be read at least when words of names are looked at: more than are counted.
const LEAST_OF_WORDS: f64 = 2_000.0;
/// A part of the order of names may hold so many times as many as others.
const UNEVEN: f64 = 4.0;
/// From so many hits that should have been found on it is told whether there are fewer than expected.
const FORESEEN: f64 = 10.0;
/// Counting stops here.
const ENOUGH_TO_COUNT: f64 = MAX_TOTAL as f64 + 1.0;

/// The conjuncts whose lists are best met.
#[derive(Debug, Clone)]
struct Lookup {
    conjuncts: Vec<usize>,
    /// How many rows have all of them.
    candidates: f64,
    /// What it takes to meet the lists, and to read the candidates besides.
    lists: f64,
    cost: f64,
}

#[derive(Debug, Clone)]
pub struct Router {
    costs: Costs,
    expected: Expected,
    /// How many hits make the page.
    wanted: f64,
    keyed_left: bool,
    /// What is expected of the words of names, where the hits can be found by these.
    in_names: Option<InNames>,
    words_left: bool,
    words_in_order_left: bool,
    grams_left: bool,
    scanned: f64,
    found: f64,
    /// How many rows are to be scanned next, at least.
    stride: f64,
    /// There are more candidates than this.
    overflowed: f64,
    /// The share of time that was looked into, and what was found there.
    period: Option<(f64, f64)>,
    /// Where one stands in the order of names.
    place: Option<Place>,
    /// The share of hits in the part that comes next, where it is known that it holds many.
    density: Option<f64>,
    /// The next part is one that holds more than could be read, which was so much.
    full: Option<f64>,
    /// What was found in parts of it.
    parts: Parts,
    /// What the looks into it took.
    spent: f64,
    /// How many hits there should have been in what was read, wherever those are not sorted apart; and how many there were.
    foreseen: f64,
    seen: f64,
    /// How many rows were scanned at this place, and what was found there.
    stretch: (f64, f64),
}

impl Router {
    pub fn new(costs: Costs, expected: Expected, wanted: u32) -> Self {
        Self {
            costs,
            wanted: f64::from(wanted),
            keyed_left: expected.keyed,
            in_names: None,
            words_left: true,
            words_in_order_left: true,
            grams_left: !expected.conjuncts.is_empty(),
            scanned: 0.0,
            found: 0.0,
            stride: costs.least_scan,
            overflowed: 0.0,
            period: None,
            place: None,
            density: None,
            full: None,
            parts: Parts::new(),
            spent: 0.0,
            foreseen: 0.0,
            seen: 0.0,
            stretch: (0.0, 0.0),
            expected,
        }
    }

    /// The same where the words of names can answer.
    #[must_use]
    pub fn with_words(self, in_names: Option<InNames>) -> Self {
        Self { in_names, ..self }
    }

    /// Takes note of how many hits a period held that made the page.
    pub fn learn(&mut self, share: f64, hits: f64) {
        (self.foreseen, self.seen) = (self.expected_hits() * share, hits);
    }

    /// How many hits there should be in all.
    pub fn expected_hits(&self) -> f64 {
        self.rows() * self.share()
    }

    /// Takes note of where in the order of names the next step begins, if it is by names that the page is ordered; and of
    /// the share of hits there, where it is known that there are many.
    pub fn stands_at(&mut self, place: Option<Place>, density: Option<f64>) {
        let is_together = |place| place == Some(Place::Together);
        if is_together(place) != is_together(self.place) || density != self.density {
            self.stretch = (0.0, 0.0);
            self.stride = self.costs.least_scan;
        }
        if place != self.place {
            // What was full lies behind.
            self.full = None;
        }
        (self.place, self.density) = (place, density);
    }

    pub fn next_step(&self) -> Step {
        if self.keyed_left {
            return Step::Keyed { cap: KEYED_CAP };
        }
        if self.is_small() {
            return Step::Scan { rows: whole(MOST_SCAN) };
        }
        if self.expected.tenant_rows.is_none() && self.scanned == 0.0 {
            // A tenant of which nothing is known is most likely small.
            return Step::Scan { rows: whole(self.costs.small_tenant) };
        }
        let rows = self.rows_to_scan();
        if self.grams_left {
            let lookup = self.by_grams();
            let (cost, scan) = (lookup.cost, self.costs.scanned_row * rows);
            let in_order = self.period(&lookup, cost.min(scan)).or_else(|| self.by_names(cost, scan));
            let page = in_order.as_ref().map_or(scan, |(_, cost)| scan.min(*cost));
            // Grams tell how many there are, and so do words.
            let count = self.counting().1;
            // Looks by names that took as much and did not find the page may go on for long.
            let otherwise = cost.min(page + count).max(self.spent);
            if let Some(step) = self.by_words(otherwise, cost).or_else(|| self.by_words_in_order(page.min(cost - count))) {
                return step;
            }
            if let Some((step, _)) = in_order {
                return step;
            }
            if cost <= self.costs.scanned_row * (self.scanned + rows) {
                // What is more than expected is still worth reading while a scan would cost more.
                let cap = (lookup.candidates * 8.0 + 5_000.0).max(cost / self.costs.hit * 2.0);
                return Step::Grams { conjuncts: lookup.conjuncts, cap: whole(cap) };
            }
            // No further than where the grams would have been the better choice.
            return Step::Scan { rows: whole(rows.min(cost / self.costs.scanned_row).max(self.costs.least_scan)) };
        }
        Step::Scan { rows: whole(rows) }
    }

    /// Takes note of a step that did not find the page.
    pub fn note(&mut self, step: &Step, outcome: Outcome) {
        match step {
            Step::Keyed { .. } => self.keyed_left = false,
            Step::Words { cap } => {
                self.words_left = false;
                self.overflowed = f64::from(*cap);
            }
            Step::WordsInOrder { .. } => {
                self.words_in_order_left = false;
                if let (Outcome::Short { found }, Some(in_names)) = (outcome, self.in_names) {
                    (self.foreseen, self.seen) = (in_names.hits_among(self.expected_hits()), f64::from(found));
                    self.spent += in_names.told * self.costs.read_name;
                }
            }
            Step::Grams { cap, .. } => {
                // Worth another look, with a wider cap, when a scan has cost as much.
                self.grams_left = self.overflowed == 0.0;
                self.overflowed = f64::from(*cap);
            }
            Step::Scan { rows } => {
                if !matches!(self.place, Some(Place::Apart { .. })) {
                    self.foreseen += f64::from(*rows) * self.share_here();
                    self.seen += if let Outcome::Short { found } = outcome { f64::from(found) } else { 0.0 };
                }
                self.scanned += f64::from(*rows);
                self.stride = f64::from(*rows) * 3.0;
                let found = if let Outcome::Short { found } = outcome { f64::from(found) } else { 0.0 };
                self.found += found;
                self.stretch = (self.stretch.0 + f64::from(*rows), self.stretch.1 + found);
            }
            Step::Names { parts, cap } => {
                if let Outcome::Short { found } = outcome {
                    self.found += f64::from(found);
                }
                self.full = (*parts == 1 && outcome == Outcome::Overflow).then_some(f64::from(*cap));
                if self.full.is_some() {
                    (self.stretch, self.stride) = ((0.0, 0.0), self.costs.least_scan);
                }
                self.parts.note(f64::from(*parts), outcome, self.place);
            }
            Step::Period { share } => {
                // More than could be read: what was wrong in that will be wrong in any other period.
                let found = if let Outcome::Short { found } = outcome { f64::from(found) } else { 0.0 };
                (self.foreseen, self.seen) = (self.expected_hits() * share, found);
                self.period = Some((if outcome == Outcome::Overflow { 1.0 } else { *share }, found));
            }
        }
    }

    /// The conjuncts to look up where a scan is no choice, and when to give up; `None` where there are none.
    pub fn by_grams_only(&self) -> Option<(Vec<usize>, u32)> {
        let Lookup { conjuncts, candidates, .. } = self.by_grams();
        (!conjuncts.is_empty()).then(|| (conjuncts, whole(candidates * 8.0 + 5_000.0)))
    }

    /// Takes note of what a look by names took, where that is dear: all of them together are not to take more than grams would.
    pub fn spend(&mut self, cost: f64) {
        self.spent += cost;
    }

    /// How to learn whether there are more hits than are told.
    pub fn to_count(&self) -> Count {
        self.counting().0
    }

    /// The same, and what it takes.
    fn counting(&self) -> (Count, f64) {
        let wanted = ENOUGH_TO_COUNT;
        if self.expected.counted {
            return (Count::Scan, 0.0);
        }
        if self.expected.conjuncts.is_empty() || self.is_small() {
            return (Count::Scan, self.rows() * self.costs.scanned_row);
        }
        let lookup = self.by_grams();
        let expected = self.expected_hits() * self.found_share();
        let scan = (wanted * self.rows() / expected.max(1.0)).min(self.rows()) * self.costs.scanned_row;
        // The lists are read to their ends, rows only until there are enough.
        let hits = lookup.candidates.min(wanted * lookup.candidates / expected.max(1.0)) * self.costs.hit;
        let whole = lookup.lists + hits;
        // More than are wanted should be in the period: it is for nothing if they are not.
        let share = wanted * 1.7 / expected.max(1.0);
        let in_period = self.cost_of_period(share, &lookup) + hits;
        let conjuncts = lookup.conjuncts;
        let words = self.in_names.map_or(f64::INFINITY, |in_names| self.costs.of_words(in_names, expected, wanted));
        match () {
            () if words <= scan.min(whole).min(in_period) => (Count::Words, words),
            () if scan < whole.min(in_period) => (Count::Scan, scan),
            () if share < MOST_OF_TIME && in_period < whole => (Count::Grams { conjuncts, share: Some(share) }, in_period),
            () => (Count::Grams { conjuncts, share: None }, whole),
        }
    }

    fn is_small(&self) -> bool {
        self.expected.tenant_rows.is_some_and(|rows| rows <= self.costs.small_tenant)
    }

    fn rows(&self) -> f64 {
        let known = self.expected.conjuncts.iter().filter_map(|conjunct| conjunct.rows);
        let most = known.fold(self.costs.small_tenant * 20.0, |most, rows| rows.max(most));
        self.expected.tenant_rows.unwrap_or(most).max(1.0)
    }

    fn of_conjunct(&self, at: usize) -> f64 {
        let known = self.expected.conjuncts.get(at).and_then(|conjunct| conjunct.rows);
        known.unwrap_or(UNKNOWN).clamp(1.0, self.rows())
    }

    /// The share of those that fulfil the other conjuncts who fulfil this one.
    fn share_of(&self, at: usize) -> f64 {
        let known = self.expected.conjuncts.get(at).and_then(|conjunct| conjunct.share);
        known.unwrap_or_else(|| self.of_conjunct(at) / self.rows())
    }

    /// The share of rows that should be hits, were the conditions independent.
    fn share(&self) -> f64 {
        let all: f64 = (0..self.expected.conjuncts.len()).map(|at| self.share_of(at)).product();
        let expected = all * self.expected.told * if self.expected.narrower { NARROWER } else { 1.0 };
        expected.max(self.overflowed / self.rows())
    }

    /// The share of hits that is expected among the rows of this place.
    fn share_here(&self) -> f64 {
        match self.place {
            // Here every name has the word, which is the first of the conjuncts.
            Some(Place::Together) => (self.share() * self.rows() / self.of_conjunct(0)).min(1.0),
            _ => self.share(),
        }
    }

    /// What part of the expected hits there seems to be, by what was read: conditions are not independent.
    fn found_share(&self) -> f64 {
        if self.foreseen < FORESEEN { 1.0 } else { ((self.seen + 1.0) / (self.foreseen + 1.0)).min(1.0) }
    }

    fn rows_to_scan(&self) -> f64 {
        // What was seen counts for more than what was expected: words and values hang together.
        let share = match self.period {
            _ if self.stretch.0 > 0.0 => (self.stretch.1 + 0.5) / (self.stretch.0 + 1.0),
            // It may well hold little else.
            _ if self.full.is_some() => 1.0,
            _ if self.density.is_some() => self.density.unwrap_or_default(),
            _ if self.place == Some(Place::Together) => self.share_here(),
            // Most who have a word have it at the beginning of their name, and next to nobody in names of another script.
            _ if matches!(self.place, Some(Place::Apart { foreign: 1.., .. })) => self.share() * FOREIGN,
            _ if matches!(self.place, Some(Place::Apart { .. })) => {
                let share = self.share() * ELSEWHERE;
                self.parts.share(self.rows()).map_or(share, |seen| seen.min(share))
            }
            Some((time, found)) if time < 1.0 => ((found + 0.5) / (time * self.rows())).min(self.share()),
            _ => self.share(),
        };
        let missing = (self.wanted - self.found).max(1.0);
        (missing * 1.3 / share.max(1e-9) + self.costs.least_scan).clamp(self.stride, MOST_SCAN.max(self.stride)).min(MOST_SCAN)
    }

    /// What it takes to meet lists with those of the periods that cover this share of the time.
    fn cost_of_period(&self, share: f64, lookup: &Lookup) -> f64 {
        let met = self.costs.of_meeting(self.rows(), PERIOD_LISTS, lookup.candidates);
        PERIOD_COST + share * (lookup.lists + met)
    }

    /// The share of time to look into next, if that takes less than `otherwise`.
    fn period(&self, lookup: &Lookup, otherwise: f64) -> Option<(Step, f64)> {
        if !self.expected.by_creation {
            return None;
        }
        let share = match self.period {
            None => self.wanted * 2.0 / self.expected_hits().max(1.0),
            Some((share, found)) => (self.wanted * 1.5 * share / (found + 0.5)).clamp(share * 3.0, share * 16.0),
        };
        let cost = self.cost_of_period(share, lookup) + share * lookup.candidates * self.costs.hit;
        (share < MOST_OF_TIME && cost < otherwise).then_some((Step::Period { share }, cost))
    }

    /// A look at the words of names, which tells how many there are, if that takes less than `otherwise`. If there are more hits than
    /// expected it goes on for as long as grams would have taken.
    fn by_words(&self, otherwise: f64, by_grams: f64) -> Option<Step> {
        let (in_names, hits) = (self.in_names.filter(|_| self.words_left)?, self.expected_hits());
        let cap = whole((hits * 2.0).max(by_grams / (self.costs.read_name + self.costs.name)).max(LEAST_OF_WORDS));
        (self.costs.of_words(in_names, hits, f64::INFINITY) <= otherwise).then_some(Step::Words { cap })
    }

    /// Whether the next part holds so many hits that a scan finds them one behind another, or soon enough: before it takes as long as
    /// what could not be read.
    fn is_read_off(&self) -> bool {
        let (read, found) = self.stretch;
        let before = |full| (read + self.rows_to_scan()) * self.costs.scanned_row < full * self.costs.hit;
        self.full.is_some_and(before) || self.density.is_some_and(|density| read == 0.0 || (found + 1.0) / read > density * 0.3)
    }

    /// The page in the order of names by their words, if that takes less than `otherwise`.
    fn by_words_in_order(&self, otherwise: f64) -> Option<Step> {
        let in_names = self.in_names.filter(|in_names| self.words_in_order_left && in_names.in_order)?;
        let cost = self.costs.of_words_in_order(in_names, self.expected_hits(), self.wanted);
        let share = in_names.share_on_page(self.expected_hits(), self.wanted).map_or(1.0, |(share, _)| share * UNEVEN);
        let cap = whole(((in_names.longer + in_names.rows * share.min(1.0) + self.wanted) * 2.0).max(LEAST_OF_WORDS));
        (cost <= otherwise).then_some(Step::WordsInOrder { cap })
    }

    /// A look into the next parts of the order of names, if that takes less than all by grams, and than a scan.
    fn by_names(&self, by_grams: f64, scan: f64) -> Option<(Step, f64)> {
        let Some(Place::Apart { parts_left, foreign, lists }) = self.place.filter(|_| !self.is_read_off()) else { return None };
        let missing = (self.wanted - self.found).max(1.0);
        let look = self.parts.next(self.costs, self.expected_hits(), missing, (parts_left, foreign, lists));
        // Grams tell how many there are, too.
        let count = self.counting().1;
        let (parts, cap) = (u8::try_from(whole(look.parts)).unwrap_or(u8::MAX), whole(look.cap));
        (look.cost < scan && self.spent + look.cost + count < by_grams).then_some((Step::Names { parts, cap }, look.cost))
    }

    fn by_grams(&self) -> Lookup {
        let mut order: Vec<usize> = (0..self.expected.conjuncts.len()).collect();
        order.sort_by(|a, b| self.of_conjunct(*a).total_cmp(&self.of_conjunct(*b)));
        let mut conjuncts = Vec::new();
        let (mut candidates, mut lists, mut shortest) = (self.rows(), 0.0, 0.0);
        for at in order {
            let entries = self.of_conjunct(at);
            if conjuncts.is_empty() {
                (candidates, lists, shortest) = (entries, entries * self.costs.entry, entries);
                conjuncts.push(at);
                continue;
            }
            let after = candidates * self.share_of(at);
            // Another list is worth meeting if it spares more rows than it costs. All lists go to where one of them is, so it is the
            // shortest that tells how often, not those who are left.
            let meeting = self.costs.of_meeting(entries, self.expected.conjuncts[at].lists, shortest);
            if meeting < (candidates - after) * self.costs.hit {
                candidates = after;
                lists += meeting;
                conjuncts.push(at);
            }
        }
        if conjuncts.len() > 1 {
            candidates *= self.found_share();
        }
        let candidates = candidates.max(self.overflowed * 2.0);
        lists += candidates * self.costs.entry;
        Lookup { conjuncts, candidates, lists, cost: candidates * self.costs.hit + lists }
    }
}

fn whole(value: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, and nothing here is negative")]
    let whole = value.ceil() as u32;
    whole.max(1)
}

#[cfg(test)]
mod tests;
