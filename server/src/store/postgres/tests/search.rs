//! Search in SQL against the reference in `domain`.

use super::super::Postgres;
use super::super::frequencies::{Frequencies, read_news};
use super::super::testing::{admin, connect, fresh_url, migrated, options};
use super::super::timeline::Timeline;
use super::*;
use crate::domain::attributes::Attributes;
use crate::domain::birth_date::BirthDate;
use crate::domain::filter::{Filter, parse};
use crate::domain::search::{Relation, Search, Sort, SortField, SortKey, Start};
use crate::domain::search_text::needles;
use crate::store::conformance::fixtures::{World, eventually, everybody};
use crate::store::migrations::POSTGRES;
use crate::store::route::Costs;
use crate::store::{Maintenance, StoreError};
use serde_json::json;
use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

fn search_for(filter: Option<Filter>) -> Search {
    Search { needles: vec![], filter, sort: Sort::DEFAULT, limit: 200, start: Start::Offset(0), include_deleted: true }
}

/// Profiles with every combination that the filters below tell apart.
fn people() -> Vec<Profile> {
    let attributes = [
        json!({}),
        json!({"level": 3, "plan": "gold", "on": true, "deep": {"er": {"x": "y"}}}),
        json!({"level": "3", "plan": null, "on": "true", "deep": {"er": []}}),
        json!({"level": 3.5, "plan": "Gold", "on": false, "deep": ["er"], "0": "zero"}),
        json!({"level": [3], "plan": {"a": 1}, "on": 1, "note": "a\u{0}b", "more": "\\u0000", "both": "\\\u{0}\u{0}"}),
        json!({"level": -1e300, "plan": "", "note": "naïve 张伟", "tags": ["x"]}),
        json!({"level": 18_446_744_073_709_551_615_u64, "plan": "gold\u{1}"}),
    ];
    let cities = [None, Some("BLR"), Some("Zürich"), Some("a%_b"), Some("blr")];
    let names = ["Jo Smith", "JÜRGEN Müller", "张伟明", "Zoë", "jo smith"];
    (0..70)
        .map(|i| {
            let mut p = profile_of(&format!("user-{i:02}"));
            p.full_name = Text::parse(names[i % names.len()]).unwrap();
            p.city_id = cities[i % 5].map(|city| Text::parse(city).unwrap());
            p.email_id = (i % 3 != 0).then(|| EmailAddress::parse(&format!("Jo{i}@Bücher.example")).unwrap());
            p.birth_date = (i % 4 != 0).then(|| BirthDate::parse(&format!("19{}0-01-02", i % 10)).unwrap());
            p.attributes = Attributes::from_value(attributes[i % attributes.len()].clone()).unwrap();
            p.latitude = (i % 2 == 0).then_some(f64::from(u32::try_from(i).unwrap()) - 30.5);
            p.longitude = p.latitude;
            p.created_at = TimestampMs(1_000 + i64::try_from(i / 7).unwrap());
            if i % 6 == 5 { p.deleted("tester", TimestampMs(9_000)) } else { p }
        })
        .collect()
}

async fn peopled() -> (Postgres, Vec<Profile>) {
    let store = migrated().await;
    let people = people();
    for profile in &people {
        create(&store, profile).await;
    }
    (store, people)
}

