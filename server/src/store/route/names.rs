//! Pages in the order of names of those that have a word. Those whose name begins with it stand together: there a scan
//! finds one hit behind another. Before and behind that place it finds few, and there the word's marks lead to them, part by
//! part of the order (`domain/name_order`).

use super::conjuncts::{Conjunct, telling};
use crate::domain::filter::{Condition, Filter, TextField, TextOp};
use crate::domain::geo;
use crate::domain::grams::{Fact, Grams, Home, Placed};
use crate::domain::name_order::{Part, beginning, is_marked, marks_of};
use crate::domain::profile::ProfileId;
use crate::domain::search::{Position, Search, SortField, SortKey, Start};
use crate::domain::search_text::{begins_unspaced, fold};
use crate::domain::tenant::TenantName;
use crate::domain::text::behind_beginning;
use uuid::Uuid;

/// The marks of more parts than this are not looked up together with words at the ends of names.
pub const MOST_PARTS: u8 = 40;
/// Words longer than this have more marks than are worth being looked for.
const LONGEST: usize = 32;

/// Where one stands who has read a page's first hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Among names that do not begin with the word; so many parts from the next place, or from the end, the first of them
    /// of scripts in whose names the word is rare. Each part has so many lists.
    Apart { parts_left: u8, foreign: u8, lists: u8 },
    /// Where names begin with it.
    Together,
}

/// The way along the order of names for one word, or for those of one place.
#[derive(Debug)]
pub struct Names<'a> {
    search: &'a Search,
    grams: Grams,
    lead: Lead<'a>,
}

