//! In what order, on which page, and how many: strict, complete, and right while others write.

use super::fixtures::{World, at_once, everybody};
use super::reference::found_among;
use crate::domain::filter;
use crate::domain::profile::{Profile, ProfileId};
use crate::domain::search::{MAX_TOTAL, Relation, Search, Sort, SortField, Start, Total};
use crate::domain::search_text::needles;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn every_order() -> impl Iterator<Item = Sort> {
    SortField::ALL.iter().flat_map(|field| [false, true].map(|descending| Sort { field: *field, descending }))
}

/// Profiles with ties and gaps in every field that can be sorted by, and with text that collations like to reorder.
async fn varied(world: &World) -> Vec<Profile> {
    let names = ["ada", "Ada", "Ádá", "bob", "Zoë", "zoe", "Émile", "émile", "_x", "~", "张伟", "👩", "\u{ffe5}", "a b", "ab", "a-b"];
    let cities = [Some("blr"), Some("BLR"), None, Some("Å"), Some("z"), Some("🏙"), Some("\u{fffd}")];
    let dates = [Some("1900-01-01"), None, Some("1999-12-31"), Some("2000-01-01")];
    let mut profiles = Vec::new();
    for number in 0..40 {
        let mut fields = json!({"full_name": names[number % names.len()], "user_id": format!("{}u{number}", names[number % 7])});
        let mut set = |name: &str, value: Option<Value>| fields[name] = value.unwrap_or(Value::Null);
        set("city_id", cities[number % cities.len()].map(Value::from));
        set("country_id", cities[number / 2 % cities.len()].map(Value::from));
        set("birth_date", dates[number % dates.len()].map(Value::from));
        set(
            "email_id",
            (!number.is_multiple_of(3)).then(|| Value::from(format!("{}{number}@example.com", ["Z", "b", "É", "B", "f"][number % 5]))),
        );
        let mut profile = world.draft(fields);
        // Several were created in the same millisecond.
        profile.created_at.0 -= profile.created_at.0 % 16;
        profile.updated_at = profile.created_at;
        world.insert(&profile).await.unwrap();
        profiles.push(profile);
    }
    profiles
}

pub async fn every_order_is_strict_and_complete(world: World) {
    let profiles = varied(&world).await;
    for sort in every_order() {
        let search = Search { sort, ..everybody() };
        let found = world.search(&search).await;
        let expected = found_among(&profiles, &search);
        let shown = |found: &[Profile]| found.iter().map(|profile| sort.position_of(profile)).collect::<Vec<_>>();
        assert_eq!(shown(&found.profiles), shown(&expected.profiles), "{sort:?}");
        assert_eq!(found, expected, "{sort:?}");
    }
}

/// All pages behind one another, by the position of each page's last profile.
async fn walk(world: &World, search: &Search) -> Vec<Profile> {
    let mut seen: Vec<Profile> = Vec::new();
    loop {
        let start = seen.last().map_or_else(|| search.start.clone(), |last| Start::After(search.sort.position_of(last)));
        let page = world.search(&Search { start, ..search.clone() }).await;
        assert!(page.profiles.len() <= search.limit as usize);
        let more = page.more;
        assert!(!more || page.profiles.len() == search.limit as usize);
        seen.extend(page.profiles);
        if !more {
            return seen;
        }
    }
}

pub async fn pages_by_position_show_every_profile_once(world: World) {
    let profiles = varied(&world).await;
    for sort in every_order() {
        for (limit, words) in [(7, ""), (1, "zo"), (3, "a")] {
            let search = Search { sort, limit, needles: needles(words), ..everybody() };
            let expected = found_among(&profiles, &Search { limit: 200, ..search.clone() });
            assert_eq!(walk(&world, &search).await, expected.profiles, "{search:?}");
        }
    }
}

pub async fn pages_by_offset_show_every_profile_once(world: World) {
    let profiles = varied(&world).await;
    for sort in every_order() {
        for offset in [0, 1, 13, 39, 40, 10_000] {
            let search = Search { sort, limit: 13, start: Start::Offset(offset), ..everybody() };
            assert_eq!(world.search(&search).await, found_among(&profiles, &search), "{search:?}");
        }
    }
}

pub async fn a_page_says_whether_more_follow(world: World) {
    for number in 0..5 {
        world.create(json!({"user_id": format!("u{number}")})).await;
    }
    for (limit, offset, shown, more) in
        [(4, 0, 4, true), (5, 0, 5, false), (6, 0, 5, false), (1, 3, 1, true), (1, 4, 1, false), (1, 5, 0, false)]
    {
        for words in ["", "ada"] {
            let search = Search { limit, start: Start::Offset(offset), needles: needles(words), ..everybody() };
            let found = world.search(&search).await;
            assert_eq!((found.profiles.len(), found.more, found.total.value), (shown, more, 5), "{search:?}");
        }
    }
}

