//! Where somebody lives: a country and a city, which are often asked for, by themselves and with a word.

use super::Fact;
use crate::domain::profile::Profile;
use crate::domain::text::Text;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home<'a> {
    Country(&'a str),
    City(&'a str),
}

impl<'a> Home<'a> {
    /// That somebody lives there.
    pub fn fact(self) -> Fact<'a> {
        match self {
            Home::Country(country) => Fact::Country(country),
            Home::City(city) => Fact::City(city),
        }
    }

    pub(super) fn all_of(profile: &'a Profile) -> impl Iterator<Item = Self> + Clone {
        let country = profile.country_id.as_ref().map(Text::as_str).map(Home::Country);
        let city = profile.city_id.as_ref().map(Text::as_str).map(Home::City);
        country.into_iter().chain(city)
    }
}
