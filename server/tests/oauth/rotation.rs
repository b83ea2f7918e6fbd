//! Keys come and go: no request fails, and a withdrawn key ends its tokens.

use crate::support::eventually;
use crate::support::keys::TestKey;
use crate::support::own::OwnIssuer;
use crate::support::real::RealIssuer;
use crate::support::service::Service;
use jsonwebtoken::Algorithm;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_under_load_fails_no_request() {
    let mut issuer = RealIssuer::start().await;
    let service = Arc::new(Service::start(&[("OAUTH_ISSUER", &issuer.url)]).await);
    let first = issuer.token("all", "urn:jwt", "profiles:read").await;
    let current = Arc::new(tokio::sync::watch::Sender::new(first.clone()));
    let (stopping, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load = |tokens: tokio::sync::watch::Receiver<String>| {
        let (service, stopping, served) = (service.clone(), stopping.clone(), served.clone());
        tokio::spawn(async move {
            let mut failed = Vec::new();
            while !stopping.load(Ordering::Relaxed) {
                let token = tokens.borrow().clone();
                match service.search("default", &token).await {
                    200 => served.fetch_add(1, Ordering::Relaxed),
                    status => {
                        failed.push(status);
                        0
                    }
                };
            }
            failed
        })
    };
    let tasks: Vec<_> = (0..16).map(|_| load(current.subscribe())).collect();
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        issuer.rotate().await;
        // Signed with a key that the service has not seen, and used by all at once.
        current.send_replace(issuer.token("all", "urn:jwt", "profiles:read").await);
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    stopping.store(true, Ordering::Relaxed);
    for task in tasks {
        assert_eq!(task.await.unwrap(), [0_u16; 0]);
    }
    assert!(served.load(Ordering::Relaxed) > 500, "{served:?}");
    assert_eq!(service.search("default", &first).await, 200, "the first key is still published");
}

#[tokio::test]
async fn a_withdrawn_key_ends_its_tokens_though_they_were_remembered() {
    let issuer = OwnIssuer::start().await;
    let new = TestKey::new("new", Algorithm::ES256);
    let service = Service::start(&[("OAUTH_ISSUER", &issuer.url), ("OAUTH_KEYS_REFRESH_S", "1")]).await;
    let token = issuer.token(json!({}));
    assert_eq!(service.search("default", &token).await, 200);
    issuer.publish_only(&[new.jwk(Some("ES256"))]);
    eventually("the old key is gone", Duration::from_secs(10), async || service.search("default", &token).await == 401).await;
    assert_eq!(service.search("default", &new.token(&new.header(), &issuer.claims())).await, 200);
}

#[tokio::test]
async fn forged_key_ids_do_not_make_the_service_flood_its_issuer() {
    let issuer = OwnIssuer::start().await;
    let service = Service::start(&[("OAUTH_ISSUER", &issuer.url)]).await;
    assert_eq!(service.search("default", &issuer.token(json!({}))).await, 200);
    let forger = TestKey::new("forged", Algorithm::EdDSA);
    let before = issuer.key_fetches();
    let started = tokio::time::Instant::now();
    while started.elapsed() < Duration::from_secs(5) {
        let forged = forger.token(&forger.header(), &issuer.claims());
        assert!([401, 503].contains(&service.search("default", &forged).await));
        assert_eq!(service.search("default", &issuer.token(json!({"jti": "x"}))).await, 200);
    }
    let fetched = issuer.key_fetches() - before;
    assert!(fetched <= 4, "{fetched} fetches in 5 s");
}
