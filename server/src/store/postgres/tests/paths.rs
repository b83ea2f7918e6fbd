//! The ways that only searches of large tenants go: taken in a small one, which is taken for a large one here, and held
//! against the reference.

use super::super::Postgres;
use super::super::frequencies::Frequencies;
use super::super::testing::migrated;
use super::*;
use crate::domain::filter::parse;
use crate::domain::grams::{Fact, Grams};
use crate::domain::search::{Search, Sort, Start};
use crate::domain::search_text::needles;
use crate::store::conformance::reference::found_among;
use crate::store::route::Costs;
use futures::{StreamExt, stream};
use std::collections::BTreeSet;

/// One that was created long ago, and others at the end of all that time: enough to be counted by name (`jo`), by
/// address (`mail`) and in a period (`smith`), and some who are not enough once the deleted are left out (`ann`).
fn people() -> Vec<Profile> {
    let named = |i: i64, name: &str, email: Option<String>| {
        let mut profile = profile_of(&format!("user-{i:04}"));
        profile.full_name = Text::parse(name).unwrap();
        profile.email_id = email.map(|email| EmailAddress::parse(&email).unwrap());
        profile.created_at = TimestampMs(1_700_000_000_000 + i / 3);
        profile
    };
    let mut people: Vec<Profile> = (0..1_050).map(|i| named(i, "Jo Smith", Some(format!("mail{i}@example.com")))).collect();
    people.extend((1_050..1_100).map(|i| named(i, "Rare Smith", None)));
    people.extend((1_100..2_150).map(|i| named(i, if i % 30 == 0 { "Will Ann" } else { "Ann Lee" }, None)));
    for gone in &mut people[1_100..1_190] {
        *gone = gone.clone().deleted("tester", TimestampMs(1_700_000_001_000));
    }
    let mut first = named(2_150, "Jo Lee", None);
    first.created_at = TimestampMs(1);
    people.push(first);
    people
}

/// Every gram is taken for one that 100,000 of five million have.
fn large() -> Frequencies {
    Frequencies::even(&tenant(), 5_000_000.0, 100_000.0)
}

async fn taken_for_large(people: &[Profile], frequencies: Frequencies) -> Postgres {
    let store = migrated().await.with_frequencies(frequencies);
    let creates = people.iter().map(|profile| create(&store, profile));
    stream::iter(creates).buffer_unordered(16).collect::<Vec<()>>().await;
    store
}

#[tokio::test]
async fn pages_and_counts_of_a_large_tenant_are_those_of_the_reference() {
    let people = people();
    let store = taken_for_large(&people, large()).await;
    let mut steps = BTreeSet::new();
    for query in ["jo", "smith", "mail", "ann", "rare", "lee", "jo smith", "nobody"] {
        for filter in [None, Some("created_at gt 5"), Some("full_name eq \"jo smith\"")] {
            for (sort, offset, include_deleted) in [
                ("-created_at", 0, false),
                ("created_at", 0, false),
                ("-created_at", 40, true),
                ("full_name", 0, false),
                ("-full_name", 30, true),
            ] {
                let mut search = Search {
                    needles: needles(query),
                    filter: filter.map(|text| parse(text).unwrap()),
                    sort: Sort::parse(sort).unwrap(),
                    limit: 7,
                    start: Start::Offset(offset),
                    include_deleted,
                };
                for page in 0..3 {
                    let found = store.search_profiles(&tenant(), &search).await.unwrap();
                    assert_eq!(found, found_among(&people, &search), "page {page} of {search:?} by {:?}", found.route);
                    steps.extend(found.route.0.iter().map(|step| step.step));
                    let Some(last) = found.profiles.last().filter(|_| found.more) else { break };
                    search.start = Start::After(search.sort.position_of(last));
                }
            }
        }
    }
    for step in ["period", "names", "count by beginning", "count in a period", "count by grams", "grams"] {
        assert!(steps.contains(step), "no search went by {step}: {steps:?}");
    }
}

/// Of two words that many have each, few have both: in their names, or one of them in their address or city.
#[tokio::test]
async fn who_has_two_words_is_found_by_both_together_wherever_they_stand() {
    let with = |i: i64, name: &str, email: Option<&str>, city: Option<&str>| {
        let mut profile = profile_of(&format!("user-{i:04}"));
        profile.full_name = Text::parse(name).unwrap();
        profile.email_id = email.map(|email| EmailAddress::parse(email).unwrap());
        profile.city_id = city.map(|city| Text::parse(city).unwrap());
        profile
    };
    let mut people = vec![
        with(1, "Johanna Smithers", None, None),
        with(2, "Smith, John", None, None),
        with(3, "Jane Ann Marie Louise Rose Ella John Smith", None, None),
        with(4, "Ann Lee", Some("john.smith@example.com"), None),
        with(5, "John Lee", None, Some("Smithfield")),
        with(6, "Johnson", None, None),
    ];
    people.extend((10..60).map(|i| with(i, if i % 2 == 0 { "John Lee" } else { "Jane Smith" }, None, None)));
    let grams = Grams::of(&tenant());
    let together = grams.of_two_words(&needles("joh smi")).unwrap();
    let frequencies = together.any_of.into_iter().fold(large(), |frequencies, gram| frequencies.but(gram, 5.0));
    // Names are not to tell them.
    let store = taken_for_large(&people, frequencies).await.with_costs(Costs::PASSING);
    for query in ["john smith", "smi joh", "johanna smith", "john smith jane", "joh smi 12"] {
        for sort in ["-created_at", "full_name"] {
            let search = Search {
                needles: needles(query),
                filter: None,
                sort: Sort::parse(sort).unwrap(),
                limit: 20,
                start: Start::Offset(0),
                include_deleted: false,
            };
            let found = store.search_profiles(&tenant(), &search).await.unwrap();
            assert_eq!(found, found_among(&people, &search), "{query}");
            let steps = &found.route.0;
            assert!(steps.last().is_some_and(|last| last.step == "grams"), "{query}: {steps:?}");
            // The lists of single words would have shown all fifty others.
            assert!(steps.iter().all(|step| step.read <= 5), "{query}: {steps:?}");
        }
    }
}

/// The grams of new periods are in no statistics.
#[tokio::test]
async fn in_a_new_period_only_those_are_read_who_may_be_hits() {
    let from = |i: i64, country: &str| {
        let mut profile = profile_of(&format!("user-{i:04}"));
        profile.country_id = Some(Text::parse(country).unwrap());
        profile.created_at = TimestampMs(if i == 0 { 1 } else { 1_700_000_000_000 + i });
        profile
    };
    let people: Vec<Profile> = (0..300).map(|i| from(i, ["IN", "DE", "FR", "IT", "ES", "PT"][usize::try_from(i % 6).unwrap()])).collect();
    let country = |id| Grams::of(&tenant()).gram(Fact::Country(id));
    let frequencies = Frequencies::even(&tenant(), 5_000_000.0, 0.01).but(country("IN"), 100_000.0).but(country("DE"), 100_000.0);
    let store = taken_for_large(&people, frequencies).await;
    let search = Search {
        needles: needles(""),
        filter: Some(parse("country_id eq \"IN\" or country_id eq \"DE\"").unwrap()),
        sort: Sort::parse("-created_at").unwrap(),
        limit: 20,
        start: Start::Offset(0),
        include_deleted: false,
    };
    let found = store.search_profiles(&tenant(), &search).await.unwrap();
    assert_eq!(found, found_among(&people, &search));
    let steps = &found.route.0;
    assert!(steps[0].step == "period" && (21..=100).contains(&steps[0].read), "{steps:?}");
}
