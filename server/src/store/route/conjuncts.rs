//! What every hit of a search has in common, as far as an index knows of it.

use super::costs::Listed;
use crate::domain::filter::{AttributeCondition, Condition, Filter, IntegerField, NumberField, Order, TextField, TextOp};
use crate::domain::geo::{self, Cell};
use crate::domain::grams::{Fact, Grams, Home, Scalar, Together, WordOfHome};
use crate::domain::periods;
use crate::domain::search::Search;
use crate::domain::tenant::TenantName;

/// The most grams of which a profile may be asked to have one.
const MAX_ALTERNATIVES: usize = 64;
/// A range of more years than this tells little.
const MAX_YEARS: i16 = 40;

/// Every hit has at least one of these grams.
#[derive(Debug, Clone, PartialEq)]
pub struct Conjunct {
    pub any_of: Vec<i32>,
    /// The share of those that fulfil the others who fulfil this too; `None` where the two have nothing to do with one another.
    pub share: Option<f64>,
    /// Those who fulfil the others have this gram, and the share is that of this conjunct among all who have it.
    pub given: Option<i32>,
    /// About as many fulfil it as would fulfil all of these, were they independent. Empty where nothing is known.
    pub factors: Vec<Vec<i32>>,
}

impl Conjunct {
    pub fn any_of(any_of: Vec<i32>) -> Self {
        Self { any_of, share: None, given: None, factors: Vec::new() }
    }

    fn one(gram: i32) -> Self {
        Self::any_of(vec![gram])
    }

    /// What is expected of it, if so many fulfil it.
    pub fn listed(&self, rows: Option<f64>) -> Listed {
        let lists = u32::try_from(self.any_of.len()).unwrap_or(u32::MAX);
        Listed { rows, share: self.share, lists: lists.into() }
    }

    /// The same by what is known of its grams: `of_any` tells how many have one of them, and `of_tenant` how many there are.
    pub fn listed_by(&self, of_any: impl Fn(&[i32]) -> Option<f64>, of_tenant: Option<f64>) -> Listed {
        let of_factors = of_tenant.filter(|_| !self.factors.is_empty()).and_then(|all| {
            let shares: Option<f64> = self.factors.iter().map(|factor| Some(of_any(factor)? / all.max(1.0))).product();
            Some(shares? * all)
        });
        let rows = of_any(&self.any_of).map(|rows| rows.max(of_factors.unwrap_or(0.0)));
        let given = self.given.and_then(|gram| Some((rows? / of_any(&[gram])?.max(1.0)).min(1.0)));
        Listed { share: self.share.or(given), ..self.listed(rows) }
    }
}

/// What a search asks for, as an index sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// All of them hold for every hit.
    pub conjuncts: Vec<Conjunct>,
    /// Conditions that hold for every hit and that an index of their own can answer.
    pub keyed: Vec<Filter>,
    /// Whether there are conditions that no conjunct stands for: then fewer are found than the conjuncts promise.
    pub narrower: bool,
    /// Of those who have the words' grams, about how many have the words.
    pub told: f64,
}

impl Wanted {
    /// `most_cells` is how many cells of the map are looked into at once.
    pub fn of(tenant: &TenantName, search: &Search, most_cells: usize) -> Self {
        let grams = Grams::of(tenant);
        let needles = telling(&search.needles);
        let told = needles.iter().map(|needle| Grams::told(needle)).product();
        let mut wanted = Self { conjuncts: Vec::new(), keyed: Vec::new(), narrower: false, told };
        for needle in needles {
            let found = grams.of_needle_in_order(needle);
            wanted.narrower |= found.is_empty();
            wanted.conjuncts.extend(found.into_iter().map(|(gram, given)| Conjunct { given, ..Conjunct::one(gram) }));
        }
        if let Some(filter) = &search.filter {
            let map = Map { grams, most_cells };
            let all = all_of(filter);
            wanted.narrower |= !all.iter().all(|single| of_single(map, single).is_some());
            let born = born(grams, all);
            let of_each = all.iter().filter(|single| !(born.is_some() && is_of_birth(single)));
            wanted.conjuncts.extend(of_each.filter_map(|single| of_single(map, single)));
            wanted.conjuncts.extend(born.or_else(|| years(grams, all)));
            wanted.conjuncts.extend(area(map, all));
            wanted.conjuncts.extend(created(grams, all));
            wanted.keyed = all.iter().filter(|single| is_keyed(single)).cloned().collect();
        }
        wanted.conjuncts.dedup();
        wanted
    }

