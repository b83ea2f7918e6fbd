//! Rate limits: off by default; then 429 with what a client needs to wait for the right time.

use crate::support::own::OwnIssuer;
use crate::support::service::Service;
use serde_json::json;

#[tokio::test]
async fn one_client_has_no_more_than_its_share() {
    let issuer = OwnIssuer::start().await;
    let service = Service::start(&[("OAUTH_ISSUER", &issuer.url), ("RATE_LIMIT_CLIENT", "1"), ("RATE_LIMIT_CLIENT_BURST", "5")]).await;
    let one = issuer.token(json!({"sub": "one"}));
    let mut answers = Vec::new();
    for _ in 0..8 {
        answers.push(service.get("/v1/tenants/default/profiles", &one).await);
    }
    assert_eq!(answers.iter().take(5).map(|answer| answer.status).collect::<Vec<_>>(), [200; 5]);
    assert_eq!(answers[0].header("ratelimit-policy"), "\"client\";q=5;w=5");
    assert_eq!(answers[0].header("ratelimit"), "\"client\";r=4;t=1");
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!((refused.header("retry-after"), refused.header("ratelimit")), ("1", "\"client\";r=0;t=5"));
    assert_eq!(refused.body["type"], "urn:n_users:problem:rate-limited");
    assert!(refused.detail().contains("client"), "{refused:?}");
    // Another token of the same client shares it, another client does not.
    assert_eq!(service.search("default", &issuer.token(json!({"sub": "one", "jti": "2"}))).await, 429);
    assert_eq!(service.search("default", &issuer.token(json!({"sub": "two"}))).await, 200);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(service.search("default", &one).await, 200);
}

#[tokio::test]
async fn nobody_uses_up_the_share_of_a_tenant_that_is_not_theirs() {
    let issuer = OwnIssuer::start().await;
    let service = Service::start(&[("OAUTH_ISSUER", &issuer.url), ("RATE_LIMIT_TENANT", "1"), ("RATE_LIMIT_TENANT_BURST", "3")]).await;
    service.create_tenant("acme").await;
    let stranger = issuer.token(json!({"tenant": "acme"}));
    for _ in 0..10 {
        assert_eq!(service.search("default", &stranger).await, 404);
    }
    let own = issuer.token(json!({}));
    let statuses = [service.search("default", &own).await, service.search("default", &own).await, service.search("default", &own).await];
    assert_eq!(statuses, [200; 3]);
    let answer = service.get("/v1/tenants/default/profiles", &own).await;
    assert_eq!((answer.status, answer.header("ratelimit-policy")), (429, "\"tenant\";q=3;w=3"));
    assert_eq!(service.search("acme", &stranger).await, 200);
}

#[tokio::test]
async fn without_configuration_nothing_is_limited_and_nothing_said() {
    let issuer = OwnIssuer::start().await;
    let service = Service::start(&[("OAUTH_ISSUER", &issuer.url)]).await;
    let token = issuer.token(json!({}));
    for _ in 0..100 {
        let answer = service.get("/v1/tenants/default/profiles", &token).await;
        assert_eq!((answer.status, answer.header("ratelimit")), (200, ""));
    }
}
