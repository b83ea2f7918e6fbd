//! Searches for one word or two by indexes over the beginning of names and over their last words: these
//! answer alone, without a row being read. All others who have the words have one of them elsewhere, in their address or a
//! middle name, and a gram that tells so. A filter may stand beside them, of fields that these indexes have.

use super::conjuncts::telling;
use crate::domain::filter::{Condition, Field, Filter, IntegerField, TextField};
use crate::domain::grams::{Fact, Grams};
use crate::domain::name_order::beginning;
use crate::domain::search::Search;
use crate::domain::search_text::fold;
use crate::domain::tenant::TenantName;
use crate::domain::text::behind_beginning;

/// The index over last words keeps so many characters and more.
const LONGEST: usize = 12;

/// The words that are asked for: one, or two of which neither begins with the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Words(pub Vec<Word>);

/// A word that an index over names can have.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    pub text: String,
    /// What comes behind all that begins with it.
    pub behind: String,
    /// Whoever has it has this gram; and that of its first characters.
    pub gram: i32,
    pub beginning: i32,
    /// Whoever has it, neither at the beginning of the name nor of its last word, has one of these.
    pub elsewhere: Vec<i32>,
    pub expected: ExpectedNames,
}

/// How many names are expected.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ExpectedNames {
    /// That begin with a word.
    pub begin: f64,
    /// That end with one that begins like it, and with a longer one; and how many different ones these are.
    pub last: f64,
    pub longer: f64,
    pub longer_words: f64,
}

impl ExpectedNames {
    /// Of those that end with a word that begins like it, the share that end with a longer one.
    fn share_longer(self) -> f64 {
        self.longer / self.last.max(self.longer).max(1.0)
    }
}

/// Two words at the ends of a name.
#[derive(Debug, Clone, Copy)]
pub struct Ends<'a> {
    pub first: &'a Word,
    pub last: &'a Word,
}

/// What it takes beside an entry that an index passes over by itself: one that is met with what it stands for, one that is found, and
/// to go from a word to the next one and look into that.
const MET: f64 = 5.0;
const FOUND: f64 = 9.0;
const STEP: f64 = 180.0;
/// What it takes to pass over so many entries is not worth sparing.
const LEAST_PASSED: f64 = 2_000.0;

impl Ends<'_> {
    /// Whether those that end with a longer word are best found among those that begin with the first, if not by the longer words.
    pub fn is_found_by_first(self) -> bool {
        self.first.expected.begin * MET < self.last.expected.longer
    }

    /// How many longer words are gone through at most, one by one, if that is the best way to find those that end with them.
    pub fn most_words(self) -> Option<u32> {
        most_words(self.passed_together(), self.last.expected.longer_words * STEP, STEP)
    }

    /// What it takes to find those that end with a longer word, as so many entries that are passed over.
    pub fn passed(self) -> f64 {
        let steps = self.last.expected.longer_words * STEP;
        self.most_words().map_or(self.passed_together(), |_| steps)
    }

    /// How many entries are read of those that end with a longer word, for a page of so many in the order of names, if there are so many hits.
    pub fn longer_in_order(self, hits: f64, wanted: f64) -> f64 {
        let longer = hits * self.last.expected.share_longer();
        self.most_words().map_or(longer, |_| longer.min(self.last.expected.longer_words * wanted))
    }

    fn passed_together(self) -> f64 {
        self.last.expected.longer.min(self.first.expected.begin * MET)
    }
}

impl Word {
    /// How many longer words are gone through at most for a page of so many in the order of names, if that takes less than to read all that
    /// end with them.
    pub fn most_words_in_order(&self, wanted: f64) -> Option<u32> {
        let ExpectedNames { longer, .. } = self.expected;
        most_words(longer * FOUND, self.in_order_by_words(wanted), STEP + wanted * FOUND)
    }

    /// How many entries are read of those that end with a longer word, for a page of so many in the order of names.
    pub fn longer_in_order(&self, wanted: f64) -> f64 {
        let ExpectedNames { longer, .. } = self.expected;
        self.most_words_in_order(wanted).map_or(longer, |_| self.in_order_by_words(wanted) / FOUND)
    }

    fn in_order_by_words(&self, wanted: f64) -> f64 {
        let ExpectedNames { longer, longer_words, .. } = self.expected;
        longer_words * STEP + longer.min(longer_words * wanted) * FOUND
    }
}

/// So many words take as much as it does without them; `None` if they should take more.
fn most_words(otherwise: f64, by_words: f64, each: f64) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, and nothing here is negative")]
    let most = (otherwise / each) as u32;
    (otherwise > LEAST_PASSED && by_words < otherwise).then_some(most.max(1))
}

