//! Preferences belong to a user who has a live profile; they are hidden while there is none.

use super::fixtures::{World, preference_key, preference_value, user_id};
use crate::domain::attributes::MAX_JSON_BYTES;
use crate::domain::idempotency::{Concerns, Record, Written};
use crate::store::PreferenceOutcome::{Created, NoUser, Replaced};
use serde_json::json;

pub async fn a_preference_is_created_then_replaced(world: World) {
    world.create(json!({"user_id": "u1"})).await;
    assert_eq!(world.preferences("u1").await.unwrap().len(), 0);
    assert_eq!(world.put("u1", "theme", "\"dark\"").await, Created);
    assert_eq!(world.preference("u1", "theme").await.as_deref(), Some("\"dark\""));
    assert_eq!(world.put("u1", "theme", "{\"b\":1,\"a\":2}").await, Replaced);
    assert_eq!(world.preference("u1", "theme").await.as_deref(), Some("{\"a\":2,\"b\":1}"));
    assert_eq!(world.put("u1", "size", "12").await, Created);
    let expected = [(preference_key("size"), preference_value("12")), (preference_key("theme"), preference_value("{\"a\":2,\"b\":1}"))];
    assert_eq!(world.preferences("u1").await, Some(expected.into()));
    assert_eq!(world.preference("u1", "colour").await, None);
}

pub async fn every_kind_of_value_reads_back_as_the_same_text(world: World) {
    world.create(json!({"user_id": "u1"})).await;
    let long = format!("\"{}\"", "é".repeat((MAX_JSON_BYTES - 2) / 2));
    let values = [
        "null",
        "true",
        "false",
        "0",
        "-1.5",
        "0.1",
        "1e100",
        "5e-324",
        "9007199254740993",
        "18446744073709551615",
        "-9223372036854775808",
        "\"\"",
        "\"'; -- \\\" \\\\ \\n \\u0001 é 𠮷 %\"",
        "[]",
        "[[],{},null]",
        "{\"z\":{\"y\":[1,2.5]},\"a\":\"\"}",
        long.as_str(),
    ];
    for (number, value) in values.into_iter().enumerate() {
        let key = number.to_string();
        world.put("u1", &key, value).await;
        assert_eq!(world.preference("u1", &key).await.as_deref(), Some(preference_value(value).as_str()));
    }
    let all = world.preferences("u1").await.unwrap();
    for (number, value) in values.into_iter().enumerate() {
        assert_eq!(all[&preference_key(&number.to_string())], preference_value(value));
    }
}

pub async fn keys_are_compared_exactly(world: World) {
    world.create(json!({"user_id": "u1"})).await;
    let longest = "𠮷".repeat(128);
    let keys = ["theme", "Theme", "thème", "theme ui", "%", "_", "'", "1", "01", longest.as_str()];
    for (number, key) in keys.into_iter().enumerate() {
        assert_eq!(world.put("u1", key, &number.to_string()).await, Created, "{key}");
    }
    for (number, key) in keys.into_iter().enumerate() {
        assert_eq!(world.preference("u1", key).await, Some(number.to_string()), "{key}");
    }
    assert_eq!(world.preferences("u1").await.unwrap().len(), keys.len());
}

pub async fn a_user_who_is_not_there_has_no_preferences(world: World) {
    let record = |key: &str| {
        let answer = Written::Preference { created: true, value: preference_value("1") };
        Record { attempt: world.attempt(key), concerns: Concerns::User(user_id("nobody")), answer }
    };
    assert_eq!(world.preferences("nobody").await, None);
    assert_eq!(world.preference("nobody", "k").await, None);
    assert_eq!(world.put_recorded("nobody", "k", "1", Some(&record("put"))).await.unwrap(), NoUser);
    assert!(!world.unset("nobody", "k").await);
    assert_eq!(world.recorded("put").await, None);
    assert_eq!(world.log().await, []);
    world.create(json!({"user_id": "nobody"})).await;
    assert_eq!(world.preferences("nobody").await.unwrap().len(), 0);
}

pub async fn deleting_a_preference_says_whether_there_was_one(world: World) {
    world.create(json!({"user_id": "u1"})).await;
    world.create(json!({"user_id": "u2"})).await;
    world.put("u1", "k", "1").await;
    world.put("u2", "k", "2").await;
    world.put("u1", "other", "3").await;
    assert!(!world.unset("u1", "unknown").await);
    assert!(world.unset("u1", "k").await);
    assert!(!world.unset("u1", "k").await);
    assert_eq!(world.preference("u1", "k").await, None);
    assert_eq!(world.preference("u2", "k").await.as_deref(), Some("2"));
    assert_eq!(world.preference("u1", "other").await.as_deref(), Some("3"));
    assert_eq!(world.log().await.len(), 2 + 3 + 1);
    assert_eq!(world.put("u1", "k", "4").await, Created);
}

pub async fn preferences_are_hidden_while_the_user_is_deleted_and_come_back(world: World) {
    let profile = world.create(json!({"user_id": "u1"})).await;
    world.put("u1", "k", "1").await;
    let deleted = world.delete(&profile).await;
    let logged = world.log().await;
    assert_eq!(world.preferences("u1").await, None);
    assert_eq!(world.preference("u1", "k").await, None);
    assert_eq!(world.put("u1", "k", "2").await, NoUser);
    assert!(!world.unset("u1", "k").await);
    assert_eq!(world.log().await, logged);
    let rows = world.store.read_user(&world.tenant, &user_id("u1")).await.unwrap();
    assert_eq!((rows.profiles.len(), rows.preferences.len()), (1, 1), "the user's rows are still there");
    world.try_restore(&deleted).await.unwrap();
    assert_eq!(world.preference("u1", "k").await.as_deref(), Some("1"));
}

pub async fn one_live_profile_is_enough_to_have_preferences(world: World) {
    let work = world.create(json!({"user_id": "u1", "profile_type": "work"})).await;
    world.create(json!({"user_id": "u1", "profile_type": "home"})).await;
    world.put("u1", "k", "1").await;
    world.delete(&work).await;
    assert_eq!(world.preference("u1", "k").await.as_deref(), Some("1"));
    assert_eq!(world.put("u1", "k", "2").await, Replaced);
    assert!(world.unset("u1", "k").await);
}

pub async fn a_user_who_comes_back_after_a_purge_has_no_preferences(world: World) {
    let profile = world.create(json!({"user_id": "u1"})).await;
    world.put("u1", "k", "1").await;
    assert!(world.purge(&[&profile]).await);
    world.create(json!({"user_id": "u1"})).await;
    assert_eq!(world.preferences("u1").await.unwrap().len(), 0);
    assert_eq!(world.put("u1", "k", "2").await, Created);
}
