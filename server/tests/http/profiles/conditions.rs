//! Writes under a condition: `If-Match`, and `?filter=`, judged in the same step as the write.

use crate::harness::{Server, cases};
use crate::support::client::path_of;
use crate::support::{encoded, json};

cases! {
    a_stale_version_is_refused_and_nothing_changes,
    a_list_and_a_star_are_conditions_too,
    what_is_no_etag_is_a_fault_of_the_header,
    a_delete_and_a_restore_can_be_conditional,
    a_patch_happens_only_if_the_filter_holds,
    a_filter_sees_every_field,
    a_filter_that_cannot_be_read_says_where,
    filter_and_version_must_both_hold,
    the_condition_is_judged_before_the_patch,
    of_many_with_the_same_version_one_wins,
}

async fn a_stale_version_is_refused_and_nothing_changes(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    tenant.patch(&path, &json!({"city_id": "LON"})).header("If-Match", "\"1\"").expect(200).await;
    let answer = tenant.patch(&path, &json!({"city_id": "BLR"})).header("If-Match", "\"1\"").expect(412).await;
    assert_eq!(answer.problem(), "precondition-failed");
    assert!(answer.json()["detail"].as_str().unwrap().contains("version 2"));
    let now = tenant.get(&path).expect(200).await.json();
    assert_eq!((&now["city_id"], &now["version"]), (&json!("LON"), &json!(2)));
}

async fn a_list_and_a_star_are_conditions_too(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    tenant.patch(&path, &json!({"city_id": "A"})).header("If-Match", "\"9\", \"1\"").expect(200).await;
    tenant.patch(&path, &json!({"city_id": "B"})).header("If-Match", "*").expect(200).await;
    // RFC 9110 §13.1.1 compares strongly, and what is no version of ours never matches.
    for never in ["\"9\", \"8\"", "W/\"3\"", "\"abc\"", "\"\""] {
        tenant.patch(&path, &json!({"city_id": "C"})).header("If-Match", never).expect(412).await;
    }
    tenant.patch("/profiles/00000000-0000-7000-8000-000000000000", &json!({})).header("If-Match", "*").expect(404).await;
}

async fn what_is_no_etag_is_a_fault_of_the_header(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    for wrong in ["1", "\"1", "one"] {
        tenant.patch(&path, &json!({"city_id": "A"})).header("If-Match", wrong).expect_faults(&["if-match"]).await;
    }
    assert_eq!(tenant.get(&path).expect(200).await.json()["version"], 1);
}

async fn a_delete_and_a_restore_can_be_conditional(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    tenant.delete(&path).header("If-Match", "\"2\"").expect(412).await;
    tenant.delete(&path).header("If-Match", "\"1\"").expect(204).await;
    let restore = format!("{path}/restore");
    let post = |tag: &str| tenant.call(reqwest::Method::POST, &restore).header("If-Match", tag);
    post("\"1\"").expect(412).await;
    post("\"2\"").expect(200).await;
    tenant.delete(&format!("{path}?purge=true")).header("If-Match", "\"1\"").expect(412).await;
    tenant.get(&path).expect(200).await;
    tenant.delete(&format!("{path}?purge=true")).header("If-Match", "\"3\"").expect(204).await;
}

async fn a_patch_happens_only_if_the_filter_holds(server: &Server) {
    let tenant = server.tenant().await;
    let old = tenant.profile(json!({"city_id": "BLR"})).await;
    let path = path_of(&old);
    let under = |filter: &str| format!("{path}?filter={}", encoded(filter));
    let answer = tenant.patch(&under("city_id eq \"LON\""), &json!({"city_id": "PAR"})).expect(412).await;
    assert_eq!(answer.problem(), "precondition-failed");
    assert_eq!(tenant.get(&path).expect(200).await.json(), old);
    let new = tenant.patch(&under("city_id eq \"BLR\""), &json!({"city_id": "PAR"})).expect(200).await.json();
    assert_eq!(new["city_id"], "PAR");
}

async fn a_filter_sees_every_field(server: &Server) {
    let tenant = server.tenant().await;
    let profile = tenant
        .profile(json!({"user_id": "u1", "full_name": "José Núñez", "email_id": "Jose@Example.com", "mobile": "+14155550100",
            "birth_date": "1990-12-10", "latitude": 10.5, "longitude": -20, "attributes": {"plan": "pro", "seats": 3, "on": true}}))
        .await;
    let path = path_of(&profile);
    let holding = [
        "full_name eq \"jose nunez\"",
        "email_id eq \"JOSE@example.COM\"",
        "mobile sw \"+1415\"",
        "birth_date gt \"1990-12-09\" and birth_date le \"1990-12-10\"",
        "latitude ge 10.5 and longitude lt 0",
        "attributes.plan eq \"pro\" and attributes.seats gt 2 and attributes.on eq true",
        "gender eq null and not (city_id pr) and user_id ne \"u2\"",
        "active eq true and version ge 1 and created_at gt \"2020-01-01T00:00:00Z\"",
        "(user_id co \"1\" or user_id ew \"x\") and created_by eq \"tester\"",
    ];
    let failing = ["full_name eq \"jose\"", "attributes.seats eq \"3\"", "latitude gt 10.5", "attributes.none pr", "gender ne null"];
    for (filters, status) in [(&holding[..], 200), (&failing[..], 412)] {
        for filter in filters {
            tenant.patch(&format!("{path}?filter={}", encoded(filter)), &json!({})).expect(status).await;
        }
    }
    // The same language, the same verdict, when the database is the judge.
    for (filters, found) in [(&holding[..], 1), (&failing[..], 0)] {
        for filter in filters {
            let page = tenant.get(&format!("/profiles?filter={}", encoded(filter))).expect(200).await.json();
            assert_eq!(page["total"]["value"], found, "{filter}");
        }
    }
}

async fn a_filter_that_cannot_be_read_says_where(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    for filter in ["", "city_id", "city_id eq", "city_id eq LON", "town eq \"LON\"", "active eq \"yes\"", "(city_id pr", "city_id pr)"] {
        let answer = tenant.patch(&format!("{path}?filter={}", encoded(filter)), &json!({})).expect_faults(&["filter"]).await;
        assert!(answer.json()["errors"][0]["detail"].as_str().unwrap().contains("at character"), "{answer:?}");
    }
}

async fn filter_and_version_must_both_hold(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({"city_id": "BLR"})).await);
    let patch = |filter: &str, tag: &str| {
        tenant.patch(&format!("{path}?filter={}", encoded(filter)), &json!({"city_id": "PAR"})).header("If-Match", tag)
    };
    patch("city_id eq \"BLR\"", "\"2\"").expect(412).await;
    patch("city_id eq \"LON\"", "\"1\"").expect(412).await;
    patch("city_id eq \"BLR\"", "\"1\"").expect(200).await;
}

async fn the_condition_is_judged_before_the_patch(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    // Even a patch that would change nothing must not say that all is well.
    tenant.patch(&path, &json!({})).header("If-Match", "\"7\"").expect(412).await;
}

async fn of_many_with_the_same_version_one_wins(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    let bodies: Vec<_> = (0..12).map(|n| json!({"city_id": n.to_string()})).collect();
    let attempts = bodies.iter().map(|body| tenant.patch(&path, body).header("If-Match", "\"1\"").send());
    let answers = futures::future::join_all(attempts).await;
    let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(won.len(), 1);
    assert!(answers.iter().all(|answer| [200, 412].contains(&answer.status)), "{answers:?}");
    assert_eq!(tenant.get(&path).expect(200).await.json(), won[0].json());
}
