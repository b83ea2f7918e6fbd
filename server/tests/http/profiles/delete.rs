//! Soft delete, restore, and the purge from which nothing comes back.

use crate::harness::{Server, cases};
use crate::support::client::path_of;
use crate::support::json;
use reqwest::Method;

cases! {
    a_deleted_profile_is_gone_from_sight,
    those_who_administer_still_see_it,
    only_those_who_administer_do,
    a_delete_frees_the_identifiers,
    restore_brings_back_what_was_there,
    restore_of_what_was_taken_meanwhile_names_the_field,
    restore_of_a_live_profile_is_no_change,
    a_purge_is_for_good,
    a_purge_reaches_what_was_deleted_before,
    a_purge_needs_the_right_to_it,
}

async fn a_deleted_profile_is_gone_from_sight(server: &Server) {
    let tenant = server.tenant().await;
    let profile = tenant.profile(json!({"user_id": "u", "full_name": "Ada"})).await;
    let path = path_of(&profile);
    let answer = tenant.delete(&path).expect(204).await;
    assert!(answer.body.is_empty());
    tenant.get(&path).expect(404).await;
    tenant.patch(&path, &json!({"city_id": "LON"})).expect(404).await;
    tenant.delete(&path).expect(404).await;
    tenant.get("/users/u").expect(404).await;
    assert!(tenant.names("").await.is_empty());
    assert!(tenant.names("query=ada").await.is_empty());
}

async fn those_who_administer_still_see_it(server: &Server) {
    let tenant = server.tenant().await;
    let profile = tenant.profile(json!({"full_name": "Ada"})).await;
    tenant.client("profiles:write", "remover").delete(&path_of(&profile)).expect(204).await;
    let deleted = tenant.get(&format!("{}?include_deleted=true", path_of(&profile))).expect(200).await.json();
    assert_eq!((&deleted["active"], &deleted["deleted_by"], &deleted["version"]), (&json!(false), &json!("remover"), &json!(2)));
    assert_eq!(deleted["deleted_at"], deleted["updated_at"]);
    assert_eq!(tenant.names("include_deleted=true").await, ["Ada"]);
    let found = tenant.post("/profiles/search", &json!({"query": "ada", "include_deleted": true})).expect(200).await.json();
    assert_eq!(found["profiles"], json!([deleted]));
}

async fn only_those_who_administer_do(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    let plain = tenant.client("profiles:read profiles:write", "plain");
    for answer in [
        plain.get(&format!("{path}?include_deleted=true")).expect(403).await,
        plain.get("/profiles?include_deleted=true").expect(403).await,
        plain.post("/profiles/search", &json!({"include_deleted": true})).expect(403).await,
        plain.call(Method::POST, &format!("{path}/restore")).expect(403).await,
    ] {
        assert!(answer.header("www-authenticate").contains("scope=\"profiles:admin\""), "{answer:?}");
    }
    plain.get(&format!("{path}?include_deleted=false")).expect(200).await;
}

async fn a_delete_frees_the_identifiers(server: &Server) {
    let tenant = server.tenant().await;
    let taken = json!({"user_id": "u", "email_id": "a@example.com", "mobile": "+14155550100"});
    let first = tenant.profile(taken.clone()).await;
    tenant.delete(&path_of(&first)).expect(204).await;
    let second = tenant.profile(taken).await;
    assert_ne!(first["profile_id"], second["profile_id"]);
}

async fn restore_brings_back_what_was_there(server: &Server) {
    let tenant = server.tenant().await;
    let old = tenant.profile(json!({"full_name": "Ada", "email_id": "a@example.com", "attributes": {"a": 1}})).await;
    let path = path_of(&old);
    tenant.delete(&path).expect(204).await;
    let answer = tenant.call(Method::POST, &format!("{path}/restore")).expect(200).await;
    assert_eq!(answer.header("etag"), "\"3\"");
    let restored = answer.json();
    let mut expected = old;
    expected["version"] = json!(3);
    expected["updated_at"] = restored["updated_at"].clone();
    assert_eq!(restored, expected);
    assert_eq!(tenant.get(&path).expect(200).await.json(), restored);
    assert_eq!(tenant.names("query=ada").await, ["Ada"]);
}

async fn restore_of_what_was_taken_meanwhile_names_the_field(server: &Server) {
    let tenant = server.tenant().await;
    for (field, value) in [("email_id", "a@example.com"), ("mobile", "+14155550100")] {
        let first = tenant.profile(json!({field: value})).await;
        tenant.delete(&path_of(&first)).expect(204).await;
        let second = tenant.profile(json!({field: value})).await;
        let restore = format!("{}/restore", path_of(&first));
        let answer = tenant.call(Method::POST, &restore).expect(409).await;
        assert_eq!(answer.fault_places(), [format!("/{field}")]);
        tenant.get(&path_of(&first)).expect(404).await;
        tenant.delete(&path_of(&second)).expect(204).await;
        tenant.call(Method::POST, &restore).expect(200).await;
    }
}

async fn restore_of_a_live_profile_is_no_change(server: &Server) {
    let tenant = server.tenant().await;
    let profile = tenant.profile(json!({})).await;
    let answer = tenant.call(Method::POST, &format!("{}/restore", path_of(&profile))).expect(200).await;
    assert_eq!(answer.json(), profile);
}

async fn a_purge_is_for_good(server: &Server) {
    let tenant = server.tenant().await;
    let taken = json!({"user_id": "u", "full_name": "Ada", "email_id": "a@example.com"});
    let path = path_of(&tenant.profile(taken.clone()).await);
    tenant.delete(&format!("{path}?purge=true")).expect(204).await;
    tenant.get(&path).expect(404).await;
    tenant.get(&format!("{path}?include_deleted=true")).expect(404).await;
    tenant.call(Method::POST, &format!("{path}/restore")).expect(404).await;
    tenant.delete(&format!("{path}?purge=true")).expect(404).await;
    assert!(tenant.names("include_deleted=true").await.is_empty());
    tenant.profile(taken).await;
}

async fn a_purge_reaches_what_was_deleted_before(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    tenant.delete(&path).expect(204).await;
    tenant.delete(&format!("{path}?purge=true")).expect(204).await;
    tenant.get(&format!("{path}?include_deleted=true")).expect(404).await;
}

async fn a_purge_needs_the_right_to_it(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({"user_id": "u"})).await);
    let plain = tenant.client("profiles:read profiles:write", "plain");
    plain.delete(&format!("{path}?purge=true")).expect(403).await;
    plain.delete("/users/u?purge=true").expect(403).await;
    plain.delete(&format!("{path}?purge=yes")).expect_faults(&["purge"]).await;
    tenant.get(&path).expect(200).await;
}
