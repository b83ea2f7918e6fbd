//! The grams of words that are asked for together: two long lists meet in a short one.
//!
//! Each two words of a name have one, by their first characters. A word that a profile has outside of them, in its
//! address, its city or behind the first words of a long name, has one that tells so. So whoever has two words has the gram of both
//! together, or that of one of them. In the same way each word of a name has one with the country, and one with the city.
//!
//! A word has such a gram too if it stands in the name, but neither at its beginning nor in its last place: indexes over
//! first and last words have those, and all others are found by this.

use super::{Fact, Grams, Home, for_each_segment, kept_beginnings};
use crate::domain::name_order::{Elsewhere, Mark, elsewhere, elsewheres_of, marked_beginning};
use crate::domain::profile::Profile;
use crate::domain::search_text::fold;

/// So many words of a name are told of two by two.
const MOST_WORDS: usize = 6;

/// Two words of a query, by what their profiles have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Together {
    /// Every profile with both words has one of these.
    pub any_of: [i32; 3],
    /// For each word its own gram, and that of its first characters, whose profiles are all that `any_of` tells apart.
    pub words: [(i32, i32); 2],
}

/// A word of a query and a country or city, by what their profiles have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordOfHome {
    /// Every profile that lives there with the word has one of these; the second wherever it lives.
    pub any_of: [i32; 2],
    /// The word's own gram, and that of its first characters, which are all that `any_of` tells.
    pub word: i32,
    pub first_characters: i32,
}

impl Grams {
    /// All grams of a profile whose search text is `doc`, those of words together among them, ascending, each once. PostgreSQL
    /// keeps these; SQLite meets lists so quickly that they do not pay.
    pub fn all_of_profile(self, profile: &Profile, doc: &str) -> Vec<i32> {
        let mut grams = self.of_profile(profile, doc);
        grams.extend(self.of_words_together(&fold(profile.full_name.as_str()), doc, Home::all_of(profile)));
        grams.sort_unstable();
        grams.dedup();
        grams
    }

