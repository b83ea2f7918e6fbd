//! How many parts of the order of names to look into next: enough for the page as it seems, and less than would be dear.

use super::costs::Costs;
use super::names::Place;
use super::router::{ELSEWHERE, Outcome};

/// How many parts most are in.
const PARTS: f64 = 100.0;

/// A look into parts that was too much is taken in so many pieces.
const PIECES: f64 = 4.0;
/// A piece of a look into a single part.
const PIECE_OF_ONE: f64 = 1.0 / PIECES;

/// What was found in the parts that were looked into.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    looked: f64,
    found: f64,
    /// No more are to be looked into next.
    most: f64,
    /// In the next so many there is more than could be read; and how often that happened.
    full: f64,
    overflows: i32,
}

/// A look into the next parts.
#[derive(Debug)]
pub(super) struct Look {
    pub parts: f64,
    /// How many rows are worth reading.
    pub cap: f64,
    /// What it should take, with what must be looked into behind it.
    pub cost: f64,
}

impl Parts {
    pub fn new() -> Self {
        Self { looked: 0.0, found: 0.0, most: f64::INFINITY, full: f64::INFINITY, overflows: 0 }
    }

    /// The next look, for so many hits that are missing of so many in all.
    pub fn next(&self, costs: Costs, hits: f64, missing: f64, (left, foreign, lists): (u8, u8, u8)) -> Look {
        let in_part = hits * ELSEWHERE / PARTS;
        let seen = if self.looked > 0.0 { ((self.found + 0.5) / self.looked).min(in_part) } else { in_part };
        let part = costs.part * f64::from(lists);
        let each = |hits: f64| part + hits * costs.hit;
        // What is looked into may well take as long as looking does.
        let least = costs.marks / each(in_part);
        let own = (missing * 1.3 / seen.max(1e-9)).max(least).min(self.most).min(f64::from(left));
        let cost = costs.marks + own * each(seen);
        // Parts differ: rather than reading many rows of one that is full, fewer are looked into.
        let cap = if self.most <= PIECE_OF_ONE { f64::INFINITY } else { (missing * 8.0 + 200.0) * 2_f64.powi(self.overflows) };
        match foreign > 0 && self.full.is_infinite() {
            // There is little in them: they are looked into at once.
            true => Look { parts: f64::from(foreign), cap, cost: cost + f64::from(foreign) * part },
            false => Look { parts: own, cap, cost },
        }
    }

    /// The share of hits in the parts that were looked into, of so many rows in all.
    pub fn share(&self, rows: f64) -> Option<f64> {
        (self.looked > 0.0).then(|| (self.found + 0.5) * PARTS / (self.looked * rows))
    }

    pub fn note(&mut self, parts: f64, outcome: Outcome, place: Option<Place>) {
        match outcome {
            Outcome::Short { found } => {
                self.full = if self.full > parts { self.full - parts } else { f64::INFINITY };
                if !matches!(place, Some(Place::Apart { foreign: 1.., .. })) {
                    self.looked += parts;
                    self.found += f64::from(found);
                    self.most = (parts * 3.0).min((self.full / 2.0).max(1.0));
                }
            }
            Outcome::Overflow => {
                self.full = parts;
                // Less than a single part cannot be read: if reading that off gives no page either, it is read whole.
                self.most = parts / PIECES;
                self.overflows += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: Costs = Costs::PLAIN;
    const OWN: Option<Place> = Some(Place::Apart { parts_left: 90, foreign: 0, lists: 1 });

    fn next(parts: &Parts, (left, foreign): (u8, u8)) -> Look {
        parts.next(COSTS, 10_000.0, 21.0, (left, foreign, 1))
    }

    #[test]
    fn more_parts_are_looked_into_until_there_is_enough() {
        let mut parts = Parts::new();
        let mut last = 0.0;
        for _ in 0..4 {
            let look = next(&parts, (90, 0));
            assert!(look.parts > last && look.parts <= 90.0, "{look:?}");
            last = look.parts;
            parts.note(last, Outcome::Short { found: 0 }, OWN);
        }
    }

    #[test]
    fn parts_that_are_full_are_taken_in_pieces_and_a_single_one_is_read_whole() {
        let mut parts = Parts::new();
        parts.note(40.0, Outcome::Overflow, OWN);
        let piece = next(&parts, (90, 0));
        assert!(piece.parts <= 10.0);
        parts.note(piece.parts, Outcome::Short { found: 0 }, OWN);
        assert!(next(&parts, (90, 0)).parts <= 20.0);
        parts.note(3.0, Outcome::Overflow, OWN);
        assert!(next(&parts, (90, 0)).cap.is_finite(), "it may be full for a single one too, which is better read off");
        parts.note(1.0, Outcome::Overflow, OWN);
        assert!(next(&parts, (90, 0)).cap.is_infinite());
    }

    #[test]
    fn parts_of_foreign_scripts_are_looked_into_at_once_and_tell_nothing_of_the_others() {
        let mut parts = Parts::new();
        let look = next(&parts, (90, 70));
        assert!((look.parts - 70.0).abs() < 0.1);
        let before = next(&parts, (20, 0)).parts;
        parts.note(70.0, Outcome::Short { found: 0 }, Some(Place::Apart { parts_left: 90, foreign: 70, lists: 1 }));
        assert!((next(&parts, (20, 0)).parts - before).abs() < 0.1);
    }
}
