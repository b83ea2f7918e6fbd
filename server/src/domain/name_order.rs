//! The order of names in parts, by which an index finds who comes first of those that have a word.
//!
//! Those whose name begins with the word stand together in that order: an index over names has them. All others have
//! it elsewhere, and each of them has a *mark* of the word (`marks_of`), which tells the part that its name lies in.

use super::search_text::{begins_unspaced, word_of};
use super::text::behind_beginning;

/// A part of the order of names: the names from one of `FIRST` up to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part(u8);

/// Words shorter than this have no marks, but for single characters of scripts without spaces.
pub const SHORTEST: usize = 3;

/// Where the parts begin, in the order of names: UTF-8 bytes, which is the order of code points. Drawn so that the names
/// of the world fill them evenly, those of one script by itself too. Parts are stored: this must never change.
#[rustfmt::skip]
const FIRST: &[&str] = &[
    "", // Whatever begins with a digit, a space or punctuation.
    "a", "ad", "al", "ali", "am", "an", "ann", "ar", "as", "b", "be", "bi", "br", "c", "ch", "chr", "cl", "cr",
    "d", "dan", "dav", "de", "di", "do", "e", "el", "em", "er", "f", "fe", "fr", "g", "ge", "gr", "h", "he", "ho", "i", "is",
    "j", "jam", "je", "jo", "joh", "jos", "ju", "k", "kar", "ke", "ki", "kr", "l", "le", "li", "lo", "lu",
    "m", "mar", "mari", "mas", "me", "mi", "mo", "mu", "n", "ne", "ni", "no", "o", "p", "pat", "pe", "ph", "q",
    "r", "re", "ri", "ro", "ru", "s", "san", "se", "sh", "si", "so", "st", "su", "t", "th", "to",
    "u", "v", "vi", "w", "wi", "x", "y", "yo", "z",
    "{", // Letters beside those of ASCII.
    "α", "ε", "κ", "ν", // Greek
    "а", "ал", "б", "в", "г", "д", "е", "и", "к", "м", "н", "о", "с", "т", "э", // Cyrillic
    "\u{530}", "א", "\u{600}", "ب", "ح", "س", "ع", "ف", "م", "ن", // Armenian, Hebrew, Arabic
    "\u{900}", "क", "द", "प", "म", "र", "श", "\u{980}", "\u{b80}", // Indic scripts
    "\u{e00}", "\u{e80}", // Thai, others
    "\u{3040}", "\u{30a0}", // Kana
    // Han
    "\u{4e00}", "\u{5200}", "\u{5900}", "\u{5f00}", "\u{6500}", "\u{674e}", "\u{6c00}", "\u{738b}", "\u{7400}", "\u{8000}",
    "\u{8d00}", "\u{9600}", "\u{9d00}",
    // Hangul
    "\u{ac00}", "\u{ae40}", "\u{b098}", "\u{bc15}", "\u{c11c}", "\u{c774}", "\u{c774}\u{c790}", "\u{c815}", "\u{cd5c}", "\u{d7b0}",
];

impl Part {
    pub const FIRST: Self = Self(0);
    #[expect(clippy::cast_possible_truncation, reason = "a test counts them")]
    pub const LAST: Self = Self(FIRST.len() as u8 - 1);

    /// The part that a name lies in, by its folded form, which names are ordered by.
    pub fn of(name_key: &str) -> Self {
        let up_to = FIRST.partition_point(|first| *first <= name_key);
        Self(u8::try_from(up_to.saturating_sub(1)).unwrap_or(u8::MAX))
    }

    /// The least that lies in it.
    pub fn first_key(self) -> &'static str {
        FIRST.get(usize::from(self.0)).copied().unwrap_or_default()
    }

    pub fn number(self) -> u8 {
        self.0
    }

    /// The part so many behind this one, or the last.
    #[must_use]
    pub fn later(self, parts: u8) -> Self {
        Self(self.0.saturating_add(parts).min(Self::LAST.0))
    }

    /// The part so many before this one, or the first.
    #[must_use]
    pub fn earlier(self, parts: u8) -> Self {
        Self(self.0.saturating_sub(parts))
    }

    /// Whether a word of this script is rare among those whose names lie here, which are of another one.
    pub fn is_foreign_to(self, word: &str) -> bool {
        script(self.first_key()) != script(word)
    }

    pub fn up_to(self, last: Self) -> impl Iterator<Item = Self> {
        (self.0..=last.0).map(Self)
    }
}

