//! `/v1/tenants/{tenant_name}/users/{user_id}/preferences`.

use crate::harness::{Server, cases};
use crate::support::{encoded, json};
use reqwest::Method;

cases! {
    any_json_value_is_kept,
    the_first_put_creates_and_the_next_replaces,
    a_deleted_preference_is_gone,
    all_of_them_are_shown_together,
    a_value_has_at_most_16_kib,
    keys_with_odd_characters_work_when_encoded,
    keys_are_compared_exactly,
    only_users_who_are_there_have_preferences,
    values_that_cannot_be_kept_are_refused,
    two_users_do_not_meet,
}

async fn any_json_value_is_kept(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"user_id": "u"})).await;
    let values = [
        json!(null),
        json!(false),
        json!(true),
        json!(0),
        json!(-1.5),
        json!(1e300),
        json!(""),
        json!("dark"),
        json!("🎉 \"quoted\" \\ \n"),
        json!([]),
        json!({}),
        json!([1, [2, [3]], null]),
        json!({"a": {"b": null, "c": [true]}}),
        json!(9_007_199_254_740_993_i64),
        json!(u64::MAX),
    ];
    for value in values {
        let answer = tenant.put("/users/u/preferences/p", &value).send().await;
        assert!([200, 201].contains(&answer.status), "{answer:?}");
        assert_eq!(answer.json(), value);
        assert_eq!(tenant.get("/users/u/preferences/p").expect(200).await.json(), value);
        assert_eq!(tenant.get("/users/u").expect(200).await.json()["preferences"]["p"], value);
    }
}

async fn the_first_put_creates_and_the_next_replaces(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"user_id": "u"})).await;
    tenant.put("/users/u/preferences/p", &json!(1)).expect(201).await;
    tenant.put("/users/u/preferences/p", &json!(1)).expect(200).await;
    tenant.put("/users/u/preferences/p", &json!({"whole": true})).expect(200).await;
    // It replaces: it does not merge.
    tenant.put("/users/u/preferences/p", &json!({"other": true})).expect(200).await;
    assert_eq!(tenant.get("/users/u/preferences/p").expect(200).await.json(), json!({"other": true}));
}

async fn a_deleted_preference_is_gone(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"user_id": "u"})).await;
    tenant.put("/users/u/preferences/p", &json!(null)).expect(201).await;
    tenant.delete("/users/u/preferences/p").expect(204).await;
    tenant.delete("/users/u/preferences/p").expect(404).await;
    tenant.get("/users/u/preferences/p").expect(404).await;
    assert_eq!(tenant.get("/users/u/preferences").expect(200).await.json(), json!({}));
    tenant.put("/users/u/preferences/p", &json!(2)).expect(201).await;
}

async fn all_of_them_are_shown_together(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"user_id": "u"})).await;
    for (key, value) in [("b", json!(2)), ("a", json!([1])), ("null", json!(null))] {
        tenant.put(&format!("/users/u/preferences/{key}"), &value).expect(201).await;
    }
    let all = tenant.get("/users/u/preferences").expect(200).await.json();
    assert_eq!(all, json!({"a": [1], "b": 2, "null": null}));
}

async fn a_value_has_at_most_16_kib(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"user_id": "u"})).await;
    let path = "/users/u/preferences/p";
    tenant.put(path, &json!("x".repeat(16_382))).expect(201).await;
    tenant.put(path, &json!("y".repeat(16_383))).expect_faults(&[""]).await;
    assert_eq!(tenant.get(path).expect(200).await.json(), json!("x".repeat(16_382)));
    // What counts is the compact form.
    let spaced = format!("[{}1]", " ".repeat(50_000));
    tenant.call(Method::PUT, path).raw_json(spaced).expect(200).await;
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    tenant.call(Method::PUT, path).raw_json(deep(32)).expect(200).await;
    for levels in [33, 129, 50_000] {
        tenant.call(Method::PUT, path).raw_json(deep(levels)).expect_faults(&[""]).await;
    }
}

async fn keys_with_odd_characters_work_when_encoded(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"user_id": "u"})).await;
    let longest = "k".repeat(128);
    let keys = ["a/b", "a b", "ui.theme", "a?b#c", "100%", "世界 🎉", "a+b", "\"q\"", "%2F", "constructor", "null", longest.as_str()];
    for key in keys {
        let path = format!("/users/u/preferences/{}", encoded(key));
        tenant.put(&path, &json!(key)).expect(201).await;
        assert_eq!(tenant.get(&path).expect(200).await.json(), json!(key));
    }
    let all = tenant.get("/users/u/preferences").expect(200).await.json();
    let mut found: Vec<_> = all.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = keys.to_vec();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    for key in keys {
        tenant.delete(&format!("/users/u/preferences/{}", encoded(key))).expect(204).await;
    }
}

async fn keys_are_compared_exactly(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"user_id": "u"})).await;
    for key in ["theme", "Theme", "thème"] {
        tenant.put(&format!("/users/u/preferences/{}", encoded(key)), &json!(key)).expect(201).await;
    }
    assert_eq!(tenant.get("/users/u/preferences/theme").expect(200).await.json(), json!("theme"));
}

async fn only_users_who_are_there_have_preferences(server: &Server) {
    let tenant = server.tenant().await;
    tenant.get("/users/nobody/preferences").expect(404).await;
    tenant.get("/users/nobody/preferences/p").expect(404).await;
    tenant.put("/users/nobody/preferences/p", &json!(1)).expect(404).await;
    tenant.delete("/users/nobody/preferences/p").expect(404).await;
}

async fn values_that_cannot_be_kept_are_refused(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"user_id": "u"})).await;
    let put = |body: &'static str| tenant.call(Method::PUT, "/users/u/preferences/p").raw_json(body);
    for body in ["\"\\u0000\"", "\"\\ud800\"", "{\"a\\u0000\":1}", "1e999", "[\"\\udc00\"]"] {
        put(body).expect_faults(&[""]).await;
    }
    for body in ["", "dark", "1 2", "{"] {
        put(body).expect(400).await;
    }
    tenant.get("/users/u/preferences/p").expect(404).await;
}

async fn two_users_do_not_meet(server: &Server) {
    let tenant = server.tenant().await;
    for user in ["one", "two"] {
        tenant.profile(json!({"user_id": user})).await;
        tenant.put(&format!("/users/{user}/preferences/p"), &json!(user)).expect(201).await;
    }
    tenant.delete("/users/one/preferences/p").expect(204).await;
    assert_eq!(tenant.get("/users/two/preferences/p").expect(200).await.json(), json!("two"));
}
