//! The grams keep step with the rows: through updates, undone jobs, groups, purges, VACUUM, and an older database.

use super::super::grams::{tenant_word, word, words_of};
use super::*;
use crate::domain::attributes::Attributes;
use crate::domain::birth_date::BirthDate;
use crate::domain::grams::{Fact, Grams};
use crate::domain::search_text::needles;
use crate::domain::spelling::{Probe, Shown};
use crate::domain::tenant::Tenant;
use crate::store::conformance::reference::found_among;
use crate::store::migrations::SQLITE;
use crate::store::route::{Conjunct, Costs, Expected, Router};
use crate::store::{Purge, Replacement, StoreError, TenantStore};
use rusqlite::Connection;
use std::collections::BTreeSet;

async fn by_grams() -> (Folder, Sqlite) {
    let (folder, store) = migrated().await;
    (folder, store.with_costs(Costs::BY_GRAMS))
}

fn named(number: u32, name: &str) -> Profile {
    Profile { full_name: Text::parse(name).unwrap(), ..profile(number) }
}

async fn replace(store: &Sqlite, old: &Profile, new: Profile) -> Profile {
    let new = Profile { version: old.version.next(), ..new };
    let change = Change::of_profile(ChangeKind::ProfileUpdated, &new, Vec::new());
    let replacement = Replacement { profile: new.clone(), expected: old.version, change };
    assert!(store.replace_profiles(&tenant(), &[replacement], None).await.unwrap());
    new
}

async fn purge(store: &Sqlite, profile: &Profile) {
    let change = Change::purge_of(profile, "test", AT);
    let purge = Purge { profile_id: profile.profile_id, user_id: profile.user_id.clone(), expected: profile.version, change };
    assert!(store.purge_profiles(&tenant(), &[purge], None).await.unwrap());
}

/// The names that a query finds, and the steps by which it did.
async fn found(store: &Sqlite, query: &str) -> (Vec<String>, Vec<&'static str>) {
    let search = Search { needles: needles(query), sort: Sort::parse("full_name").unwrap(), ..everything() };
    let found = store.search_profiles(&tenant(), &search).await.unwrap();
    assert_eq!(found.total.value as usize, found.profiles.len());
    let names = found.profiles.iter().map(|profile| profile.full_name.as_str().to_owned()).collect();
    (names, found.route.0.iter().map(|step| step.step).collect())
}

async fn assert_found(store: &Sqlite, query: &str, names: &[&str]) {
    let (found, route) = found(store, query).await;
    assert_eq!(found, names, "{query}");
    assert_eq!(route, ["grams"], "{query}");
}

/// All that FTS5 has on disk, and how many profiles it knows.
async fn kept(store: &Sqlite) -> (String, i64) {
    let sql = "SELECT (SELECT group_concat(id || hex(block)) FROM profile_grams_data),
        (SELECT count(*) FROM profile_grams WHERE profile_grams MATCH ?1)";
    let read = |connection: &mut Connection| Ok(connection.query_row(sql, [tenant_word(&tenant())], |row| Ok((row.get(0)?, row.get(1)?)))?);
    store.read(read).await.unwrap()
}

#[tokio::test]
async fn an_update_of_other_fields_leaves_the_grams_alone() {
    let (_folder, store) = by_grams().await;
    let old = named(1, "Ada Lovelace");
    create(&store, old.clone()).await.unwrap();
    let before = kept(&store).await;
    let address = Some(Text::parse("St James Square").unwrap());
    let old = replace(&store, &old, Profile { address, active: false, ..old.clone() }).await;
    let deleted = replace(&store, &old, old.clone().deleted("test", AT)).await;
    assert_eq!(kept(&store).await, before);
    assert_found(&store, "lovelace", &["Ada Lovelace"]).await;
    replace(&store, &deleted, Profile { full_name: Text::parse("Ada King").unwrap(), ..deleted.clone() }).await;
    assert_ne!(kept(&store).await, before);
    assert_found(&store, "lovelace", &[]).await;
    assert_found(&store, "king", &["Ada King"]).await;
}

