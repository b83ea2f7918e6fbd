//! Words close to one that finds nobody: what to look for, and which of what is found come first.
//!
//! A word of a query is the beginning of a word, and so it is here: a word is close when few changes make the query's
//! word one of its beginnings. A change is a letter too many, too few, wrong, or swapped with its neighbour.

use super::search_text::{letters_beside, needles_in_order, word_of};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use strsim::osa_distance;

/// So many suggestions at most.
pub const MAX_SUGGESTIONS: usize = 5;
/// So many words of a query are looked at, and so many of those that find nobody are corrected.
pub const MAX_WORDS: usize = 16;
pub const MAX_CORRECTED: usize = 3;

const SHORTEST: usize = 3;
const LONGEST: usize = 32;
/// Words up to this length may have one change, longer ones two.
const LONGEST_WITH_ONE_CHANGE: usize = 5;
/// Changes are tried in so many first characters. An index tells no more of a word apart, so all that begin alike are
/// looked at together.
const CHANGED_WITHIN: usize = 8;
/// Where all whose words begin with so many first characters of a word are known, changes behind these need not be tried.
pub const STEM: usize = 4;
/// Where too many begin so, the same is asked of longer stems: of a word that is nobody's few begin with them, or none.
const LONGER_STEMS: RangeInclusive<usize> = STEM + 1..=CHANGED_WITHIN - 1;
/// A tenant of so many profiles is large: its words begin in many ways, and most ways of changing one begin in none of them.
pub const LARGE_TENANT: f64 = 100_000.0;
const ALL_OF_A_STEM: u32 = 200;
const MAX_NEIGHBOURS: usize = 2_500;
/// Letters that do not come apart into one of a–z and an accent, and are typed as one.
const LATIN: &str = "abcdefghijklmnopqrstuvwxyzłøđıæ";

/// Which profiles a store is to show some of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Each is the beginning of a word.
    pub beginnings: Vec<String>,
    /// So many profiles for each at most,
    pub wanted: u32,
    /// after a look at no more than so many.
    pub examined: u32,
    pub shown: Shown,
    pub include_deleted: bool,
}

/// What a store may leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Nothing.
    Always,
    /// Whom it knows to be there: what is asked is only whether anybody has it, and `holders` is zero where nobody has.
    Whether,
    /// What more have than are wanted: they are of use only if they are all.
    AllOrNone,
    /// In a large tenant, what hardly anybody's words begin like, by their first four characters.
    WhereLikely,
}

/// Some of the profiles in which a word has a beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// Their search texts.
    pub docs: Vec<String>,
    /// How many there are about, as far as the store knows at no cost; no less than the texts.
    pub holders: u64,
}

/// The words of a query that can be corrected, in its order, each once. Numbers cannot, nor can scripts without spaces.
pub fn words(query: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let needles = needles_in_order(query);
    let all = needles.iter().flat_map(|needle| words_in(needle)).filter(|word| seen.insert(*word));
    all.take(MAX_WORDS).map(str::to_owned).collect()
}

/// So many first characters of a beginning, if it has more.
pub fn stem(beginning: &str, characters: usize) -> Option<&str> {
    beginning.char_indices().nth(characters).map(|(end, _)| &beginning[..end])
}

/// All that is one change in so many first characters away from a word, and may be the beginning of another that is.
fn neighbours(word: &str, changed_within: usize) -> Vec<String> {
    let chars: Vec<char> = word.chars().collect();
    let alphabet = alphabet(word);
    let mut found = HashSet::new();
    let with =
        |at: usize, instead_of: usize, put: &[char]| -> String { chars[..at].iter().chain(put).chain(&chars[at + instead_of..]).collect() };
    for at in 0..chars.len().min(changed_within) {
        // What is left of a short word is the beginning of too many.
        if chars.len() > SHORTEST {
            found.insert(with(at, 1, &[]));
        }
        if let Some(next) = chars.get(at + 1) {
            found.insert(with(at, 2, &[*next, chars[at]]));
        }
        for letter in &alphabet {
            found.insert(with(at, 1, &[*letter]));
            // Behind the last letter it would only make longer what nobody begins with.
            found.insert(with(at, 0, &[*letter]));
        }
    }
    found.remove(word);
    let mut found: Vec<String> = found.into_iter().collect();
    found.sort_unstable();
    found.truncate(MAX_NEIGHBOURS);
    found
}