    /// The same with what some of it has together: two words, or a word and the country or the city, where fewer have that than either.
    #[must_use]
    pub fn with_facts_together(self, search: &Search, known: Known<'_>) -> Self {
        self.with_words_together(search, known).with_word_of_home(search, known)
    }

    fn with_words_together(mut self, search: &Search, Known { grams, rows, of_tenant }: Known<'_>) -> Self {
        let Some(Together { any_of, words }) = grams.of_two_words(&search.needles) else { return self };
        let known = words.map(|(word, first_characters)| rows(&[word]).zip(rows(&[first_characters])));
        let ([Some(one), Some(other)], Some(both)) = (known, rows(&any_of)) else { return self };
        if both < one.0.min(other.0) {
            let [_, outside_one, outside_other] = any_of.map(|gram| rows(&[gram]).unwrap_or(0.0).min(both));
            // Those who are told of only the other word may have anything besides.
            for ((word, _), (rows, of), apart) in [(words[0], one, outside_other), (words[1], other, outside_one)] {
                let told = (both - apart) * (rows / of.max(1.0)).min(1.0) + apart * (rows / of_tenant.max(1.0)).min(1.0);
                self.give_share(word, told / both.max(1.0));
            }
            self.conjuncts.push(Conjunct::any_of(any_of.into()));
        } else if let Some(together) = rows(&any_of[..1]) {
            // Of the rarer word it is known how many have the other besides.
            let ((_, of_rarer), (rows, _), word) = if one.0 < other.0 { (one, other, words[1].0) } else { (other, one, words[0].0) };
            self.give_share(word, (together / of_rarer.max(1.0)).clamp(rows / of_tenant.max(rows).max(1.0), 1.0));
        }
        self
    }

    fn with_word_of_home(mut self, search: &Search, Known { grams, rows, of_tenant }: Known<'_>) -> Self {
        let all = search.filter.as_ref().map(all_of).unwrap_or_default();
        let country = equal(all, TextField::CountryId).map(Home::Country);
        let homes = country.into_iter().chain(equal(all, TextField::CityId).map(Home::City));
        let words = homes.flat_map(|home| grams.of_words_of_home(&search.needles, home).into_iter().map(move |word| (home, word)));
        let known = words.filter_map(|(home, word)| Some((rows(&word.any_of)?, home, word)));
        let Some((both, home, word)) = known.min_by(|a, b| a.0.total_cmp(&b.0)) else { return self };
        let WordOfHome { any_of, word, first_characters } = word;
        if self.conjuncts.iter().filter_map(|conjunct| rows(&conjunct.any_of)).any(|fewer| fewer <= both) {
            return self;
        }
        // Those who have the word elsewhere may live anywhere, and may have any other word.
        let apart = rows(&any_of[1..]).unwrap_or(0.0).min(both);
        let share = |gram: i32, of: f64| (rows(&[gram]).unwrap_or(of) / of.max(1.0)).min(1.0);
        let of_first = rows(&[first_characters]).unwrap_or(of_tenant);
        for (gram, of_others) in [(word, share(word, of_first)), (grams.gram(home.fact()), 1.0)] {
            let told = (both - apart) * of_others + apart * share(gram, of_tenant);
            self.give_share(gram, told / both.max(1.0));
        }
        self.conjuncts.push(Conjunct::any_of(any_of.into()));
        self
    }

