//! PostgreSQL goes away and comes back; the node stays.

use crate::process::{Place, Service, eventually, run};
use crate::proxy::Proxy;
use crate::support::client::path_of;
use crate::support::{Backend, json};
use std::time::{Duration, Instant};

/// A place whose processes reach their database through a proxy.
async fn behind_a_proxy(open: bool) -> (Place, Proxy) {
    let place = Place::new(Backend::Postgres).await;
    let target = place.database.postgres_address();
    let proxy = if open { Proxy::open(&target).await } else { Proxy::cut_off(&target).await };
    let url = proxy.url(&place.database.url);
    (place.with("DATABASE_URL", &url), proxy)
}

async fn is_away(service: &Service) {
    let ready = service.anonymous().get("/health/ready").expect(503).await.json();
    assert_eq!((&ready["status"], &ready["dependencies"]["database"]), (&json!("not_ready"), &json!("down")));
    service.anonymous().get("/health/live").expect(200).await;
}

async fn is_back(service: &Service) {
    let asked = service.anonymous();
    eventually("the node is ready again", async || (asked.get("/health/ready").send().await.status == 200).then_some(())).await;
}

#[test]
fn while_it_is_away_requests_say_so_and_afterwards_all_is_well() {
    run(async {
        let (place, mut proxy) = behind_a_proxy(true).await;
        let service = place.start();
        let client = service.client();
        let profile = client.profile(json!({"user_id": "u", "full_name": "Ada"})).await;
        let path = path_of(&profile);
        for round in 0..3 {
            proxy.cut().await;
            let started = Instant::now();
            let calls = [
                client.get(&path),
                client.get("/profiles?query=ada"),
                client.get("/users/u"),
                client.patch(&path, &json!({"city_id": "LON"})),
                client.post("/profiles", &json!({"full_name": "Lost", "user_id": format!("lost-{round}")})),
                client.get("/v1/tenants"),
                client.put("/users/u/preferences/p", &json!(1)),
            ];
            for call in calls {
                let answer = call.expect(503).await;
                assert_eq!(answer.problem(), "unavailable", "{answer:?}");
                assert!(!String::from_utf8_lossy(&answer.body).contains("refused"), "internals stay inside: {answer:?}");
            }
            is_away(&service).await;
            assert!(started.elapsed() < Duration::from_secs(10), "a database that refuses is known to be away at once");
            proxy.restore().await;
            is_back(&service).await;
            assert_eq!(client.get(&path).expect(200).await.json(), profile);
            client.get(&format!("/users/lost-{round}")).expect(404).await;
            client.post("/profiles", &json!({"full_name": "Back", "user_id": format!("back-{round}")})).expect(201).await;
        }
    });
}

#[test]
fn a_database_that_falls_silent_holds_nobody_up() {
    run(async {
        let (place, proxy) = behind_a_proxy(true).await;
        let place = place.with("REQUEST_DEADLINE_MS", "1500").with("STATEMENT_TIMEOUT_MS", "1000");
        let service = place.start();
        let client = service.client();
        let path = path_of(&client.profile(json!({"user_id": "u"})).await);
        proxy.fall_silent();
        let started = Instant::now();
        let (read, written, ready) = futures::future::join3(
            client.get(&path).send(),
            client.patch(&path, &json!({"city_id": "LON"})).send(),
            service.anonymous().get("/health/ready").send(),
        )
        .await;
        assert_eq!((read.status, written.status, ready.status), (503, 503, 503));
        assert!(started.elapsed() < Duration::from_secs(5), "it took {:?}", started.elapsed());
        service.anonymous().get("/health/live").expect(200).await;
        proxy.speak();
        is_back(&service).await;
        client.get(&path).expect(200).await;
        client.patch(&path, &json!({"city_id": "PAR"})).expect(200).await;
    });
}

#[test]
fn it_starts_while_its_database_is_away() {
    run(async {
        let (place, mut proxy) = behind_a_proxy(false).await;
        let mut service = place.launch();
        let asked = service.anonymous();
        eventually("the node answers", async || asked.get("/health/live").try_send().await.ok()).await;
        is_away(&service).await;
        let answer = service.client().get("/profiles").expect(503).await;
        assert_eq!(answer.problem(), "unavailable");
        asked.get("/openapi.json").expect(200).await;
        assert!(service.banner().is_empty(), "it does not say that it is ready: {:?}", service.banner());
        proxy.restore().await;
        service.wait_until_ready();
        is_back(&service).await;
        service.client().profile(json!({"user_id": "u"})).await;
    });
}

#[test]
fn it_stops_while_its_database_is_away() {
    run(async {
        let (place, mut proxy) = behind_a_proxy(false).await;
        let place = place.with("DRAIN_MS", "100");
        let mut waiting = place.launch();
        waiting.address();
        waiting.signal("TERM");
        assert_eq!(waiting.wait_for_exit(Duration::from_secs(5)).code(), Some(0));
        proxy.restore().await;
        let mut running = place.start();
        proxy.cut().await;
        running.client().get("/profiles").expect(503).await;
        running.signal("TERM");
        assert_eq!(running.wait_for_exit(Duration::from_secs(8)).code(), Some(0));
    });
}