/// How many entries the index has for a fact.
async fn entries(store: &Sqlite, fact: Fact<'_>) -> i64 {
    entries_of(store, word(Grams::of(&tenant()).gram(fact))).await
}

async fn entries_of(store: &Sqlite, word: String) -> i64 {
    let sql = "SELECT count(*) FROM profile_grams WHERE profile_grams MATCH ?1";
    store.read(|connection: &mut Connection| Ok(connection.query_row(sql, [word], |row| row.get(0))?)).await.unwrap()
}

#[tokio::test]
async fn the_index_has_what_a_profile_has_whatever_was_changed() {
    let (_folder, store) = by_grams().await;
    let mut old = named(1, "Zoe Mary");
    create(&store, old.clone()).await.unwrap();
    let words = |profile: &Profile| -> BTreeSet<String> { words_of(profile).split(' ').map(str::to_owned).collect() };
    let attributes = Attributes::from_value(serde_json::json!({"plan": "gold"})).unwrap();
    let changes: [&dyn Fn(Profile) -> Profile; 8] = [
        // The words are the same, their place in the order of names is not.
        &|old| Profile { full_name: Text::parse(",Zoe Mary").unwrap(), ..old },
        &|old| Profile { attributes: attributes.clone(), ..old },
        &|old| Profile { gender: Text::parse("female").ok(), ..old },
        &|old| Profile { country_id: Text::parse("GB").ok(), city_id: Text::parse("London").ok(), ..old },
        &|old| Profile { birth_date: BirthDate::parse("1990-12-10").ok(), ..old },
        &|old| Profile { latitude: Some(51.5), longitude: Some(-0.1), ..old },
        &|old| Profile { active: false, address: Text::parse("12 Main Street").ok(), ..old },
        &|old| Profile { attributes: Attributes::default(), gender: None, country_id: None, latitude: None, longitude: None, ..old },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let new = replace(&store, &old, change(old.clone())).await;
        for word in words(&old).union(&words(&new)) {
            let expected = i64::from(words(&new).contains(word));
            assert_eq!(entries_of(&store, word.clone()).await, expected, "change {number}");
        }
        old = new;
    }
}

