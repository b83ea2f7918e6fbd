//! What people type into a search box: words taken from people who are there, and now and then from nobody.

use super::locale::Locale;
use super::names::LOCALES;
use super::random::Random;
use n_users::domain::email::EmailAddress;
use n_users::domain::profile::Profile;

/// A kind of query, by how many profiles it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Rare,
    FirstAndLast,
    Common,
    Email,
    NoHit,
}

impl Word {
    /// In the proportions of the search study: 60 % rare or medium, 20 % common, 10 % e-mail, 10 % no hit.
    pub fn of_mix(random: &mut Random) -> Self {
        match random.below(100) {
            0..30 => Self::Rare,
            30..60 => Self::FirstAndLast,
            60..80 => Self::Common,
            80..90 => Self::Email,
            _ => Self::NoHit,
        }
    }
}

/// A query of this kind, where it is for somebody for this person.
pub fn query(word: Word, somebody: &Profile, random: &mut Random) -> String {
    let words: Vec<&str> = somebody.full_name.as_str().split_whitespace().collect();
    let (first, last) = (words.first().copied().unwrap_or("a"), words.last().copied().unwrap_or("a"));
    match word {
        Word::Rare => beginning(last, 4, random),
        Word::FirstAndLast => format!("{} {}", beginning(first, 3, random), beginning(last, 3, random)),
        Word::Common => {
            let locale = Locale::of(random);
            let names = [locale.female, locale.male, locale.family][random.index(3)];
            names[random.zipf(names.len().min(8))].to_owned()
        }
        Word::Email => {
            let email = somebody.email_id.as_ref().map_or("user1@gmail.com", EmailAddress::as_str);
            let at = email.find('@').unwrap_or(email.len());
            email.chars().take((at / 2 + 2 + random.index(at)).max(4)).collect()
        }
        Word::NoHit => {
            let syllables = LOCALES[0].syllables;
            (0..4).map(|_| syllables[random.index(syllables.len())]).chain(std::iter::once("xqz")).collect()
        }
    }
}

fn beginning(word: &str, least: usize, random: &mut Random) -> String {
    let length = word.chars().count();
    let take = if length <= least { length } else { least + random.index(length - least + 1) };
    word.chars().take(take).collect()
}