/// By what the hits of a part are found.
#[derive(Debug)]
enum Lead<'a> {
    /// A word, and what comes behind all that begins with it.
    Word { needle: &'a str, word: String, behind: String },
    /// One of these, which all hits have; and the conjunct that says the same without the part.
    Placed { any_of: Vec<Placed<'a>>, conjunct: Option<i32> },
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

/// The next parts of it, for those of a word.
#[derive(Debug)]
pub struct Ahead {
    /// What they have who have it there; `None` where these are too many lists to look into.
    pub marks: Option<Conjunct>,
    /// Where the next part begins, if there is more to look into.
    pub end: Option<Position>,
}

impl<'a> Names<'a> {
    /// The way for the only word that is asked for. None where the order is another one, or the word has no marks.
    pub fn of(tenant: &TenantName, search: &'a Search) -> Option<Self> {
        let [needle] = telling(&search.needles)[..] else { return None };
        // What has no spaces stands in a name without them.
        let word = if begins_unspaced(needle.trim_start()) { needle.replace(' ', "") } else { needle.strip_prefix(' ')?.to_owned() };
        let marked = search.sort.field == SortField::FullName && is_marked(&word) && word.chars().count() <= LONGEST;
        // Names are compared folded: the word must be what it is compared as.
        (marked && fold(&word) == word).then_some(())?;
        let behind = behind_beginning(&word)?;
        Some(Self { search, grams: Grams::of(tenant), lead: Lead::Word { needle, word, behind } })
    }

    /// The way for those of one city, near one point or of one country, where the filter asks for that.
    pub fn of_place(tenant: &TenantName, search: &'a Search) -> Option<Self> {
        let filter = search.filter.as_ref().filter(|_| search.sort.field == SortField::FullName)?;
        let all = if let Filter::All(all) = filter { all.as_slice() } else { std::slice::from_ref(filter) };
        let grams = Grams::of(tenant);
        let of_field = |field| all.iter().find_map(move |one| of_value(grams, one, field));
        let lead = of_field(TextField::CityId).or_else(|| all.iter().find_map(of_circle)).or_else(|| of_field(TextField::CountryId));
        Some(Self { search, grams, lead: lead? })
    }

    /// The conjunct of the search that the parts' lists make needless.
    pub fn makes_needless(&self, conjunct: &Conjunct) -> bool {
        matches!(&self.lead, Lead::Placed { conjunct: Some(gram), .. } if conjunct.any_of == [*gram])
    }

    /// Whether it is a word that is followed.
    pub fn follows_word(&self) -> bool {
        matches!(self.lead, Lead::Word { .. })
    }

    /// What all those have who are in the lists, in whatever part; `None` where no single gram tells.
    pub fn gram(&self) -> Option<i32> {
        match &self.lead {
            Lead::Word { word, .. } => Some(self.grams.gram(Fact::Beginning(beginning(word)))),
            Lead::Placed { conjunct, .. } => *conjunct,
        }
    }

    /// Whether this conjunct is that of the word, of which those in the lists have the beginning.
    pub fn tells(&self, conjunct: &Conjunct) -> bool {
        matches!(&self.lead, Lead::Word { needle, .. } if self.grams.of_needle(needle).first().is_some_and(|gram| conjunct.any_of == [*gram]))
    }

    /// Where this position is, all up to it having been read.
    pub fn place(&self, read: Option<&Position>) -> Place {
        let descending = self.search.sort.descending;
        let from = self.next_part(read);
        let end = if descending { Part::FIRST } else { Part::LAST };
        let parts_to = |to: Part| from.number().abs_diff(to.number()) + 1;
        let (word, behind) = match &self.lead {
            Lead::Word { word, behind, .. } => (word, behind),
            Lead::Placed { any_of, .. } => {
                let lists = u8::try_from(any_of.len()).unwrap_or(u8::MAX);
                return Place::Apart { parts_left: parts_to(end), foreign: 0, lists };
            }
        };
        let (first, last) = (bound(word), bound(behind));
        let is_before = match (read, descending) {
            (None, _) => true,
            (Some(read), false) => *read < first,
            (Some(read), true) => *read > last,
        };
        let is_behind = match (read, descending) {
            (None, _) => false,
            (Some(read), false) => *read >= last,
            (Some(read), true) => *read <= first,
        };
        if !is_before && !is_behind {
            return Place::Together;
        }
        let parts_left = match (is_before, descending) {
            (true, false) => parts_to(Part::of(word)),
            (true, true) => parts_to(Part::of(behind)),
            (false, _) => parts_to(end),
        };
        let foreign = self.next_parts(read, parts_left).take_while(|part| part.is_foreign_to(word)).count();
        Place::Apart { parts_left, foreign: u8::try_from(foreign).unwrap_or(u8::MAX), lists: 1 }
    }

    /// The next so many parts behind this position, up to where names begin with the word, for so many hits.
    pub fn reach(&self, read: Option<&Position>, parts: u8, wanted: u32) -> Reach {
        let Stage { first, last, bound: within, end } = self.stage(read, parts);
        let condition = |op, value: &str| Filter::Condition(Condition::Text { field: TextField::FullName, op, value: value.to_owned() });
        let apart = match &self.lead {
            Lead::Word { word, .. } => Some(Filter::Not(Box::new(condition(TextOp::StartsWith, word)))),
            Lead::Placed { .. } => None,
        };
        let all = apart.into_iter().chain(self.search.filter.clone()).chain(within.map(|(op, value)| condition(op, &value)));
        let filter = all.reduce(Filter::and);
        let start = read.map_or(Start::Offset(0), |read| Start::After(read.clone()));
        let marks = self.marks(first, last);
        let search = Search { filter, start, limit: wanted.saturating_sub(1), ..self.search.clone() };
        Reach { search, marks, end: end.as_deref().map(bound) }
    }

    /// The next so many parts, but no further than to this name; or all up to there, where these are not many more.
    pub fn ahead(&self, read: Option<&Position>, parts: u8, last: Option<&str>) -> Ahead {
        let (from, descending) = (self.next_part(read), self.search.sort.descending);
        let whole = if descending { Part::FIRST } else { Part::LAST };
        let to = last.map_or(whole, Part::of);
        let is_last = from.number().abs_diff(to.number()) < parts.saturating_mul(2);
        let step = parts.clamp(1, MOST_PARTS) - 1;
        let to = match (is_last, descending) {
            (true, _) => to,
            (false, true) => from.earlier(step),
            (false, false) => from.later(step),
        };
        let end = (!is_last).then(|| bound(if descending { to } else { to.later(1) }.first_key()));
        let are_few = from.number().abs_diff(to.number()) < MOST_PARTS;
        Ahead { marks: are_few.then(|| self.marks(from.min(to), from.max(to))), end }
    }

    /// One of these has whoever is looked for in these parts; of a word, whose name does not begin with it.
    fn marks(&self, first: Part, last: Part) -> Conjunct {
        let mut any_of: Vec<i32> = match &self.lead {
            Lead::Word { word, .. } => marks_of(word, first, last).map(|mark| self.grams.gram(Fact::Marked(mark))).collect(),
            Lead::Placed { .. } => first.up_to(last).flat_map(|part| self.lists(part)).collect(),
        };
        any_of.sort_unstable();
        any_of.dedup();
        Conjunct::any_of(any_of)
    }

    /// How far the next so many parts reach: no further than to the word.
    fn stage(&self, read: Option<&Position>, parts: u8) -> Stage {
        let from = self.next_part(read);
        let word = if let Lead::Word { word, behind, .. } = &self.lead { Some((word, behind)) } else { None };
        if self.search.sort.descending {
            let first = from.earlier(parts.saturating_sub(1));
            let key = first.first_key();
            match word.filter(|(_, behind)| read.is_none_or(|read| *read > bound(behind)) && key < behind.as_str()) {
                // Whatever is behind the word's beginning, but does not begin with it.
                Some((word, behind)) => Stage::new(Part::of(word), from, Some((TextOp::GreaterOrEqual, word)), Some(behind)),
                None if first == Part::FIRST => Stage::new(first, from, None, None),
                None => Stage::new(first, from, Some((TextOp::GreaterOrEqual, key)), Some(key)),
            }
        } else {
            let last = from.later(parts.saturating_sub(1));
            let next = (last != Part::LAST).then(|| last.later(1).first_key());
            match word.filter(|(word, _)| read.is_none_or(|read| *read < bound(word)) && next.is_none_or(|next| next > word.as_str())) {
                Some((word, _)) => Stage::new(from, Part::of(word), Some((TextOp::Less, word)), Some(word)),
                None => Stage::new(from, last, next.map(|next| (TextOp::Less, next)), next),
            }
        }
    }

    /// The lists of each of the next so many parts.
    pub fn next_lists(&self, read: Option<&Position>, parts: u8) -> impl Iterator<Item = Vec<i32>> {
        self.next_parts(read, parts).map(|part| self.lists(part))
    }

    /// What those in a part have who are looked for; of a word, whose names do not begin like it.
    fn lists(&self, part: Part) -> Vec<i32> {
        match &self.lead {
            Lead::Word { word, .. } => marks_of(word, part, part).take(1).map(|mark| self.grams.gram(Fact::Marked(mark))).collect(),
            Lead::Placed { any_of, .. } => any_of.iter().map(|placed| self.grams.gram(Fact::Placed(*placed, part))).collect(),
        }
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

/// How far a look reaches: its parts, the names up to its end, and where the next one begins; nowhere at the end.
struct Stage {
    first: Part,
    last: Part,
    bound: Option<(TextOp, String)>,
    end: Option<String>,
}

impl Stage {
    fn new(first: Part, last: Part, bound: Option<(TextOp, &str)>, end: Option<&str>) -> Self {
        Self { first, last, bound: bound.map(|(op, key)| (op, key.to_owned())), end: end.map(str::to_owned) }
    }
}

fn of_value<'a>(grams: Grams, filter: &'a Filter, wanted: TextField) -> Option<Lead<'a>> {
    let Filter::Condition(Condition::Text { field, op: TextOp::Eq, value }) = filter else { return None };
    let home = match (wanted, field) {
        (TextField::CityId, TextField::CityId) => Home::City(value),
        (TextField::CountryId, TextField::CountryId) => Home::Country(value),
        _ => return None,
    };
    Some(Lead::Placed { any_of: vec![Placed::Home(home)], conjunct: Some(grams.gram(home.fact())) })
}

fn of_circle(filter: &Filter) -> Option<Lead<'_>> {
    let Filter::Condition(Condition::Near(circle)) = filter else { return None };
    let cells = geo::middle_cells_around(circle)?;
    Some(Lead::Placed { any_of: cells.into_iter().map(Placed::Cell).collect(), conjunct: None })
}

/// Between all that is less than this, and it.
fn bound(key: &str) -> Position {
    Position { key: SortKey::Text(key.to_owned()), profile_id: ProfileId(Uuid::nil()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::filter::parse;
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
                let Lead::Word { word, behind, .. } = &names.lead else { panic!("{names:?}") };
                read = Some(bound(if search.sort.descending { word } else { behind }));
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
            for word in ["mary", "mar", "ann", "zzz", "михаил", "शर्मा", "李", "佐藤"] {
                let ends = ends(word, sort, parts);
                assert_eq!(ends.iter().filter(|end| *end == "together").count(), 1, "{word} {ends:?}");
                let keys: Vec<_> = ends.iter().filter(|end| *end != "together").collect();
                assert!(keys.windows(2).all(|pair| (pair[0] < pair[1]) != sort.starts_with('-')), "{ends:?}");
            }
        }
    }

    #[test]
    fn those_of_a_place_are_on_the_way_from_the_first_part_to_the_last() {
        let filtered = |filter: &str, sort| Search { filter: parse(filter).ok(), ..search("", sort) };
        for (filter, lists) in [
            ("country_id eq \"IN\"", 1),
            ("gender eq \"x\" and city_id eq \"Pune\" and country_id eq \"IN\"", 1),
            ("near(1.5, 1.5, 20)", 4),
        ] {
            for sort in ["full_name", "-full_name"] {
                let search = filtered(filter, sort);
                let names = Names::of_place(&tenant(), &search).unwrap();
                let parts_left = Part::LAST.number() + 1;
                assert_eq!(names.place(None), Place::Apart { parts_left, foreign: 0, lists }, "{filter}");
                let reach = names.reach(None, 100, 5);
                assert_eq!(reach.marks.any_of.len(), 100 * usize::from(lists));
                let rest = names.reach(reach.end.as_ref(), 100, 5);
                assert_eq!(rest.marks.any_of.len(), (usize::from(parts_left) - 100) * usize::from(lists));
                assert_eq!(rest.end, None);
            }
        }
        for (filter, sort) in
            [("country_id eq \"IN\"", "created_at"), ("country_id ne \"IN\"", "full_name"), ("near(1, 1, 5000)", "full_name")]
        {
            assert!(Names::of_place(&tenant(), &filtered(filter, sort)).is_none(), "{filter} {sort}");
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
            ("王 芳", "full_name"),
        ] {
            assert!(Names::of(&tenant(), &search(query, sort)).is_none(), "{query} {sort}");
        }
    }
}
