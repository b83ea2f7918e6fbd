//! Searches that are asked again: what was found, or counted, once is never told when it is no longer so.

use super::filter::{Known, searches, seen};
use super::fixtures::{World, at_once, everybody};
use super::population::{DATES, Dice, NAMES, PLACES};
use super::reference::found_among;
use crate::domain::filter;
use crate::domain::profile::Profile;
use crate::domain::search::{Relation, Search, Sort, Start, Total};
use crate::domain::search_text::needles;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

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

const ROUNDS: usize = 400;
const SEARCHES: usize = 50;

/// The first pages of some searches, and one of everybody in each of two orders.
fn first_pages(known: &std::sync::Arc<Known>) -> Vec<Search> {
    let mut runner = TestRunner::deterministic();
    let any = searches(known);
    let mut drawn = || any.new_tree(&mut runner).unwrap().current();
    let mut pages: Vec<Search> = (0..SEARCHES).map(|_| Search { start: Start::Offset(0), ..drawn() }).collect();
    pages.extend(["-updated_at", "full_name"].map(|sort| Search { sort: Sort::parse(sort).unwrap(), limit: 7, ..everybody() }));
    pages
}

fn fields(dice: &mut Dice) -> Value {
    let mut fields = json!({"full_name": dice.pick(&NAMES), "address": format!("{}", dice.throw(1_000_000))});
    for name in ["city_id", "country_id", "gender"] {
        if dice.once_in(2) {
            fields[name] = json!(dice.pick(&PLACES));
        }
    }
    if dice.once_in(3) {
        fields["birth_date"] = json!(dice.pick(&DATES));
    }
    fields["active"] = json!(dice.once_in(2));
    fields
}

/// Changes the store, and the list of all that it holds.
async fn change(world: &World, dice: &mut Dice, people: &mut Vec<Profile>, round: usize) {
    let at = dice.throw(people.len());
    let old = people[at].clone();
    match dice.throw(8) {
        0 => {
            let mut fields = fields(dice);
            fields["user_id"] = json!(format!("new {round} {}", dice.throw(1_000_000)));
            people.push(world.create(fields).await);
        }
        1 | 2 if !old.is_deleted() => people[at] = world.delete(&old).await,
        1 if people.len() > 30 => {
            assert!(world.purge(&[&old]).await);
            people.swap_remove(at);
        }
        1 | 2 => {
            if let Ok(restored) = world.try_restore(&old).await {
                people[at] = restored;
            }
        }
        _ if old.is_deleted() => {}
        _ => people[at] = world.update(&old, fields(dice)).await,
    }
}

pub async fn any_search_that_is_asked_again_agrees_with_the_reference(world: World) {
    let known = Known::settled(&world).await;
    let mut people = known.profiles.clone();
    let pages = first_pages(&known);
    let elsewhere = world.with_tenant("elsewhere").await;
    let mut dice = Dice::new(11);
    for round in 0..ROUNDS {
        // Now and then there are so many changes that the profiles' grams are asked for.
        for _ in 0..dice.pick(&[0, 0, 1, 2, 25]) {
            change(&world, &mut dice, &mut people, round).await;
        }
        if dice.once_in(4) {
            elsewhere.create(json!({"user_id": format!("u{round}"), "full_name": dice.pick(&NAMES)})).await;
        }
        let search = &pages[dice.throw(pages.len())];
        let found = world.search(search).await;
        assert_eq!(seen(&found), seen(&found_among(&people, search)), "round {round}: {search:?} by {:?}", found.route);
    }
}

/// What everybody who writes finds at once, with what the others write meanwhile.
pub async fn a_search_that_is_asked_again_sees_every_write_of_others_at_once(world: World) {
    let by_word = Search { needles: needles("love"), limit: 5, ..everybody() };
    let all = Search { sort: Sort::parse("-updated_at").unwrap(), limit: 5, ..everybody() };
    at_once(8, |task| {
        let (world, by_word, all) = (world.clone(), by_word.clone(), all.clone());
        async move {
            for number in 0..12 {
                let of_city = format!("city {task} {number}");
                let filter = filter::parse(&format!("city_id eq \"{of_city}\"")).ok();
                let own = Search { filter, ..by_word.clone() };
                assert_eq!(world.search(&own).await.total.value, 0);
                let profile = world.create(json!({"user_id": format!("u{task} {number}"), "city_id": of_city})).await;
                assert_eq!(world.search(&own).await.profiles, std::slice::from_ref(&profile));
                for search in [&by_word, &all] {
                    let found = world.search(search).await;
                    assert!(found.total.value > number, "{found:?}");
                }
                let renamed = world.update(&profile, json!({"full_name": "Grace Hopper"})).await;
                assert_eq!(world.search(&own).await.total.value, 0);
                let back = world.update(&renamed, json!({"full_name": "Ada Lovelace"})).await;
                assert_eq!(world.search(&own).await.profiles, std::slice::from_ref(&back));
                world.delete(&back).await;
                assert_eq!(world.search(&own).await.total.value, 0);
                let kept = world.create(json!({"user_id": format!("k{task} {number}")})).await;
                assert!(world.search(&all).await.total.value > number, "{kept:?}");
            }
        }
    })
    .await;
    assert_eq!(world.search(&by_word).await.total.value, 96);
}