const FILTERS: &[&str] = &[
    "city_id pr",
    "not (city_id pr)",
    "city_id eq \"BLR\"",
    "city_id ne \"BLR\"",
    "not (city_id eq \"BLR\")",
    "not (city_id ne \"BLR\")",
    "city_id gt \"BLR\"",
    "not (city_id gt \"BLR\")",
    "city_id le \"Zürich\"",
    "city_id co \"%\"",
    "city_id co \"_\"",
    "city_id sw \"Z\"",
    "city_id ew \"rich\"",
    "city_id ew \"ü\"",
    "city_id co \"\"",
    "full_name eq \"JO SMITH\"",
    "full_name sw \"jurgen\"",
    "full_name co \"伟\"",
    "full_name ge \"zoe\"",
    "email_id eq \"JO4@xn--bcher-kva.example\"",
    "email_id co \"JO1\"",
    "email_id ne \"jo1@bücher.example\"",
    "birth_date ge \"1950-01-02\"",
    "not (birth_date ge \"1950-01-02\")",
    "birth_date ne \"1950-01-02\"",
    "latitude gt 0",
    "not (latitude gt 0) and longitude pr",
    "latitude ne -30.5",
    "active eq true",
    "active ne true",
    "deleted_at pr",
    "deleted_at gt 8999 or city_id eq \"blr\"",
    "not (deleted_at gt 8999)",
    "version eq 2",
    "created_at lt 1004 and (city_id pr or email_id pr) and not (full_name sw \"jo\" and city_id pr)",
    "user_id eq \"user-07\"",
    "attributes.level eq 3",
    "attributes.level ne 3",
    "attributes.level gt 3",
    "not (attributes.level gt 3)",
    "attributes.level lt 0",
    "attributes.level ge 18446744073709551615",
    "attributes.level eq \"3\"",
    "attributes.level pr",
    "attributes.plan pr",
    "attributes.plan eq \"gold\"",
    "attributes.plan co \"old\"",
    "attributes.plan gt \"Gold\"",
    "attributes.plan eq \"\"",
    "attributes.plan ne \"gold\"",
    "attributes.on eq true",
    "attributes.on ne true",
    "attributes.on eq false",
    "attributes.deep.er.x eq \"y\"",
    "attributes.deep.er pr",
    "attributes.deep.0 pr",
    "attributes.tags.0 pr",
    "attributes.note co \"张\"",
    "attributes.more eq \"\\\\u0000\"",
];

#[tokio::test]
async fn filters_select_what_the_reference_selects() {
    let (store, people) = peopled().await;
    for text in FILTERS {
        let filter = parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        let mut expected: Vec<_> = people.iter().filter(|p| filter.matches(p)).map(|p| p.user_id.clone()).collect();
        let found = store.search_profiles(&tenant(), &search_for(Some(filter))).await.unwrap_or_else(|e| panic!("{text}: {e:?}"));
        let mut selected: Vec<_> = found.profiles.iter().map(|p| p.user_id.clone()).collect();
        selected.sort();
        expected.sort();
        assert_eq!(selected, expected, "{text}");
        assert_eq!(found.total.value as usize, expected.len(), "{text}");
    }
}

/// The order that a sort means: ascending by key, then id, what is missing last; descending the exact reverse.
fn in_order(sort: Sort, people: &[Profile]) -> Vec<ProfileId> {
    let mut people: Vec<_> = people.iter().map(|p| sort.position_of(p)).collect();
    people.sort_by(|a, b| if sort.descending { b.cmp(a) } else { a.cmp(b) });
    people.into_iter().map(|position| position.profile_id).collect()
}

#[tokio::test]
async fn pages_go_through_everything_once_in_the_strict_order() {
    let (store, people) = peopled().await;
    for field in SortField::ALL {
        for descending in [false, true] {
            let sort = Sort { field: *field, descending };
            let mut pages = Vec::new();
            let mut search = Search { sort, limit: 3, ..search_for(None) };
            loop {
                let found = store.search_profiles(&tenant(), &search).await.unwrap();
                let last = found.profiles.last().unwrap();
                search.start = Start::After(sort.position_of(last));
                pages.extend(found.profiles.iter().map(|p| p.profile_id));
                if !found.more {
                    break;
                }
            }
            assert_eq!(pages, in_order(sort, &people), "{sort:?}");
            search.start = Start::Offset(68);
            let rest = store.search_profiles(&tenant(), &search).await.unwrap();
            assert_eq!((rest.profiles.len(), rest.more), (2, false));
        }
    }
    let (key, profile_id) = (SortKey::Text("x".to_owned()), people[0].profile_id);
    let wrong = Search { start: Start::After(crate::domain::search::Position { key, profile_id }), ..search_for(None) };
    assert!(matches!(store.search_profiles(&tenant(), &wrong).await, Err(StoreError::Internal(_))));
    assert_eq!(Ordering::Less, SortKey::Integer(1).cmp(&SortKey::Missing));
}