    fn of_words_together<'a>(self, name_key: &str, doc: &str, homes: impl Iterator<Item = Home<'a>> + Clone) -> Vec<i32> {
        let mut in_name: Vec<&str> = Vec::new();
        let name = doc.split('\n').next().unwrap_or_default();
        for_each_segment(name, |segment, _| {
            in_name.extend(marked_beginning(segment).filter(|word| in_name.len() < MOST_WORDS && !in_name.contains(word)));
        });
        let mut grams = Vec::with_capacity(16);
        for (at, one) in in_name.iter().enumerate() {
            grams.extend(in_name[at + 1..].iter().map(|other| self.together(one, other)));
            grams.extend(homes.clone().map(|home| self.gram(Fact::OfHome(home, one))));
        }
        for line in doc.split('\n') {
            for_each_segment(line, |segment, _| {
                let outside = marked_beginning(segment).filter(|word| !in_name.contains(word));
                let stored = outside.map(Elsewhere::Outside).into_iter().chain(elsewhere(segment, name_key));
                grams.extend(stored.map(|elsewhere| self.elsewhere(elsewhere)));
            });
        }
        grams
    }

    /// Grams of which every profile has one that has this word, unless its name or the last word of it begins with the word. `None`
    /// for words of which nothing is known.
    pub fn of_word_elsewhere(self, word: &str) -> Option<Vec<i32>> {
        Some(elsewheres_of(word)?.map(|elsewhere| self.elsewhere(elsewhere)).collect())
    }

    fn elsewhere(self, elsewhere: Elsewhere<'_>) -> i32 {
        self.gram(match elsewhere {
            Elsewhere::Outside(word) => Fact::Outside(word),
            Elsewhere::Departing(word) => Fact::Marked(Mark::Departing(word)),
        })
    }

    /// The first two words of these needles that begin differently; `None` where there are none.
    pub fn of_two_words(self, needles: &[String]) -> Option<Together> {
        let mut words: Vec<(&str, i32)> = Vec::new();
        for needle in needles {
            for_each_segment(needle, |segment, _| {
                let Some(beginning) = marked_beginning(segment) else { return };
                if words.len() < 2 && words.iter().all(|(other, _)| *other != beginning) {
                    words.extend(kept_beginnings(segment).last().map(|longest| (beginning, self.gram(Fact::Beginning(longest)))));
                }
            });
        }
        let [(one, one_gram), (other, other_gram)] = words.as_slice() else { return None };
        let first_characters = |word| self.gram(Fact::Beginning(word));
        Some(Together {
            any_of: [self.together(one, other), self.gram(Fact::Outside(one)), self.gram(Fact::Outside(other))],
            words: [(*one_gram, first_characters(one)), (*other_gram, first_characters(other))],
        })
    }

    /// The words of these needles with a country or a city.
    pub fn of_words_of_home(self, needles: &[String], home: Home<'_>) -> Vec<WordOfHome> {
        let mut words = Vec::new();
        for needle in needles {
            for_each_segment(needle, |segment, _| {
                let longest = marked_beginning(segment).zip(kept_beginnings(segment).last());
                words.extend(longest.map(|(first, longest)| WordOfHome {
                    any_of: [Fact::OfHome(home, first), Fact::Outside(first)].map(|fact| self.gram(fact)),
                    word: self.gram(Fact::Beginning(longest)),
                    first_characters: self.gram(Fact::Beginning(first)),
                }));
            });
        }
        words
    }

    fn together(self, one: &str, other: &str) -> i32 {
        self.gram(if one < other { Fact::Together(one, other) } else { Fact::Together(other, one) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::name_order::last_word;
    use crate::domain::search_text::{needles, search_text};
    use crate::domain::tenant::TenantName;
    use proptest::prelude::*;

    const HOMES: [Home<'static>; 2] = [Home::Country("IN"), Home::City("IN")];

    fn grams() -> Grams {
        Grams::of(&TenantName::from_stored("acme".to_owned()))
    }

    /// Of a profile with these fields, the first of which is its name.
    fn stored(fields: &[impl AsRef<str>]) -> (String, String, Vec<i32>) {
        let doc: Vec<String> = fields.iter().map(|field| search_text(field.as_ref())).collect();
        let (name_key, doc) = (fold(fields[0].as_ref()), doc.join("\n"));
        let grams = grams().of_words_together(&name_key, &doc, HOMES.into_iter());
        (name_key, doc, grams)
    }

    fn is_found(fields: &[&str], query: &str) -> bool {
        let (_, _, stored) = stored(fields);
        let together = grams().of_two_words(&needles(query)).unwrap();
        together.any_of.iter().any(|gram| stored.contains(gram))
    }

    #[test]
    fn two_words_of_a_name_are_told_in_any_order() {
        let john = ["John Maria Smith", "js@mail.example", "u1"];
        for (query, found) in [
            ("john smith", true),
            ("smi joh", true),
            ("johnny mar", true),
            ("john jones", false),
            ("smith mail", true),
            ("u1 john mail", true),
        ] {
            assert_eq!(is_found(&john, query), found, "{query}");
        }
        for (homes, all) in [(&HOMES[..0], 1), (&HOMES[..1], 3), (&HOMES, 5)] {
            assert_eq!(grams().of_words_together("john smith", &search_text("John Smith"), homes.iter().copied()).len(), all);
        }
    }

    #[test]
    fn one_word_or_two_that_begin_alike_tell_nothing() {
        for query in ["john", "john j", "john johnson", "john 123", "张伟明 john"] {
            assert_eq!(grams().of_two_words(&needles(query)), None, "{query}");
        }
    }

    proptest! {
        #[test]
        fn whoever_has_two_words_or_one_and_a_country_has_their_gram(
            lines in prop::collection::vec("([a-c]{1,5}[ .@]|\\PC{0,4} ){0,9}", 1..4),
            from in 0_usize..30,
            length in 1_usize..30,
        ) {
            let (_, doc, stored) = stored(&lines);
            let query: String = lines.concat().chars().skip(from).take(length).collect();
            let found: Vec<String> = needles(&query).into_iter().filter(|needle| doc.contains(needle.as_str())).collect();
            if let Some(together) = grams().of_two_words(&found) {
                prop_assert!(together.any_of.iter().any(|gram| stored.contains(gram)), "{:?} in {:?}", found, doc);
            }
            for word in HOMES.into_iter().flat_map(|home| grams().of_words_of_home(&found, home)) {
                prop_assert!(word.any_of.iter().any(|gram| stored.contains(gram)), "{:?} in {:?}", found, doc);
            }
        }

        #[test]
        fn whoever_has_a_word_has_it_at_an_end_of_the_name_or_a_gram_of_it_elsewhere(
            name in "([a-c]{1,6}[ ,'-]{1,2}){0,3}[a-c]{1,6}|\\PC{0,8}",
            beside in "([a-c]{1,7}[.@1 ]{1,2}|\\PC{0,6}){0,4}",
            from in 0_usize..30,
            length in 3_usize..9,
        ) {
            let (name_key, doc, stored) = stored(&[name, beside]);
            let word: String = doc.chars().skip(from).take(length).collect();
            let at_an_end = name_key.starts_with(&word) || last_word(&name_key).starts_with(&word);
            if let Some(any_of) = grams().of_word_elsewhere(&word).filter(|_| doc.contains(&format!(" {word}")) && !at_an_end) {
                prop_assert!(any_of.iter().any(|gram| stored.contains(gram)), "{:?} in {:?}", word, doc);
            }
        }
    }

    #[test]
    fn a_word_at_an_end_of_the_name_has_no_gram_of_its_own_elsewhere() {
        let has = |fields: &[&str], word: &str| {
            let (_, _, stored) = stored(fields);
            grams().of_word_elsewhere(word).unwrap().iter().any(|gram| stored.contains(gram))
        };
        let john = ["John Maria Smith", "john.smith85@mail.example", "jon"];
        for (word, elsewhere) in [("joh", false), ("john", false), ("smi", false), ("smith", false), ("maria", true), ("mail", true)] {
            assert_eq!(has(&john, word), elsewhere, "{word}");
        }
        // It begins like the name, or like its last word, and goes on otherwise.
        assert!(has(&["John Smith", "johnson"], "johns") && has(&["John Smith", "smithers"], "smithe"));
        for word in ["jo", "張偉", "1st", "o'b"] {
            assert_eq!(grams().of_word_elsewhere(word), None, "{word}");
        }
    }
}
