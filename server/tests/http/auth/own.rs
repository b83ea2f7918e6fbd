//! An end user's own token: it reaches the user who is its subject, and no other.

use super::routes::{Somebody, all};
use crate::harness::{Server, cases};
use crate::support::client::path_of;
use crate::support::json;
use reqwest::Method;

cases! {
    it_reaches_its_own_user,
    it_reaches_nobody_else_on_any_route,
    it_finds_only_its_own_profiles,
    it_creates_and_moves_only_its_own,
    to_read_is_not_to_write,
    it_is_not_told_who_has_an_address,
}

const OWN: &str = "self:read self:write";

async fn it_reaches_its_own_user(server: &Server) {
    let tenant = server.tenant().await;
    let own = tenant.client(OWN, "me");
    let profile = own.post("/profiles", &json!({"full_name": "Me", "user_id": "me"})).expect(201).await.json();
    let path = path_of(&profile);
    own.get(&path).expect(200).await;
    own.patch(&path, &json!({"city_id": "LON"})).expect(200).await;
    own.put("/users/me/preferences/theme", &json!("dark")).expect(201).await;
    assert_eq!(own.get("/users/me").expect(200).await.json()["preferences"], json!({"theme": "dark"}));
    own.get("/users/me/preferences").expect(200).await;
    own.get("/users/me/preferences/theme").expect(200).await;
    own.delete("/users/me/preferences/theme").expect(204).await;
    own.delete(&path).expect(204).await;
    // What needs an administrator needs one here too.
    own.get(&format!("{path}?include_deleted=true")).expect(403).await;
    own.call(Method::POST, &format!("{path}/restore")).expect(403).await;
    own.delete(&format!("{path}?purge=true")).expect(403).await;
    own.delete("/users/me?purge=true").expect(403).await;
}

async fn it_reaches_nobody_else_on_any_route(server: &Server) {
    let tenant = server.tenant().await;
    let somebody = Somebody::create(&tenant, &tenant.name, "somebody").await;
    let before = tenant.get("/users/somebody").expect(200).await.json();
    let own = tenant.client(OWN, "me");
    own.post("/profiles", &json!({"full_name": "Me", "user_id": "me"})).expect(201).await;
    for route in all(server).await {
        let answer = route.call(&own, &somebody).send().await;
        if route.names_user() || route.administers_tenants() {
            assert!([403, 404].contains(&answer.status), "{route:?}: {answer:?}");
        }
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        for secret in [&somebody.profile_id, "somebody@example.com", "\"Somebody\"", "light"] {
            assert!(!told.contains(secret), "{route:?} tells of {secret}: {told}");
        }
    }
    assert_eq!(tenant.get("/users/somebody").expect(200).await.json(), before);
    assert_eq!(tenant.names("include_deleted=true").await.len(), 2);
}

async fn it_finds_only_its_own_profiles(server: &Server) {
    let tenant = server.tenant().await;
    let own = tenant.client(OWN, "me");
    for (name, user, kind) in [("Ada Me", "me", "default"), ("Ada Work", "me", "work"), ("Ada Other", "other", "default")] {
        tenant.profile(json!({"full_name": name, "user_id": user, "profile_type": kind})).await;
    }
    for search in [
        "",
        "query=ada",
        "filter=user_id%20eq%20%22other%22%20or%20user_id%20pr",
        "filter=not%20(user_id%20eq%20%22me%22)%20or%20active%20pr",
    ] {
        let page = own.get(&format!("/profiles?sort_by=full_name&{search}")).expect(200).await.json();
        assert_eq!(page["total"]["value"], 2, "{search}");
        assert!(page["profiles"].as_array().unwrap().iter().all(|profile| profile["user_id"] == "me"), "{search}");
    }
    assert!(own.names("filter=user_id%20eq%20%22other%22").await.is_empty());
    let by_body = own.post("/profiles/search", &json!({"query": "ada other"})).expect(200).await.json();
    assert_eq!(by_body["total"]["value"], 0);
}

async fn it_creates_and_moves_only_its_own(server: &Server) {
    let tenant = server.tenant().await;
    let own = tenant.client(OWN, "me");
    own.post("/profiles", &json!({"full_name": "A", "user_id": "other"})).expect_faults(&["/user_id"]).await;
    own.post("/profiles", &json!({"full_name": "A", "email_id": "a@example.com"})).expect_faults(&["/user_id"]).await;
    let path = path_of(&own.post("/profiles", &json!({"full_name": "A", "user_id": "me"})).expect(201).await.json());
    own.patch(&path, &json!({"user_id": "other"})).expect_faults(&["/user_id"]).await;
    assert_eq!(tenant.names("").await.len(), 1);
}

async fn to_read_is_not_to_write(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({"user_id": "me"})).await);
    let (reader, writer) = (tenant.client("self:read", "me"), tenant.client("self:write", "me"));
    reader.get(&path).expect(200).await;
    reader.patch(&path, &json!({"city_id": "X"})).expect(403).await;
    reader.delete(&path).expect(403).await;
    reader.put("/users/me/preferences/p", &json!(1)).expect(403).await;
    writer.get(&path).expect(403).await;
    writer.get("/profiles").expect(403).await;
    writer.patch(&path, &json!({"city_id": "X"})).expect(200).await;
}

async fn it_is_not_told_who_has_an_address(server: &Server) {
    let tenant = server.tenant().await;
    let other = tenant.profile(json!({"full_name": "Other", "user_id": "other", "email_id": "a@example.com"})).await;
    let own = tenant.client(OWN, "me");
    let answer = own.post("/profiles", &json!({"full_name": "Me", "user_id": "me", "email_id": "a@example.com"})).expect(409).await;
    let told = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(!told.contains("Other") && !told.contains(other["profile_id"].as_str().unwrap()), "{told}");
}
