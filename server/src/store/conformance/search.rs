//! Who is found: by words, by state, and as of now.

use super::fixtures::{World, at_once, everybody};
use super::reference::found_among;
use crate::domain::filter;
use crate::domain::profile::Profile;
use crate::domain::search::{MAX_QUERY_WORDS, Relation, Search, Sort, Total};
use crate::domain::search_text::needles;
use serde_json::json;

async fn create_named(world: &World, names: &[&str]) {
    for (number, name) in names.iter().enumerate() {
        world.create(json!({"full_name": name, "user_id": format!("#{number}")})).await;
    }
}

pub async fn people_are_found_by_the_beginnings_of_their_words(world: World) {
    let names = ["John Smith", "Marie-Claire O'Neill", "Jürgen MÜLLER", "张伟明", "김민준", "สมชาย ใจดี", "किरण शर्मा", "Ana 🎉", "Ελένη"];
    create_named(&world, &names).await;
    for (query, expected) in [
        ("john", &["John Smith"][..]),
        ("jo smi", &["John Smith"]),
        ("smith, JOHN", &["John Smith"]),
        ("mith", &[]),
        ("claire", &["Marie-Claire O'Neill"]),
        ("o'nei", &["Marie-Claire O'Neill"]),
        ("muller", &["Jürgen MÜLLER"]),
        ("j", &["John Smith", "Jürgen MÜLLER"]),
        ("伟明", &["张伟明"]),
        ("明", &["张伟明"]),
        ("张明", &[]),
        ("민준", &["김민준"]),
        ("ชาย", &["สมชาย ใจดี"]),
        ("कि", &["किरण शर्मा"]),
        ("की", &[]),
        ("🎉", &["Ana 🎉"]),
        ("ελεν", &["Ελένη"]),
        ("nobody", &[]),
    ] {
        assert_eq!(world.names_found(query).await, expected, "{query}");
    }
}

pub async fn every_word_must_be_found(world: World) {
    let ada = json!({
        "full_name": "Ada Lovelace", "user_id": "user-77", "email_id": "countess@analytical.example", "city_id": "LON",
        "mobile": "+919876543210", "address": "St James Square", "gender": "female"
    });
    world.create(ada).await;
    world.create(json!({"full_name": "Ada Byron", "user_id": "user-78", "city_id": "PAR"})).await;
    for (query, expected) in [
        ("ada", 2),
        ("ada lon", 1),
        ("love countess", 1),
        ("analytical", 1),
        ("countess@ana", 1),
        ("user-77", 1),
        ("user 78", 1),
        ("77", 1),
        ("+91 98765", 1),
        ("98765", 1),
        ("098765", 1),
        ("ada byron lon", 0),
        ("james", 0),
        ("female", 0),
    ] {
        assert_eq!(world.names_found(query).await.len(), expected, "{query}");
    }
}

pub async fn no_word_reaches_from_one_field_into_the_next(world: World) {
    world.create(json!({"full_name": "张伟", "user_id": "明天", "city_id": "Oslo"})).await;
    assert_eq!(world.names_found("伟明").await.len(), 0);
    assert_eq!(world.names_found("伟").await.len(), 1);
    assert_eq!(world.names_found("张 明").await.len(), 1);
}

pub async fn wildcards_and_query_syntax_are_text(world: World) {
    create_named(&world, &["John Smith", "Mr 100%", "under_score", "back\\slash", "quo\"te", "(paren)", "a*b", "x:y", "NEAR it"]).await;
    for (query, expected) in [
        ("100%", &["Mr 100%"][..]),
        ("under_", &["under_score"]),
        ("back\\s", &["back\\slash"]),
        ("quo\"", &["quo\"te"]),
        ("(", &["(paren)"]),
        ("%", &[]),
        ("_", &[]),
        ("\\", &[]),
        ("\"", &[]),
        ("*", &[]),
        ("a*b", &["a*b"]),
        ("x:y", &["x:y"]),
        ("jo%", &[]),
        ("j_hn", &[]),
        ("john*", &[]),
        ("\"john\"", &[]),
        ("john OR near", &[]),
        ("near", &["NEAR it"]),
        ("'", &[]),
        ("^john", &[]),
        ("full_name:john", &[]),
        ("-john", &[]),
        ("john'--", &[]),
    ] {
        assert_eq!(world.names_found(query).await, expected, "{query}");
    }
}

pub async fn a_search_without_words_finds_everybody(world: World) {
    assert_eq!(world.search(&everybody()).await.total, Total { value: 0, relation: Relation::Eq });
    create_named(&world, &["B", "A", "C"]).await;
    assert_eq!(world.names_found("").await, ["A", "B", "C"]);
    assert_eq!(world.names_found(" \t ").await, ["A", "B", "C"]);
}

