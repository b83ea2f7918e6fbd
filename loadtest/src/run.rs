//! A run from its first connection to its report.

use crate::cli::Options;
use crate::engine::{self, Load, Measured, Recorder, Stop};
use crate::failure::{Failure, Result};
use crate::fill::{direct, over_http};
use crate::http::Target;
use crate::limit::RateSearch;
use crate::mix::requests::Requests;
use crate::mix::source::MixSource;
use crate::mix::{Mix, Operation, active};
use crate::people::random::Random;
use crate::processes::{Monitor, Places};
use crate::progress::Progress;
use crate::report::{LimitReport, Report, Settings, StepReport, html, report, table};
use crate::{compare, images, tokens};
use n_users::domain::clock::{Clock, SystemClock};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The rate that holds is the one whose P95 stays below this.
const P95_LIMIT_MS: f64 = 100.0;
/// Between two steps, so that what one has left undone does not weigh on the next.
const PAUSE: Duration = Duration::from_secs(2);

/// Everything that the options ask for. `None` when there was no load to report on.
pub async fn run(options: &Options, stop: &Stop) -> Result<Option<Report>> {
    let earlier = options.compare.as_deref().map(compare::read).transpose()?;
    let mut stopped = stop.clone();
    let prepared = tokio::select! {
        prepared = prepare(options) => prepared?,
        _ = stopped.wait_for(|stop| *stop) => return Err(Failure::new("interrupted before the load began; the fill goes on from there next time")),
    };
    let Some(driver) = prepared else { return Ok(None) };
    let report = if options.find_limit { driver.find_limit(stop).await? } else { driver.once(stop).await? };
    println!("{}", table::table(&report));
    if let Some(earlier) = earlier {
        println!("{}", compare::compare(&earlier, &report));
    }
    write(&options.json, &serde_json::to_string_pretty(&report).unwrap_or_default())?;
    write(&options.html, &html::page(&report))?;
    println!("Written: {} and {}", options.json.display(), options.html.display());
    Ok(Some(report))
}

async fn prepare(options: &Options) -> Result<Option<Driver>> {
    if let Some(url) = &options.fill_database_url {
        direct::fill(url, &options.tenant, options.profiles).await?;
        if options.fill_only {
            return Ok(None);
        }
    }
    let target = Target::parse(&options.target, options.timeout).await?;
    let mut connection = target.connect().await?;
    let requests = Arc::new(Requests::new(options.tenant.clone(), tokens::authorizations(&options.tokens, options.tenant.as_str())?));
    over_http::ensure_tenant(&mut connection, &requests).await?;
    let connections = usize::try_from(options.connections).unwrap_or(usize::MAX);
    over_http::fill(&target, &requests, options.profiles, connections).await?;
    if options.fill_only {
        return Ok(None);
    }
    let active = active::find(&target, &requests, options.profiles, connections).await?;
    let needs_images = options.mix.contains(Operation::Image);
    let with_image = if needs_images { images::upload(&target, &requests, &active).await? } else { Vec::new() };
    let random = Random::new(options.seed);
    let source = MixSource::new(options.mix, Arc::clone(&requests), options.profiles, random, &active, &with_image);
    let places = Places::find(target.address, options.database_pid);
    Ok(Some(Driver {
        settings: settings(options, active.len() as u64, requests.token_count()),
        load: Load { rate: options.rate, warmup: options.warmup, duration: options.duration, connections },
        step: options.step,
        target,
        source: Arc::new(Mutex::new(source)),
        monitor: Monitor::start(places),
    }))
}

fn settings(options: &Options, active_profiles: u64, tokens: usize) -> Settings {
    Settings {
        target: options.target.clone(),
        tenant: options.tenant.to_string(),
        profiles: options.profiles,
        active_profiles,
        mix: Mix::to_string(&options.mix),
        rate: options.rate,
        connections: usize::try_from(options.connections).unwrap_or(usize::MAX),
        tokens,
        warmup_s: options.warmup.as_secs_f64(),
        duration_s: options.duration.as_secs_f64(),
    }
}

