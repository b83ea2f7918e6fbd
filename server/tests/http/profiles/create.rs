//! Creating a profile.

use crate::harness::{Server, cases};
use crate::support::json;

cases! {
    answers_with_the_profile_its_address_and_its_version,
    every_field_is_kept_as_given_or_as_its_canonical_form,
    what_is_not_given_has_its_default,
    a_user_id_is_made_when_only_an_address_is_given,
    a_national_number_is_read_with_the_country,
    text_is_trimmed_and_composed,
    names_in_any_script_are_at_home,
    null_members_are_as_if_absent,
}

async fn answers_with_the_profile_its_address_and_its_version(server: &Server) {
    let tenant = server.tenant().await;
    let answer = tenant.post("/profiles", &json!({"full_name": "Ada Lovelace", "email_id": "ada@example.com"})).expect(201).await;
    let profile = answer.json();
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    let location = answer.header("location");
    assert_eq!(location, format!("/v1/tenants/{}/profiles/{}", tenant.name, profile["profile_id"].as_str().unwrap()));
    assert_eq!(tenant.get(location).expect(200).await.json(), profile);
}

async fn every_field_is_kept_as_given_or_as_its_canonical_form(server: &Server) {
    let tenant = server.tenant().await;
    let given = json!({
        "user_id": "auth0|5f7c8ec7", "profile_type": "work", "full_name": "Ada Lovelace", "gender": "female",
        "email_id": "Ada.Lovelace@Example.COM", "mobile": "+44 20 7946 0958", "birth_date": "1990-12-10",
        "city_id": "LON", "country_id": "GB", "address": "12 St James's Square", "latitude": 51.5074, "longitude": -0.1278,
        "attributes": {"plan": "pro", "seats": 3, "tags": ["a", null], "nested": {"on": true}}, "active": false,
    });
    let profile = tenant.post("/profiles", &given).expect(201).await.json();
    for (name, value) in given.as_object().unwrap() {
        let expected = if name == "mobile" { json!("+442079460958") } else { value.clone() };
        assert_eq!(profile[name], expected, "{name}");
    }
    assert_eq!(profile["tenant_name"], tenant.name.as_str());
    assert_eq!((&profile["created_by"], &profile["updated_by"]), (&json!("tester"), &json!("tester")));
    assert_eq!(profile["created_at"], profile["updated_at"]);
    assert!(profile["created_at"].as_i64().unwrap() > 1_700_000_000_000, "milliseconds");
    let fields: Vec<_> = profile.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields.len(), 24, "{fields:?}");
}

async fn what_is_not_given_has_its_default(server: &Server) {
    let tenant = server.tenant().await;
    let profile = tenant.post("/profiles", &json!({"full_name": "Ada", "user_id": "ada"})).expect(201).await.json();
    let empty = [
        "gender",
        "email_id",
        "mobile",
        "birth_date",
        "city_id",
        "country_id",
        "address",
        "latitude",
        "longitude",
        "profile_image_url",
        "deleted_by",
        "deleted_at",
    ];
    for name in empty {
        assert_eq!(profile.get(name), Some(&json!(null)), "{name}");
    }
    assert_eq!(profile["profile_type"], "default");
    assert_eq!(profile["attributes"], json!({}));
    assert_eq!(profile["active"], true);
    assert_eq!(profile["version"], 1);
}

async fn a_user_id_is_made_when_only_an_address_is_given(server: &Server) {
    let tenant = server.tenant().await;
    let first = tenant.profile(json!({"email_id": "one@example.com"})).await;
    let second = tenant.profile(json!({"mobile": "+14155550100"})).await;
    assert_ne!(first["user_id"], second["user_id"]);
    let user = tenant.get(&format!("/users/{}", first["user_id"].as_str().unwrap())).expect(200).await.json();
    assert_eq!(user["profiles"], json!([first]));
}

async fn a_national_number_is_read_with_the_country(server: &Server) {
    let tenant = server.tenant().await;
    let profile = tenant.profile(json!({"mobile": "098765 43210", "country_id": "IN"})).await;
    assert_eq!(profile["mobile"], "+919876543210");
    let body = json!({"full_name": "A", "mobile": "098765 43210"});
    tenant.post("/profiles", &body).expect_faults(&["/mobile"]).await;
    // A patch may bring the number to a country that the profile has already.
    let indian = tenant.profile(json!({"country_id": "IN"})).await;
    let path = crate::support::client::path_of(&indian);
    assert_eq!(tenant.patch(&path, &json!({"mobile": "098765 43211"})).expect(200).await.json()["mobile"], "+919876543211");
}

async fn text_is_trimmed_and_composed(server: &Server) {
    let tenant = server.tenant().await;
    let profile = tenant.profile(json!({"full_name": "  Zoe\u{0308}  ", "user_id": " zoe "})).await;
    assert_eq!(profile["full_name"], "Zo\u{00eb}");
    assert_eq!(profile["user_id"], "zoe");
}

async fn names_in_any_script_are_at_home(server: &Server) {
    let tenant = server.tenant().await;
    for name in ["Nguyễn Văn A", "张伟明", "山田太郎", "สมชาย ใจดี", "किरण देसाई", "محمد العربي", "Ana 🎉👩‍👩‍👧", "O'Brien-Śmith, Jr."]
    {
        let profile = tenant.profile(json!({"full_name": name})).await;
        assert_eq!(tenant.get(&crate::support::client::path_of(&profile)).expect(200).await.json()["full_name"], name);
    }
    let longest = "長".repeat(256);
    assert_eq!(tenant.profile(json!({"full_name": longest})).await["full_name"], longest);
}

async fn null_members_are_as_if_absent(server: &Server) {
    let tenant = server.tenant().await;
    let body = json!({"full_name": "A", "email_id": "a@example.com", "user_id": null, "mobile": null, "latitude": null,
        "attributes": null, "active": null, "profile_type": null});
    let profile = tenant.post("/profiles", &body).expect(201).await.json();
    assert_eq!(profile["active"], true);
    assert_eq!(profile["attributes"], json!({}));
    assert_eq!(profile["profile_type"], "default");
}
