//! `Idempotency-Key`: a retry gets the first answer again and changes nothing a second time.

use crate::harness::{Server, cases};
use crate::support::client::path_of;
use crate::support::{json, unique};
use reqwest::Method;

cases! {
    a_repeat_gets_the_first_answer_and_makes_no_second_profile,
    of_many_repeats_at_once_one_writes_and_all_get_its_answer,
    another_body_under_the_same_key_is_refused,
    another_path_or_condition_is_another_request,
    keys_of_two_subjects_do_not_meet,
    keys_of_two_tenants_do_not_meet,
    what_failed_can_be_tried_again_under_the_same_key,
    a_repeat_after_a_change_still_shows_the_first_answer,
    a_repeated_patch_is_done_once,
    a_repeated_patch_that_changed_nothing_stays_so,
    a_repeated_delete_restore_and_purge_are_done_once,
    a_repeated_preference_keeps_its_status,
    a_repeated_delete_of_a_user_is_done_once,
    tenants_too,
    another_tenant_under_the_same_key_is_refused,
    a_purge_erases_the_answer,
    a_purge_of_the_user_erases_the_answers_about_preferences,
    a_suspended_tenant_answers_no_repeats,
}

async fn a_repeat_gets_the_first_answer_and_makes_no_second_profile(server: &Server) {
    let tenant = server.tenant().await;
    let body = json!({"full_name": "Ada", "email_id": "a@example.com"});
    let first = tenant.post("/profiles", &body).key("k 1").expect(201).await;
    let second = tenant.post("/profiles", &body).key("k 1").expect(201).await;
    assert_eq!(first.body, second.body);
    for name in ["etag", "location", "content-type"] {
        assert_eq!(first.header(name), second.header(name), "{name}");
    }
    assert_eq!(tenant.names("").await.len(), 1);
    // Without the key it is a duplicate.
    tenant.post("/profiles", &body).expect(409).await;
}

async fn of_many_repeats_at_once_one_writes_and_all_get_its_answer(server: &Server) {
    let tenant = server.tenant().await;
    for (key, body) in [
        ("with an address", json!({"full_name": "Ada", "email_id": "a@example.com"})),
        ("with an id", json!({"full_name": "Bob", "user_id": "b"})),
    ] {
        let answers = futures::future::join_all((0..16).map(|_| tenant.post("/profiles", &body).key(key).send())).await;
        for answer in &answers {
            assert_eq!((answer.status, &answer.body), (201, &answers[0].body), "{answer:?}");
        }
    }
    assert_eq!(tenant.names("include_deleted=true").await.len(), 2);
}

async fn another_body_under_the_same_key_is_refused(server: &Server) {
    let tenant = server.tenant().await;
    tenant.post("/profiles", &json!({"full_name": "Ada", "user_id": "a"})).key("k").expect(201).await;
    let answer = tenant.post("/profiles", &json!({"full_name": "Bob", "user_id": "b"})).key("k").expect(422).await;
    assert_eq!(answer.problem(), "idempotency-key-reused");
    tenant.get("/users/b").expect(404).await;
}

async fn another_path_or_condition_is_another_request(server: &Server) {
    let tenant = server.tenant().await;
    let (one, two) = (tenant.profile(json!({})).await, tenant.profile(json!({})).await);
    let patch = json!({"city_id": "LON"});
    tenant.patch(&path_of(&one), &patch).key("k").expect(200).await;
    assert_eq!(tenant.patch(&path_of(&two), &patch).key("k").expect(422).await.problem(), "idempotency-key-reused");
    assert_eq!(
        tenant.patch(&path_of(&one), &patch).key("k").header("If-Match", "\"2\"").expect(422).await.problem(),
        "idempotency-key-reused"
    );
    assert_eq!(
        tenant.patch(&format!("{}?filter=active%20pr", path_of(&one)), &patch).key("k").expect(422).await.problem(),
        "idempotency-key-reused"
    );
    assert_eq!(tenant.delete(&path_of(&one)).key("k").expect(422).await.problem(), "idempotency-key-reused");
    tenant.get(&path_of(&one)).expect(200).await;
}

