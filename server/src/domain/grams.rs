//! Grams: small numbers by which an index finds profiles. Each is a hash of the tenant with one fact: a word's
//! beginning, a value of a common field, a cell of the map, the time of its creation.
//!
//! A profile that fulfils a condition has the condition's grams: that is the promise, and it goes one way only. Two
//! facts may share a gram, even of two tenants; so whoever finds by grams checks the tenant and the condition itself.

use super::birth_date::BirthDate;
use super::geo::{self, Cell};
use super::periods::{self, Period};
use super::profile::Profile;
use super::search_text::begins_unspaced;
use super::tenant::TenantName;
use super::text::Text;
use serde_json::Value;

/// Beginnings are kept up to this length, in characters: so that "robert" and "roberts" differ.
const LONGEST: usize = 8;
/// Attributes with more values than this have one gram that tells so.
const MOST_ATTRIBUTES: usize = 32;

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
}

/// A value of an attribute that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    Text(&'a str),
    Number(f64),
    Boolean(bool),
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
                let hash = fnv(fnv(kind(b'd'), &year.to_be_bytes()), country.as_bytes());
                gender.map_or(hash, |gender| fnv(fnv(hash, &[0]), gender.as_bytes()))
            }
            Fact::Attribute(path, value) => of_scalar(path.iter().fold(kind(b'a'), |hash, name| of_text(hash, name)), value),
            Fact::ManyAttributes => kind(b'A'),
            Fact::Cell(Cell { level, row, column }) => fnv(fnv(fnv(kind(b'm'), &[level]), &row.to_be_bytes()), &column.to_be_bytes()),
            Fact::Created(Period { level, number }) => fnv(fnv(kind(b't'), &[level]), &number.to_be_bytes()),
        };
        mixed(hash)
    }

    /// All grams of a profile whose search text is `doc`, ascending, each once.
    pub fn of_profile(self, profile: &Profile, doc: &str) -> Vec<i32> {
        let mut grams = Vec::with_capacity(96);
        for line in doc.split('\n') {
            for_each_segment(line, |segment, behind| {
                grams.extend(kept_beginnings(segment).map(|beginning| self.gram(Fact::Beginning(beginning))));
                grams.extend(pair(segment, behind).map(|pair| self.gram(pair)));
            });
        }
        self.extend_by_fields(&mut grams, profile);
        self.extend_by_attributes(&mut grams, &profile.attributes.to_value());
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
        let (country, city) = (profile.country_id.as_ref().map(Text::as_str), profile.city_id.as_ref().map(Text::as_str));
        let year = profile.birth_date.map(BirthDate::year);
        let facts = [gender.map(Fact::Gender), country.map(Fact::Country), city.map(Fact::City), year.map(Fact::BirthYear)];
        grams.extend(facts.into_iter().flatten().map(|fact| self.gram(fact)));
        if let (Some(country), Some(year)) = (country, year) {
            grams.push(self.gram(Fact::Born { country, gender: None, year }));
            grams.extend(gender.map(|gender| self.gram(Fact::Born { country, gender: Some(gender), year })));
        }
    }

    fn extend_by_attributes(self, grams: &mut Vec<i32>, attributes: &Value) {
        let mut members = Vec::new();
        if for_each_scalar(attributes, &mut Vec::new(), &mut |path, value| {
            members.push(self.gram(Fact::Attribute(path, value)));
            members.len() <= MOST_ATTRIBUTES
        }) {
            grams.extend(members);
        } else {
            grams.push(self.gram(Fact::ManyAttributes));
        }
    }

    /// Grams of which every profile has one whose `attributes` have this value at this path.
    pub fn of_attribute(self, path: &[String], value: Scalar<'_>) -> [i32; 2] {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        [self.gram(Fact::Attribute(&path, value)), self.gram(Fact::ManyAttributes)]
    }

    /// Grams that every profile has in which `needle` is found; none for a number of nothing but zeros.
    pub fn of_needle(self, needle: &str) -> Vec<i32> {
        let mut grams = Vec::new();
        for_each_segment(needle, |segment, behind| {
            grams.extend(kept_beginnings(segment).last().map(|longest| self.gram(Fact::Beginning(longest))));
            grams.extend(pair(segment, behind).map(|pair| self.gram(pair)));
        });
        grams
    }
}

/// Calls for the values in an object and in the objects within it, as long as it is told to go on; whether it was to the end.
fn for_each_scalar<'a>(value: &'a Value, path: &mut Vec<&'a str>, each: &mut impl FnMut(&[&str], Scalar<'a>) -> bool) -> bool {
    let scalar = match value {
        Value::Object(members) => {
            return members.iter().all(|(name, value)| {
                path.push(name);
                let to_the_end = for_each_scalar(value, path, each);
                path.pop();
                to_the_end
            });
        }
        Value::String(text) => Scalar::Text(text),
        Value::Number(number) => Scalar::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::Bool(value) => Scalar::Boolean(*value),
        Value::Array(_) | Value::Null => return true,
    };
    each(path, scalar)
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
    let mut has_digit = false;
    text.char_indices().take(LONGEST).enumerate().filter_map(move |(before, (at, c))| {
        has_digit |= c.is_ascii_digit();
        // Numbers are many and all differ: every other beginning tells them apart as well.
        (!has_digit || before % 2 == 0).then(|| &text[..at + c.len_utf8()])
    })
}

fn pair<'a>(segment: &'a str, behind: Option<&str>) -> Option<Fact<'a>> {
    let second = behind?.chars().next()?;
    begins_unspaced(segment).then_some(Fact::Pair(segment, second))
}

/// Where one text ends and the next begins. U+0000 counts as U+0001, because a store may keep it so.
fn of_text(hash: u64, text: &str) -> u64 {
    let hash = text.bytes().fold(hash, |hash, byte| fnv(hash, &[byte.max(1)]));
    fnv(hash, &[0])
}

fn of_scalar(hash: u64, value: Scalar<'_>) -> u64 {
    match value {
        Scalar::Text(text) => of_text(fnv(hash, b"t"), text),
        // Zero has two forms that are equal.
        Scalar::Number(number) => fnv(fnv(hash, b"n"), &(number + 0.0).to_be_bytes()),
        Scalar::Boolean(value) => fnv(fnv(hash, b"b"), &[u8::from(value)]),
    }
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
    }

    const SMITH_OF_ACME: i32 = 1_895_780_108;

    #[test]
    fn tenants_kinds_and_texts_differ() {
        let all = [
            grams("a").gram(Fact::Beginning("m")),
            grams("b").gram(Fact::Beginning("m")),
            grams("a").gram(Fact::Gender("m")),
            grams("a").gram(Fact::City("m")),
            grams("a").gram(Fact::Country("m")),
            grams("a").gram(Fact::Beginning("n")),
        ];
        for (i, gram) in all.iter().enumerate() {
            assert!(!all[..i].contains(gram));
        }
    }

    #[test]
    fn long_needles_are_told_apart_by_their_longest_beginning() {
        let one = |needle: &str| grams("a").of_needle(needle);
        assert_ne!(one(" robert"), one(" roberts"));
        assert_eq!(one(" robertson"), one(" robertso"));
        assert_eq!(one(" 098765"), one(" 98765"));
        assert!(one(" 00").is_empty());
        assert_eq!(one(" 伟 明").len(), 3);
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