fn write(file: &Path, text: &str) -> Result<()> {
    std::fs::write(file, text).map_err(|e| Failure::new(format!("{} cannot be written: {e}", file.display())))
}

/// Puts a target under load, once or again and again. What is asked comes from any source.
pub struct Driver {
    pub settings: Settings,
    pub load: Load,
    pub step: Duration,
    pub target: Target,
    pub source: Arc<Mutex<dyn engine::Source>>,
    pub monitor: Monitor,
}

impl Driver {
    /// One load.
    pub async fn once(&self, stop: &Stop) -> Result<Report> {
        self.drive(&self.load, stop).await
    }

    async fn drive(&self, load: &Load, stop: &Stop) -> Result<Report> {
        let started_at_ms = SystemClock.now().0;
        let progress = Progress::of_load(&format!("{} requests/s", load.rate), load.duration.as_secs());
        let each_second = |recorder: &Recorder| {
            let last = recorder.seconds.len().checked_sub(2).map(|at| &recorder.seconds[at]);
            progress.set(recorder.seconds.len() as u64);
            if let Some(second) = last {
                let p95_us = second.latency_us.value_at_quantile(0.95);
                progress.say(format!("P95 {:.1} ms, {} errors", Duration::from_micros(p95_us).as_secs_f64() * 1e3, recorder.errors()));
            }
        };
        let measured = engine::run(load, &self.target, &self.source, &self.monitor, stop, &each_second).await;
        progress.clear();
        let measured: Measured = measured?;
        let settings = Settings {
            rate: load.rate,
            duration_s: load.duration.as_secs_f64(),
            warmup_s: load.warmup.as_secs_f64(),
            ..self.settings.clone()
        };
        Ok(report(settings, &measured, &self.monitor, started_at_ms))
    }

    /// The report of the highest rate that held, or of the lowest that was tried, with all that was tried.
    pub async fn find_limit(&self, stop: &Stop) -> Result<Report> {
        let mut search = RateSearch::new(self.load.rate);
        let mut steps = Vec::new();
        let mut best: Option<Report> = None;
        while let Some(rate) = search.next_rate() {
            let load = Load { rate, duration: self.step, ..self.load.clone() };
            let mut tried = self.drive(&load, stop).await?;
            // A hiccup of the machine is not the server's limit: what did not hold may try once more.
            if nearly_holds(&tried) && !tried.interrupted {
                tokio::time::sleep(PAUSE).await;
                tried = self.drive(&load, stop).await?;
            }
            if tried.interrupted {
                break;
            }
            let held = holds(&tried);
            eprintln!(
                "{rate:.0} requests/s {}: P95 {:.1} ms, {} errors",
                if held { "held" } else { "did not hold" },
                tried.total.p95.ms,
                tried.total.error_count()
            );
            search.saw(rate, held);
            steps.push(StepReport { rate, held, p95_ms: tried.total.p95.ms, errors: tried.total.error_count() });
            let better = match &best {
                Some(best) => held && (!holds(best) || rate > best.settings.rate),
                None => true,
            };
            if better {
                best = Some(tried);
            }
            tokio::time::sleep(PAUSE).await;
        }
        let mut best = best.ok_or_else(|| Failure::new("interrupted before any rate was tried"))?;
        best.limit = Some(LimitReport { highest_rate: search.highest_held(), p95_limit_ms: P95_LIMIT_MS, steps });
        Ok(best)
    }
}

/// So close to it that chance may have decided.
fn nearly_holds(report: &Report) -> bool {
    !holds(report) && report.total.p95.ms <= 5.0 * P95_LIMIT_MS && report.total.error_count() * 50 <= report.total.requests
}

fn holds(report: &Report) -> bool {
    report.total.p95.ms <= P95_LIMIT_MS && report.total.error_count() == 0
}