#[tokio::test]
async fn words_are_found_and_the_deleted_only_on_demand() {
    let (store, people) = peopled().await;
    let found = async |query: &str, include_deleted: bool| {
        let search = Search { needles: needles(query), include_deleted, ..search_for(None) };
        store.search_profiles(&tenant(), &search).await.unwrap().profiles.len()
    };
    assert_eq!(found("jo smi", true).await, 28);
    assert!(found("jo smi", false).await < 28);
    assert_eq!(found("伟", true).await, 14);
    assert_eq!(found("%", true).await, 0);
    assert_eq!(found("\u{0}", true).await, 0);
    assert_eq!(found("", true).await, people.len());
    let nowhere = TenantName::parse("nowhere").unwrap();
    assert!(matches!(store.search_profiles(&nowhere, &search_for(None)).await, Err(StoreError::TenantUnknown)));
}

#[tokio::test]
async fn counting_stops_and_a_search_beyond_its_budget_is_too_slow() {
    let url = fresh_url().await;
    let store = connect(&url);
    store.migrate(TimestampMs(1)).await.unwrap();
    create(&store, &profile_of("seed")).await;
    let many = "INSERT INTO profiles (tenant_name, profile_id, profile_type, user_id, full_name, attributes, active, created_by, \
         updated_by, created_at, updated_at, version, full_name_key, search_doc) \
         SELECT 'default', gen_random_uuid(), 'default', 'u' || i, 'Jo', '{}', true, 'x', 'x', i, i, 1, 'jo', \
         repeat('jo smith ', 100) || i FROM generate_series(1, 20000) AS i";
    admin(&url).await.batch_execute(many).await.unwrap();
    let found = store.search_profiles(&tenant(), &Search { limit: 5, ..search_for(None) }).await.unwrap();
    assert_eq!((found.profiles.len(), found.more, found.total.value, found.total.relation), (5, true, 1_000, Relation::Gte));

    let mut hasty = options(&url);
    hasty.search_budget = Duration::from_millis(1);
    let hasty = Postgres::connect(hasty).unwrap();
    let rare = Search { needles: vec!["nobody has this".to_owned()], ..search_for(None) };
    assert!(matches!(hasty.search_profiles(&tenant(), &rare).await, Err(StoreError::TooSlow(_))));
    // The limit was that search's own.
    assert_eq!(hasty.read_user(&tenant(), &user("u7")).await.unwrap().profiles.len(), 1);
}

/// Rows that an earlier program wrote have no grams: they are found all the same, and get them when it is migrated.
#[tokio::test]
async fn rows_without_grams_are_found_and_get_theirs() {
    let url = fresh_url().await;
    let store = connect(&url).with_costs(Costs::BY_GRAMS);
    store.migrate(TimestampMs(1)).await.unwrap();
    for profile in &people() {
        create(&store, profile).await;
    }
    let search = Search { needles: needles("jo smi"), ..search_for(None) };
    let expected = store.search_profiles(&tenant(), &search).await.unwrap();
    assert_eq!(expected.profiles.len(), 28);
    let client = admin(&url).await;
    client.batch_execute("UPDATE profiles SET grams = NULL WHERE user_id < 'user-35'").await.unwrap();
    assert_eq!(store.search_profiles(&tenant(), &search).await.unwrap(), expected);
    store.migrate(TimestampMs(1)).await.unwrap();
    let without: i64 = client.query_one("SELECT count(*) FROM profiles WHERE grams IS NULL", &[]).await.unwrap().get(0);
    assert_eq!(without, 0);
    let found = store.search_profiles(&tenant(), &search).await.unwrap();
    assert_eq!(found, expected);
    assert!(found.route.0.iter().any(|step| step.step == "grams"));
}

