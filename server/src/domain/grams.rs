//! Grams: small numbers by which an index finds profiles. Each is a hash of the tenant with one fact: a word's
//! beginning, a value of a common field or of an attribute, several of these together, a cell of the map, the time of its
//! creation, where its name lies that has a word.
//!
//! A profile that fulfils a condition has the condition's grams: that is the promise, and it goes one way only. Two
//! facts may share a gram, even of two tenants; so whoever finds by grams checks the tenant and the condition itself.

mod attributes;
mod home;
mod placed;
mod together;

pub use attributes::Scalar;
pub use home::Home;
pub use placed::Placed;
pub use together::{Together, WordOfHome};

use super::birth_date::BirthDate;
use super::geo::{self, Cell};
use super::name_order::{Mark, Part, mark_of};
use super::periods::{self, Period};
use super::profile::Profile;
use super::search_text::{begins_unspaced, fold};
use super::tenant::TenantName;
use super::text::Text;

/// Beginnings are kept up to this length, in characters: so that "robert" and "roberts" differ.
const LONGEST: usize = 8;
/// Where all of these are letters, every other one up to this length too: "gonzalez85" and "gonzalez12" differ.
const LONGEST_OF_LETTERS: usize = 12;
/// Where there is a digit among them, one of this length: "user69835" and all that begin so are thousands in a large tenant.
const LONGEST_OF_NUMBERS: usize = 10;