impl Words {
    /// `None` where other things are asked for, or a word is too short, too long, or of a script without spaces.
    pub fn of(tenant: &TenantName, search: &Search) -> Option<Self> {
        let needles = telling(&search.needles);
        let is_all = matches!(needles.len(), 1 | 2) && search.filter.as_ref().is_none_or(is_told);
        let words = needles.into_iter().map(|needle| Word::of(Grams::of(tenant), needle));
        is_all.then(|| words.collect::<Option<_>>().map(Self)).flatten()
    }
}

impl Word {
    fn of(grams: Grams, needle: &str) -> Option<Self> {
        let text = needle.strip_prefix(' ')?;
        // Names are compared folded: the word must be what it is compared as.
        let is_kept = text.chars().count() <= LONGEST && fold(text) == text;
        let (elsewhere, behind) = grams.of_word_elsewhere(text).filter(|_| is_kept).zip(behind_beginning(text))?;
        let [gram] = grams.of_needle(needle)[..] else { return None };
        let beginning = grams.gram(Fact::Beginning(beginning(text)));
        Some(Self { text: text.to_owned(), behind, gram, beginning, elsewhere, expected: ExpectedNames::default() })
    }
}

/// Whether the indexes over names have all fields of this filter.
fn is_told(filter: &Filter) -> bool {
    match filter {
        Filter::All(filters) | Filter::Any(filters) => filters.iter().all(is_told),
        Filter::Not(inner) => is_told(inner),
        Filter::Condition(condition) => match condition {
            Condition::Active { .. } => true,
            Condition::Text { field, .. } | Condition::Present(Field::Text(field)) => {
                matches!(field, TextField::Gender | TextField::CountryId | TextField::FullName)
            }
            Condition::Integer { field, .. } => *field == IntegerField::CreatedAt,
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::filter::parse;
    use crate::domain::search::{Sort, Start};
    use crate::domain::search_text::needles;

    fn words(query: &str, filter: Option<&str>) -> Option<Vec<String>> {
        let filter = filter.map(|text| parse(text).unwrap());
        let search =
            Search { needles: needles(query), filter, sort: Sort::DEFAULT, limit: 20, start: Start::Offset(0), include_deleted: false };
        let tenant = TenantName::from_stored("a".to_owned());
        Some(Words::of(&tenant, &search)?.0.into_iter().map(|word| word.text).collect())
    }

    fn word(text: &str, begin: f64, longer: f64, longer_words: f64) -> Word {
        let expected = ExpectedNames { begin, last: longer * 1.5, longer, longer_words };
        let behind = behind_beginning(text).unwrap();
        Word { text: text.to_owned(), behind, gram: 0, beginning: 1, elsewhere: Vec::new(), expected }
    }

    #[test]
    fn few_words_that_many_names_end_with_are_gone_through_one_by_one() {
        let john = word("john", 50_000.0, 0.0, 0.0);
        for (longer, longer_words, found_by_first, most) in [
            (90_000.0, 20.0, false, Some(500)),
            (90_000.0, 600.0, false, None),
            (1_500.0, 2.0, false, None),
            (900_000.0, 20.0, true, Some(1_388)),
        ] {
            let smit = word("smit", 10.0, longer, longer_words);
            let ends = Ends { first: &john, last: &smit };
            assert_eq!((ends.is_found_by_first(), ends.most_words()), (found_by_first, most));
            assert_eq!(ends.passed(), if most.is_some() { longer_words * STEP } else { longer.min(250_000.0) });
        }
        assert_eq!(word("smit", 10.0, 90_000.0, 20.0).longer_in_order(21.0), 20.0 * STEP / FOUND + 420.0);
        assert_eq!(word("smit", 10.0, 90_000.0, 5_000.0).longer_in_order(21.0), 90_000.0);
    }

    #[test]
    fn one_word_or_two_of_letters_and_nothing_else_go_by_names() {
        for (query, found) in [
            ("Mary", Some(vec!["mary"])),
            ("smith JOHN", Some(vec!["john", "smith"])),
            ("john johnson", Some(vec!["johnson"])),
            ("शर्मा", Some(vec!["शर्मा"])),
            ("smith85", Some(vec!["smith85"])),
            ("john maria smith", None),
            ("jo smith", None),
            ("john.smith", None),
            ("1234", None),
            ("张伟明", None),
            ("wolfeschlegelstein", None),
            ("", None),
        ] {
            assert_eq!(words(query, None), found.map(|all| all.into_iter().map(str::to_owned).collect()), "{query}");
        }
        for (query, filter, found) in [
            ("mary", "active eq true and not (gender eq \"male\")", true),
            ("mary", "country_id pr or created_at gt 5", true),
            ("mary", "city_id eq \"Pune\"", false),
            ("mary", "active eq true and birth_date pr", false),
            ("mary jones", "active eq true", true),
            ("mary jones", "user_id sw \"a\"", false),
        ] {
            assert_eq!(words(query, Some(filter)).is_some(), found, "{query}, {filter}");
        }
    }
}
