//! The load against servers of our own: quick ones, one that stalls, one that refuses, one that breaks off.

use super::*;
use crate::processes::{Place, Places};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

struct Gets;

impl Source for Gets {
    fn operations(&self) -> Vec<&'static str> {
        vec!["get"]
    }

    fn next(&mut self) -> Outgoing {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = http::Uri::from_static("/");
        Outgoing { operation: 0, request }
    }
}

/// Answers every request with these bytes, after as long as `pause` says.
async fn server(answer: &'static str, pause: impl Fn(Duration) -> Duration + Clone + Send + 'static) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let started = Instant::now();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let pause = pause.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).await.is_ok_and(|length| length > 0) {
                    tokio::time::sleep(pause(started.elapsed())).await;
                    if answer.is_empty() || stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    Target { address, host: http::HeaderValue::from_static("test"), timeout: Duration::from_secs(2) }
}

async fn driven(target: &Target, load: Load) -> Measured {
    let monitor = Monitor::start(Places { server: Place::NotOnThisMachine, database: Place::NotOnThisMachine });
    let (_keep, stop) = watch::channel(false);
    let source: SharedSource = Arc::new(Mutex::new(Gets));
    run(&load, target, &source, &monitor, &stop, &|_| {}).await.unwrap()
}

fn load(rate: f64, connections: usize) -> Load {
    Load { rate, warmup: Duration::from_millis(200), duration: Duration::from_secs(2), connections }
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn a_quick_server_gets_every_request_at_its_time() {
    let target = server(OK, |_| Duration::ZERO).await;
    let measured = driven(&target, load(500.0, 8)).await;
    let total = measured.recorder.total_us();
    assert!((999..=1_001).contains(&total.len()), "{} requests", total.len());
    assert_eq!(measured.recorder.errors(), 0);
    assert!(total.value_at_quantile(0.5) < 20_000, "P50 {} us", total.value_at_quantile(0.5));
    assert_eq!((measured.interrupted, measured.elapsed), (false, Duration::from_secs(2)));
}

/// The proof against coordinated omission: for 600 of 2,000 ms nobody is answered. Whoever counts from when a request
/// was sent sees a handful of slow ones, one per connection; from when they were due, three of ten waited.
#[tokio::test]
async fn a_stall_shows_in_p90() {
    let stalls = Duration::from_millis(700)..Duration::from_millis(1_300);
    let end = stalls.end;
    let target = server(OK, move |since| if stalls.contains(&since) { end - since } else { Duration::ZERO }).await;
    let measured = driven(&target, load(400.0, 8)).await;
    let total = measured.recorder.total_us();
    assert!((799..=801).contains(&total.len()), "{} requests", total.len());
    let p90_ms = total.value_at_quantile(0.9) / 1_000;
    assert!((300..700).contains(&p90_ms), "P90 {p90_ms} ms: a third of those who came in the stall waited longer");
    assert!(total.value_at_quantile(0.5) < 100_000, "P50 {} us", total.value_at_quantile(0.5));
    assert_eq!(measured.recorder.errors(), 0, "they were late, but all were sent");
}

#[tokio::test]
async fn what_is_due_in_a_stall_at_the_end_is_late_and_no_error() {
    let stalls = Duration::from_millis(2_050)..Duration::from_millis(2_500);
    let end = stalls.end;
    let target = server(OK, move |since| if stalls.contains(&since) { end - since } else { Duration::ZERO }).await;
    let measured = driven(&target, load(400.0, 8)).await;
    let total = measured.recorder.total_us();
    assert!((799..=801).contains(&total.len()), "{} requests", total.len());
    assert_eq!((measured.recorder.errors(), measured.elapsed), (0, Duration::from_secs(2)));
    assert!(total.max() > 250_000, "the slowest {} us", total.max());
}

#[tokio::test]
async fn what_cannot_be_sent_is_an_error_with_the_time_that_it_waited() {
    let target = server(OK, |_| Duration::from_millis(500)).await;
    let measured = driven(&target, load(50.0, 1)).await;
    let total = measured.recorder.total_us();
    assert!((99..=101).contains(&total.len()), "{} requests", total.len());
    let not_sent = measured.recorder.operations[0].errors[NOT_SENT];
    assert!(not_sent > 85 && measured.recorder.errors() == not_sent, "{not_sent}");
    assert!(total.value_at_quantile(0.5) > 500_000, "P50 {} us", total.value_at_quantile(0.5));
}

#[tokio::test]
async fn refusals_are_told_by_kind() {
    let body = r#"{"type":"urn:n_users:problem:duplicate"}"#;
    let answer = format!("HTTP/1.1 409 Conflict\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let target = server(answer.leak(), |_| Duration::ZERO).await;
    let measured = driven(&target, load(50.0, 2)).await;
    let errors = &measured.recorder.operations[0].errors;
    assert_eq!(errors.keys().collect::<Vec<_>>(), ["409 duplicate"]);
}

#[tokio::test]
async fn a_server_that_breaks_off_is_told_and_tried_again() {
    let target = server("", |_| Duration::ZERO).await;
    let measured = driven(&target, load(50.0, 2)).await;
    let errors = &measured.recorder.operations[0].errors;
    assert_eq!(errors.keys().collect::<Vec<_>>(), ["connection closed"]);
    assert!((99..=101).contains(&errors["connection closed"]), "{errors:?}");
}

#[tokio::test]
async fn an_interrupted_load_counts_what_was_seen() {
    let target = server(OK, |_| Duration::ZERO).await;
    let monitor = Monitor::start(Places { server: Place::NotOnThisMachine, database: Place::NotOnThisMachine });
    let (sender, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        sender.send(true).unwrap();
    });
    let source: SharedSource = Arc::new(Mutex::new(Gets));
    let measured = run(&load(100.0, 2), &target, &source, &monitor, &stop, &|_| {}).await.unwrap();
    assert!(measured.interrupted && measured.elapsed < Duration::from_millis(1_300), "{:?}", measured.elapsed);
    assert!((80..=110).contains(&measured.recorder.requests()), "{}", measured.recorder.requests());
}