/// The grams of the program before tell nothing of names: rows are found without them, and get theirs when migrated.
#[tokio::test]
async fn a_database_of_the_program_before_gets_the_grams_of_names() {
    let url = fresh_url().await;
    let store = connect(&url).with_costs(Costs::BY_NAMES);
    store.migrate(TimestampMs(1)).await.unwrap();
    for profile in &people() {
        create(&store, profile).await;
    }
    let sort = Sort::parse("full_name").unwrap();
    let search = Search { needles: needles("smi"), sort, ..search_for(None) };
    let expected = store.search_profiles(&tenant(), &search).await.unwrap();
    assert_eq!(expected.profiles.len(), 28);
    assert!(expected.route.0.iter().any(|step| step.step == "names"));
    let client = admin(&url).await;
    client.batch_execute("UPDATE profiles SET grams = '{1}'; DELETE FROM schema_migrations WHERE version >= 5").await.unwrap();
    let statistics: Vec<String> = (0..8).map(|partition| format!("profiles_p{partition}_last_word")).collect();
    let later = format!("DROP INDEX profiles_last_word_idx; DROP STATISTICS {}", statistics.join(", "));
    client.batch_execute(&later).await.unwrap();
    client.batch_execute(POSTGRES[4].sql).await.unwrap();
    assert_eq!(store.search_profiles(&tenant(), &search).await.unwrap(), expected);
    assert_eq!(
        store.migrate(TimestampMs(1)).await.unwrap().applied,
        [
            "0005_name_order_grams",
            "0006_placed_grams",
            "0007_words_of_names",
            "0008_country_words_and_merges",
            "0009_longer_numbers_and_words_of_cities",
            "0010_exact_grams"
        ]
    );
    let without: i64 = client.query_one("SELECT count(*) FROM profiles WHERE grams IS NULL OR grams = '{1}'", &[]).await.unwrap().get(0);
    assert_eq!(without, 0);
    let found = store.search_profiles(&tenant(), &search).await.unwrap();
    assert_eq!(found, expected);
    assert!(found.route.0.iter().any(|step| step.step == "names" && step.read > 0));
}

#[tokio::test]
async fn what_one_node_remembers_is_right_whatever_another_one_changes() {
    let url = fresh_url().await;
    let world = World::new(Arc::new(connect(&url)));
    world.store.migrate(TimestampMs(1)).await.unwrap();
    world.create_own_tenant().await;
    let elsewhere = world.seen_by(Arc::new(connect(&url)));
    let mut all = Vec::new();
    for number in 0..1_002 {
        all.push(elsewhere.create(json!({"user_id": format!("u{number}")})).await);
    }
    let search = Search { needles: needles("love"), limit: 1, ..everybody() };
    let counted = async |value, relation| {
        let found = world.search(&search).await;
        assert_eq!((found.total.value, found.total.relation), (value, relation));
        found.route.0.iter().all(|step| step.step.starts_with("remembered"))
    };
    // For as long as transactions of other tests stay open, all that was changed since is looked at again, or found anew.
    let remembered = async |value, relation| eventually("it is remembered", async || counted(value, relation).await).await;
    assert!(!counted(1_000, Relation::Gte).await);
    remembered(1_000, Relation::Gte).await;
    let rename = async |profile: &Profile| {
        let renamed = elsewhere.update(profile, json!({"full_name": "Grace Hopper"})).await;
        elsewhere.update(&renamed, json!({"full_name": "Ada Lovelace"})).await
    };
    rename(&all[7]).await;
    remembered(1_000, Relation::Gte).await;
    rename(&elsewhere.create(json!({"user_id": "another"})).await).await;
    remembered(1_000, Relation::Gte).await;
    for profile in &all[8..11] {
        elsewhere.delete(profile).await;
    }
    remembered(1_000, Relation::Eq).await;
    elsewhere.create(json!({"user_id": "one more"})).await;
    remembered(1_000, Relation::Gte).await;
    // Of two who were known for the page none is left: who comes next is looked for.
    for shown in &world.search(&Search { limit: 4, ..search.clone() }).await.profiles {
        elsewhere.delete(shown).await;
    }
    assert!(!counted(997, Relation::Eq).await);
    remembered(997, Relation::Eq).await;
}

#[tokio::test]
async fn what_was_remembered_is_forgotten_when_connections_break() {
    let url = fresh_url().await;
    let world = World::new(Arc::new(connect(&url).with_costs(Costs::REMEMBERING)));
    world.store.migrate(TimestampMs(1)).await.unwrap();
    world.create_own_tenant().await;
    world.create(json!({"user_id": "u"})).await;
    let is_remembered = async || {
        let found = world.search(&everybody()).await;
        assert_eq!(found.profiles.len(), 1);
        found.route.0.iter().any(|step| step.step == "remembered page")
    };
    assert!(!is_remembered().await);
    eventually("it is remembered", is_remembered).await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    admin(&url).await.batch_execute(end).await.unwrap();
    // Another server may be there now.
    eventually("it is forgotten", async || !is_remembered().await).await;
    eventually("it is remembered again", is_remembered).await;
}