/// A number for the script that a text begins in, roughly: a block of Unicode, or the one of the ideographs.
fn script(text: &str) -> u32 {
    match text.chars().next().map_or(0, u32::from) {
        0x3400..=0x9fff => 0x4e,
        0xac00..=0xd7ff => 0xac,
        other => other >> 8,
    }
}

/// What a profile tells of a word that its name does not begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark<'a> {
    /// The word's first characters, `SHORTEST` of them; the name lies in this part, and does not begin so.
    Elsewhere(&'a str, Part),
    /// The beginning of the word up to where the name departs from it: the name begins with all of it but the last
    /// character. Where the name lies is said by that.
    Departing(&'a str),
}

/// What is stored of a word that stands in a profile of this name; nothing for short words, for what begins like a number
/// or a key (these are many), and for what the name itself begins with. `begins_name` where that is this very segment.
pub fn mark_of<'a>(segment: &'a str, name_key: &str, part: Part, begins_name: bool) -> Option<Mark<'a>> {
    let word = marked(segment)?;
    if begins_unspaced(word) {
        // It may begin what is looked for and the name too, and yet stand in front of something else there.
        return (!begins_name || !name_key.starts_with(word)).then_some(Mark::Elsewhere(word, part));
    }
    let (departing, shortest) = (departing(word, name_key)?, beginning(word));
    Some(if departing.len() > shortest.len() { Mark::Departing(departing) } else { Mark::Elsewhere(shortest, part) })
}

/// The word up to where the name departs from it, and one character more; none if the name begins with all of it.
fn departing<'a>(word: &'a str, name: &str) -> Option<&'a str> {
    let common: usize = word.chars().zip(name.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
    Some(&word[..common + word[common..].chars().next()?.len_utf8()])
}

/// What stands behind the last space of a folded name: an index has it.
pub fn last_word(name_key: &str) -> &str {
    name_key.rsplit(' ').next().unwrap_or(name_key)
}

/// What is stored of a word that is found neither at the beginning of the name nor at that of its last word; nothing for scripts
/// without spaces, for short words and what begins like a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere<'a> {
    /// Its first characters, with which neither begins.
    Outside(&'a str),
    /// The word up to where that departs from it which has more of it.
    Departing(&'a str),
}

/// How a segment stands elsewhere than at the two places where indexes have it.
pub fn elsewhere<'a>(segment: &'a str, name_key: &str) -> Option<Elsewhere<'a>> {
    let word = marked(segment).filter(|word| !begins_unspaced(word))?;
    let (of_name, of_last) = (departing(word, name_key)?, departing(word, last_word(name_key))?);
    let departing = if of_last.len() > of_name.len() { of_last } else { of_name };
    let shortest = beginning(word);
    Some(if departing.len() > shortest.len() { Elsewhere::Departing(departing) } else { Elsewhere::Outside(shortest) })
}

/// Of these every profile has one that has this word, unless its name or the last word of it begins with the word; `None` where
/// nothing is stored of such words.
pub fn elsewheres_of(word: &str) -> Option<impl Iterator<Item = Elsewhere<'_>>> {
    let is_marked = marked(word) == Some(word) && !begins_unspaced(word);
    let longer = word.char_indices().skip(SHORTEST).map(|(at, c)| Elsewhere::Departing(&word[..at + c.len_utf8()]));
    is_marked.then(|| std::iter::once(Elsewhere::Outside(beginning(word))).chain(longer))
}

