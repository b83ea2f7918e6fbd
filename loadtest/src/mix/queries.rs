//! The searches of a load, made before it begins so that making them costs it nothing.

use super::requests::Requests;
use crate::people::random::Random;
use crate::people::residents::resident;
use crate::people::words::{self, Word};
use bytes::Bytes;
use http::Uri;
use n_users::domain::birth_date::BirthDate;
use n_users::domain::profile::Profile;

/// So many that a load meets one again only as often as people ask the same: a service remembers what it is asked again.
const SEARCHES: usize = 65_536;

/// Searches by a word: what to put in the place of a query.
pub fn by_word(requests: &Requests, profiles: u64, random: &mut Random) -> Vec<Uri> {
    let mut uri = || {
        let somebody = resident(&requests.tenant, random.below(profiles));
        requests.search_uri(&words::query(Word::of_mix(random), &somebody, random))
    };
    (0..SEARCHES).map(|_| uri()).collect()
}

/// Bodies of searches with a filter and an order.
pub fn by_filter(requests: &Requests, profiles: u64, random: &mut Random) -> Vec<Bytes> {
    let mut body = || {
        let somebody = resident(&requests.tenant, random.below(profiles));
        let filter = filter_around(&somebody, random);
        let sort_by = ["full_name", "-created_at", "-updated_at", "full_name"][random.index(4)];
        // Half of them with a word besides.
        let query = if random.chance(0.5) { words::query(Word::Common, &somebody, random) } else { String::new() };
        let mut body = serde_json::json!({ "filter": filter, "sort_by": sort_by });
        if !query.is_empty() {
            body["query"] = query.into();
        }
        Bytes::from(body.to_string())
    };
    (0..SEARCHES).map(|_| body()).collect()
}

/// A filter that this person fulfils, of a kind that people use.
fn filter_around(somebody: &Profile, random: &mut Random) -> String {
    let country = somebody.country_id.as_ref().map_or("US", |country| country.as_str());
    let city = somebody.city_id.as_ref().map_or("New York", |city| city.as_str());
    let gender = somebody.gender.as_ref().map_or("female", |gender| gender.as_str());
    let born = somebody.birth_date.map_or(1980, BirthDate::year);
    match random.below(4) {
        0 => format!("city_id eq \"{city}\" and active eq true"),
        1 => format!("country_id eq \"{country}\" and gender eq \"{gender}\""),
        2 => format!(
            "country_id eq \"{country}\" and gender eq \"{gender}\" and birth_date ge \"{born}-01-01\" and birth_date lt \"{}-01-01\"",
            born + 5
        ),
        _ => format!("city_id eq \"{city}\" and gender eq \"{gender}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use n_users::domain::filter;
    use n_users::domain::tenant::TenantName;

    #[test]
    fn the_service_reads_every_filter() {
        let requests = Requests::new(TenantName::from_stored("load".to_owned()), Vec::new());
        for body in by_filter(&requests, 10_000, &mut Random::new(1)) {
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert!(filter::parse(body["filter"].as_str().unwrap()).is_ok(), "{body}");
        }
        let searches = by_word(&requests, 10_000, &mut Random::new(1));
        assert!(searches.iter().all(|uri| uri.path() == "/v1/tenants/load/profiles" && uri.query().is_some()));
    }
}