    /// Of those that fulfil the others, such a share has this gram.
    fn give_share(&mut self, gram: i32, share: f64) {
        let conjunct = self.conjuncts.iter_mut().find(|conjunct| conjunct.any_of == [gram]);
        conjunct.into_iter().for_each(|conjunct| conjunct.share = Some(share));
    }
}

/// What is known of a tenant's grams.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    pub grams: Grams,
    /// How many have one of these; `None` when nothing is known.
    pub rows: &'a dyn Fn(&[i32]) -> Option<f64>,
    /// How many profiles there are.
    pub of_tenant: f64,
}

/// The conditions that all hold.
fn all_of(filter: &Filter) -> &[Filter] {
    match filter {
        Filter::All(all) => all.as_slice(),
        single => std::slice::from_ref(single),
    }
}

/// The needles without those that everybody has who has another of them.
pub(super) fn telling(needles: &[String]) -> Vec<&str> {
    let is_implied = |needle: &str| needles.iter().any(|other| other.len() > needle.len() && other.contains(needle));
    needles.iter().map(String::as_str).filter(|needle| !is_implied(needle)).collect()
}

/// The grams of a tenant, and into how many cells of the map it is worth looking.
#[derive(Debug, Clone, Copy)]
struct Map {
    grams: Grams,
    most_cells: usize,
}

impl Map {
    fn cells(self, cells: Vec<Cell>) -> Conjunct {
        Conjunct::any_of(cells.into_iter().map(|cell| self.grams.gram(Fact::Cell(cell))).collect())
    }
}

/// The conjunct of one condition, or of one list of alternatives.
fn of_single(map: Map, filter: &Filter) -> Option<Conjunct> {
    match filter {
        Filter::Condition(condition) => of_condition(map, condition),
        Filter::Any(any) => {
            // Each alternative must have grams, and few enough, else a hit need have none.
            let map = Map { most_cells: map.most_cells.min(MAX_ALTERNATIVES / any.len().max(1)), ..map };
            let each: Option<Vec<Conjunct>> = any.iter().map(|one| of_alternative(map, one)).collect();
            let any_of: Vec<i32> = each?.into_iter().flat_map(|conjunct| conjunct.any_of).collect();
            (any_of.len() <= MAX_ALTERNATIVES).then(|| Conjunct::any_of(any_of))
        }
        Filter::All(_) | Filter::Not(_) => None,
    }
}

fn of_alternative(map: Map, filter: &Filter) -> Option<Conjunct> {
    match filter {
        Filter::All(all) => all.iter().find_map(|one| of_single(map, one)),
        single => of_single(map, single),
    }
}

fn of_condition(map: Map, condition: &Condition) -> Option<Conjunct> {
    let grams = map.grams;
    match condition {
        Condition::Text { field, op: TextOp::Eq, value } => {
            let fact = match field {
                TextField::Gender => Fact::Gender(value),
                TextField::CountryId => Fact::Country(value),
                TextField::CityId => Fact::City(value),
                _ => return None,
            };
            Some(Conjunct::one(grams.gram(fact)))
        }
        Condition::BirthDate { op: Order::Eq, value } => Some(Conjunct::one(grams.gram(Fact::BirthYear(value.year())))),
        Condition::Attribute(condition) => {
            let (path, value) = match condition {
                AttributeCondition::Text { path, op: TextOp::Eq, value } => (path, Scalar::Text(value)),
                AttributeCondition::Number { path, op: Order::Eq, value } => (path, Scalar::Number(*value)),
                AttributeCondition::Boolean { path, equal: true, value } => (path, Scalar::Boolean(*value)),
                _ => return None,
            };
            Some(Conjunct::any_of(grams.of_attribute(path, value).into()))
        }
        Condition::Near(circle) => Some(map.cells(geo::cells_around(circle, map.most_cells)?)),
        _ => None,
    }
}