/// The marks of which every profile has one in which a word begins with this one, whose name lies in these parts and does
/// not begin with it. The word is one of which `is_marked` says so.
pub fn marks_of(word: &str, first: Part, last: Part) -> impl Iterator<Item = Mark<'_>> {
    let shortest = beginning(word);
    let longer = word[shortest.len()..].char_indices().map(move |(at, c)| shortest.len() + at + c.len_utf8());
    let departing = longer.filter(move |_| !begins_unspaced(word)).filter_map(move |end| {
        let departing = &word[..end];
        let name = &departing[..departing.char_indices().next_back()?.0];
        let from = Part::of(name);
        let to = behind_beginning(name).map_or(Part::LAST, |behind| Part::of(&behind));
        (from <= last && first <= to).then_some(Mark::Departing(departing))
    });
    first.up_to(last).map(move |part| Mark::Elsewhere(shortest, part)).chain(departing)
}

/// Whether all that have this word and do not begin with it have marks of it.
pub fn is_marked(word: &str) -> bool {
    let is_unspaced = |c: char| begins_unspaced(c.encode_utf8(&mut [0; 4]));
    marked(word) == Some(word) || (!word.is_empty() && word.chars().all(is_unspaced))
}

/// The first characters of the word that a segment of a search text begins with, if words of its kind have marks; none
/// for scripts without spaces.
pub fn marked_beginning(segment: &str) -> Option<&str> {
    marked(segment).filter(|word| !begins_unspaced(word)).map(beginning)
}

/// What has marks of a segment: its word, or the one character of a script without spaces.
fn marked(segment: &str) -> Option<&str> {
    if begins_unspaced(segment) {
        return segment.chars().next().and_then(|c| segment.get(..c.len_utf8()));
    }
    let word = word_of(segment);
    let mut first = word.chars().take(SHORTEST);
    (first.by_ref().filter(|c| !c.is_ascii_digit()).count() == SHORTEST).then_some(word)
}

