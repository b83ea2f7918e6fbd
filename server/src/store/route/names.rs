//! Pages in the order of names of those that have a word. Those whose name begins with it stand together: there a scan
//! finds one hit behind another. Before and behind that place it finds few, and there the word's marks lead to them, part by
//! part of the order (`domain/name_order`).

use super::conjuncts::Conjunct;
use crate::domain::filter::{Condition, Filter, TextField, TextOp};
use crate::domain::grams::{Fact, Grams};
use crate::domain::name_order::{Part, is_marked, marks_of};
use crate::domain::profile::ProfileId;
use crate::domain::search::{Position, Search, SortField, SortKey, Start};
use crate::domain::search_text::fold;
use crate::domain::tenant::TenantName;
use crate::domain::text::behind_beginning;
use uuid::Uuid;

/// Words longer than this have more marks than are worth being looked for.
const LONGEST: usize = 32;

/// Where one stands who has read a page's first hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Among names that do not begin with the word; so many parts from the next place, or from the end, the first of them
    /// of scripts in whose names the word is rare.
    Apart { parts_left: u8, foreign: u8 },
    /// Where names begin with it.
    Together,
}

/// The way along the order of names for one word.
#[derive(Debug)]
pub struct Names<'a> {
    search: &'a Search,
    grams: Grams,
    word: String,
    /// What comes behind all that begins with the word.
    behind: String,
}

/// A part of the way.
#[derive(Debug)]
pub struct Reach {
    /// The search for those hits in it whose names do not begin with the word.
    pub search: Search,
    /// What those have.
    pub marks: Conjunct,
    /// Where the next part begins; `None` at the end.
    pub end: Option<Position>,
}

impl<'a> Names<'a> {
    /// None where the order is another one, or the word has no marks.
    pub fn of(tenant: &TenantName, search: &'a Search) -> Option<Self> {
        let [needle] = search.needles.as_slice() else { return None };
        let word = needle.strip_prefix(' ')?;
        let marked = search.sort.field == SortField::FullName && is_marked(word) && word.chars().count() <= LONGEST;
        // Names are compared folded: the word must be what it is compared as.
        (marked && fold(word) == word).then_some(())?;
        Some(Self { search, grams: Grams::of(tenant), word: word.to_owned(), behind: behind_beginning(word)? })
    }

    /// Where this position is, all up to it having been read.
    pub fn place(&self, read: Option<&Position>) -> Place {
        let (first, behind) = (bound(&self.word), bound(&self.behind));
        let is_before = match (read, self.search.sort.descending) {
            (None, _) => true,
            (Some(read), false) => *read < first,
            (Some(read), true) => *read > behind,
        };
        let is_behind = match (read, self.search.sort.descending) {
            (None, _) => false,
            (Some(read), false) => *read >= behind,
            (Some(read), true) => *read <= first,
        };
        let from = self.next_part(read);
        let to = match (is_before, self.search.sort.descending) {
            (true, false) => Part::of(&self.word),
            (true, true) => Part::of(&self.behind),
            (false, false) => Part::LAST,
            (false, true) => Part::FIRST,
        };
        if !is_before && !is_behind {
            return Place::Together;
        }
        let parts_left = from.number().abs_diff(to.number()) + 1;
        let foreign = self.next_parts(read, parts_left).take_while(|part| part.is_foreign_to(&self.word)).count();
        Place::Apart { parts_left, foreign: u8::try_from(foreign).unwrap_or(u8::MAX) }
    }

    /// The next so many parts behind this position, up to where names begin with the word, for so many hits.
    pub fn reach(&self, read: Option<&Position>, parts: u8, wanted: u32) -> Reach {
        let from = self.next_part(read);
        let (first, last, bounds, end) = if self.search.sort.descending {
            let first = from.earlier(parts.saturating_sub(1));
            let stops = read.is_none_or(|read| *read > bound(&self.behind)) && first.first_key() < self.behind.as_str();
            match stops {
                // Whatever is behind the word's beginning, but does not begin with it.
                true => (Part::of(&self.word), from, Some((TextOp::GreaterOrEqual, self.word.as_str())), Some(bound(&self.behind))),
                false if first == Part::FIRST => (first, from, None, None),
                false => (first, from, Some((TextOp::GreaterOrEqual, first.first_key())), Some(bound(first.first_key()))),
            }
        } else {
            let last = from.later(parts.saturating_sub(1));
            let next = (last != Part::LAST).then(|| last.later(1).first_key());
            let stops = read.is_none_or(|read| *read < bound(&self.word)) && next.is_none_or(|next| next > self.word.as_str());
            match (stops, next) {
                (true, _) => (from, Part::of(&self.word), Some((TextOp::Less, self.word.as_str())), Some(bound(&self.word))),
                (false, Some(next)) => (from, last, Some((TextOp::Less, next)), Some(bound(next))),
                (false, None) => (from, last, None, None),
            }
        };
        let condition = |op, value: &str| Filter::Condition(Condition::Text { field: TextField::FullName, op, value: value.to_owned() });
        let apart = Filter::Not(Box::new(condition(TextOp::StartsWith, &self.word)));
        let all = self.search.filter.iter().cloned().chain(bounds.map(|(op, value)| condition(op, value)));
        let filter = all.fold(apart, |all, one| one.and(all));
        let start = read.map_or(Start::Offset(0), |read| Start::After(read.clone()));
        let mut any_of: Vec<i32> = marks_of(&self.word, first, last).map(|mark| self.grams.gram(Fact::Marked(mark))).collect();
        any_of.sort_unstable();
        any_of.dedup();
        let search = Search { filter: Some(filter), start, limit: wanted.saturating_sub(1), ..self.search.clone() };
        Reach { search, marks: Conjunct::any_of(any_of), end }
    }

