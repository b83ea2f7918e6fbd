//! The people of the tenant that is put under load: those of `person`, as the API takes them.

use super::person;
use n_users::domain::email::EmailAddress;
use n_users::domain::mobile::{Mobile, MobileInput};
use n_users::domain::profile::{Profile, UserId};
use n_users::domain::tenant::TenantName;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

/// The seed by which every fill makes the same people, so that a second one knows those of the first.
pub const SEED: u64 = 1;

/// The person at a place of the list, in this tenant. Numbers that no country has are left out: the API refuses them.
pub fn resident(tenant: &TenantName, at: u64) -> Profile {
    let mut profile = person(SEED, at);
    profile.tenant_name = tenant.clone();
    profile.mobile = profile.mobile.filter(|mobile| is_possible(mobile.as_str()));
    profile.email_id = profile.email_id.as_ref().and_then(|email| EmailAddress::parse(email.as_str()).ok());
    profile
}

/// Somebody who has not been there in any earlier run: `run` is different in each, `number` within it.
pub fn newcomer(tenant: &TenantName, run: u64, number: u64) -> Profile {
    let mut profile = resident(tenant, (1 << 32) + number);
    profile.user_id = UserId::from_stored(format!("newcomer|{run:x}-{number:x}"));
    profile.email_id = Some(EmailAddress::from_stored(format!("newcomer.{run:x}.{number:x}@example.com")));
    // German numbers may be so long that there is one for each second and newcomer; the residents' have ten digits.
    let digits = (run / 1_000 % 10_000_000) * 100_000 + number;
    profile.mobile = profile.mobile.map(|_| Mobile::from_stored(format!("+491{digits:012}")));
    profile
}

/// Whether numbers that begin so, by all but their last eight digits, have a length that occurs in their country. All
/// residents' numbers are of one pattern, and to read one takes longer than to make the rest of its owner.
static POSSIBLE: LazyLock<RwLock<HashMap<String, bool>>> = LazyLock::new(RwLock::default);

fn is_possible(mobile: &str) -> bool {
    let beginning = &mobile[..mobile.len().saturating_sub(8)];
    if let Some(known) = POSSIBLE.read().unwrap_or_else(PoisonError::into_inner).get(beginning) {
        return *known;
    }
    let read = MobileInput::parse(mobile).and_then(|input| Mobile::read(&input, None));
    let possible = read.is_ok_and(|read| read.as_str() == mobile);
    POSSIBLE.write().unwrap_or_else(PoisonError::into_inner).insert(beginning.to_owned(), possible);
    possible
}

/// The body of a create: the fields that a client may set.
pub fn create_body(profile: &Profile) -> Vec<u8> {
    #[derive(Serialize)]
    struct NewProfile<'p> {
        user_id: &'p str,
        full_name: &'p str,
        gender: Option<&'p str>,
        email_id: Option<&'p str>,
        mobile: Option<&'p str>,
        birth_date: Option<String>,
        city_id: Option<&'p str>,
        country_id: Option<&'p str>,
        address: Option<&'p str>,
        latitude: Option<f64>,
        longitude: Option<f64>,
        attributes: Option<&'p RawValue>,
        active: bool,
    }
    let p = profile;
    let body = NewProfile {
        user_id: p.user_id.as_str(),
        full_name: p.full_name.as_str(),
        gender: p.gender.as_ref().map(|text| text.as_str()),
        email_id: p.email_id.as_ref().map(EmailAddress::as_str),
        mobile: p.mobile.as_ref().map(Mobile::as_str),
        birth_date: p.birth_date.map(|date| date.to_string()),
        city_id: p.city_id.as_ref().map(|text| text.as_str()),
        country_id: p.country_id.as_ref().map(|text| text.as_str()),
        address: p.address.as_ref().map(|text| text.as_str()),
        latitude: p.latitude,
        longitude: p.longitude,
        attributes: serde_json::from_str(p.attributes.as_str()).ok(),
        active: p.active,
    };
    // Plain fields always can be written.
    serde_json::to_vec(&body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use n_users::domain::clock::TimestampMs;
    use n_users::domain::document::Document;
    use n_users::domain::profile_patch::ProfilePatch;
    use std::collections::{HashMap, HashSet};

    fn tenant() -> TenantName {
        TenantName::from_stored("load".to_owned())
    }

    #[test]
    fn the_api_takes_everybody_and_nobody_stands_twice() {
        let mut identifiers = HashSet::new();
        let people = (0..1_500).map(|at| resident(&tenant(), at)).chain((0..500).map(|at| newcomer(&tenant(), 1_795_604_563_621, at)));
        for profile in people {
            let document = Document::parse(&create_body(&profile)).unwrap();
            let read = ProfilePatch::read(document).create(tenant(), profile.profile_id, "test", TimestampMs(1_795_604_563_621));
            assert!(read.is_ok(), "{profile:?}: {:?}", read.unwrap_err().as_slice());
            for identifier in [Some(profile.user_id.as_str()), profile.mobile.as_ref().map(Mobile::as_str)].into_iter().flatten() {
                assert!(identifiers.insert(identifier.to_owned()), "{identifier} is there twice");
            }
            assert!(profile.email_id.as_ref().is_none_or(|email| identifiers.insert(email.key())), "{:?}", profile.email_id);
        }
    }

    #[test]
    fn newcomers_have_numbers_as_residents_do() {
        let with_mobile = (0..1_000).filter(|at| newcomer(&tenant(), 1_795_604_563_621, *at).mobile.is_some()).count();
        assert!((400..900).contains(&with_mobile), "{with_mobile}");
    }

    #[test]
    fn some_names_are_one_percent_of_all_and_most_are_rare() {
        let mut words = HashMap::<String, usize>::new();
        for at in 0..8_000 {
            for word in resident(&tenant(), at).full_name.as_str().split_whitespace() {
                *words.entry(word.to_owned()).or_default() += 1;
            }
        }
        let common = words.values().filter(|count| **count >= 80).count();
        let rare = words.values().filter(|count| **count <= 2).count();
        assert!(common >= 5 && rare > words.len() / 2, "{common} common, {rare} rare of {}", words.len());
        assert!(words.keys().filter(|word| !word.is_ascii()).count() > 100, "many scripts");
    }
}