/// The first characters of a word, by which it is marked.
pub fn beginning(word: &str) -> &str {
    let characters = if begins_unspaced(word) { 1 } else { SHORTEST };
    word.char_indices().nth(characters).map_or(word, |(at, _)| &word[..at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::search_text::{fold, search_text};
    use proptest::prelude::*;

    #[test]
    fn parts_are_in_the_order_of_names_and_few_enough_to_be_stored() {
        assert!(FIRST.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", FIRST.windows(2).find(|pair| pair[0] >= pair[1]));
        assert!(FIRST.len() < 250, "{}", FIRST.len());
        for first in FIRST {
            assert_eq!(fold(first), *first);
            assert_eq!(Part::of(first).first_key(), *first);
        }
        assert_eq!((Part::of(""), Part::of("\u{10ffff}")), (Part::FIRST, Part::LAST));
    }

    #[test]
    fn what_is_stored_stays_what_it_is() {
        // Rows on disk have these: a change here would lose them.
        let numbers = ["1st", "anna", "mary", "zoe", "łukasz", "ολγα", "иван", "محمد", "शर्मा", "王芳", "김민준", "👩"];
        assert_eq!(numbers.map(|name| Part::of(name).number()), NUMBERS);
    }

    const NUMBERS: [u8; 12] = [0, 7, 59, 99, 100, 104, 112, 128, 136, 150, 157, 165];

    /// Of a text beside the name.
    fn stored(name: &str, text: &str) -> Vec<String> {
        let (key, text) = (fold(name), search_text(text));
        text.split(' ').filter_map(|segment| mark_of(segment, &key, Part::of(&key), false)).map(|mark| format!("{mark:?}")).collect()
    }

    #[test]
    fn what_the_name_begins_with_has_no_mark() {
        assert_eq!(stored("Mary Jones", "Mary Jo mary@ 12345 maryam mary"), ["Departing(\"marya\")"]);
        assert!(stored("Mary Jones", "marcus")[0].contains("marc"));
        assert!(stored("Mary Jones", "Jones mbeki")[0].starts_with("Elsewhere(\"jon\""));
        assert_eq!(stored("张伟", "张伟"), [stored("张伟", "张"), stored("张伟", "伟")].concat());
        assert!(stored("张伟", "伟")[0].starts_with("Elsewhere(\"伟\""));
        assert_eq!(mark_of("张", "张伟", Part::of("张伟"), true), None);
        assert!(mark_of("张", ",张伟", Part::of(",张伟"), true).is_some());
    }

    #[test]
    fn names_of_other_scripts_are_foreign_to_a_word() {
        let foreign = |word: &str| ["anna", "zoe", "ολγα", "иван", "яна", "محمد", "शर्मा"].map(|name| Part::of(name).is_foreign_to(word));
        assert_eq!(foreign("mary"), [false, false, true, true, true, true, true]);
        assert_eq!(foreign("иванов"), [true, true, true, false, false, true, true]);
        assert_eq!(["mary", "王芳", "김"].map(|name| Part::of(name).is_foreign_to("李")), [true, false, true]);
    }

    #[test]
    fn words_of_letters_are_marked() {
        for (word, marked) in [
            ("ann", true),
            ("किरण", true),
            ("an", false),
            ("1st", false),
            ("ann.", false),
            ("张伟明", true),
            ("张张", true),
            ("张a", false),
            ("张", true),
            ("か\u{309a}", false),
            ("a1b", false),
            ("abc1", true),
        ] {
            assert_eq!(is_marked(word), marked, "{word}");
        }
    }

    const NAME: &str = "(\\PC|[a-e0-2 .@-]|[張伟明太郎กิカ가кипमरش]){1,12}";

    proptest! {
        #[test]
        fn parts_keep_the_order_of_keys(one in NAME, other in NAME) {
            let (one, other) = (fold(&one), fold(&other));
            prop_assert_eq!(Part::of(&one).cmp(&Part::of(&other)).then(one.cmp(&other)), one.cmp(&other));
            prop_assert!(Part::of(&one).first_key() <= one.as_str());
        }

        #[test]
        fn whoever_has_characters_without_spaces_and_does_not_begin_with_them_has_a_mark(
            name in "[伟明太a,]{1,5}",
            beside in "[伟明太a ]{0,8}",
            word in "[伟明太]{1,3}",
        ) {
            let (key, doc, beside) = (fold(&name), search_text(&name), search_text(&beside));
            let needle: String = word.chars().flat_map(|c| [' ', c]).collect();
            if [&doc, &beside].iter().any(|text| text.contains(&needle)) && !key.starts_with(word.as_str()) {
                prop_assert!(is_marked(&word));
                let part = Part::of(&key);
                let of_name = doc.split_whitespace().enumerate().filter_map(|(at, segment)| mark_of(segment, &key, part, at == 0));
                let stored: Vec<_> = of_name.chain(beside.split_whitespace().filter_map(|segment| mark_of(segment, &key, part, false))).collect();
                prop_assert!(marks_of(&word, part, part).any(|mark| stored.contains(&mark)), "{:?} in {:?}: {:?}", word, doc, stored);
            }
        }

        #[test]
        fn whoever_has_a_word_and_does_not_begin_with_it_has_a_mark(
            name in "[a-c]{1,6} [a-c]{0,3}|\\PC{0,8}",
            text in "([a-c]{1,7}|[a-cкипमिरش]{1,5}|\\PC{0,6})( [a-c]{1,7}[.@1]?){0,3}",
            from in 0_usize..20,
            length in 3_usize..9,
        ) {
            let (key, doc) = (fold(&name), search_text(&text));
            let word: String = doc.chars().skip(from).take(length).collect();
            if is_marked(&word) && doc.contains(&format!(" {word}")) && !key.starts_with(word.as_str()) {
                let part = Part::of(&key);
                let stored: Vec<_> = doc.split(' ').filter_map(|segment| mark_of(segment, &key, part, false)).collect();
                prop_assert!(marks_of(&word, part, part).any(|mark| stored.contains(&mark)), "{:?} in {:?}: {:?}", word, doc, stored);
            }
        }
    }
}