    /// The mark of the word in each of the next so many parts.
    pub fn next_marks(&self, read: Option<&Position>, parts: u8) -> impl Iterator<Item = i32> {
        self.next_parts(read, parts).filter_map(|part| Some(self.grams.gram(Fact::Marked(marks_of(&self.word, part, part).next()?))))
    }

    fn next_parts(&self, read: Option<&Position>, parts: u8) -> impl Iterator<Item = Part> {
        let (from, descending) = (self.next_part(read), self.search.sort.descending);
        (0..parts).map(move |at| if descending { from.earlier(at) } else { from.later(at) })
    }

    /// The part that holds what comes next.
    fn next_part(&self, read: Option<&Position>) -> Part {
        let descending = self.search.sort.descending;
        let Some(Position { key: SortKey::Text(key), profile_id }) = read else {
            return if descending { Part::LAST } else { Part::FIRST };
        };
        let part = Part::of(key);
        let is_first = profile_id.0.is_nil() && part.first_key() == key;
        if descending && is_first { part.earlier(1) } else { part }
    }
}

/// Between all that is less than this, and it.
fn bound(key: &str) -> Position {
    Position { key: SortKey::Text(key.to_owned()), profile_id: ProfileId(Uuid::nil()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::search::Sort;
    use crate::domain::search_text::needles;

    fn search(query: &str, sort: &str) -> Search {
        let sort = Sort::parse(sort).unwrap();
        Search { needles: needles(query), filter: None, sort, limit: 20, start: Start::Offset(0), include_deleted: false }
    }

    fn tenant() -> TenantName {
        TenantName::from_stored("a".to_owned())
    }

    /// Where each reach ends, with so many parts at a time, and the place behind it; a scan takes one over the word.
    fn ends(word: &str, sort: &str, parts: u8) -> Vec<String> {
        let search = search(word, sort);
        let names = Names::of(&tenant(), &search).unwrap();
        let (mut read, mut ends) = (None, Vec::new());
        loop {
            if names.place(read.as_ref()) == Place::Together {
                ends.push("together".to_owned());
                read = Some(bound(if search.sort.descending { &names.word } else { &names.behind }));
                continue;
            }
            let reach = names.reach(read.as_ref(), parts, 1);
            assert!(!reach.marks.any_of.is_empty());
            let Some(Position { key: SortKey::Text(key), .. }) = &reach.end else { return ends };
            ends.push(key.clone());
            assert_ne!(read, reach.end);
            read = reach.end;
        }
    }

    #[test]
    fn the_way_goes_along_all_parts_and_once_over_the_word() {
        assert_eq!(ends("mary", "full_name", 60)[..2], ["mary".to_owned(), "together".to_owned()]);
        assert_eq!(ends("mary", "full_name", 250), ["mary", "together"]);
        assert_eq!(ends("mary", "-full_name", 250), ["marz", "together"]);
        for (sort, parts) in [("full_name", 1), ("full_name", 7), ("-full_name", 1), ("-full_name", 7)] {
            for word in ["mary", "mar", "ann", "zzz", "михаил", "शर्मा"] {
                let ends = ends(word, sort, parts);
                assert_eq!(ends.iter().filter(|end| *end == "together").count(), 1, "{word} {ends:?}");
                let keys: Vec<_> = ends.iter().filter(|end| *end != "together").collect();
                assert!(keys.windows(2).all(|pair| (pair[0] < pair[1]) != sort.starts_with('-')), "{ends:?}");
            }
        }
    }

    #[test]
    fn other_orders_and_words_without_marks_have_no_such_way() {
        for (query, sort) in [
            ("mary", "created_at"),
            ("ma", "full_name"),
            ("mary jo", "full_name"),
            ("mary@x", "full_name"),
            ("123", "full_name"),
            ("王芳", "full_name"),
        ] {
            assert!(Names::of(&tenant(), &search(query, sort)).is_none(), "{query} {sort}");
        }
    }
}
