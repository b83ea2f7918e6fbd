//! Whose people they are, and what they are called.

use super::names::LOCALES;
use super::random::Random;

pub struct Locale {
    /// How many of a hundred people.
    pub share: u64,
    pub female: &'static [&'static str],
    pub male: &'static [&'static str],
    pub family: &'static [&'static str],
    /// For names that few have.
    pub syllables: &'static [&'static str],
    pub endings: &'static [&'static str],
    pub family_first: bool,
    pub space: &'static str,
    /// (country, its dialling code, a latitude and a longitude, cities)
    pub countries: &'static [(&'static str, &'static str, f64, f64, &'static [&'static str])],
}

impl Locale {
    pub fn of(random: &mut Random) -> &'static Self {
        let mut at = random.below(LOCALES.iter().map(|locale| locale.share).sum());
        for locale in LOCALES {
            if at < locale.share {
                return locale;
            }
            at -= locale.share;
        }
        &LOCALES[0]
    }

    /// A common name, or now and then one that few have.
    pub fn name(&self, common: &[&str], rare: f64, random: &mut Random) -> String {
        if !random.chance(rare) {
            return common[random.zipf(common.len())].to_owned();
        }
        let count = 1 + random.index(2);
        let mut name: String = (0..count).map(|_| self.syllables[random.zipf(self.syllables.len())]).collect();
        name.push_str(self.endings[random.index(self.endings.len())]);
        let mut chars = name.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
    }
}