/// One look after the other, from what costs least to what is tried where nothing else has found a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Stem,
    LongerStems,
    Neighbours,
    Beginnings,
}

impl Look {
    pub const ALL: [Self; 4] = [Self::Stem, Self::LongerStems, Self::Neighbours, Self::Beginnings];

    /// What to show of these beginnings.
    pub fn probe(self, beginnings: Vec<String>, include_deleted: bool) -> Probe {
        let (wanted, examined, shown) = match self {
            Self::Stem | Self::LongerStems => (ALL_OF_A_STEM, ALL_OF_A_STEM, Shown::AllOrNone),
            Self::Neighbours => (8, 300, Shown::WhereLikely),
            Self::Beginnings => (80, 80, Shown::Always),
        };
        Probe { beginnings, wanted, examined, shown, include_deleted }
    }
}

/// A word that finds nobody, and what was found instead so far.
#[derive(Debug, Clone)]
pub struct Correction {
    word: String,
    beginnings: Vec<String>,
    samples: Vec<Sample>,
    /// In how many first characters changes are to be tried.
    changed_within: usize,
    /// What is close among the samples that were judged before the last look.
    close: Vec<String>,
}

impl Correction {
    pub fn of(word: String) -> Self {
        Self { word, beginnings: Vec::new(), samples: Vec::new(), changed_within: CHANGED_WITHIN, close: Vec::new() }
    }

    /// Beginnings of words to look for; none where there is nothing more to learn. The last look judges the samples that came before it.
    pub fn look_for(&mut self, look: Look) -> Vec<String> {
        if look == Look::Beginnings {
            // Where nothing is close, these samples have nothing to say beside those that come.
            self.close = self.suggestions();
            (self.beginnings, self.samples) = (Vec::new(), Vec::new());
        }
        let length = self.word.chars().count();
        let first = |kept: &usize| self.word.chars().take(*kept).collect();
        match look {
            // Of a shorter one it is the word itself, which finds nobody.
            Look::Stem if length > STEM => vec![first(&STEM)],
            Look::Stem => Vec::new(),
            Look::LongerStems if self.changed_within == STEM => Vec::new(),
            Look::LongerStems => LONGER_STEMS.filter(|kept| *kept < length).map(|kept| first(&kept)).collect(),
            Look::Neighbours => neighbours(&self.word, self.changed_within),
            Look::Beginnings if !self.close.is_empty() => Vec::new(),
            Look::Beginnings if length <= LONGEST_WITH_ONE_CHANGE => vec![first(&2)],
            Look::Beginnings if self.changed_within == STEM => [3, 2].iter().map(first).collect(),
            Look::Beginnings => [STEM, 3].iter().map(first).collect(),
        }
    }

    /// Takes in what a store has shown of the beginnings that `look_for` gave for this look.
    pub fn learn(&mut self, look: Look, beginnings: Vec<String>, samples: Vec<Sample>) {
        if matches!(look, Look::Stem | Look::LongerStems) {
            let mut stems = beginnings.iter().zip(&samples);
            let all_known = stems.find(|(_, sample)| sample.holders < ALL_OF_A_STEM.into());
            self.changed_within = all_known.map_or(self.changed_within, |(stem, _)| stem.chars().count());
        }
        self.beginnings.extend(beginnings);
        self.samples.extend(samples);
    }

    /// The words that are close, the closest first.
    pub fn suggestions(&self) -> Vec<String> {
        if self.close.is_empty() { closest(&self.word, &self.beginnings, &self.samples) } else { self.close.clone() }
    }
}

