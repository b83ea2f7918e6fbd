//! `/v1/tenants/{tenant_name}/users/{user_id}`: the user as a whole.

use crate::harness::{Server, cases};
use crate::support::client::path_of;
use crate::support::{encoded, json};
use reqwest::Method;

cases! {
    shows_all_live_profiles_and_preferences,
    a_user_is_there_as_long_as_one_profile_is,
    a_delete_takes_all_profiles_in_one_step,
    a_purge_takes_what_was_deleted_before_and_the_preferences,
    preferences_survive_a_soft_delete,
    ids_with_odd_characters_work_when_encoded,
}

async fn shows_all_live_profiles_and_preferences(server: &Server) {
    let tenant = server.tenant().await;
    let first = tenant.profile(json!({"user_id": "u"})).await;
    let second = tenant.profile(json!({"user_id": "u", "profile_type": "work"})).await;
    tenant.profile(json!({"user_id": "another"})).await;
    tenant.put("/users/u/preferences/theme", &json!("dark")).expect(201).await;
    let user = tenant.get("/users/u").expect(200).await.json();
    let expected = json!({"tenant_name": tenant.name, "user_id": "u", "profiles": [first, second], "preferences": {"theme": "dark"}});
    assert_eq!(user, expected);
}

async fn a_user_is_there_as_long_as_one_profile_is(server: &Server) {
    let tenant = server.tenant().await;
    let first = tenant.profile(json!({"user_id": "u"})).await;
    let second = tenant.profile(json!({"user_id": "u", "profile_type": "work"})).await;
    tenant.delete(&path_of(&first)).expect(204).await;
    assert_eq!(tenant.get("/users/u").expect(200).await.json()["profiles"], json!([second]));
    tenant.delete(&path_of(&second)).expect(204).await;
    tenant.get("/users/u").expect(404).await;
}

async fn a_delete_takes_all_profiles_in_one_step(server: &Server) {
    let tenant = server.tenant().await;
    let first = tenant.profile(json!({"user_id": "u", "email_id": "a@example.com"})).await;
    let second = tenant.profile(json!({"user_id": "u", "profile_type": "work"})).await;
    tenant.profile(json!({"user_id": "another", "full_name": "Another"})).await;
    tenant.delete("/users/u").expect(204).await;
    tenant.get("/users/u").expect(404).await;
    tenant.delete("/users/u").expect(404).await;
    assert_eq!(tenant.names("").await, ["Another"]);
    let states = [&first, &second].map(|profile| tenant.get(&format!("{}?include_deleted=true", path_of(profile))).expect(200));
    let states = futures::future::join_all(states).await;
    assert_eq!(states[0].json()["deleted_at"], states[1].json()["deleted_at"]);
    assert_eq!(states[0].json()["deleted_by"], "tester");
    tenant.call(Method::POST, &format!("{}/restore", path_of(&first))).expect(200).await;
    assert_eq!(tenant.get("/users/u").expect(200).await.json()["profiles"].as_array().unwrap().len(), 1);
}

async fn a_purge_takes_what_was_deleted_before_and_the_preferences(server: &Server) {
    let tenant = server.tenant().await;
    let gone = tenant.profile(json!({"user_id": "u", "profile_type": "old"})).await;
    tenant.delete(&path_of(&gone)).expect(204).await;
    let live = tenant.profile(json!({"user_id": "u"})).await;
    tenant.put("/users/u/preferences/theme", &json!("dark")).expect(201).await;
    tenant.delete("/users/u?purge=true").expect(204).await;
    for profile in [gone, live] {
        tenant.get(&format!("{}?include_deleted=true", path_of(&profile))).expect(404).await;
    }
    tenant.delete("/users/u?purge=true").expect(404).await;
    // Somebody who comes under the same id begins anew.
    tenant.profile(json!({"user_id": "u"})).await;
    assert_eq!(tenant.get("/users/u/preferences").expect(200).await.json(), json!({}));
}

async fn preferences_survive_a_soft_delete(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({"user_id": "u"})).await);
    tenant.put("/users/u/preferences/theme", &json!("dark")).expect(201).await;
    tenant.delete("/users/u").expect(204).await;
    tenant.get("/users/u/preferences").expect(404).await;
    tenant.get("/users/u/preferences/theme").expect(404).await;
    tenant.put("/users/u/preferences/theme", &json!("light")).expect(404).await;
    tenant.delete("/users/u/preferences/theme").expect(404).await;
    tenant.call(Method::POST, &format!("{path}/restore")).expect(200).await;
    assert_eq!(tenant.get("/users/u/preferences/theme").expect(200).await.json(), json!("dark"));
}

async fn ids_with_odd_characters_work_when_encoded(server: &Server) {
    let tenant = server.tenant().await;
    for id in ["auth0|5f7c8ec7", "a/b", "a b", "a?b#c", "100%", "héllo 世界 🎉", "..", "a+b&c=d;e", "\"quoted\"", "%2F"] {
        let profile = tenant.profile(json!({"user_id": id})).await;
        let user = tenant.get(&format!("/users/{}", encoded(id).replace("..", "%2E%2E"))).send().await;
        if id == ".." {
            // A client's URL library resolves it, however it is written: the service never sees it.
            continue;
        }
        assert_eq!((user.status, &user.json()["profiles"]), (200, &json!([profile])), "{id}");
        let key = format!("/users/{}/preferences/k", encoded(id));
        tenant.put(&key, &json!(id)).expect(201).await;
        assert_eq!(tenant.get(&key).expect(200).await.json(), json!(id));
    }
}