#[tokio::test]
async fn statistics_tell_when_a_directory_that_was_brought_over_in_an_hour_was_created() {
    const YEAR: i64 = 31_557_600_000;
    let url = fresh_url().await;
    let store = connect(&url);
    store.migrate(TimestampMs(1)).await.unwrap();
    let times = (0..300).map(|second| second * 10_000).chain((0..5).map(|day| YEAR + day * 86_400_000));
    for (number, at) in times.enumerate() {
        let profile = Profile { created_at: TimestampMs(at), ..profile_of(&format!("u{number}")) };
        store.create_profile(&tenant(), &profile, &created(&profile), None).await.unwrap();
    }
    admin(&url).await.batch_execute("ANALYZE profiles").await.unwrap();
    let partition = store.partitions.of(&tenant(), &store.lanes).await.unwrap();
    let (_, known) = store.pool.read(|session| read_news(session, None)).await.unwrap().unwrap();
    let last = YEAR + 4 * 86_400_000;
    // An even growth would take the newest tenth for the last five weeks, in which there are five.
    let from = last - known.timeline(partition).unwrap().0.part((0, last), last, 0.1, true);
    assert!((2_500_000..3_000_000).contains(&from), "{from}");
    assert!(known.of_tenant(&tenant()).is_some_and(|rows| (300.0..310.0).contains(&rows)));
}

/// A server that was not stopped in order begins to count anew, and its statistics are still there.
#[tokio::test]
async fn statistics_are_read_where_the_server_lost_its_counters() {
    let url = fresh_url().await;
    let store = connect(&url);
    store.migrate(TimestampMs(1)).await.unwrap();
    for user in ["u1", "u2", "u3"] {
        create(&store, &profile_of(user)).await;
    }
    admin(&url).await.batch_execute("ANALYZE profiles; SELECT pg_stat_reset()").await.unwrap();
    let store = connect(&url);
    eventually("they are read", async || store.frequencies.current(&store.pool).of_tenant(&tenant()).is_some()).await;
}

#[tokio::test]
async fn who_came_after_the_statistics_is_known_a_little_later() {
    let store = migrated().await;
    let mut people: Vec<Profile> = (0..4).map(|number| profile_of(&format!("u{number}"))).collect();
    for (profile, at) in people.iter_mut().zip([500, 8_000, 9_000, 10_000]) {
        profile.created_at = TimestampMs(at);
        create(&store, profile).await;
    }
    let partition = store.partitions.of(&tenant(), &store.lanes).await.unwrap();
    // A hundred profiles by the statistics, one at every ten milliseconds of a second.
    let known = |tenant_rows| {
        let bounds: Vec<i64> = (0..=100).map(|at| at * 10).collect();
        Frequencies::even(&tenant(), tenant_rows, 100.0).created(partition, Timeline::of(&bounds, &[]), 100.0)
    };
    let newest = |frequencies: &Frequencies, profiles: f64| {
        let timeline = store.growth.timeline(&store.pool, &tenant(), partition, frequencies).unwrap();
        timeline.part((0, 10_000), 10_000, profiles / 103.0, true)
    };
    let large = known(1_000_000.0);
    // At first all are taken to be in the time that the statistics know; three of them are newer.
    assert!(newest(&large, 2.0) > 9_000);
    // They are few, and taken to be spread over the time since.
    eventually("they are counted", async || newest(&large, 2.0) == 6_000).await;
    assert!((9_000..9_050).contains(&newest(&large, 3.5)));
    // The next look counts only who came since: one of four, in the last second.
    create(&store, &Profile { created_at: TimestampMs(11_000), ..profile_of("later") }).await;
    store.growth.forget_when_it_looked();
    let newest_of_104 = || {
        let timeline = store.growth.timeline(&store.pool, &tenant(), partition, &large).unwrap();
        timeline.part((0, 11_000), 11_000, 1.0 / 104.0, true)
    };
    eventually("the one who came since is counted", async || (999..=1_001).contains(&newest_of_104())).await;
    // A small tenant is not asked about.
    assert!(newest(&known(1_000.0), 2.0) > 9_000);
}