#[tokio::test]
async fn what_is_no_longer_so_is_taken_out_of_the_index() {
    let (_folder, store) = by_grams().await;
    let mut ada = named(1, "Ada Lovelace");
    create(&store, ada.clone()).await.unwrap();
    create(&store, named(2, "Ada Bob")).await.unwrap();
    let city = |name: &str| Some(Text::parse(name).unwrap());
    // More often than there are profiles: each time one fact goes and none comes.
    for turn in 0..9 {
        ada = replace(&store, &ada, Profile { city_id: city("London"), ..ada.clone() }).await;
        assert_eq!(entries(&store, Fact::City("London")).await, 1, "{turn}");
        ada = replace(&store, &ada, Profile { city_id: None, ..ada.clone() }).await;
        assert_eq!(entries(&store, Fact::City("London")).await, 0, "{turn}");
        assert_eq!((entries(&store, Fact::Beginning("ada")).await, entries(&store, Fact::Beginning("lovelace")).await), (2, 1));
    }
    purge(&store, &ada).await;
    assert_eq!((entries(&store, Fact::Beginning("ada")).await, entries(&store, Fact::Beginning("lovelace")).await), (1, 0));
    purge(&store, &named(2, "Ada Bob")).await;
    assert_eq!(entries(&store, Fact::Beginning("ada")).await, 0);
    create(&store, named(3, "Ada")).await.unwrap();
    assert_found(&store, "ada", &["Ada"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_group_may_change_a_profile_again_and_again() {
    let (_folder, store) = by_grams().await;
    let store = std::sync::Arc::new(store);
    let first = named(1, "Ada Lovelace");
    create(&store, first.clone()).await.unwrap();
    let release = groups::hold_writer(&store).await;
    let second = Profile { version: first.version.next(), ..named(1, "Bob Lovelace") };
    let refused = Profile { version: first.version.next(), ..named(1, "Refused") };
    let change = |new: &Profile, old: &Profile| Replacement {
        profile: new.clone(),
        expected: old.version,
        change: Change::of_profile(ChangeKind::ProfileUpdated, new, Vec::new()),
    };
    let third = Profile { version: second.version.next(), ..named(1, "Cleo Lovelace") };
    let tenant = tenant();
    let changes = [change(&second, &first), change(&refused, &first), change(&third, &second)];
    let [one, other, last] = changes.each_ref().map(|change| store.replace_profiles(&tenant, std::slice::from_ref(change), None));
    let (one, other, last, ()) = tokio::join!(biased; one, other, last, async { drop(release) });
    assert_eq!([one, other, last].map(Result::unwrap), [true, false, true]);
    for (name, profiles) in [("ada", 0), ("bob", 0), ("refused", 0), ("cleo", 1), ("lovelace", 1)] {
        assert_eq!(entries(&store, Fact::Beginning(name)).await, profiles, "{name}");
    }
}

/// What a group noted is forgotten with it, even where nothing came of it: another process may write before the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_there_and_back_in_one_group_leaves_nothing_to_the_next() {
    let (folder, store) = by_grams().await;
    let (store, other) = (std::sync::Arc::new(store), open(&folder.file()));
    let ada = named(1, "Ada");
    create(&store, ada.clone()).await.unwrap();
    let release = groups::hold_writer(&store).await;
    let bob = Profile { version: ada.version.next(), ..named(1, "Bob") };
    let there_and_back = async {
        replace(&store, &ada, named(1, "Bob")).await;
    };
    let (.., back, ()) = tokio::join!(biased; there_and_back, replace(&store, &bob, named(1, "Ada")), async { drop(release) });
    let cleo = replace(&other, &back, named(1, "Cleo")).await;
    replace(&store, &cleo, named(1, "Dora")).await;
    for (name, profiles) in [("ada", 0), ("bob", 0), ("cleo", 0), ("dora", 1)] {
        assert_eq!(entries(&store, Fact::Beginning(name)).await, profiles, "{name}");
    }
}

#[tokio::test]
async fn the_deleted_are_found_by_grams_only_when_asked_for() {
    let (_folder, store) = by_grams().await;
    let old = named(1, "Ada Lovelace");
    create(&store, old.clone()).await.unwrap();
    replace(&store, &old, old.clone().deleted("test", AT)).await;
    assert_found(&store, "ada", &["Ada Lovelace"]).await;
    let live = Search { needles: needles("ada"), include_deleted: false, ..everything() };
    assert_eq!(store.search_profiles(&tenant(), &live).await.unwrap().total.value, 0);
}

#[tokio::test]
async fn what_is_purged_leaves_no_grams() {
    let (_folder, store) = by_grams().await;
    for number in 1..=3 {
        create(&store, named(number, "Ada")).await.unwrap();
    }
    purge(&store, &named(3, "Ada")).await;
    assert_eq!(kept(&store).await.1, 2);
    // Its number is given again.
    create(&store, named(4, "Bob")).await.unwrap();
    assert_found(&store, "ada", &["Ada", "Ada"]).await;
    assert_found(&store, "bob", &["Bob"]).await;
    for number in [1, 2] {
        let old = named(number, "Ada");
        replace(&store, &old, old.clone().deleted("test", AT)).await;
    }
    purge(&store, &named(4, "Bob")).await;
    let first: Tenant = store.read_tenant(&tenant()).await.unwrap().unwrap();
    let change = Change::of_tenant(ChangeKind::TenantDeleted, &tenant(), first.version, "test", AT);
    assert!(store.delete_tenant(&tenant(), first.version, &change, None).await.unwrap());
    assert_eq!(kept(&store).await.1, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_group_may_write_and_purge_the_same_number() {
    let (_folder, store) = by_grams().await;
    let store = std::sync::Arc::new(store);
    let release = groups::hold_writer(&store).await;
    let refused = Profile { profile_id: ProfileId(uuid::Uuid::from_u128(99)), ..named(1, "Refused") };
    let (ada, cleo) = (named(1, "Ada"), named(3, "Cleo"));
    let results = async {
        tokio::join!(
            biased;
            create(&store, named(1, "Ada")),
            create(&store, refused),
            purge(&store, &ada),
            create(&store, named(2, "Bob")),
            create(&store, named(3, "Cleo")),
            purge(&store, &cleo),
            async { drop(release) },
        )
    };
    let (ada, refused, (), bob, cleo, (), ()) = results.await;
    for created in [ada, bob, cleo] {
        created.unwrap();
    }
    assert!(matches!(refused, Err(StoreError::Duplicate(_))), "{refused:?}");
    assert_eq!(kept(&store).await.1, 1);
    for (query, names) in [("ada", &[][..]), ("refused", &[]), ("bob", &["Bob"]), ("cleo", &[]), ("user", &["Bob"])] {
        assert_found(&store, query, names).await;
    }
}

#[tokio::test]
async fn vacuum_leaves_every_profile_its_grams() {
    let (folder, store) = by_grams().await;
    for number in 1..=40 {
        create(&store, named(number, &format!("Person x{number}y"))).await.unwrap();
    }
    for number in (1..=39).step_by(2) {
        purge(&store, &named(number, &format!("Person x{number}y"))).await;
    }
    Connection::open(folder.file()).unwrap().execute_batch("VACUUM").unwrap();
    create(&store, named(50, "Person x50y")).await.unwrap();
    for number in (2..=40).step_by(2).chain([50]) {
        assert_found(&store, &format!("x{number}y"), &[&format!("Person x{number}y")]).await;
    }
}

/// A database as the program before this one left it.
fn older(folder: &Folder) -> Connection {
    std::fs::create_dir_all(folder.file().parent().unwrap()).unwrap();
    let connection = Connection::open(folder.file()).unwrap();
    connection
        .execute_batch("CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT, checksum TEXT, applied_at INTEGER)")
        .unwrap();
    for migration in &SQLITE[..3] {
        apply(&connection, migration);
    }
    connection
        .execute_batch(
            "INSERT INTO tenants VALUES ('default', NULL, 0, 'x', 'x', 1, 1, 1);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
             INSERT INTO profiles (tenant_name, profile_id, profile_type, user_id, full_name, attributes, active, created_by, updated_by,
                created_at, updated_at, version, full_name_key, search_doc, gender)
             SELECT 'default', CAST(substr('0000000000000000' || i, -16) AS BLOB), 'default', 'u' || i, 'Person x' || i || 'y', '{}', 1,
                'x', 'x', i, i, 1, 'person x' || i || 'y', ' person x' || i || 'y' || char(10) || ' u' || i, 'female' FROM n;
             DELETE FROM profiles WHERE created_at % 10 = 3",
        )
        .unwrap();
    connection
}

fn apply(connection: &Connection, migration: &crate::store::migrations::Migration) {
    connection.execute_batch(migration.sql).unwrap();
    let row = rusqlite::params![migration.version, migration.name, migration.checksum()];
    connection.execute("INSERT INTO schema_migrations VALUES (?1, ?2, ?3, 1)", row).unwrap();
}

#[tokio::test]
async fn profiles_of_an_older_database_are_found_and_get_their_grams() {
    let folder = Folder::new();
    let before = older(&folder);
    // Another process has migrated, and ended before the grams were derived.
    SQLITE[3..].iter().for_each(|migration| apply(&before, migration));
    drop(before);
    let store = open(&folder.file()).with_costs(Costs::BY_GRAMS);
    let (names, route) = found(&store, "x77y").await;
    assert_eq!(names, ["Person x77y"]);
    assert!(route.iter().all(|step| *step == "scan"), "{route:?}");
    // A new profile, and a change, do not wait for the others.
    create(&store, named(1, "Person x77y")).await.unwrap();
    assert_eq!(found(&store, "x77y").await.0.len(), 2);
    let id = |number: u32| ProfileId(uuid::Uuid::from_slice(format!("{number:016}").as_bytes()).unwrap());
    let old = store.read_profile(&tenant(), id(78)).await.unwrap().unwrap();
    replace(&store, &old, Profile { full_name: Text::parse("Somebody Else").unwrap(), ..old.clone() }).await;
    purge(&store, &store.read_profile(&tenant(), id(79)).await.unwrap().unwrap()).await;
    store.migrate(AT).await.unwrap();
    assert_eq!(kept(&store).await.1, 2_250);
    assert_found(&store, "x78y", &[]).await;
    assert_found(&store, "somebody else", &["Somebody Else"]).await;
    assert_found(&store, "x79y", &[]).await;
    assert_found(&store, "x77y", &["Person x77y", "Person x77y"]).await;
    assert_found(&store, "x13y", &[]).await;
    let same = Profile { user_id: UserId::parse("u77").unwrap(), ..profile(2) };
    assert!(matches!(create(&store, same).await, Err(StoreError::Duplicate(crate::store::Uniqueness::UserAndType))));
}

#[tokio::test]
async fn an_older_database_is_migrated_at_once() {
    let folder = Folder::new();
    drop(older(&folder));
    let store = open(&folder.file()).with_costs(Costs::BY_GRAMS);
    assert_eq!(
        store.migrate(AT).await.unwrap().applied,
        [
            "0004_search_paths",
            "0005_name_order_grams",
            "0006_placed_grams",
            "0007_words_of_names",
            "0008_country_words_and_merges",
            "0009_longer_numbers_and_words_of_cities",
            "0010_exact_grams"
        ]
    );
    assert_eq!(kept(&store).await.1, 2_250);
    assert_found(&store, "person x2500y", &["Person x2500y"]).await;
}

#[tokio::test]
async fn a_database_of_the_program_before_gets_the_grams_of_names() {
    let folder = Folder::new();
    let before = older(&folder);
    apply(&before, &SQLITE[3]);
    before.execute_batch("DELETE FROM profiles_without_grams").unwrap();
    let store = open(&folder.file()).with_costs(Costs::BY_NAMES);
    create(&store, named(1, "Person Xavier")).await.unwrap();
    apply(&before, &SQLITE[4]);
    let (names, route) = found(&store, "xav").await;
    assert_eq!(names, ["Person Xavier"]);
    assert!(!route.contains(&"names"), "{route:?}");
    store.migrate(AT).await.unwrap();
    let (names, route) = found(&store, "xav").await;
    assert_eq!((names, route), (vec!["Person Xavier".to_owned()], vec!["names", "scan"]));
}

/// Some who have a word at the beginning of their name, and others, before and behind these, who have it elsewhere.
#[test]
fn a_long_list_is_met_only_where_that_takes_less_than_the_rows_it_spares() {
    let met = |lists: [f64; 3]| {
        let conjuncts = lists.map(|rows| Conjunct::any_of(vec![1]).listed(Some(rows))).to_vec();
        let expected =
            Expected { tenant_rows: Some(1e6), conjuncts, narrower: false, told: 1.0, keyed: false, by_creation: false, counted: false };
        Router::new(crate::store::sqlite::search::COSTS, expected, 21).by_grams_only().unwrap().0
    };
    assert_eq!(met([465.0, 10_000.0, 457_000.0]), [0, 1]);
    assert_eq!(met([24.0, 7_700.0, 457_000.0]), [0], "24 rows are read sooner");
    assert_eq!(met([50_000.0, 100_000.0, 457_000.0]), [0, 1, 2]);
}

#[tokio::test]
async fn by_names_parts_that_are_full_are_taken_in_pieces() {
    let (_folder, store) = migrated().await;
    let store = store.with_costs(Costs {
        scanned_row: 1.0,
        hit: 10.0,
        entry: 0.1,
        passed_entry: 0.1,
        passed_entries: 16.0,
        meeting: 0.0,
        list: 0.0,
        small_tenant: 100.0,
        least_scan: 20.0,
        marks: 1.0,
        part: 1.0,
        ..Costs::BY_GRAMS
    });
    let mut people = Vec::new();
    for number in 0..1_500 {
        let name = ["Zoe Mary", "Mary Zoe", "Ann Mary", "Ann Lee", "Иван Mary"][number as usize % 5];
        people.push(named(number + 1, &format!("{name} {number}")));
    }
    for profile in &people {
        create(&store, profile.clone()).await.unwrap();
    }
    let mut steps = std::collections::BTreeSet::new();
    for sort in ["full_name", "-full_name"] {
        for offset in [0, 310, 1_190] {
            let sort = Sort::parse(sort).unwrap();
            let mut search = Search { needles: needles("mary"), sort, limit: 90, start: Start::Offset(offset), ..everything() };
            for _ in 0..16 {
                let found = store.search_profiles(&tenant(), &search).await.unwrap();
                assert_eq!(found, found_among(&people, &search), "{search:?} by {:?}", found.route);
                steps.extend(found.route.0.iter().map(|step| step.step));
                let Some(last) = found.profiles.last().filter(|_| found.more) else { break };
                search.start = Start::After(sort.position_of(last));
            }
        }
    }
    assert!(steps.contains("names") && steps.contains("scan"), "{steps:?}");
}

#[tokio::test]
async fn a_beginning_that_too_many_have_is_shown_to_be_so_and_nobody_of_them() {
    let (_folder, store) = migrated().await;
    for number in 0..6 {
        create(&store, named(number, "Jan Kowalski")).await.unwrap();
    }
    for (wanted, docs, holders) in [(5, 0, 6), (6, 6, 6)] {
        let probe =
            Probe { beginnings: vec!["kowa".to_owned()], wanted, examined: wanted, shown: Shown::AllOrNone, include_deleted: false };
        let samples = store.sample_profiles(&tenant(), &probe).await.unwrap();
        assert_eq!((samples[0].docs.len(), samples[0].holders), (docs, holders));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_large_tenant_changes_that_few_begin_with_are_not_tried() {
    let words = |shown| {
        let beginnings = ["kowalsk", "wolkski", "wol", "kowaljs"].map(str::to_owned).to_vec();
        Probe { beginnings, wanted: 2, examined: 300, shown, include_deleted: false }
    };
    // A stem is likely that one in five thousand has.
    for (people, found) in [(19, [0, 0, 2, 0]), (20, [2, 2, 2, 0])] {
        let (_folder, store) = migrated().await;
        store.frequencies.assume(&tenant_word(&tenant()), 100_000.0);
        for number in 0..people {
            create(&store, named(number, "Kowalski Wolkski")).await.unwrap();
        }
        let counts = async |shown| {
            let samples = store.sample_profiles(&tenant(), &words(shown)).await.unwrap();
            samples.iter().map(|sample| sample.docs.len()).collect::<Vec<_>>()
        };
        assert_eq!(counts(Shown::WhereLikely).await, found, "{people}");
        create(&store, named(20, "Kowalski Wolkski")).await.unwrap();
        assert_eq!(counts(Shown::WhereLikely).await, found, "remembered for some minutes; a word of three characters is always looked for");
        assert_eq!(counts(Shown::Always).await, [2, 2, 2, 0]);
    }
}