pub async fn deleted_profiles_are_found_only_when_asked_for(world: World) {
    create_named(&world, &["Ada One", "Ada Two"]).await;
    let gone = world.delete(&world.create(json!({"full_name": "Ada Gone", "user_id": "gone"})).await).await;
    assert_eq!(world.names_found("ada").await, ["Ada One", "Ada Two"]);
    for words in ["", "ada"] {
        let with_deleted = Search { needles: needles(words), include_deleted: true, ..everybody() };
        let found = world.search(&with_deleted).await;
        assert_eq!((found.profiles.len(), found.total.value), (3, 3));
        assert_eq!(found.profiles[0], gone);
    }
}

pub async fn a_search_sees_every_write_at_once(world: World) {
    let names = |query: &'static str| {
        let world = world.clone();
        async move { world.names_found(query).await }
    };
    let profile = world.create(json!({"full_name": "Ada Lovelace", "user_id": "u1"})).await;
    assert_eq!(names("lovelace").await.len(), 1);
    let profile = world.update(&profile, json!({"full_name": "Ada King", "email_id": "countess@example.com"})).await;
    assert_eq!(names("lovelace").await.len(), 0);
    assert_eq!(names("king countess").await.len(), 1);
    let deleted = world.delete(&profile).await;
    assert_eq!(names("king").await.len(), 0);
    let profile = world.try_restore(&deleted).await.unwrap();
    assert_eq!(names("king").await.len(), 1);
    // What search looks at is kept right when something else changes.
    let profile = world.update(&profile, json!({"attributes": {"x": 1}})).await;
    assert_eq!(names("king").await.len(), 1);
    world.purge(&[&profile]).await;
    assert_eq!(names("king").await.len(), 0);

    at_once(4, |task| {
        let world = world.clone();
        async move {
            for number in 0..15 {
                let name = format!("Word{task}x{number}");
                let profile = world.create(json!({"full_name": name, "user_id": name})).await;
                assert_eq!(world.names_found(&name).await, [name.as_str()]);
                world.delete(&profile).await;
                assert_eq!(world.names_found(&name).await, [""; 0]);
            }
        }
    })
    .await;
}

pub async fn a_filter_narrows_what_is_found(world: World) {
    for (name, city) in [("Ada A", Some("X")), ("Ada B", Some("Y")), ("Ada C", None), ("Bob", Some("X"))] {
        world.create(json!({"full_name": name, "user_id": name, "city_id": city})).await;
    }
    for (query, text, expected) in [
        ("ada", r#"city_id eq "X""#, &["Ada A"][..]),
        ("", r#"city_id eq "X""#, &["Ada A", "Bob"]),
        ("ada", r#"not (city_id eq "X")"#, &["Ada B", "Ada C"]),
        ("ada", r#"city_id ne "X" and full_name co "B""#, &["Ada B"]),
        ("", "city_id eq null", &["Ada C"]),
        ("ada", r#"city_id eq "Z""#, &[]),
    ] {
        let filter = Some(filter::parse(text).unwrap());
        let sort = Sort::parse("full_name").unwrap();
        let found = world.search(&Search { needles: needles(query), filter, sort, ..everybody() }).await;
        let names: Vec<_> = found.profiles.iter().map(|profile| profile.full_name.as_str()).collect();
        assert_eq!(names, expected, "{query} where {text}");
        assert_eq!(found.total.value as usize, expected.len());
    }
}

pub async fn another_tenants_profiles_are_not_counted(world: World) {
    let other = world.with_tenant("other").await;
    create_named(&world, &["Ada"]).await;
    create_named(&other, &["Ada", "Ada Two", "Adam"]).await;
    assert_eq!(world.names_found("ada").await, ["Ada"]);
    assert_eq!(world.names_found("").await, ["Ada"]);
    assert_eq!(other.names_found("ada").await.len(), 3);
}

/// A backend may take another way for a word that many have than for one that few have: the answer is the same.
pub async fn common_and_rare_words_are_found_alike(world: World) {
    let profiles: Vec<Profile> = at_once(300, |number| {
        let world = world.clone();
        let rare = if number % 97 == 5 { "Rare" } else { "Usual" };
        async move { world.create(json!({"full_name": format!("Common {rare} N{number}"), "user_id": format!("u{number}")})).await }
    })
    .await;
    for words in ["common", "rare", "common rare", "common usual", "n1", "u29", "rare usual", "c", "common n299"] {
        for sort in ["full_name", "-created_at", "user_id", "-email_id"] {
            let search = Search { needles: needles(words), sort: Sort::parse(sort).unwrap(), limit: 20, ..everybody() };
            assert_eq!(world.search(&search).await, found_among(&profiles, &search), "{words} by {sort}");
        }
    }
}

pub async fn many_words_and_long_words_are_found(world: World) {
    let words: Vec<String> = (0..MAX_QUERY_WORDS).map(|number| format!("w{number}ord")).collect();
    create_named(&world, &[&words.join(" "), &"a".repeat(256), &"字".repeat(256)]).await;
    assert_eq!(world.names_found(&words.join(" ")).await.len(), 1);
    assert_eq!(world.names_found(&"a".repeat(256)).await.len(), 1);
    assert_eq!(world.names_found(&"字".repeat(256)).await.len(), 1);
    assert_eq!(world.names_found(&"a".repeat(257)).await.len(), 0);
}
