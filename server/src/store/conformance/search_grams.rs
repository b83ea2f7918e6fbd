//! What an index over grams must not get wrong: tenants that share one, places, the shortest words, and writers.

use super::fixtures::{World, at_once, everybody};
use super::reference::found_among;
use crate::domain::filter::{self, Filter};
use crate::domain::geo::Circle;
use crate::domain::grams::{Fact, Grams};
use crate::domain::profile::Profile;
use crate::domain::search::{Search, Sort, SortField, Start};
use crate::domain::search_text::needles;
use crate::domain::tenant::TenantName;
use serde_json::json;
use std::collections::HashMap;

pub(super) const WORD: &str = "smithers";

/// Pairs of tenants in which one word has the same gram.
pub(super) fn colliding_tenants() -> Vec<(String, String)> {
    let mut seen: HashMap<i32, String> = HashMap::new();
    (0..250_000)
        .filter_map(|number| {
            let name = format!("t{number}");
            let gram = Grams::of(&TenantName::from_stored(name.clone())).gram(Fact::Beginning(WORD));
            seen.insert(gram, name.clone()).map(|other| (other, name))
        })
        .take(10)
        .collect()
}

pub async fn tenants_whose_grams_collide_show_nothing_of_each_other(world: World) {
    let pairs = colliding_tenants();
    assert!(pairs.len() >= 3, "{pairs:?}");
    let search = Search { needles: needles(WORD), ..everybody() };
    for (one, other) in pairs {
        let (one, other) = (world.with_tenant(&one).await, world.with_tenant(&other).await);
        for number in 0..3 {
            other.create(json!({"full_name": WORD, "user_id": format!("u{number}")})).await;
        }
        one.create(json!({"full_name": "somebody else", "user_id": "u"})).await;
        let found = one.search(&search).await;
        assert_eq!((found.profiles.len(), found.total.value), (0, 0));
        assert_eq!(other.search(&search).await.total.value, 3);
    }
}

pub async fn the_shortest_words_are_found_in_every_script(world: World) {
    let names = ["John Smith", "张伟明", "山田太郎", "किरण शर्मा", "محمد علي", "Ana 🎉🎊", "김민준", "สมชาย ใจดี", "Иван Петров", "J R"];
    for (number, name) in names.iter().enumerate() {
        world.create(json!({"full_name": name, "user_id": format!("#{number}")})).await;
    }
    for (query, expected) in [
        ("s", &["John Smith"][..]),
        ("sm", &["John Smith"]),
        ("smi", &["John Smith"]),
        ("伟", &["张伟明"]),
        ("伟明", &["张伟明"]),
        ("张伟明", &["张伟明"]),
        ("伟张", &[]),
        ("郎", &["山田太郎"]),
        ("太郎", &["山田太郎"]),
        ("田太郎", &["山田太郎"]),
        ("कि", &["किरण शर्मा"]),
        ("की", &[]),
        ("शर्", &["किरण शर्मा"]),
        ("م", &["محمد علي"]),
        ("مح", &["محمد علي"]),
        ("علي", &["محمد علي"]),
        ("🎉", &["Ana 🎉🎊"]),
        ("🎉🎊", &["Ana 🎉🎊"]),
        ("🎊🎉", &[]),
        ("준", &["김민준"]),
        ("민준", &["김민준"]),
        ("ชา", &["สมชาย ใจดี"]),
        ("пет", &["Иван Петров"]),
        ("j r", &["J R"]),
    ] {
        assert_eq!(world.names_found(query).await, expected, "{query}");
    }
}

/// People all over the globe, and some of whom no place is known.
async fn scattered(world: &World) -> Vec<Profile> {
    let mut profiles = Vec::new();
    for number in 0..90_i32 {
        let (around, step) = (f64::from(number % 9), f64::from(number / 9));
        let place = match number % 3 {
            0 => (51.5 + around * 0.01, -0.12 + step * 0.02),
            1 => (around * 20.0 - 80.0, 179.9 + step * 0.02 - if step > 4.0 { 360.0 } else { 0.0 }),
            _ => (89.0 + step * 0.1, around * 40.0 - 180.0),
        };
        let mut fields = json!({"full_name": format!("Person {}", number % 7), "user_id": format!("u{number}")});
        if number % 10 != 9 {
            fields["latitude"] = json!(place.0);
            fields["longitude"] = json!(place.1);
        }
        profiles.push(world.create(fields).await);
    }
    profiles
}

