//! There is never a duplicate, and the loser is told which field.

use crate::harness::{Server, cases};
use crate::support::client::path_of;
use crate::support::{Value, json};

cases! {
    an_address_belongs_to_one_user,
    a_number_belongs_to_one_user,
    profiles_of_one_user_may_share_both,
    a_user_has_one_profile_of_a_type,
    addresses_are_compared_without_case_and_by_the_domain_in_idna,
    two_tenants_do_not_meet,
    a_patch_cannot_take_what_somebody_has,
    what_nobody_could_tell_from_its_repeat_is_refused,
    of_many_at_once_one_wins,
}

async fn refused(answer: crate::support::Answer, field: &str) {
    assert_eq!(answer.problem(), "duplicate", "{answer:?}");
    assert_eq!(answer.fault_places(), [format!("/{field}")], "{answer:?}");
}

fn person(fields: &Value) -> Value {
    let mut body = json!({"full_name": "Somebody"});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

async fn an_address_belongs_to_one_user(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"user_id": "one", "email_id": "a@example.com"})).await;
    refused(tenant.post("/profiles", &person(&json!({"user_id": "two", "email_id": "a@example.com"}))).expect(409).await, "email_id").await;
    refused(tenant.post("/profiles", &person(&json!({"email_id": "a@example.com"}))).expect(409).await, "email_id").await;
    tenant.get("/users/two").expect(404).await;
    assert_eq!(tenant.names("").await.len(), 1);
}

async fn a_number_belongs_to_one_user(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"user_id": "one", "mobile": "+91 98765 43210"})).await;
    let same = person(&json!({"user_id": "two", "mobile": "098765-43210", "country_id": "IN"}));
    refused(tenant.post("/profiles", &same).expect(409).await, "mobile").await;
}

async fn profiles_of_one_user_may_share_both(server: &Server) {
    let tenant = server.tenant().await;
    let shared = json!({"user_id": "one", "email_id": "a@example.com", "mobile": "+14155550100"});
    let work = tenant
        .profile({
            let mut p = shared.clone();
            p["profile_type"] = json!("work");
            p
        })
        .await;
    tenant.profile(shared).await;
    // One of the two gone, the other still holds them.
    tenant.delete(&path_of(&work)).expect(204).await;
    let other = person(&json!({"user_id": "two", "email_id": "a@example.com"}));
    refused(tenant.post("/profiles", &other).expect(409).await, "email_id").await;
}

async fn a_user_has_one_profile_of_a_type(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"user_id": "one", "profile_type": "work"})).await;
    let again = person(&json!({"user_id": "one", "profile_type": "work", "email_id": "b@example.com"}));
    refused(tenant.post("/profiles", &again).expect(409).await, "user_id").await;
    tenant.profile(json!({"user_id": "one"})).await;
    refused(tenant.post("/profiles", &person(&json!({"user_id": "one"}))).expect(409).await, "user_id").await;
    // User ids are compared exactly.
    tenant.profile(json!({"user_id": "ONE"})).await;
}

async fn addresses_are_compared_without_case_and_by_the_domain_in_idna(server: &Server) {
    let tenant = server.tenant().await;
    let first = tenant.profile(json!({"email_id": "Jo.Smith@Bücher.Example"})).await;
    assert_eq!(first["email_id"], "Jo.Smith@Bücher.Example", "shown as given");
    for same in ["jo.smith@bücher.example", "JO.SMITH@BÜCHER.EXAMPLE", "jo.smith@xn--bcher-kva.example"] {
        refused(tenant.post("/profiles", &person(&json!({"email_id": same}))).expect(409).await, "email_id").await;
    }
    tenant.profile(json!({"email_id": "josmith@bücher.example"})).await;
}

async fn two_tenants_do_not_meet(server: &Server) {
    let (one, two) = (server.tenant().await, server.tenant().await);
    let same = json!({"user_id": "u", "email_id": "a@example.com", "mobile": "+14155550100"});
    let (first, second) = (one.profile(same.clone()).await, two.profile(same).await);
    one.delete(&path_of(&first)).expect(204).await;
    two.get(&path_of(&second)).expect(200).await;
    two.get(&path_of(&first)).expect(404).await;
}

async fn a_patch_cannot_take_what_somebody_has(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"user_id": "one", "email_id": "a@example.com", "mobile": "+14155550100"})).await;
    let other = tenant.profile(json!({"user_id": "two", "city_id": "LON"})).await;
    let path = path_of(&other);
    refused(tenant.patch(&path, &json!({"email_id": "A@example.com", "city_id": "PAR"})).expect(409).await, "email_id").await;
    refused(tenant.patch(&path, &json!({"mobile": "+14155550100"})).expect(409).await, "mobile").await;
    refused(tenant.patch(&path, &json!({"user_id": "one"})).expect(409).await, "user_id").await;
    assert_eq!(tenant.get(&path).expect(200).await.json(), other);
    // As that user's own second profile it may.
    let moved = json!({"user_id": "one", "profile_type": "work", "email_id": "a@example.com"});
    tenant.patch(&path, &moved).expect(200).await;
}

async fn what_nobody_could_tell_from_its_repeat_is_refused(server: &Server) {
    let tenant = server.tenant().await;
    tenant.post("/profiles", &json!({"full_name": "Ada"})).expect_faults(&[""]).await;
    tenant.post("/profiles", &json!({})).expect_faults(&["", "/full_name"]).await;
}

async fn of_many_at_once_one_wins(server: &Server) {
    let tenant = server.tenant().await;
    let bodies: Vec<_> = (0..24).map(|n| json!({"full_name": format!("Racer {n}"), "email_id": "race@example.com"})).collect();
    let answers = futures::future::join_all(bodies.iter().map(|body| tenant.post("/profiles", body).send())).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 23, "{statuses:?}");
    assert_eq!(tenant.names("include_deleted=true").await.len(), 1);
}
