//! Filters as SQL find what the reference evaluator finds.

use super::*;
use crate::domain::birth_date::BirthDate;
use crate::domain::email::EmailAddress;
use crate::domain::filter::{self, Filter};
use crate::domain::search::SortField;
use proptest::prelude::*;
use proptest::sample::select;

/// Profiles whose values are near to the literals below.
fn people() -> Vec<Profile> {
    let attributes = [
        r#"{}"#,
        r#"{"a":"x"}"#,
        r#"{"a":"xy\"é\\","b":{"c":true}}"#,
        r#"{"a":1,"b":{"c":"true"}}"#,
        r#"{"a":1.5,"b":[1,{"c":2}]}"#,
        r#"{"a":9007199254740993,"b":{"c":null}}"#,
        r#"{"a":18446744073709551615,"b":{"c":false}}"#,
        r#"{"a":1e300,"b":null}"#,
        r#"{"a":null,"b":{"c":"x"},"0":"x"}"#,
    ];
    let mut people: Vec<_> = (0..attributes.len() as u32).map(profile).collect();
    for (i, person) in people.iter_mut().enumerate() {
        person.attributes = Attributes::from_value(serde_json::from_str(attributes[i]).unwrap()).unwrap();
        person.full_name = Text::parse(["Élan", "elan vital", "Zoë", "张伟明", "x"][i % 5]).unwrap();
        person.city_id = [None, Some("BLR"), Some("blr"), Some("Köln"), Some("\u{10FFFF}x")][i % 5].map(|city| Text::parse(city).unwrap());
        person.email_id = (i % 3 > 0).then(|| EmailAddress::parse(&format!("Jo{}@Bücher.example", i / 3)).unwrap());
        person.birth_date = (i % 2 > 0).then(|| BirthDate::parse(&format!("{}-01-01", 1940 + 5 * i)).unwrap());
        person.latitude = (i % 4 > 0).then_some(i as f64 / 3.0);
        person.longitude = person.latitude;
        person.active = i % 2 == 0;
        person.created_at = TimestampMs(i as i64 / 2);
        person.version = Version(i as i64 % 3 + 1);
        if i % 4 == 1 {
            *person = person.clone().deleted("somebody", TimestampMs(5));
        }
    }
    // Two pairs share an address.
    people[4].user_id = people[5].user_id.clone();
    people[4].profile_type = ProfileType::parse("work").unwrap();
    people[7].user_id = people[8].user_id.clone();
    people[7].profile_type = ProfileType::parse("work").unwrap();
    people
}

fn conditions() -> impl Strategy<Value = String> {
    let text_ops = || select(vec!["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]);
    let orders = || select(vec!["eq", "ne", "gt", "ge", "lt", "le"]);
    let equality = || select(vec!["eq", "ne"]);
    let fields = vec!["full_name", "city_id", "email_id", "user_id", "deleted_by", "profile_type", "attributes.a", "attributes.b.c"];
    let texts = vec![
        "",
        "x",
        "y",
        "XY",
        "xy",
        "é",
        "elan",
        "ÉLAN",
        "BLR",
        "b",
        "ln",
        "ö",
        "user-",
        "4",
        "\u{10FFFF}",
        "jo1@bücher.EXAMPLE",
        "jo",
        "明",
        "true",
        r#"\"é\\"#,
        "work",
        "\u{301}",
        "%",
        "_",
    ];
    let numbers = vec![
        "0",
        "-0.0",
        "1",
        "1.5",
        "1.0",
        "2",
        "0.3333333333333333",
        "9007199254740992",
        "9007199254740993",
        "18446744073709551615",
        "1e300",
    ];
    let paths = || select(vec!["attributes.a", "attributes.b", "attributes.b.c", "attributes.b.0", "attributes.0", "attributes.z"]);
    prop_oneof![
        (select(fields), text_ops(), select(texts)).prop_map(|(field, op, value)| format!("{field} {op} \"{value}\"")),
        (paths(), orders(), select(numbers.clone())).prop_map(|(path, op, value)| format!("{path} {op} {value}")),
        (paths(), equality(), any::<bool>()).prop_map(|(path, op, value)| format!("{path} {op} {value}")),
        paths().prop_map(|path| format!("{path} pr")),
        (select(vec!["latitude", "longitude"]), orders(), select(numbers)).prop_map(|(field, op, value)| format!("{field} {op} {value}")),
        (select(vec!["created_at", "deleted_at", "version"]), orders(), 0..6)
            .prop_map(|(field, op, value)| format!("{field} {op} {value}")),
        (orders(), 0..9).prop_map(|(op, i)| format!("birth_date {op} \"{}-01-01\"", 1940 + 5 * i)),
        (equality(), 0..9u128).prop_map(|(op, id)| format!("profile_id {op} \"{}\"", uuid::Uuid::from_u128(id))),
        (equality(), any::<bool>()).prop_map(|(op, value)| format!("active {op} {value}")),
        select(vec!["birth_date pr", "deleted_at pr", "latitude pr", "active pr", "profile_id pr", "email_id pr", "city_id pr"])
            .prop_map(str::to_owned),
    ]
}

fn filters() -> impl Strategy<Value = Filter> {
    conditions()
        .prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
                inner.prop_map(|a| format!("not ({a})")),
            ]
        })
        .prop_map(|text| filter::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}")))
}

