//! Opaque tokens (RFC 7662): the issuer is asked once, remembered shortly, and believed only within bounds.

use crate::collector::Collector;
use crate::support::keys::now;
use crate::support::own::OwnIssuer;
use crate::support::real::RealIssuer;
use crate::support::service::Service;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn an_opaque_token_of_a_certified_server_is_good_until_it_is_revoked() {
    let issuer = RealIssuer::start().await;
    let service = Service::start(&[
        ("OAUTH_ISSUER", &issuer.url),
        ("OAUTH_INTROSPECTION_CLIENT_ID", "all"),
        ("OAUTH_INTROSPECTION_CLIENT_SECRET", "all secret"),
        ("OAUTH_INTROSPECTION_CACHE_S", "1"),
    ])
    .await;
    service.create_tenant("acme").await;
    let token = issuer.token("acme", "urn:opaque", "profiles:read profiles:write").await;
    let id = service.create_profile("acme", &token, "ada").await;
    let read = service.get(&format!("/v1/tenants/acme/profiles/{id}"), &token).await;
    assert_eq!((read.status, &read.body["created_by"]), (200, &json!("acme")));
    assert_eq!(service.search("default", &token).await, 404);
    let jwt = issuer.token("acme", "urn:jwt", "profiles:read").await;
    assert_eq!(service.search("acme", &jwt).await, 200);
    issuer.revoke("acme", &token).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let answer = service.get("/v1/tenants/acme/profiles", &token).await;
    assert_eq!(answer.status, 401);
    assert!(answer.detail().contains("not active"), "{answer:?}");
    assert_eq!(service.search("acme", "made-up-token").await, 401);
}

async fn asking(issuer: &OwnIssuer, seconds: &str) -> Service {
    Service::start(&[
        ("OAUTH_ISSUER", &issuer.url),
        ("OAUTH_INTROSPECTION_CLIENT_ID", "asker"),
        ("OAUTH_INTROSPECTION_CLIENT_SECRET", "se cret/"),
        ("OAUTH_INTROSPECTION_CACHE_S", seconds),
    ])
    .await
}

fn active(issuer: &OwnIssuer) -> Value {
    let mut answer = issuer.claims();
    answer["active"] = json!(true);
    answer
}

#[tokio::test]
async fn a_hundred_requests_with_one_token_are_one_question() {
    let issuer = OwnIssuer::start().await;
    issuer.knows("opaque", active(&issuer));
    let service = asking(&issuer, "30").await;
    let asked = |token: &'static str| futures::future::join_all((0..100).map(|_| service.search("default", token)));
    assert!(asked("opaque").await.iter().all(|status| *status == 200));
    assert_eq!(issuer.introspections(), 1);
    assert!(asked("unknown").await.iter().all(|status| *status == 401));
    assert_eq!(issuer.introspections(), 2);
}

#[tokio::test]
async fn an_answer_is_never_good_past_the_tokens_end() {
    let issuer = OwnIssuer::start().await;
    let service = asking(&issuer, "30").await;
    let mut answer = active(&issuer);
    answer["exp"] = json!(now() + 2);
    issuer.knows("short", answer);
    assert_eq!(service.search("default", "short").await, 200);
    tokio::time::sleep(Duration::from_secs(3)).await;
    issuer.knows("short", json!({"active": false}));
    assert_eq!(service.search("default", "short").await, 401);
}

#[tokio::test]
async fn an_answer_is_believed_within_bounds_only() {
    let issuer = OwnIssuer::start().await;
    let service = asking(&issuer, "30").await;
    let cases = [
        ("t1", json!({"active": "true"}), "not active"),
        ("t2", json!({"active": null}), "not active"),
        ("t3", json!({"iss": "http://127.0.0.1:1"}), "another issuer"),
        ("t4", json!({"aud": "other"}), "another audience"),
        ("t5", json!({"aud": null}), "another audience"),
        ("t6", json!({"exp": now() - 60}), "expired"),
        ("t7", json!({"nbf": now() + 60}), "not valid yet"),
        ("t8", json!({"tenant": null}), "tenant claim"),
        ("t9", json!({"sub": 7}), "subject"),
    ];
    for (token, changes, expected) in cases {
        issuer.knows(token, crate::support::keys::with(&active(&issuer), changes));
        let answer = service.get("/v1/tenants/default/profiles", token).await;
        assert_eq!(answer.status, 401, "{token}: {answer:?}");
        assert!(answer.detail().contains(expected), "{token}: {answer:?}");
    }
}

#[tokio::test]
async fn an_issuer_that_cannot_be_asked_is_503_and_not_401() {
    let issuer = OwnIssuer::start().await;
    let service = Service::start(&[
        ("OAUTH_ISSUER", &issuer.url),
        ("OAUTH_INTROSPECTION_CLIENT_ID", "asker"),
        ("OAUTH_INTROSPECTION_CLIENT_SECRET", "wrong"),
    ])
    .await;
    let answer = service.get("/v1/tenants/default/profiles", "opaque").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{answer:?}");
    assert!(!answer.body.to_string().contains(&issuer.url), "{answer:?}");
}

#[tokio::test]
async fn the_question_is_in_the_trace_and_the_token_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(folder.path()).await;
    let issuer = OwnIssuer::start().await;
    issuer.knows("very-secret", active(&issuer));
    let service = Service::start(&[
        ("OAUTH_ISSUER", &issuer.url),
        ("OAUTH_INTROSPECTION_CLIENT_ID", "asker"),
        ("OAUTH_INTROSPECTION_CLIENT_SECRET", "se cret/"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ])
    .await;
    assert_eq!(service.search("default", "very-secret").await, 200);
    let route = "GET /v1/tenants/{tenant_name}/profiles";
    let spans = collector.spans_with(1, route).await;
    let request = spans.iter().find(|span| span.name == route).unwrap();
    let asked = spans.iter().find(|span| span.name == "POST").unwrap_or_else(|| panic!("the question is missing: {spans:#?}"));
    assert_eq!((&asked.parent_id, asked.kind.as_str()), (&request.id, "SPAN_KIND_CLIENT"));
    assert_eq!((asked.attribute("server.address"), asked.attribute("http.response.status_code")), ("127.0.0.1", "200"));
    let log = collector.log();
    assert!(!log.contains("secret") && !log.contains("se cret"), "{log}");
}