pub async fn those_near_a_place_are_found_and_come_in_the_order_of_their_distance(world: World) {
    let profiles = scattered(&world).await;
    for (latitude, longitude) in [(51.5, -0.12), (0.0, 180.0), (90.0, 0.0)] {
        for kilometres in [0.0, 3.0, 700.0, 20_030.0] {
            let circle = Circle { latitude, longitude, kilometres };
            for text in
                [circle_text(circle), format!("not ({})", circle_text(circle)), format!("{} or user_id eq \"u9\"", circle_text(circle))]
            {
                let filter = Some(filter::parse(&text).unwrap());
                for descending in [false, true] {
                    let sort = Sort { field: SortField::Distance(circle), descending };
                    walk(&world, &profiles, &Search { filter: filter.clone(), sort, limit: 25, ..everybody() }).await;
                }
                let words = Search { filter, needles: needles("person 3"), ..everybody() };
                assert_eq!(world.search(&words).await, found_among(&profiles, &words), "{text}");
            }
        }
    }
}

fn circle_text(circle: Circle) -> String {
    Filter::Condition(filter::Condition::Near(circle)).to_string()
}

/// Page by page, each as it should be.
async fn walk(world: &World, profiles: &[Profile], search: &Search) {
    let mut search = search.clone();
    loop {
        let found = world.search(&search).await;
        assert_eq!(found, found_among(profiles, &search), "{search:?}");
        match found.profiles.last() {
            Some(last) if found.more => search.start = Start::After(search.sort.position_of(last)),
            _ => return,
        }
    }
}

pub async fn every_writer_finds_what_it_wrote_at_once(world: World) {
    let names: Vec<Vec<String>> = at_once(6, |writer| {
        let world = world.clone();
        async move {
            let mut wrong = Vec::new();
            let found = |word: String| {
                let world = world.clone();
                async move { world.names_found(&word).await.len() }
            };
            for round in 0..6 {
                let (before, after) = (format!("alpha{writer}x{round}"), format!("omega{writer}x{round}"));
                let profile = world.create(json!({"full_name": format!("Busy {before}"), "user_id": before, "city_id": "Rome"})).await;
                let created = found(before.clone()).await;
                let profile = world.update(&profile, json!({"full_name": format!("Busy {after}")})).await;
                let patched = (found(after.clone()).await, found(format!("busy {before}")).await);
                let deleted = world.delete(&profile).await;
                let gone = found(after.clone()).await;
                world.try_restore(&deleted).await.unwrap();
                let restored = found(format!("busy {after}")).await;
                if (created, patched.0, gone, restored) != (1, 1, 0, 1) {
                    wrong.push(format!("{before}: {created} {patched:?} {gone} {restored}"));
                }
            }
            wrong
        }
    })
    .await;
    assert_eq!(names.concat(), Vec::<String>::new());
}

pub async fn a_change_of_one_field_is_found_by_that_field_at_once(world: World) {
    let mut somebody = world.create(json!({"full_name": "Ada Lovelace", "user_id": "u1"})).await;
    world.create(json!({"full_name": "Bob", "user_id": "u2"})).await;
    for (change, filter) in [
        (json!({"attributes": {"plan": "gold"}}), r#"attributes.plan eq "gold""#),
        (json!({"attributes": {"plan": "silver"}}), r#"attributes.plan eq "silver""#),
        (json!({"gender": "female"}), r#"gender eq "female""#),
        (json!({"birth_date": "1915-12-10"}), r#"birth_date ge "1915-01-01" and birth_date lt "1916-01-01""#),
        (json!({"city_id": "LON"}), r#"city_id eq "LON""#),
        (json!({"country_id": "GB"}), r#"country_id eq "GB" and gender eq "female""#),
        (json!({"latitude": 51.5, "longitude": -0.1}), "near(51.5, -0.1, 2)"),
        (json!({"email_id": "ada@example.com"}), r#"email_id sw "ada""#),
        (json!({"mobile": "+442079460958"}), r#"mobile eq "+442079460958""#),
    ] {
        somebody = world.update(&somebody, change).await;
        let search = Search { filter: Some(filter::parse(filter).unwrap()), ..everybody() };
        let found = world.search(&search).await;
        assert_eq!((found.profiles, found.total.value), (vec![somebody.clone()], 1), "{filter}");
    }
    let gold = Search { filter: Some(filter::parse(r#"attributes.plan eq "gold""#).unwrap()), ..everybody() };
    assert_eq!(world.search(&gold).await.total.value, 0);
}

pub async fn a_name_that_changes_in_its_signs_alone_is_found_at_its_new_place(world: World) {
    let mut people = Vec::new();
    for (number, name) in ["Zoe Mary", "Abe Mary", "Mary Ann", "Kim Mary", "Lee Maryam"].iter().enumerate() {
        people.push(world.create(json!({"full_name": name, "user_id": format!("u{number}")})).await);
    }
    let search = Search { needles: needles("mary"), sort: Sort::parse("full_name").unwrap(), ..everybody() };
    for name in [",Zoe Mary", "(Zoe) Mary", ";Zoe, Mary", "Zoe Mary"] {
        people[0] = world.update(&people[0], json!({"full_name": name})).await;
        let found = world.search(&search).await;
        let reference = found_among(&people, &search);
        assert_eq!((found.profiles, found.total), (reference.profiles, reference.total), "{name}");
    }
}