async fn with_people() -> (Folder, Sqlite) {
    let (folder, store) = migrated().await;
    for person in people() {
        create(&store, person).await.unwrap();
    }
    (folder, store)
}

#[test]
fn sql_finds_what_the_reference_finds() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (_folder, store) = runtime.block_on(with_people());
    let people = people();
    proptest!(ProptestConfig::with_cases(2_000), |(filter in filters())| {
        let search = Search { filter: Some(filter.clone()), ..everything() };
        let found = runtime.block_on(store.search_profiles(&tenant(), &search)).unwrap();
        let mut found: Vec<_> = found.profiles.iter().map(|profile| profile.profile_id).collect();
        found.sort();
        let expected: Vec<_> = people.iter().filter(|profile| filter.matches(profile)).map(|profile| profile.profile_id).collect();
        prop_assert_eq!(found, expected, "{}", filter);
    });
}

#[test]
fn any_double_is_equal_to_itself_as_an_attribute() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    let sql = "SELECT CAST(json_extract(?1, '$.a') AS REAL) = ?2";
    proptest!(ProptestConfig::with_cases(20_000), |(number in any::<f64>().prop_filter("finite", |n| n.is_finite()))| {
        let json = serde_json::json!({ "a": number }).to_string();
        let equal: bool = connection.prepare_cached(sql).unwrap().query_row(rusqlite::params![json, number], |row| row.get(0)).unwrap();
        prop_assert!(equal, "{}", json);
    });
}

#[tokio::test]
async fn every_order_is_walked_without_a_gap_or_a_repeat() {
    let (_folder, store) = with_people().await;
    for (field, descending, limit) in SortField::ALL.iter().flat_map(|f| [false, true].map(|d| [1, 2, 3, 5].map(|l| (*f, d, l)))).flatten()
    {
        let sort = Sort { field, descending };
        let mut expected = people();
        expected.sort_by_key(|profile| sort.position_of(profile));
        if descending {
            expected.reverse();
        }
        let mut walked = Vec::new();
        let mut start = Start::Offset(0);
        loop {
            let search = Search { sort, limit, start, ..everything() };
            let page = store.search_profiles(&tenant(), &search).await.unwrap();
            assert_eq!(page.total.value, 9, "{sort:?}");
            let offset = Search { start: Start::Offset(walked.len() as u32), ..search };
            assert_eq!(store.search_profiles(&tenant(), &offset).await.unwrap().profiles, page.profiles, "{sort:?}");
            walked.extend(page.profiles);
            start = Start::After(sort.position_of(walked.last().unwrap()));
            if !page.more {
                break;
            }
        }
        assert_eq!(walked, expected, "{sort:?}");
    }
}