/// The words in the samples that are close to `word`, the closest first, then the most frequent. A word that begins
/// with a closer one is left out, for it is found by that.
fn closest(word: &str, beginnings: &[String], samples: &[Sample]) -> Vec<String> {
    let length = word.chars().count();
    let mut ranked: Vec<_> = weighed(beginnings, samples)
        .into_iter()
        .filter_map(|(candidate, weight)| {
            let changes = changes_between(word, candidate)?;
            Some((changes, candidate.chars().count().abs_diff(length), Reverse(weight), candidate))
        })
        .collect();
    ranked.sort_unstable();
    let mut kept: Vec<&str> = Vec::new();
    for (.., candidate) in ranked {
        if kept.len() < MAX_SUGGESTIONS && !kept.iter().any(|closer| candidate.starts_with(closer)) {
            kept.push(candidate);
        }
    }
    kept.into_iter().map(str::to_owned).collect()
}

/// The best of each word's suggestions, word by word: so many that each word gets its share.
pub fn merged(of_words: Vec<Vec<String>>) -> Vec<String> {
    let mut left = of_words.iter().filter(|suggestions| !suggestions.is_empty()).count();
    let mut merged: Vec<String> = Vec::new();
    for suggestions in of_words.into_iter().filter(|suggestions| !suggestions.is_empty()) {
        let share = (MAX_SUGGESTIONS - merged.len()).div_ceil(left);
        let new: Vec<String> = suggestions.into_iter().filter(|word| !merged.contains(word)).take(share).collect();
        merged.extend(new);
        left -= 1;
    }
    merged
}

/// How many profiles have each word: as they were counted in the samples, or as the store knows.
fn weighed<'a>(beginnings: &'a [String], samples: &'a [Sample]) -> HashMap<&'a str, u64> {
    let mut weights: HashMap<&str, u64> = HashMap::new();
    for (beginning, sample) in beginnings.iter().zip(samples) {
        let mut counted: HashMap<&str, u64> = HashMap::new();
        for doc in &sample.docs {
            // Most words of a text begin otherwise, which is quickly told.
            let alike = doc.split([' ', '\n']).filter(|segment| segment.starts_with(beginning.as_str()));
            for word in alike.flat_map(words_in).filter(|word| word.starts_with(beginning.as_str())) {
                *counted.entry(word).or_default() += 1;
            }
        }
        for (word, count) in counted {
            let weight = if word == beginning { sample.holders.max(count) } else { count };
            let known = weights.entry(word).or_default();
            *known = weight.max(*known);
        }
    }
    weights
}

/// How many changes make `word` a beginning of `candidate`; `None` where they are too many, or none.
fn changes_between(word: &str, candidate: &str) -> Option<usize> {
    let length = word.chars().count();
    let most = if length <= LONGEST_WITH_ONE_CHANGE { 1 } else { 2 };
    let ends = candidate.char_indices().map(|(at, c)| at + c.len_utf8()).enumerate();
    let like_long = ends.map(|(before, end)| (before + 1, end)).filter(|(chars, _)| *chars >= SHORTEST && chars.abs_diff(length) <= most);
    let fewest = like_long.map(|(_, end)| osa_distance(word, &candidate[..end])).min()?;
    (1..=most).contains(&fewest).then_some(fewest)
}

/// The words of a search text that can be a suggestion, or be given one.
fn words_in(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\n']).map(word_of).filter(|word| {
        let (mut chars, mut digits) = (0, 0);
        for c in word.chars() {
            chars += 1;
            digits += usize::from(c.is_numeric());
        }
        (SHORTEST..=LONGEST).contains(&chars) && 2 * digits < chars
    })
}

/// The letters that may have been meant.
fn alphabet(word: &str) -> Vec<char> {
    let mut letters: HashSet<char> = word.chars().collect();
    if word.contains(|c: char| c.is_ascii_alphabetic() || LATIN.contains(c)) {
        letters.extend(LATIN.chars());
    }
    if word.contains(|c: char| c.is_ascii_digit()) {
        letters.extend('0'..='9');
    }
    letters.extend(word.chars().filter(|c| !LATIN.contains(*c)).collect::<HashSet<_>>().into_iter().flat_map(letters_beside));
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests;
