//! The ways that only searches of large tenants go: taken in a small one, which is taken for a large one here, and held
//! against the reference.

use super::super::Postgres;
use super::super::frequencies::Frequencies;
use super::super::testing::migrated;
use super::*;
use crate::domain::filter::parse;
use crate::domain::search::{Search, Sort, Start};
use crate::domain::search_text::needles;
use crate::store::conformance::reference::found_among;
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
async fn taken_for_large(people: &[Profile]) -> Postgres {
    let store = migrated().await.with_frequencies(Frequencies::even(&tenant(), 5_000_000.0, 100_000.0));
    let creates = people.iter().map(|profile| create(&store, profile));
    stream::iter(creates).buffer_unordered(16).collect::<Vec<()>>().await;
    store
}

#[tokio::test]
async fn pages_and_counts_of_a_large_tenant_are_those_of_the_reference() {
    let people = people();
    let store = taken_for_large(&people).await;
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
