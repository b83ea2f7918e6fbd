//! The life of keys, with time held still.

use super::*;
use serde_json::json;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const LIFE: KeyLife = KeyLife { refresh: Duration::from_secs(300), max_age: Duration::from_secs(3600) };

/// Publishes the keys of these ids, or does not answer.
#[derive(Default)]
struct Issuer {
    kids: Mutex<Option<Vec<&'static str>>>,
    fetches: AtomicUsize,
}

impl Issuer {
    fn publish(&self, kids: Option<&[&'static str]>) {
        *self.kids.lock().unwrap() = kids.map(<[_]>::to_vec);
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl KeySource for Issuer {
    async fn keys(&self) -> Result<Vec<Map<String, Value>>, FetchError> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let kids = self.kids.lock().unwrap().clone();
        let jwk = |kid: &&str| {
            let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": kid});
            jwk.as_object().unwrap().clone()
        };
        kids.map(|kids| kids.iter().map(jwk).collect()).ok_or(FetchError { url: "u".into(), reason: "down".into(), status: None })
    }
}

fn ring(kids: Option<&[&'static str]>) -> (Arc<Issuer>, Keyring) {
    let issuer = Arc::new(Issuer::default());
    issuer.publish(kids);
    let ring = Keyring::start("i", issuer.clone(), LIFE);
    (issuer, ring)
}

async fn ask(ring: &Keyring, kid: &str) -> Result<u64, NoKey> {
    ring.key(Some(kid), Algorithm::EdDSA).await.map(|(_, generation)| generation)
}

#[tokio::test(start_paused = true)]
async fn the_first_request_waits_for_the_first_keys() {
    let (issuer, ring) = ring(Some(&["a"]));
    assert_eq!(ring.generation(), None);
    assert_eq!(ask(&ring, "a").await, Ok(1));
    assert_eq!(ask(&ring, "a").await, Ok(1));
    assert!(issuer.fetches() <= 2);
}

#[tokio::test(start_paused = true)]
async fn a_rotation_fails_no_request_and_asks_once_for_all_who_wait() {
    let (issuer, ring) = ring(Some(&["a"]));
    ask(&ring, "a").await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let before = issuer.fetches();
    issuer.publish(Some(&["b", "a"]));
    let answers = futures::future::join_all((0..50).map(|_| ask(&ring, "b"))).await;
    assert!(answers.iter().all(|answer| *answer == Ok(2)), "{answers:?}");
    assert_eq!(issuer.fetches(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn rotations_may_follow_one_another() {
    let (issuer, ring) = ring(Some(&["a"]));
    ask(&ring, "a").await.unwrap();
    for (generation, kid) in (2..).zip(["b", "c", "d", "e", "f"]) {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        issuer.publish(Some(&[kid, "a"]));
        let answers = futures::future::join_all((0..50).map(|_| ask(&ring, kid))).await;
        assert!(answers.iter().all(|answer| *answer == Ok(generation)), "{kid}: {answers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn forged_key_ids_are_refused_and_do_not_flood_the_issuer() {
    let (issuer, ring) = ring(Some(&["a"]));
    ask(&ring, "a").await.unwrap();
    let started = Instant::now();
    for _ in 0..2_000 {
        assert_eq!(ask(&ring, "forged").await, Err(NoKey::Unknown));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (seconds, fetches) = (started.elapsed().as_secs(), issuer.fetches() as u64);
    assert!(fetches < seconds / 5, "{fetches} fetches in {seconds} s");
    assert_eq!(ask(&ring, "a").await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn only_so_many_wait() {
    let (_, ring) = ring(Some(&["a"]));
    ask(&ring, "a").await.unwrap();
    let answers = futures::future::join_all((0..200).map(|_| ask(&ring, "forged"))).await;
    let waited = answers.iter().filter(|answer| **answer == Err(NoKey::Unknown)).count();
    assert_eq!(waited, MAX_WAITING);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_down_changes_nothing_for_known_keys_until_they_are_too_old() {
    let (issuer, ring) = ring(Some(&["a"]));
    ask(&ring, "a").await.unwrap();
    issuer.publish(None);
    tokio::time::sleep(LIFE.max_age - Duration::from_secs(5)).await;
    assert_eq!(ask(&ring, "a").await, Ok(1));
    assert!(matches!(ask(&ring, "b").await, Err(NoKey::Unavailable(cause)) if cause.contains("down")));
    // Refreshed some time within the last interval before it went down.
    tokio::time::sleep(LIFE.refresh + Duration::from_secs(10)).await;
    assert_eq!(ring.generation(), None);
    assert!(matches!(ask(&ring, "a").await, Err(NoKey::Unavailable(_))));
    issuer.publish(Some(&["a"]));
    tokio::time::sleep(LAST_RETRY * 2).await;
    assert_eq!(ask(&ring, "a").await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_down_at_start_is_waited_for() {
    let (issuer, ring) = ring(None);
    assert!(matches!(ask(&ring, "a").await, Err(NoKey::Unavailable(_))));
    issuer.publish(Some(&["a"]));
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(ring.generation(), Some(1));
    assert_eq!(ask(&ring, "a").await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_key_is_gone_after_the_next_refresh() {
    let (issuer, ring) = ring(Some(&["b", "a"]));
    assert_eq!(ask(&ring, "a").await, Ok(1));
    issuer.publish(Some(&["b"]));
    tokio::time::sleep(LIFE.refresh * 2).await;
    assert_eq!(ring.generation(), Some(2));
    assert_eq!(ask(&ring, "a").await, Err(NoKey::Unknown));
}

#[tokio::test(start_paused = true)]
async fn without_a_key_id_one_fitting_key_will_do() {
    let (_, one) = ring(Some(&["a"]));
    assert!(one.key(None, Algorithm::EdDSA).await.is_ok());
    let (_, two) = ring(Some(&["a", "b"]));
    assert!(matches!(two.key(None, Algorithm::EdDSA).await, Err(NoKey::Ambiguous)));
    assert!(matches!(two.key(Some("a"), Algorithm::RS256).await, Err(NoKey::Unfit)));
}

#[tokio::test(start_paused = true)]
async fn refreshes_are_counted_by_how_they_ended() {
    let issuer = Arc::new(Issuer::default());
    let ring = Keyring::start("https://counted.example", issuer.clone(), LIFE);
    tokio::time::sleep(Duration::from_millis(500)).await;
    issuer.publish(Some(&["a"]));
    ask(&ring, "a").await.unwrap();
    let metrics = METRICS.render();
    for outcome in ["failed", "succeeded"] {
        let series = format!("n_users_issuer_key_refreshes_total{{issuer=\"https://counted.example\",outcome=\"{outcome}\"}} 1\n");
        assert!(metrics.contains(&series), "{series} in\n{metrics}");
    }
}