async fn keys_of_two_subjects_do_not_meet(server: &Server) {
    let tenant = server.tenant().await;
    let other = tenant.client("profiles:read profiles:write", "other");
    let body = json!({"full_name": "Ada", "user_id": "a"});
    tenant.post("/profiles", &body).key("k").expect(201).await;
    other.post("/profiles", &body).key("k").expect(409).await;
    other.post("/profiles", &json!({"full_name": "Bob", "user_id": "b"})).key("k").expect(201).await;
}

async fn keys_of_two_tenants_do_not_meet(server: &Server) {
    let body = json!({"full_name": "Ada", "user_id": "a"});
    let (one, two) = (server.tenant().await, server.tenant().await);
    let first = one.post("/profiles", &body).key("k").expect(201).await.json();
    let second = two.post("/profiles", &body).key("k").expect(201).await.json();
    assert_ne!(first["profile_id"], second["profile_id"]);
}

async fn what_failed_can_be_tried_again_under_the_same_key(server: &Server) {
    let tenant = server.tenant().await;
    let holder = tenant.profile(json!({"email_id": "a@example.com"})).await;
    let body = json!({"full_name": "Ada", "user_id": "new", "email_id": "a@example.com"});
    tenant.post("/profiles", &body).key("k").expect(409).await;
    tenant.post("/profiles", &json!({"full_name": ""})).key("k").expect(422).await;
    tenant.delete(&path_of(&holder)).expect(204).await;
    tenant.post("/profiles", &body).key("k").expect(201).await;
}

async fn a_repeat_after_a_change_still_shows_the_first_answer(server: &Server) {
    let tenant = server.tenant().await;
    let body = json!({"full_name": "Ada", "user_id": "a"});
    let first = tenant.post("/profiles", &body).key("k").expect(201).await;
    let path = path_of(&first.json());
    tenant.patch(&path, &json!({"full_name": "Grace"})).expect(200).await;
    assert_eq!(tenant.post("/profiles", &body).key("k").expect(201).await.body, first.body);
    tenant.delete(&path).expect(204).await;
    assert_eq!(tenant.post("/profiles", &body).key("k").expect(201).await.body, first.body);
    tenant.get(&path).expect(404).await;
}

async fn a_repeated_patch_is_done_once(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    let patch = |key: &str, city: &str| tenant.patch(&path, &json!({"city_id": city})).key(key).header("If-Match", "*");
    let first = patch("k", "LON").expect(200).await;
    patch("other", "PAR").expect(200).await;
    let again = patch("k", "LON").expect(200).await;
    assert_eq!((again.body, again.headers["etag"].clone()), (first.body, first.headers["etag"].clone()));
    assert_eq!(tenant.get(&path).expect(200).await.json()["city_id"], "PAR");
    // A condition that no longer holds is no obstacle to the retry of a request that met it.
    let conditional = || tenant.patch(&path, &json!({"city_id": "BLR"})).key("c").header("If-Match", "\"3\"");
    assert_eq!(conditional().expect(200).await.body, conditional().expect(200).await.body);
}

async fn a_repeated_patch_that_changed_nothing_stays_so(server: &Server) {
    let tenant = server.tenant().await;
    let profile = tenant.profile(json!({"city_id": "LON"})).await;
    let path = path_of(&profile);
    let patch = || tenant.patch(&path, &json!({"city_id": "LON"})).key("k");
    assert_eq!(patch().expect(200).await.json(), profile);
    tenant.patch(&path, &json!({"city_id": "PAR"})).expect(200).await;
    assert_eq!(patch().expect(200).await.json(), profile);
    assert_eq!(tenant.get(&path).expect(200).await.json()["city_id"], "PAR");
}

async fn a_repeated_delete_restore_and_purge_are_done_once(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    let restore = || tenant.call(Method::POST, &format!("{path}/restore")).key("r");
    tenant.delete(&path).key("d").expect(204).await;
    tenant.delete(&path).key("d").expect(204).await;
    let restored = restore().expect(200).await;
    tenant.delete(&path).key("d").expect(204).await;
    tenant.get(&path).expect(200).await;
    assert_eq!(restore().expect(200).await.body, restored.body);
    let purge = format!("{path}?purge=true");
    tenant.delete(&purge).key("p").expect(204).await;
    tenant.delete(&purge).key("p").expect(204).await;
    tenant.delete(&purge).key("another").expect(404).await;
}

