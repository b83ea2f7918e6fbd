//! Paths that lead nowhere, methods that a path does not know, and ids of requests.

use crate::harness::{Server, cases};
use crate::support::client::path_of;
use crate::support::json;
use reqwest::Method;

cases! {
    a_tenant_that_cannot_exist_is_as_unknown_as_one_that_does_not,
    users_and_preferences_that_cannot_exist_are_unknown,
    a_path_that_leads_nowhere_is_a_problem_too,
    a_method_that_a_path_does_not_know_is_answered_with_those_it_does,
    the_id_of_a_request_comes_back,
    an_id_that_would_not_be_harmless_in_a_log_is_replaced,
}

async fn a_tenant_that_cannot_exist_is_as_unknown_as_one_that_does_not(server: &Server) {
    let root = server.root();
    let long = "t".repeat(64);
    for name in ["nobody", "ACME", "a_b", "a%20b", "%00", "%FF", "a%2Fb", "%E4%BC%81", ".%2E", long.as_str()] {
        let base = format!("/v1/tenants/{name}");
        let calls = [
            root.get(&base),
            root.patch(&base, &json!({"suspended": true})),
            root.delete(&base),
            root.get(&format!("{base}/profiles")),
            root.post(&format!("{base}/profiles"), &json!({"full_name": "A", "user_id": "u"})),
            root.post(&format!("{base}/profiles/search"), &json!({})),
            root.get(&format!("{base}/profiles/00000000-0000-7000-8000-000000000000")),
            root.get(&format!("{base}/users/u")),
            root.delete(&format!("{base}/users/u")),
            root.get(&format!("{base}/users/u/preferences")),
            root.put(&format!("{base}/users/u/preferences/p"), &json!(1)),
        ];
        for call in calls {
            let answer = call.expect(404).await;
            assert_eq!(answer.problem(), "not-found");
        }
    }
}

async fn users_and_preferences_that_cannot_exist_are_unknown(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"user_id": "u"})).await;
    let long = "u".repeat(129);
    for name in ["nobody", "%00", "a%0Ab", "%FF", "%20", &long] {
        tenant.get(&format!("/users/{name}")).expect(404).await;
        tenant.delete(&format!("/users/{name}")).expect(404).await;
        tenant.get(&format!("/users/{name}/preferences")).expect(404).await;
        tenant.put(&format!("/users/{name}/preferences/p"), &json!(1)).expect(404).await;
        tenant.get(&format!("/users/u/preferences/{name}")).expect(404).await;
    }
    for key in ["%00", "a%0Ab", "%FF", "%20", &long] {
        tenant.put(&format!("/users/u/preferences/{key}"), &json!(1)).expect(404).await;
    }
}

async fn a_path_that_leads_nowhere_is_a_problem_too(server: &Server) {
    let paths = [
        "/",
        "/v1",
        "/v1/",
        "/v2/tenants",
        "/v1/tenants/",
        "/v1/tenants/default/nothing",
        "/docs/nothing.js",
        "/docs/%FF",
        "/docs/..%2F..%2Fetc%2Fpasswd",
        "/metrics",
        "/health",
        "/%00",
        "/%FF",
        "/v1/tenants/default/profiles/",
        "//v1/tenants",
    ];
    for path in paths {
        let answer = server.anonymous().get(path).expect(404).await;
        assert_eq!(answer.problem(), "not-found", "{answer:?}");
    }
}

async fn a_method_that_a_path_does_not_know_is_answered_with_those_it_does(server: &Server) {
    let tenant = server.tenant().await;
    let profile = path_of(&tenant.profile(json!({})).await);
    let rows = [
        (Method::PUT, "/profiles".to_owned(), &["GET", "POST"][..]),
        (Method::POST, profile.clone(), &["GET", "PATCH", "DELETE"]),
        (Method::GET, format!("{profile}/restore"), &["POST"]),
        (Method::POST, "/v1/tenants/default/users/u".to_owned(), &["GET", "DELETE"]),
        (Method::PATCH, "/v1/tenants".to_owned(), &["GET", "POST"]),
        (Method::POST, "/health/live".to_owned(), &["GET"]),
        (Method::DELETE, "/openapi.json".to_owned(), &["GET"]),
        (Method::from_bytes(b"BREW").unwrap(), "/docs".to_owned(), &["GET"]),
    ];
    for (method, path, known) in rows {
        // What is not below the tenant stands for itself.
        let client = if path.starts_with("/health") || path.starts_with("/openapi") || path.starts_with("/docs") {
            server.anonymous()
        } else {
            &*tenant
        };
        let answer = client.call(method, &path).expect(405).await;
        assert_eq!(answer.problem(), "method-not-allowed");
        let mut allowed: Vec<_> = answer.header("allow").split(',').map(str::trim).filter(|name| *name != "HEAD").collect();
        allowed.sort_unstable();
        let mut known = known.to_vec();
        known.sort_unstable();
        assert_eq!(allowed, known, "{answer:?}");
    }
}

async fn the_id_of_a_request_comes_back(server: &Server) {
    let tenant = server.tenant().await;
    let given = "trace-7_A.b";
    assert_eq!(tenant.get("/profiles").header("X-Request-Id", given).expect(200).await.header("x-request-id"), given);
    let problem = tenant.get("/users/nobody").header("X-Request-Id", given).expect(404).await;
    assert_eq!(problem.json()["request_id"], given);
    let made = [tenant.get("/profiles").send().await, tenant.get("/profiles").send().await];
    assert_ne!(made[0].header("x-request-id"), made[1].header("x-request-id"));
}

async fn an_id_that_would_not_be_harmless_in_a_log_is_replaced(server: &Server) {
    for bad in ["", "a b", "a\"b", "<script>", "ümläut", &"x".repeat(129), "{\"a\":1}"] {
        let answer = server.anonymous().get("/health/live").header("X-Request-Id", bad).expect(200).await;
        let made = answer.header("x-request-id");
        assert_ne!(made, bad);
        assert!(made.len() == 32 && made.bytes().all(|b| b.is_ascii_hexdigit()), "{made}");
    }
    let longest = "x".repeat(128);
    let answer = server.anonymous().get("/health/live").header("X-Request-Id", &longest).expect(200).await;
    assert_eq!(answer.header("x-request-id"), longest);
}
