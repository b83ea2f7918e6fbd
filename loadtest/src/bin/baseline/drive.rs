//! The load that `loadtest` drives, against a server of `baseline serve`.

use crate::{failed, write_json};
use bytes::Bytes;
use clap::Args;
use http::{Request, Uri};
use http_body_util::Full;
use loadtest::engine::{Load, Outgoing, Source};
use loadtest::failure::Result;
use loadtest::http::Target;
use loadtest::people::random::Random;
use loadtest::processes::{Monitor, Places};
use loadtest::report::{Settings, table};
use loadtest::run::Driver;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Args)]
pub struct DriveOptions {
    #[arg(long)]
    target: String,
    /// Ids of profiles, one per line, those asked for most first
    #[arg(long)]
    ids: PathBuf,
    #[arg(long)]
    rate: f64,
    #[arg(long, default_value = "10s", value_parser = humantime::parse_duration)]
    duration: Duration,
    #[arg(long, default_value_t = 64)]
    connections: usize,
    #[arg(long)]
    json: PathBuf,
}

struct Reads {
    uris: Vec<Uri>,
    random: Random,
}

impl Source for Reads {
    fn operations(&self) -> Vec<&'static str> {
        vec!["get"]
    }

    fn next(&mut self) -> Outgoing {
        let mut request = Request::new(Full::<Bytes>::default());
        *request.uri_mut() = self.uris[self.random.zipf(self.uris.len())].clone();
        Outgoing { operation: 0, request }
    }
}

pub async fn run(options: DriveOptions) -> Result<()> {
    let ids = std::fs::read_to_string(&options.ids).map_err(|e| failed("the ids", e))?;
    let uris: Vec<Uri> = ids.lines().filter_map(|id| format!("/profiles/{}", id.trim()).parse().ok()).collect();
    if uris.is_empty() {
        return Err(failed("the ids", "there are none"));
    }
    let target = Target::parse(&options.target, Duration::from_secs(10)).await?;
    // It may just have been started.
    for _ in 0..100 {
        if target.connect().await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let driver = Driver {
        settings: Settings {
            target: options.target.clone(),
            tenant: "load".to_owned(),
            profiles: uris.len() as u64,
            active_profiles: uris.len() as u64,
            mix: "get".to_owned(),
            rate: options.rate,
            connections: options.connections,
            tokens: 0,
            warmup_s: 0.0,
            duration_s: 0.0,
        },
        load: Load { rate: options.rate, warmup: Duration::from_secs(2), duration: options.duration, connections: options.connections },
        step: options.duration,
        monitor: Monitor::start(Places::find(target.address, None)),
        target,
        source: Arc::new(Mutex::new(Reads { uris, random: Random::new(20_261) })),
    };
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let report = driver.once(&stop).await?;
    println!("{}", table::table(&report));
    match report.errors_in_words() {
        Some(errors) => Err(failed("the bare server answered with errors", errors)),
        None => write_json(&options.json, &report.to_json()),
    }
}