fn conditions(all: &[Filter]) -> impl Iterator<Item = &Condition> {
    all.iter().filter_map(|filter| match filter {
        Filter::Condition(condition) => Some(condition),
        _ => None,
    })
}

/// The value that a field is to have.
fn equal(all: &[Filter], wanted: TextField) -> Option<&str> {
    conditions(all).find_map(|condition| match condition {
        Condition::Text { field, op: TextOp::Eq, value } if *field == wanted => Some(value.as_str()),
        _ => None,
    })
}

/// Years of birth in one country, for one gender if that is asked for too: this one list stands for three.
fn born(grams: Grams, all: &[Filter]) -> Option<Conjunct> {
    let (country, gender) = (equal(all, TextField::CountryId)?, equal(all, TextField::Gender));
    let years = years_between(all)?;
    let any_of = years.clone().map(|year| grams.gram(Fact::Born { country, gender, year })).collect();
    let of_gender = gender.map(|gender| vec![grams.gram(Fact::Gender(gender))]);
    let factors = [vec![grams.gram(Fact::Country(country))], years.map(|year| grams.gram(Fact::BirthYear(year))).collect()];
    Some(Conjunct { factors: factors.into_iter().chain(of_gender).collect(), ..Conjunct::any_of(any_of) })
}

fn is_of_birth(filter: &Filter) -> bool {
    matches!(
        filter,
        Filter::Condition(
            Condition::Text { field: TextField::CountryId | TextField::Gender, op: TextOp::Eq, .. } | Condition::BirthDate { .. }
        )
    )
}

fn years(grams: Grams, all: &[Filter]) -> Option<Conjunct> {
    Some(Conjunct::any_of(years_between(all)?.map(|year| grams.gram(Fact::BirthYear(year))).collect()))
}

/// The years between the bounds that stand among these conditions, if there are two.
fn years_between(all: &[Filter]) -> Option<std::ops::RangeInclusive<i16>> {
    let bounds = conditions(all).filter_map(|condition| match condition {
        Condition::BirthDate { op, value } => Some((*op, value.year())),
        _ => None,
    });
    let (from, to) = range(bounds)?;
    (from <= to && to - from <= MAX_YEARS).then_some(from..=to)
}

/// The periods between the bounds of a creation's time, if there are two.
fn created(grams: Grams, all: &[Filter]) -> Option<Conjunct> {
    let bounds = conditions(all).filter_map(|condition| match condition {
        Condition::Integer { field: IntegerField::CreatedAt, op, value } => Some((*op, *value)),
        _ => None,
    });
    let (from_ms, to_ms) = range(bounds)?;
    let periods = periods::periods_between(from_ms, to_ms.max(from_ms))?;
    Some(Conjunct::any_of(periods.into_iter().map(|period| grams.gram(Fact::Created(period))).collect()))
}

/// The cells of the box that these conditions draw, if they draw one.
fn area(map: Map, all: &[Filter]) -> Option<Conjunct> {
    let bounds = |wanted: NumberField| {
        range(conditions(all).filter_map(move |condition| match condition {
            Condition::Number { field, op, value } if *field == wanted => Some((*op, *value)),
            _ => None,
        }))
    };
    let ((south, north), (west, east)) = (bounds(NumberField::Latitude)?, bounds(NumberField::Longitude)?);
    let (latitudes, longitudes) = ((south.max(-90.0), north.min(90.0)), (west.max(-180.0), east.min(180.0)));
    (latitudes.0 <= latitudes.1 && longitudes.0 <= longitudes.1)
        .then(|| Some(map.cells(geo::cells_between(latitudes, &[longitudes], map.most_cells)?)))
        .flatten()
}

