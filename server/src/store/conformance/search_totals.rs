//! How many there are, when there are more than are told and some of them go: what was counted once is never told when it is
//! no longer so.

use super::fixtures::{World, at_once, everybody};
use crate::domain::filter;
use crate::domain::profile::Profile;
use crate::domain::search::{Relation, Search, Total};
use crate::domain::search_text::needles;
use serde_json::json;

/// The totals of three searches, which each is asked for twice: by a word, by a filter, and of all who were deleted too.
async fn totals(world: &World) -> [(u32, Relation); 3] {
    let by_word = Search { needles: needles("love"), limit: 1, ..everybody() };
    let by_filter = Search { filter: filter::parse("active eq true").ok(), limit: 1, ..everybody() };
    let of_all = Search { include_deleted: true, limit: 1, ..everybody() };
    let mut totals = Vec::new();
    for search in [by_word, by_filter, of_all] {
        let Total { value, relation } = world.search(&search).await.total;
        assert_eq!(world.search(&search).await.total, Total { value, relation });
        totals.push((value, relation));
    }
    totals.try_into().unwrap_or_else(|_| panic!("three"))
}

const MORE: (u32, Relation) = (1_000, Relation::Gte);

fn just(value: u32) -> (u32, Relation) {
    (value, Relation::Eq)
}

pub async fn a_total_that_was_counted_falls_with_the_next_change(world: World) {
    let insert = |number: usize| {
        let profile = world.draft(json!({"user_id": format!("u{number}")}));
        let world = world.clone();
        async move {
            world.insert(&profile).await.unwrap();
            profile
        }
    };
    let mut profiles: Vec<Profile> = at_once(1_006, insert).await;
    assert_eq!(totals(&world).await, [MORE, MORE, MORE]);
    let mut next = || profiles.pop().unwrap_or_else(|| panic!("there are enough"));
    let mut deleted = Vec::new();
    for _ in 0..3 {
        deleted.push(world.delete(&next()).await);
    }
    assert_eq!(totals(&world).await, [MORE, MORE, MORE]);
    for _ in 0..2 {
        world.update(&next(), json!({"full_name": "Grace Hopper"})).await;
    }
    assert_eq!(totals(&world).await, [MORE, MORE, MORE]);
    for _ in 0..3 {
        world.update(&next(), json!({"active": false})).await;
    }
    assert_eq!(totals(&world).await, [MORE, just(1_000), MORE]);
    let other = world.update(&next(), json!({"attributes": {"plan": "pro"}})).await;
    assert_eq!(totals(&world).await, [MORE, just(1_000), MORE]);
    let last = world.delete(&other).await;
    assert_eq!(totals(&world).await, [just(1_000), just(999), MORE]);
    world.try_restore(&last).await.unwrap();
    assert_eq!(totals(&world).await, [MORE, just(1_000), MORE]);
    for profile in &deleted {
        assert!(world.purge(&[profile]).await);
    }
    assert_eq!(totals(&world).await, [MORE, just(1_000), MORE]);
    for _ in 0..3 {
        let gone = world.delete(&next()).await;
        assert!(world.purge(&[&gone]).await);
    }
    assert_eq!(totals(&world).await, [just(998), just(997), just(1_000)]);
}
