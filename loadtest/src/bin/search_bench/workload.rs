//! What people search for: classes of searches in the proportions of the study.

use loadtest::people::random::Random;
use loadtest::people::words::{self, Word};
use loadtest::people::{LARGE_TENANT, person};
use n_users::domain::filter::parse;
use n_users::domain::profile::Profile;
use n_users::domain::search::{Search, Sort, Start};
use n_users::domain::search_text::needles;
use n_users::domain::tenant::TenantName;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Rare,
    FirstAndLast,
    Common,
    CommonFiltered,
    Email,
    NoHit,
    RareCity,
    Demography,
    Near,
    Distance,
}

impl Class {
    pub const ALL: [Self; 10] = [
        Self::Rare,
        Self::FirstAndLast,
        Self::Common,
        Self::CommonFiltered,
        Self::Email,
        Self::NoHit,
        Self::RareCity,
        Self::Demography,
        Self::Near,
        Self::Distance,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Rare => "rare or medium name",
            Self::FirstAndLast => "first + last name",
            Self::Common => "common name",
            Self::CommonFiltered => "common + filter",
            Self::Email => "e-mail beginning",
            Self::NoHit => "no hit",
            Self::RareCity => "filter: rare city",
            Self::Demography => "filter: country + gender + birth",
            Self::Near => "near, newest first",
            Self::Distance => "near, by distance",
        }
    }

    /// A class of the study's mix: 60 % rare or medium, 20 % common, 10 % e-mail, 10 % no hit; 30 % of all filtered.
    pub fn of_mix(random: &mut Random) -> Self {
        match random.below(100) {
            0..30 => Self::Rare,
            30..60 => Self::FirstAndLast,
            60..74 => Self::Common,
            74..80 => Self::CommonFiltered,
            80..90 => Self::Email,
            _ => Self::NoHit,
        }
    }
}

/// Where the people whose words are searched for come from.
#[derive(Debug, Clone, Copy)]
pub struct Population {
    pub seed: u64,
    pub profiles: u64,
}

impl Population {
    fn somebody(self, random: &mut Random) -> Profile {
        // Of the large tenant, in which a search is hard.
        loop {
            let profile = person(self.seed, random.below(self.profiles));
            if profile.tenant_name.as_str() == LARGE_TENANT {
                return profile;
            }
        }
    }

    pub fn search(self, class: Class, mixed: bool, random: &mut Random) -> (TenantName, Search) {
        let somebody = self.somebody(random);
        let word = match class {
            Class::Rare => Some(Word::Rare),
            Class::FirstAndLast => Some(Word::FirstAndLast),
            Class::Common | Class::CommonFiltered => Some(Word::Common),
            Class::Email => Some(Word::Email),
            Class::NoHit => Some(Word::NoHit),
            Class::RareCity | Class::Demography | Class::Near | Class::Distance => None,
        };
        let query = word.map(|word| words::query(word, &somebody, random)).unwrap_or_default();
        let (latitude, longitude) = (somebody.latitude.unwrap_or(0.0), somebody.longitude.unwrap_or(0.0));
        let kilometres = [2, 5, 10, 25, 50][random.index(5)];
        let born = 1945 + random.below(50);
        let country = ["US", "IN", "CN", "DE", "MX", "FR"][random.index(6)];
        let gender = ["male", "female"][random.index(2)];
        let filter = match class {
            Class::CommonFiltered => Some(small_filter(random)),
            Class::RareCity => Some(format!("city_id eq \"{}-{}\"", country.to_lowercase(), 100 + random.below(700))),
            Class::Demography => Some(format!(
                "country_id eq \"{country}\" and gender eq \"{gender}\" and birth_date ge \"{born}-01-01\" and birth_date lt \"{}-01-01\"",
                born + 1 + random.below(10)
            )),
            Class::Near | Class::Distance => Some(format!("near({latitude}, {longitude}, {kilometres})")),
            _ if mixed && random.chance(0.25) => Some(small_filter(random)),
            _ => None,
        };
        let filter = filter.and_then(|text| parse(&text).ok());
        let circles = filter.as_ref().map(n_users::domain::filter::Filter::circles).unwrap_or_default();
        let sort = match class {
            Class::Distance => Sort::parse_around("distance", &circles).unwrap_or(Sort::DEFAULT),
            _ if random.chance(0.3) => Sort::parse("full_name").unwrap_or(Sort::DEFAULT),
            _ => Sort::DEFAULT,
        };
        let search = Search { needles: needles(&query), filter, sort, limit: 20, start: Start::Offset(0), include_deleted: false };
        (somebody.tenant_name, search)
    }
}

fn small_filter(random: &mut Random) -> String {
    match random.below(4) {
        0 => format!("gender eq \"{}\"", ["male", "female"][random.index(2)]),
        1 => format!("country_id eq \"{}\"", ["US", "IN", "CN", "DE", "MX"][random.index(5)]),
        2 => "active eq true".to_owned(),
        _ => format!("city_id eq \"{}\"", ["London", "BLR", "Paris", "New York", "Berlin"][random.index(5)]),
    }
}
