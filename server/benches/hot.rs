//! What is hot and pure, besides the token check of `token`: `cargo bench --bench hot`

#![expect(clippy::unwrap_used, reason = "a measurement for people")]

use divan::{Bencher, black_box};
use n_users::domain::clock::TimestampMs;
use n_users::domain::document::Document;
use n_users::domain::filter;
use n_users::domain::grams::Grams;
use n_users::domain::profile::{Profile, ProfileId};
use n_users::domain::profile_patch::ProfilePatch;
use n_users::domain::search_text::{needles, search_doc};
use n_users::domain::tenant::TenantName;
use uuid::Uuid;

const BODY: &[u8] =
    r#"{"user_id":"auth0|5f7c8ec7c33c6c004bbafe82","full_name":"José Álvarez","gender":"male","email_id":"Jose@Example.com",
    "mobile":"98765 43210","birth_date":"1990-12-10","city_id":"BLR","country_id":"IN","address":"12 Main Street, Bengaluru",
    "latitude":12.97,"longitude":77.59,"attributes":{"plan":"pro","seats":12}}"#
        .as_bytes();

fn main() {
    divan::main();
}

fn tenant() -> TenantName {
    TenantName::parse("acme").unwrap()
}

fn profile() -> Profile {
    let patch = ProfilePatch::read(Document::parse(BODY).unwrap());
    let created = patch.create(tenant(), ProfileId(Uuid::from_u128(7)), "bench", TimestampMs(1_795_604_563_621));
    created.unwrap_or_else(|faults| unreachable!("{:?}", faults.as_slice()))
}

/// A body to a profile: JSON, every field's rules, and the phone number.
#[divan::bench]
fn body_to_profile() -> Profile {
    profile()
}

#[divan::bench]
fn profile_to_json(bencher: Bencher) {
    let profile = profile();
    bencher.bench(|| serde_json::to_vec(black_box(&profile)).unwrap());
}

#[divan::bench(args = [
    r#"city_id eq "BLR""#,
    r#"country_id eq "IN" and gender eq "male" and birth_date ge "1985-01-01" and birth_date lt "1995-01-01""#,
    r#"(full_name sw "jo" or email_id co "example") and not (attributes.plan eq "free") and active eq true"#,
])]
fn filter_parse(text: &str) -> bool {
    filter::parse(black_box(text)).is_ok()
}

#[divan::bench]
fn filter_matches(bencher: Bencher) {
    let filter = filter::parse(r#"full_name sw "jo" and country_id eq "IN" and birth_date lt "1995-01-01""#).unwrap();
    let profile = profile();
    bencher.bench(|| black_box(&filter).matches(black_box(&profile)));
}

/// What every write derives for search.
#[divan::bench]
fn search_text_of_profile(bencher: Bencher) {
    let profile = profile();
    bencher.bench(|| search_doc(black_box(&profile)));
}

#[divan::bench]
fn grams_of_profile(bencher: Bencher) {
    let (profile, tenant) = (profile(), tenant());
    let doc = search_doc(&profile);
    bencher.bench(|| Grams::of(&tenant).all_of_profile(black_box(&profile), black_box(&doc)));
}

#[divan::bench(args = ["jo smi", "josé álvarez bengaluru", "伟明"])]
fn search_text_of_query(query: &str) -> Vec<String> {
    needles(black_box(query))
}