pub async fn pages_stay_right_while_others_come_and_go(world: World) {
    let kept = varied(&world).await;
    let kept_ids: BTreeSet<ProfileId> = kept.iter().map(|profile| profile.profile_id).collect();
    for sort in every_order() {
        let search = Search { sort, limit: 6, ..everybody() };
        let mut seen: Vec<Profile> = Vec::new();
        let mut strangers: Vec<Profile> = Vec::new();
        loop {
            let start = seen.last().map_or(Start::Offset(0), |last| Start::After(sort.position_of(last)));
            let page = world.search(&Search { start, ..search.clone() }).await;
            seen.extend(page.profiles);
            if !page.more {
                break;
            }
            // Before and behind the place where the reader stands, some come and some go.
            if let Some(gone) = strangers.pop() {
                world.delete(&gone).await;
            }
            for name in ["a first", "zz last"] {
                let id = world.new_id();
                strangers.push(world.create(json!({"full_name": name, "user_id": format!("{name} {id}"), "city_id": name})).await);
            }
        }
        let positions: Vec<_> = seen.iter().map(|profile| sort.position_of(profile)).collect();
        let in_order = |pair: &[_]| if sort.descending { pair[0] > pair[1] } else { pair[0] < pair[1] };
        assert!(positions.windows(2).all(in_order), "{sort:?}: {positions:?}");
        let seen: BTreeSet<ProfileId> = seen.iter().map(|profile| profile.profile_id).collect();
        assert!(seen.is_superset(&kept_ids), "{sort:?}");
        for stranger in strangers {
            world.delete(&stranger).await;
        }
    }
}

pub async fn a_page_behind_a_profile_that_is_gone_goes_on_there(world: World) {
    let mut profiles = varied(&world).await;
    for sort in every_order() {
        let last = world.search(&Search { sort, limit: 5, ..everybody() }).await.profiles.pop().unwrap();
        let start = Start::After(sort.position_of(&last));
        profiles.retain(|profile| profile.profile_id != last.profile_id);
        assert!(world.purge(&[&last]).await);
        let search = Search { sort, limit: 5, start, ..everybody() };
        assert_eq!(world.search(&search).await, found_among(&profiles, &search), "{sort:?}");
    }
}

pub async fn counting_stops_at_a_thousand(world: World) {
    let total = |words: &'static str| {
        let world = world.clone();
        async move { world.search(&Search { needles: needles(words), limit: 1, ..everybody() }).await.total }
    };
    let create = |from: usize, to: usize| {
        let world = world.clone();
        async move {
            at_once(to - from, |number| {
                let world = world.clone();
                async move { world.create(json!({"user_id": format!("u{}", from + number)})).await }
            })
            .await
        }
    };
    for (from, to, relation) in
        [(0, 999, Relation::Eq), (999, 1000, Relation::Eq), (1000, 1001, Relation::Gte), (1001, 1100, Relation::Gte)]
    {
        create(from, to).await;
        let value = u32::try_from(to).unwrap().min(MAX_TOTAL);
        for words in ["", "ada", "love ada"] {
            assert_eq!(total(words).await, Total { value, relation }, "{to} profiles, searched for {words:?}");
        }
    }
    assert_eq!(total("u1099").await, Total { value: 1, relation: Relation::Eq });
    let far = Search { start: Start::Offset(1090), limit: 200, ..everybody() };
    let found = world.search(&far).await;
    assert_eq!((found.profiles.len(), found.more, found.total.relation), (10, false, Relation::Gte));
}

/// Those whose name begins with the word, others who have it elsewhere, before and behind these, and some of both.
pub async fn those_who_have_a_word_come_in_the_order_of_their_names(world: World) {
    let beginnings = ["ann", "", "anna", "mar", "mary", "1st", "zoë", "łu", "вера", "محمد", "शर्मा", "王", "김", "{"];
    let words = ["mary", "marcus", "ann", "annabel", "вера", "шарма", "محمد", "शर्मा", "王芳", "mary-ann"];
    let mut profiles = Vec::new();
    for (number, beginning) in beginnings.iter().cycle().take(beginnings.len() * words.len()).enumerate() {
        let word = words[number % words.len()];
        let name = if number % 3 == 0 { format!("{word} {beginning}") } else { format!("{beginning} {word}") };
        let mut fields = json!({"full_name": name, "user_id": format!("{word}{number}")});
        if number % 4 == 0 {
            fields["email_id"] = format!("{}{number}@mary.example", ["mary", "ann.", "x", "maryann"][number / 4 % 4]).into();
        }
        if number % 5 == 0 {
            fields["city_id"] = "Annapolis".into();
            fields["gender"] = "f".into();
        }
        let profile = world.create(fields).await;
        let is_deleted = number % 11 == 0;
        profiles.push(if is_deleted { world.delete(&profile).await } else { profile });
    }
    for query in ["mary", "mar", "anna", "вер", "محمد", "शर्म", "exa", "mary4"] {
        for filter in [None, Some("full_name gt \"b\" or gender eq \"f\"")] {
            for (sort, limit, include_deleted) in [("full_name", 5, false), ("-full_name", 5, false), ("full_name", 40, true)] {
                let sort = Sort::parse(sort).unwrap();
                let filter = filter.map(|text| filter::parse(text).unwrap());
                let search = Search { needles: needles(query), filter, sort, limit, include_deleted, start: Start::Offset(0) };
                let expected = found_among(&profiles, &Search { limit: 200, ..search.clone() });
                assert_eq!(walk(&world, &search).await, expected.profiles, "{search:?}");
                for offset in [5, 60] {
                    let search = Search { start: Start::Offset(offset), ..search.clone() };
                    assert_eq!(world.search(&search).await, found_among(&profiles, &search), "{search:?}");
                }
            }
        }
    }
}