async fn a_repeated_preference_keeps_its_status(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"user_id": "u"})).await;
    let put = |key: &str, value: i32| tenant.put("/users/u/preferences/p", &json!(value)).key(key);
    put("1", 1).expect(201).await;
    put("1", 1).expect(201).await;
    put("2", 2).expect(200).await;
    assert_eq!(put("1", 1).expect(201).await.json(), json!(1));
    assert_eq!(put("2", 2).expect(200).await.json(), json!(2));
    assert_eq!(tenant.get("/users/u/preferences/p").expect(200).await.json(), json!(2));
    put("2", 3).expect(422).await;
    tenant.delete("/users/u/preferences/p").key("d").expect(204).await;
    tenant.delete("/users/u/preferences/p").key("d").expect(204).await;
    let answers = futures::future::join_all((0..16).map(|_| put("many", 7).send())).await;
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
}

async fn a_repeated_delete_of_a_user_is_done_once(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"user_id": "u"})).await;
    tenant.delete("/users/u").key("d").expect(204).await;
    tenant.profile(json!({"user_id": "u"})).await;
    tenant.delete("/users/u").key("d").expect(204).await;
    tenant.get("/users/u").expect(200).await;
    tenant.delete("/users/u?purge=true").key("p").expect(204).await;
    tenant.delete("/users/u?purge=true").key("p").expect(204).await;
}

async fn tenants_too(server: &Server) {
    let root = server.root();
    let body = json!({"tenant_name": unique("idempotent")});
    let first = root.post("/v1/tenants", &body).key("t").expect(201).await;
    assert_eq!(root.post("/v1/tenants", &body).key("t").expect(201).await.body, first.body);
    let path = first.header("location").to_owned();
    let rename = |key: &str, name: &str| root.patch(&path, &json!({"display_name": name})).key(key);
    let renamed = rename("a", "A").expect(200).await;
    rename("b", "B").expect(200).await;
    assert_eq!(rename("a", "A").expect(200).await.body, renamed.body);
    assert_eq!(root.get(&path).expect(200).await.json()["display_name"], "B");
    root.delete(&path).key("d").expect(204).await;
    root.delete(&path).key("d").expect(204).await;
}

async fn another_tenant_under_the_same_key_is_refused(server: &Server) {
    let root = server.client("*", "tenants:admin", &unique("administrator"));
    root.post("/v1/tenants", &json!({"tenant_name": unique("first")})).key("t").expect(201).await;
    let answer = root.post("/v1/tenants", &json!({"tenant_name": unique("second")})).key("t").expect(422).await;
    assert_eq!(answer.problem(), "idempotency-key-reused");
}

async fn a_purge_erases_the_answer(server: &Server) {
    let tenant = server.tenant().await;
    let body = json!({"full_name": "Ada", "user_id": "a"});
    let path = path_of(&tenant.post("/profiles", &body).key("k").expect(201).await.json());
    let patch = json!({"city_id": "LON"});
    tenant.patch(&path, &patch).key("p").expect(200).await;
    tenant.delete(&format!("{path}?purge=true")).expect(204).await;
    assert_eq!(tenant.post("/profiles", &body).key("k").expect(410).await.problem(), "answer-erased");
    assert_eq!(tenant.patch(&path, &patch).key("p").expect(410).await.problem(), "answer-erased");
    tenant.get("/users/a").expect(404).await;
}

async fn a_purge_of_the_user_erases_the_answers_about_preferences(server: &Server) {
    let tenant = server.tenant().await;
    let body = json!({"full_name": "Ada", "user_id": "a"});
    tenant.post("/profiles", &body).key("k").expect(201).await;
    tenant.put("/users/a/preferences/p", &json!("secret")).key("p").expect(201).await;
    tenant.delete("/users/a?purge=true").expect(204).await;
    tenant.post("/profiles", &body).key("k").expect(410).await;
    let answer = tenant.put("/users/a/preferences/p", &json!("secret")).key("p").expect(410).await;
    assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
}

async fn a_suspended_tenant_answers_no_repeats(server: &Server) {
    let tenant = server.tenant().await;
    let body = json!({"full_name": "Ada", "user_id": "a"});
    tenant.post("/profiles", &body).key("k").expect(201).await;
    tenant.patch(&format!("/v1/tenants/{}", tenant.name), &json!({"suspended": true})).expect(200).await;
    tenant.post("/profiles", &body).key("k").expect(403).await;
}
