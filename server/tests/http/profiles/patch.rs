//! Updating a profile by JSON Merge Patch.

use crate::harness::{Server, cases};
use crate::support::client::path_of;
use crate::support::json;

cases! {
    changes_what_is_given_and_nothing_else,
    null_clears,
    attributes_are_merged_level_by_level,
    attributes_stay_bounded_when_merged,
    a_patch_that_changes_nothing_keeps_the_version,
    active_can_be_switched_off_and_on,
    one_coordinate_may_change_when_the_other_is_there,
    every_kind_of_json_media_type_is_taken,
    the_changer_is_named,
    a_profile_can_move_to_another_user_or_type,
}

async fn changes_what_is_given_and_nothing_else(server: &Server) {
    let tenant = server.tenant().await;
    let old = tenant.profile(json!({"full_name": "Ada", "email_id": "a@example.com", "city_id": "LON", "attributes": {"a": 1}})).await;
    let answer = tenant.patch(&path_of(&old), &json!({"full_name": "Ada L.", "city_id": "BLR"})).expect(200).await;
    let new = answer.json();
    assert_eq!(answer.header("etag"), "\"2\"");
    assert!(!answer.headers.contains_key("location"));
    let mut expected = old.clone();
    for (name, value) in [("full_name", json!("Ada L.")), ("city_id", json!("BLR")), ("version", json!(2))] {
        expected[name] = value;
    }
    expected["updated_at"] = new["updated_at"].clone();
    assert_eq!(new, expected);
    assert!(new["updated_at"].as_i64() >= old["updated_at"].as_i64());
    assert_eq!(tenant.get(&path_of(&old)).expect(200).await.json(), new);
}

async fn null_clears(server: &Server) {
    let tenant = server.tenant().await;
    let old = tenant
        .profile(json!({"user_id": "u", "email_id": "a@example.com", "mobile": "+14155550100", "gender": "x", "birth_date": "1990-01-01",
            "city_id": "LON", "country_id": "GB", "address": "here", "latitude": 1, "longitude": 2, "attributes": {"a": 1},
            "active": false, "profile_type": "work"}))
        .await;
    let names = ["email_id", "mobile", "gender", "birth_date", "city_id", "country_id", "address", "latitude", "longitude"];
    let mut patch: serde_json::Map<_, _> = names.iter().map(|name| ((*name).to_owned(), json!(null))).collect();
    for name in ["attributes", "active", "profile_type"] {
        patch.insert(name.to_owned(), json!(null));
    }
    let new = tenant.patch(&path_of(&old), &patch.into()).expect(200).await.json();
    for name in names {
        assert_eq!(new[name], json!(null), "{name}");
    }
    // What always has a value goes back to its default.
    assert_eq!((&new["attributes"], &new["active"], &new["profile_type"]), (&json!({}), &json!(true), &json!("default")));
    tenant.patch(&path_of(&old), &json!({"full_name": null, "user_id": null})).expect_faults(&["/full_name", "/user_id"]).await;
}

async fn attributes_are_merged_level_by_level(server: &Server) {
    let tenant = server.tenant().await;
    let old = tenant.profile(json!({"attributes": {"plan": "pro", "limits": {"seats": 3, "disk": {"gb": 5}}, "tags": [1, 2]}})).await;
    let patch = json!({"attributes": {"limits": {"disk": null, "cpu": 2}, "tags": [3], "new": {"deep": {"x": null, "y": 1}}}});
    let new = tenant.patch(&path_of(&old), &patch).expect(200).await.json();
    let merged = json!({"plan": "pro", "limits": {"seats": 3, "cpu": 2}, "tags": [3], "new": {"deep": {"y": 1}}});
    assert_eq!(new["attributes"], merged);
    assert_eq!(tenant.get(&path_of(&old)).expect(200).await.json()["attributes"], merged);
}

async fn attributes_stay_bounded_when_merged(server: &Server) {
    let tenant = server.tenant().await;
    let old = tenant.profile(json!({"attributes": {"a": "x".repeat(10_000)}})).await;
    let patch = json!({"attributes": {"b": "y".repeat(10_000)}});
    tenant.patch(&path_of(&old), &patch).expect_faults(&["/attributes"]).await;
    assert_eq!(tenant.get(&path_of(&old)).expect(200).await.json(), old);
    tenant.patch(&path_of(&old), &json!({"attributes": {"a": null, "b": "y".repeat(10_000)}})).expect(200).await;
}

async fn a_patch_that_changes_nothing_keeps_the_version(server: &Server) {
    let tenant = server.tenant().await;
    let old = tenant.profile(json!({"full_name": "Ada", "mobile": "+14155550100", "attributes": {"a": {"b": 1}}})).await;
    let same = json!({"full_name": " Ada ", "mobile": "+1 (415) 555-0100", "gender": null, "attributes": {"a": {"b": 1, "c": null}}});
    for patch in [json!({}), same] {
        let answer = tenant.patch(&path_of(&old), &patch).expect(200).await;
        assert_eq!(answer.json(), old);
        assert_eq!(answer.header("etag"), "\"1\"");
    }
}

async fn active_can_be_switched_off_and_on(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({"full_name": "Ada"})).await);
    assert_eq!(tenant.patch(&path, &json!({"active": false})).expect(200).await.json()["active"], false);
    // Inactive is not deleted.
    assert_eq!(tenant.get(&path).expect(200).await.json()["active"], false);
    assert_eq!(tenant.names("filter=active%20eq%20false").await, ["Ada"]);
    assert_eq!(tenant.patch(&path, &json!({"active": true})).expect(200).await.json()["version"], 3);
    assert!(tenant.names("filter=active%20eq%20false").await.is_empty());
}

async fn one_coordinate_may_change_when_the_other_is_there(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({"latitude": 1.5, "longitude": 2.5})).await);
    let new = tenant.patch(&path, &json!({"latitude": -3})).expect(200).await.json();
    assert_eq!((new["latitude"].as_f64(), new["longitude"].as_f64()), (Some(-3.0), Some(2.5)));
    tenant.patch(&path, &json!({"longitude": null})).expect_faults(&["/longitude"]).await;
    let bare = path_of(&tenant.profile(json!({})).await);
    tenant.patch(&bare, &json!({"latitude": 1})).expect_faults(&["/longitude"]).await;
}

async fn every_kind_of_json_media_type_is_taken(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    let types = ["application/merge-patch+json", "application/json; charset=utf-8", "Application/JSON", "application/scim+json"];
    for (number, media_type) in types.iter().enumerate() {
        let body = format!("{{\"city_id\": \"{number}\"}}");
        tenant.call(reqwest::Method::PATCH, &path).body(media_type, body).expect(200).await;
    }
}

async fn the_changer_is_named(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    let other = tenant.client("profiles:write", "somebody else");
    let new = other.patch(&path, &json!({"city_id": "LON"})).expect(200).await.json();
    assert_eq!((&new["created_by"], &new["updated_by"]), (&json!("tester"), &json!("somebody else")));
}

async fn a_profile_can_move_to_another_user_or_type(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({"user_id": "one"})).await);
    let moved = tenant.patch(&path, &json!({"user_id": "two", "profile_type": "work"})).expect(200).await.json();
    assert_eq!((&moved["user_id"], &moved["profile_type"]), (&json!("two"), &json!("work")));
    tenant.get("/users/one").expect(404).await;
    assert_eq!(tenant.get("/users/two").expect(200).await.json()["profiles"], json!([moved]));
}
