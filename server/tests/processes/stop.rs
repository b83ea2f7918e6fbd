//! The end of a node: told to stop, it says so, finishes what it has begun, and goes.

use crate::process::{Place, cases};
use crate::support::token::{ALL_SCOPES, claims, sign};
use crate::support::{Backend, Client, json, raw};
use reqwest::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

cases! {
    stopped_under_load_no_request_fails,
    a_person_at_the_terminal_does_not_wait,
    idle_connections_do_not_hold_it_up,
    what_never_finishes_is_cut_off_in_time,
    a_second_signal_cuts_it_short,
}

/// A create whose body stays half sent.
async fn half_sent(address: &str, token: &str) -> (TcpStream, &'static [u8]) {
    let (first, rest) = (&b"{\"user_id\":\"slow\","[..], &b"\"full_name\":\"Slow\"}"[..]);
    let head = format!(
        "POST /v1/tenants/default/profiles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        first.len() + rest.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[head.as_bytes(), first].concat()).await.unwrap();
    // Until the service has it in hand.
    tokio::time::sleep(Duration::from_millis(200)).await;
    (stream, rest)
}

/// Creates until told to stop, on one connection or on a new one each time; how many were acknowledged.
async fn create_until(told: Arc<AtomicBool>, client: Client, base: String, worker: usize, acknowledged: Arc<AtomicUsize>) {
    let mut number = 0;
    while !told.load(Ordering::Relaxed) {
        let body = json!({"full_name": "Loaded", "user_id": format!("w{worker}-{number}")});
        let client =
            if worker.is_multiple_of(2) { client.clone() } else { Client::new(&base).with_token(client.token()).in_tenant("default") };
        let answer = client.post("/profiles", &body).try_send().await.unwrap_or_else(|e| panic!("a request failed: {e:?}"));
        assert_eq!(answer.status, 201, "{answer:?}");
        acknowledged.fetch_add(1, Ordering::Relaxed);
        number += 1;
    }
}

async fn stopped_under_load_no_request_fails(backend: Backend) {
    let place = Place::new(backend).await.with("DRAIN_MS", "2500").with("SHUTDOWN_TIMEOUT_MS", "8000");
    let mut service = place.start();
    let (address, base) = (service.address(), format!("http://{}", service.address()));
    let (told, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let workers: Vec<_> = (0..6)
        .map(|worker| tokio::spawn(create_until(told.clone(), service.client(), base.clone(), worker, acknowledged.clone())))
        .collect();
    let (mut slow, rest) = half_sent(&address, service.client().token()).await;
    let asked = service.anonymous();
    asked.get("/health/ready").expect(200).await;
    let before = acknowledged.load(Ordering::Relaxed);
    service.signal("TERM");
    let started = Instant::now();
    // A balancer asks now and then, and turns away only after it was told.
    let draining = crate::process::eventually("readiness says that the node drains", async || {
        let answer = asked.get("/health/ready").send().await;
        (answer.status == 503).then(|| answer.json())
    })
    .await;
    assert_eq!(draining["status"], "draining");
    asked.get("/health/live").expect(200).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(acknowledged.load(Ordering::Relaxed) > before, "requests are still served while the node drains");
    told.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.unwrap();
    }
    // By now nobody is accepted any more, but what was begun goes on.
    tokio::time::sleep(Duration::from_millis(2900).saturating_sub(started.elapsed())).await;
    assert!(TcpStream::connect(&address).await.is_err(), "the node still accepts connections");
    slow.write_all(rest).await.unwrap();
    let answer = raw::read_answer(&mut slow).await.expect("a running request was cut off");
    assert_eq!(answer.status, 201, "{answer:?}");
    let status = service.wait_for_exit(Duration::from_secs(10));
    assert_eq!(status.code(), Some(0), "{:?}", service.log());
    // What was acknowledged is there.
    let again = place.start();
    let mut found = 0;
    for query in ["query=loaded", "query=slow"] {
        found += again.client().get(&format!("/profiles?limit=1&{query}")).expect(200).await.json()["total"]["value"].as_u64().unwrap();
    }
    let acknowledged = acknowledged.load(Ordering::Relaxed) as u64;
    assert_eq!(found, acknowledged.min(1000) + 1);
}

async fn a_person_at_the_terminal_does_not_wait(backend: Backend) {
    let place = Place::new(backend).await.with("DRAIN_MS", "60000");
    let mut service = place.start();
    service.client().get("/profiles").expect(200).await;
    service.signal("INT");
    assert_eq!(service.wait_for_exit(Duration::from_secs(3)).code(), Some(0));
}

async fn idle_connections_do_not_hold_it_up(backend: Backend) {
    let place = Place::new(backend).await.with("DRAIN_MS", "100").with("SHUTDOWN_TIMEOUT_MS", "30000");
    let mut service = place.start();
    let client = service.client();
    client.get("/profiles").expect(200).await;
    let untouched = TcpStream::connect(service.address()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    service.signal("TERM");
    assert_eq!(service.wait_for_exit(Duration::from_secs(5)).code(), Some(0));
    drop((client, untouched));
}

async fn what_never_finishes_is_cut_off_in_time(backend: Backend) {
    let place = Place::new(backend).await.with("DRAIN_MS", "100").with("SHUTDOWN_TIMEOUT_MS", "500");
    let mut service = place.start();
    let (_stream, _) = half_sent(&service.address(), service.client().token()).await;
    service.signal("TERM");
    assert_eq!(service.wait_for_exit(Duration::from_secs(4)).code(), Some(0));
    let again = place.start();
    again.client().get("/users/slow").expect(404).await;
}

async fn a_second_signal_cuts_it_short(backend: Backend) {
    let place = Place::new(backend).await.with("DRAIN_MS", "60000").with("SHUTDOWN_TIMEOUT_MS", "60000");
    let mut service = place.start();
    let token = sign(&place.data_dir(), &claims("default", ALL_SCOPES, "tester"));
    let (_stream, _) = half_sent(&service.address(), &token).await;
    service.signal("TERM");
    let asked = service.anonymous();
    crate::process::eventually("the node drains", async || {
        (asked.call(Method::GET, "/health/ready").send().await.status == 503).then_some(())
    })
    .await;
    service.signal("TERM");
    tokio::time::sleep(Duration::from_millis(300)).await;
    service.signal("TERM");
    assert_eq!(service.wait_for_exit(Duration::from_secs(3)).code(), Some(0));
}