/// A fact that has a gram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fact<'a> {
    Beginning(&'a str),
    /// A character of a script without spaces, and the first one behind it.
    Pair(&'a str, char),
    Gender(&'a str),
    Country(&'a str),
    City(&'a str),
    BirthYear(i16),
    /// Who was born in a country's year: these three are often asked for together, and each has many.
    Born {
        country: &'a str,
        gender: Option<&'a str>,
        year: i16,
    },
    /// A member of `attributes` with its value.
    Attribute(&'a [&'a str], Scalar<'a>),
    /// More members than have grams of their own.
    ManyAttributes,
    Cell(Cell),
    Created(Period),
    Marked(Mark<'a>),
    /// A value of a common field, with the part of the order of names that the name lies in.
    Placed(Placed<'a>, Part),
    /// Two words of a name, by their first characters in alphabetical order.
    Together(&'a str, &'a str),
    /// Where somebody lives, and a word of the name by its first characters.
    OfHome(Home<'a>, &'a str),
    /// A word, by its first characters, that does not stand in the name, or neither at its beginning nor at its end.
    Outside(&'a str),
}

/// Makes the grams of one tenant.
#[derive(Debug, Clone, Copy)]
pub struct Grams(u64);

impl Grams {
    pub fn of(tenant: &TenantName) -> Self {
        Self(fnv(FNV_BASIS, tenant.as_str().as_bytes()))
    }

    pub fn gram(self, fact: Fact<'_>) -> i32 {
        let kind = |kind: u8| fnv(self.0, &[0, kind]);
        let hash = match fact {
            Fact::Beginning(text) => fnv(kind(b'b'), text.as_bytes()),
            Fact::Pair(first, second) => fnv(fnv(kind(b'p'), first.as_bytes()), second.encode_utf8(&mut [0; 4]).as_bytes()),
            Fact::Gender(text) => fnv(kind(b'g'), text.as_bytes()),
            Fact::Country(text) => fnv(kind(b'n'), text.as_bytes()),
            Fact::City(text) => fnv(kind(b'c'), text.as_bytes()),
            Fact::BirthYear(year) => fnv(kind(b'y'), &year.to_be_bytes()),
            Fact::Born { country, gender, year } => {
                let hash = fnv(fnv(kind(b'f'), &year.to_be_bytes()), country.as_bytes());
                gender.map_or(hash, |gender| fnv(fnv(hash, &[0]), gender.as_bytes()))
            }
            Fact::Attribute(path, value) => attributes::hash(kind(b'a'), path, value),
            Fact::ManyAttributes => kind(b'A'),
            Fact::Cell(Cell { level, row, column }) => fnv(fnv(fnv(kind(b'm'), &[level]), &row.to_be_bytes()), &column.to_be_bytes()),
            Fact::Created(Period { level, number }) => fnv(fnv(kind(b't'), &[level]), &number.to_be_bytes()),
            Fact::Marked(Mark::Elsewhere(text, part)) => fnv(fnv(kind(b'o'), &[part.number()]), text.as_bytes()),
            Fact::Marked(Mark::Departing(text)) => fnv(kind(b'd'), text.as_bytes()),
            Fact::Placed(placed, part) => placed.hash(fnv(kind(b'l'), &[part.number()])),
            Fact::Together(one, other) => fnv(fnv(fnv(kind(b'w'), one.as_bytes()), &[0]), other.as_bytes()),
            Fact::OfHome(home, word) => {
                let (kind, home) = match home {
                    Home::Country(country) => (kind(b'q'), country),
                    Home::City(city) => (kind(b'i'), city),
                };
                fnv(fnv(fnv(kind, home.as_bytes()), &[0]), word.as_bytes())
            }
            Fact::Outside(word) => fnv(kind(b'e'), word.as_bytes()),
        };
        mixed(hash)
    }

    /// All grams of a profile whose search text is `doc`, ascending, each once.
    pub fn of_profile(self, profile: &Profile, doc: &str) -> Vec<i32> {
        let mut grams = Vec::with_capacity(112);
        let name_key = fold(profile.full_name.as_str());
        let part = Part::of(&name_key);
        for (number, line) in doc.split('\n').enumerate() {
            // The name is the first line.
            let mut begins_name = number == 0;
            for_each_segment(line, |segment, behind| {
                grams.extend(kept_beginnings(segment).map(|beginning| self.gram(Fact::Beginning(beginning))));
                grams.extend(pair(segment, behind).map(|pair| self.gram(pair)));
                grams.extend(mark_of(segment, &name_key, part, begins_name).map(|mark| self.gram(Fact::Marked(mark))));
                begins_name = false;
            });
        }
        self.extend_by_fields(&mut grams, profile);
        self.extend_by_attributes(&mut grams, &profile.attributes);
        grams.extend(self.of_place_in_order(profile, part));
        if let (Some(latitude), Some(longitude)) = (profile.latitude, profile.longitude) {
            grams.extend(geo::cells_of(latitude, longitude).map(|cell| self.gram(Fact::Cell(cell))));
        }
        grams.extend(periods::periods_of(profile.created_at.0).map(|period| self.gram(Fact::Created(period))));
        grams.sort_unstable();
        grams.dedup();
        grams
    }

    fn extend_by_fields(self, grams: &mut Vec<i32>, profile: &Profile) {
        let gender = profile.gender.as_ref().map(Text::as_str);
        let country = profile.country_id.as_ref().map(Text::as_str);
        let year = profile.birth_date.map(BirthDate::year);
        let others = [gender.map(Fact::Gender), year.map(Fact::BirthYear)];
        grams.extend(Home::all_of(profile).map(Home::fact).chain(others.into_iter().flatten()).map(|fact| self.gram(fact)));
        if let (Some(country), Some(year)) = (country, year) {
            grams.push(self.gram(Fact::Born { country, gender: None, year }));
            grams.extend(gender.map(|gender| self.gram(Fact::Born { country, gender: Some(gender), year })));
        }
    }

    /// Grams that every profile has in which `needle` is found; none for a number of nothing but zeros.
    pub fn of_needle(self, needle: &str) -> Vec<i32> {
        self.of_needle_in_order(needle).into_iter().map(|(gram, _)| gram).collect()
    }

    /// The same, each with the character that it shares with the pair before it, if there is one: of those who have that pair,
    /// as many have this one as of all who have the character.
    pub fn of_needle_in_order(self, needle: &str) -> Vec<(i32, Option<i32>)> {
        let (mut grams, mut is_second) = (Vec::new(), false);
        for_each_segment(needle, |segment, behind| {
            let pair = pair(segment, behind);
            // A pair tells of both its characters.
            let is_told = begins_unspaced(segment) && segment.chars().nth(1).is_none() && (pair.is_some() || is_second);
            let longest = kept_beginnings(segment).last().map(|longest| self.gram(Fact::Beginning(longest)));
            grams.extend(longest.filter(|_| !is_told).map(|longest| (longest, None)));
            grams.extend(pair.map(|pair| (self.gram(pair), longest.filter(|_| is_second))));
            is_second = pair.is_some();
        });
        grams
    }

    /// Of those who have all grams of a needle, about how many have the needle too: its last characters may be untold.
    pub fn told(needle: &str) -> f64 {
        let mut told = 1.0;
        for_each_segment(needle, |segment, _| {
            let longest = kept_beginnings(segment).last().unwrap_or_default();
            let rest = segment.trim_start_matches('0').strip_prefix(longest).unwrap_or_default();
            told *= rest.chars().map(|c| if c.is_ascii_digit() { 0.1 } else { 0.8 }).product::<f64>();
        });
        told
    }
}

/// The segments of a search text: what stands between two places where a word begins. A needle's are, but for the
/// last, segments of every text in which it is found; the last is the beginning of one.
fn for_each_segment<'a>(line: &'a str, mut each: impl FnMut(&'a str, Option<&'a str>)) {
    let mut segments = line.split(' ').filter(|segment| !segment.is_empty()).peekable();
    while let Some(segment) = segments.next() {
        each(segment, segments.peek().copied());
    }
}

/// The beginnings of a segment that are kept, from the shortest on. Whether one is depends on itself alone: so the
/// beginning of a segment keeps what it has in common with the segment.
fn kept_beginnings(segment: &str) -> impl Iterator<Item = &str> {
    // A national number stands with and without its 0.
    let begins_with_digit = segment.starts_with(|c: char| c.is_ascii_digit());
    let text = if begins_with_digit { segment.trim_start_matches('0') } else { segment };
    let (mut has_digit, mut begins_with_letters) = (false, true);
    text.char_indices().take(LONGEST_OF_LETTERS).enumerate().filter_map(move |(before, (at, c))| {
        let is_digit = c.is_ascii_digit();
        let is_first_digit = is_digit && !has_digit;
        has_digit |= is_digit;
        let kept = if before < LONGEST {
            begins_with_letters &= !is_digit;
            // Numbers are many and all differ: every other beginning tells them apart as well, from the first digit to
            // what ends them.
            !has_digit || before % 2 == 0 || is_first_digit || !c.is_alphanumeric()
        } else if begins_with_letters {
            before % 2 == 1
        } else {
            before + 1 == LONGEST_OF_NUMBERS
        };
        kept.then(|| &text[..at + c.len_utf8()])
    })
}

fn pair<'a>(segment: &'a str, behind: Option<&str>) -> Option<Fact<'a>> {
    let second = behind?.chars().next()?;
    begins_unspaced(segment).then_some(Fact::Pair(segment, second))
}

const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a. Grams are stored: this must never change.
fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// All bits of the hash in 32: FNV alone leaves the upper ones of short texts alike.
fn mixed(hash: u64) -> i32 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let [a, b, c, d, ..] = (hash ^ (hash >> 33)).to_be_bytes();
    i32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::search_text::{needles, search_text};
    use proptest::prelude::*;

    fn grams(tenant: &str) -> Grams {
        Grams::of(&TenantName::from_stored(tenant.to_owned()))
    }

    fn of_text(tenant: &str, text: &str) -> Vec<i32> {
        let mut grams_of_text = Vec::new();
        for_each_segment(&search_text(text), |segment, behind| {
            grams_of_text.extend(kept_beginnings(segment).map(|beginning| grams(tenant).gram(Fact::Beginning(beginning))));
            grams_of_text.extend(pair(segment, behind).map(|pair| grams(tenant).gram(pair)));
        });
        grams_of_text
    }

    #[test]
    fn what_is_stored_stays_what_it_is() {
        // Rows on disk have these: a change here would lose them.
        assert_eq!(grams("acme").gram(Fact::Beginning("smith")), of_text("acme", "smith")[4]);
        assert_eq!(grams("acme").of_needle(" smith"), [SMITH_OF_ACME]);
        let marks = [Mark::Elsewhere("smi", Part::of("john smith")), Mark::Departing("johns")];
        let born = Fact::Born { country: "IN", gender: Some("female"), year: 1984 };
        let facts = [born, Fact::Attribute(&["plan"], Scalar::Text("pro")), Fact::Attribute(&["a", "seats"], Scalar::Number(5.0))];
        assert_eq!(facts.map(|fact| grams("acme").gram(fact)), FACTS_OF_ACME);
        let placed = Placed::Home(Home::Country("IN"));
        assert_eq!(grams("acme").gram(Fact::Placed(placed, Part::of("mary"))), PLACED_OF_ACME);
        let homes = [Home::Country("IN"), Home::City("IN")];
        assert_eq!(homes.map(|home| grams("acme").gram(Fact::OfHome(home, "smi"))), HOMES_OF_ACME);
        assert_eq!(marks.map(|mark| grams("acme").gram(Fact::Marked(mark))), MARKS_OF_ACME);
    }

    const PLACED_OF_ACME: i32 = 198_648_786;
    const HOMES_OF_ACME: [i32; 2] = [588_051_113, -701_049_686];
    const SMITH_OF_ACME: i32 = 1_895_780_108;
    const FACTS_OF_ACME: [i32; 3] = [823_148_872, 1_757_005_480, 1_024_294_140];
    const MARKS_OF_ACME: [i32; 2] = [37_132_054, 1_766_306_253];

    #[test]
    fn tenants_kinds_and_texts_differ() {
        let all = [
            grams("a").gram(Fact::Beginning("m")),
            grams("b").gram(Fact::Beginning("m")),
            grams("a").gram(Fact::Gender("m")),
            grams("a").gram(Fact::City("m")),
            grams("a").gram(Fact::Country("m")),
            grams("a").gram(Fact::Beginning("n")),
            grams("a").gram(Fact::Marked(Mark::Departing("m"))),
            grams("a").gram(Fact::Marked(Mark::Elsewhere("m", Part::FIRST))),
            grams("a").gram(Fact::Marked(Mark::Elsewhere("m", Part::LAST))),
        ];
        for (i, gram) in all.iter().enumerate() {
            assert!(!all[..i].contains(gram));
        }
    }

    #[test]
    fn what_no_gram_tells_makes_hits_fewer() {
        assert_eq!([" smith", " smith1", " smith12", " gonzalez85", " 伟 明"].map(Grams::told), [1.0; 5]);
        assert_eq!([" smith123", " 001234", " robertson"].map(Grams::told), [0.1, 0.1, 0.8]);
    }

    #[test]
    fn long_needles_are_told_apart_by_their_longest_beginning() {
        let one = |needle: &str| grams("a").of_needle(needle);
        assert_ne!(one(" robert"), one(" roberts"));
        for (one_number, another) in [
            (" maria1", " maria2"),
            (" user1@", " user1"),
            (" gonzalez85", " gonzalez12"),
            (" johnson34", " johnson5"),
            (" user698356", " user698357"),
        ] {
            assert_ne!(one(one_number), one(another));
        }
        assert_eq!(one(" robertson"), one(" robertso"));
        assert_eq!(one(" 098765"), one(" 98765"));
        assert!(one(" 00").is_empty());
        assert_eq!([" 伟 明", " 伟", " 伟 明 a", " 伟 明 太"].map(|needle| one(needle).len()), [1, 1, 3, 2]);
    }

    proptest! {
        #[test]
        fn whatever_is_found_has_the_grams(
            text in "(\\PC|[a-e0-2 .@-]|[張伟明太郎กิカ가]){0,24}",
            from in 0_usize..24,
            length in 1_usize..12,
        ) {
            let part: String = text.chars().skip(from).take(length).collect();
            let (doc, stored) = (search_text(&text), of_text("a", &text));
            for needle in needles(&part).into_iter().filter(|needle| doc.contains(needle.as_str())) {
                for gram in grams("a").of_needle(&needle) {
                    prop_assert!(stored.contains(&gram), "{:?} in {:?}", needle, doc);
                }
            }
        }
    }
}