/// The narrowest range, bounds included, that comparisons leave.
fn range<T: PartialOrd + Copy>(bounds: impl Iterator<Item = (Order, T)>) -> Option<(T, T)> {
    let (mut from, mut to): (Option<T>, Option<T>) = (None, None);
    for (op, value) in bounds {
        if matches!(op, Order::Greater | Order::GreaterOrEqual | Order::Eq) && from.is_none_or(|from| value > from) {
            from = Some(value);
        }
        if matches!(op, Order::Less | Order::LessOrEqual | Order::Eq) && to.is_none_or(|to| value < to) {
            to = Some(value);
        }
    }
    from.zip(to)
}

/// Whether an index of both backends answers this condition by itself.
fn is_keyed(filter: &Filter) -> bool {
    let Filter::Condition(condition) = filter else { return false };
    match condition {
        Condition::Text { field, op, value } => {
            let by_beginning = matches!(op, TextOp::StartsWith) && value.chars().count() >= 3;
            match field {
                TextField::EmailId | TextField::FullName | TextField::UserId => *op == TextOp::Eq || by_beginning,
                TextField::Mobile => *op == TextOp::Eq,
                _ => false,
            }
        }
        Condition::ProfileId { equal, .. } => *equal,
        Condition::Integer { field: IntegerField::CreatedAt | IntegerField::UpdatedAt, op, .. } => *op == Order::Eq,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::filter::parse;
    use crate::domain::search::{Sort, Start};
    use crate::domain::search_text::needles;

    fn tenant() -> TenantName {
        TenantName::from_stored("acme".to_owned())
    }

    fn search(query: &str, filter: Option<&str>) -> Search {
        let filter = filter.map(|text| parse(text).unwrap());
        Search { needles: needles(query), filter, sort: Sort::DEFAULT, limit: 20, start: Start::Offset(0), include_deleted: false }
    }

    fn of_filter(filter: &str) -> Vec<Vec<i32>> {
        let wanted = Wanted::of(&tenant(), &search("", Some(filter)), 64);
        wanted.conjuncts.into_iter().map(|conjunct| conjunct.any_of).collect()
    }

    fn gram(fact: Fact<'_>) -> i32 {
        Grams::of(&tenant()).gram(fact)
    }

    #[test]
    fn a_countrys_years_of_birth_are_one_list_for_each_year() {
        let born =
            |gender, years: std::ops::RangeInclusive<i16>| years.map(|year| gram(Fact::Born { country: "IN", gender, year })).collect();
        let years = "birth_date ge \"1984-05-01\" and birth_date lt \"1986-01-01\"";
        assert_eq!(of_filter(&format!("country_id eq \"IN\" and {years}")), [born(None, 1984..=1986)] as [Vec<i32>; 1]);
        let all = format!("country_id eq \"IN\" and gender eq \"x\" and {years} and city_id eq \"Pune\"");
        assert_eq!(of_filter(&all), [vec![gram(Fact::City("Pune"))], born(Some("x"), 1984..=1986)]);
        assert_eq!(of_filter(&format!("gender eq \"x\" and {years}")).len(), 2);
    }

    #[test]
    fn an_attribute_that_equals_a_value_is_looked_up_and_any_other_comparison_is_not() {
        let seats = gram(Fact::Attribute(&["plan", "seats"], Scalar::Number(5.0)));
        assert_eq!(of_filter("attributes.plan.seats eq 5"), [vec![seats, gram(Fact::ManyAttributes)]]);
        for filter in ["attributes.plan.seats gt 5", "attributes.plan ne \"a\"", "attributes.plan co \"a\"", "attributes.on ne true"] {
            assert_eq!(of_filter(filter), Vec::<Vec<i32>>::new(), "{filter}");
        }
    }

    fn known(rows: &dyn Fn(&[i32]) -> Option<f64>) -> Known<'_> {
        Known { grams: Grams::of(&tenant()), rows, of_tenant: 400_000.0 }
    }

    #[test]
    fn two_words_are_looked_up_together_where_fewer_have_both() {
        let search = search("johnny smith", None);
        let together = Grams::of(&tenant()).of_two_words(&search.needles).unwrap();
        let with = |both: f64, outside: f64| {
            let rows = |any_of: &[i32]| match any_of {
                [gram] if together.words.iter().any(|(word, _)| word == gram) => Some(40_000.0),
                [gram] if *gram == together.any_of[1] => Some(outside),
                [gram] if together.any_of.contains(gram) => Some(0.0),
                [_] => Some(50_000.0),
                _ => Some(both),
            };
            Wanted::of(&tenant(), &search, 64).with_facts_together(&search, known(&rows)).conjuncts
        };
        let shares = |conjuncts: Vec<Conjunct>| conjuncts.into_iter().map(|conjunct| conjunct.share).collect::<Vec<_>>();
        assert_eq!(shares(with(900.0, 0.0)), [Some(0.8), Some(0.8), None]);
        // Of those who have the first word in a city's name, few have the second.
        assert_eq!(shares(with(900.0, 900.0)), [Some(0.8), Some(0.1), None]);
        // Where it spares nothing, it still tells how many have both.
        assert_eq!(shares(with(60_000.0, 0.0)), [Some(0.1), None]);
    }

    /// The shares of what is looked up for a word with this filter, if so many have the word and live there, and so many have it elsewhere.
    fn shares_with_home(filter: &str, home: Home<'_>, both: f64, outside: f64) -> Vec<Option<f64>> {
        let search = search("johnny", Some(filter));
        let [word] = Grams::of(&tenant()).of_words_of_home(&search.needles, home)[..].to_vec().try_into().unwrap();
        let rows = |any_of: &[i32]| match any_of {
            [gram] if *gram == word.word => Some(40_000.0),
            [gram] if *gram == word.first_characters => Some(50_000.0),
            [gram] if *gram == word.any_of[1] => Some(outside),
            [_] => Some(100_000.0),
            any_of if any_of == word.any_of => Some(both),
            _ => Some(60_000.0),
        };
        let wanted = Wanted::of(&tenant(), &search, 64).with_facts_together(&search, known(&rows));
        wanted.conjuncts.into_iter().map(|conjunct| conjunct.share).collect()
    }

    #[test]
    fn a_word_is_looked_up_with_the_country_or_the_city_where_fewer_have_both() {
        let (country, city) = ("country_id eq \"IN\"", "city_id eq \"Pune\"");
        for (filter, home) in [(country, Home::Country("IN")), (city, Home::City("Pune"))] {
            let with = |both, outside| shares_with_home(filter, home, both, outside);
            assert_eq!(with(900.0, 0.0), [Some(0.8), Some(1.0), None], "{filter}");
            assert_eq!(with(900.0, 900.0), [Some(0.1), Some(0.25), None], "{filter}");
            assert_eq!(with(45_000.0, 0.0), [None, None], "{filter}");
        }
        // Of both it is the one that fewer have the word of: the city is the last but one.
        let both = format!("{country} and {city}");
        assert_eq!(shares_with_home(&both, Home::City("Pune"), 900.0, 0.0), [Some(0.8), None, Some(1.0), None]);
    }

    #[test]
    fn circles_that_are_alternatives_have_no_more_cells_than_are_asked_for_together() {
        let search = search("", Some("near(51.5, 0, 25) or near(48.8, 2.3, 25) or city_id eq \"Pune\""));
        let conjuncts = Wanted::of(&tenant(), &search, 256).conjuncts;
        assert!(matches!(conjuncts.as_slice(), [one] if (3..=MAX_ALTERNATIVES).contains(&one.any_of.len())), "{conjuncts:?}");
    }

    #[test]
    fn a_word_that_another_one_begins_with_tells_nothing() {
        let smith = gram(Fact::Beginning("smith"));
        for query in ["smith", "smi smith", "smith s smi"] {
            let conjuncts = Wanted::of(&tenant(), &search(query, None), 64).conjuncts;
            assert_eq!(conjuncts, [Conjunct::one(smith)], "{query}");
        }
    }
}
