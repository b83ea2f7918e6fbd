//! An issuer that is away: at start, later, and for too long.

use crate::support::eventually;
use crate::support::keys::TestKey;
use crate::support::real::RealIssuer;
use crate::support::service::Service;
use jsonwebtoken::Algorithm;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn an_issuer_that_is_down_at_start_delays_readiness_and_nothing_else() {
    let mut issuer = RealIssuer::down();
    let service = Service::start(&[("OAUTH_ISSUER", &issuer.url)]).await;
    assert_eq!(service.readiness().await, (503, json!("down")));
    let key = TestKey::new("k", Algorithm::EdDSA);
    let some_token = key.token(&key.header(), &json!({"iss": issuer.url}));
    let answer = service.get("/v1/tenants/default/profiles", &some_token).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{answer:?}");
    assert_eq!(answer.body["type"], "urn:n_users:problem:unavailable");
    issuer.come_up().await;
    eventually("ready", Duration::from_secs(10), async || service.readiness().await == (200, json!("up"))).await;
    let token = issuer.token("all", "urn:jwt", "profiles:read").await;
    assert_eq!(service.search("default", &token).await, 200);
}

#[tokio::test]
async fn an_issuer_that_stops_changes_nothing_for_known_keys() {
    let mut issuer = RealIssuer::start().await;
    let service = Service::start(&[("OAUTH_ISSUER", &issuer.url), ("OAUTH_KEYS_REFRESH_S", "1")]).await;
    let used = issuer.token("all", "urn:jwt", "profiles:read").await;
    let unused = issuer.token("all", "urn:jwt:ES256", "profiles:read").await;
    assert_eq!(service.search("default", &used).await, 200);
    issuer.stop().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(service.search("default", &used).await, 200);
    assert_eq!(service.search("default", &unused).await, 200, "its key is known, it was never seen");
    assert_eq!(service.readiness().await, (200, json!("up")));
    let key = TestKey::new("unknown", Algorithm::EdDSA);
    let unknown = key.token(&key.header(), &json!({"iss": issuer.url}));
    let answer = service.get("/v1/tenants/default/profiles", &unknown).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "nobody can say whether that key exists: {answer:?}");
    // It comes back with keys that nobody has seen.
    issuer.come_up().await;
    let token = issuer.token("all", "urn:jwt", "profiles:read").await;
    eventually("the new keys", Duration::from_secs(5), async || service.search("default", &token).await == 200).await;
}

#[tokio::test]
async fn keys_of_an_issuer_that_stays_away_are_trusted_for_a_bounded_time() {
    let mut issuer = RealIssuer::start().await;
    let service = Service::start(&[("OAUTH_ISSUER", &issuer.url), ("OAUTH_KEYS_MAX_AGE_S", "3")]).await;
    let token = issuer.token("all", "urn:jwt", "profiles:read").await;
    assert_eq!(service.search("default", &token).await, 200);
    issuer.stop().await;
    eventually("too old", Duration::from_secs(10), async || service.readiness().await == (503, json!("down"))).await;
    assert_eq!(service.search("default", &token).await, 503);
}
