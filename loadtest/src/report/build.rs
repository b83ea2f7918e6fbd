//! From what was measured to a report.

use super::machine::Machine;
use super::{OperationReport, Percentile, ProcessReport, Report, SecondReport, Settings};
use crate::engine::{Measured, NOT_SENT, OperationRecord, Second};
use crate::processes::usage::ProcessUsage;
use crate::processes::{Monitor, Place, Reading, Usage};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::Duration;

/// The report of a run that began at this time.
pub fn report(settings: Settings, measured: &Measured, monitor: &Monitor, started_at_ms: i64) -> Report {
    let elapsed = measured.elapsed;
    let mut errors = BTreeMap::new();
    for (kind, count) in measured.recorder.operations.iter().flat_map(|operation| &operation.errors) {
        *errors.entry(kind.clone()).or_default() += count;
    }
    let of_operation = |record: &OperationRecord| operation(record.name, &record.latency_us, record.errors.clone(), elapsed);
    let not_sent = errors.get(NOT_SENT).copied().unwrap_or_default();
    let sent = measured.recorder.requests() - not_sent;
    let readings = monitor.readings();
    let process = |place: &Place, of: fn(&Usage) -> Option<ProcessUsage>| {
        process(place, of(&measured.before), of(&measured.after), readings.iter().filter_map(of), sent)
    };
    let own = Place::ThisMachine { pid: i32::try_from(std::process::id()).unwrap_or_default() };
    Report {
        settings,
        machine: Machine::this(),
        started_at_ms,
        interrupted: measured.interrupted,
        total: operation("all", &measured.recorder.total_us(), errors, elapsed),
        operations: measured.recorder.operations.iter().map(of_operation).collect(),
        server: process(&monitor.places.server, |usage| usage.server),
        database: process(&monitor.places.database, |usage| usage.database),
        generator: process(&own, |usage| usage.generator),
        seconds: measured.recorder.seconds.iter().enumerate().map(|(at, second)| of_second(at, second, &readings)).collect(),
        limit: None,
    }
}

fn operation(name: &str, latency_us: &Histogram<u64>, errors: BTreeMap<String, u64>, elapsed: Duration) -> OperationReport {
    let requests = latency_us.len();
    OperationReport {
        name: name.to_owned(),
        requests,
        requests_per_second: count(requests) / elapsed.as_secs_f64(),
        errors,
        mean_ms: latency_us.mean() / 1e3,
        p50: percentile(latency_us, 0.5),
        p95: percentile(latency_us, 0.95),
        p99: percentile(latency_us, 0.99),
        p99_9: percentile(latency_us, 0.999),
        max_ms: ms(latency_us.max()),
    }
}

/// The bounds are the order statistics between which the percentile of the whole lies, by the normal approximation of
/// the binomial distribution.
fn percentile(latency_us: &Histogram<u64>, quantile: f64) -> Percentile {
    let spread = 1.96 * (quantile * (1.0 - quantile) / count(latency_us.len()).max(1.0)).sqrt();
    let at = |quantile: f64| ms(latency_us.value_at_quantile(quantile.clamp(0.0, 1.0)));
    Percentile { ms: at(quantile), low_ms: at(quantile - spread), high_ms: at(quantile + spread) }
}

fn process(
    place: &Place,
    before: Option<ProcessUsage>,
    after: Option<ProcessUsage>,
    readings: impl Iterator<Item = ProcessUsage>,
    requests: u64,
) -> ProcessReport {
    let cpu_s = before.zip(after).map(|(before, after)| after.cpu_s - before.cpu_s);
    let peak = readings.chain(before).chain(after).map(|usage| usage.memory_bytes).max();
    ProcessReport {
        place: place.clone(),
        cpu_s,
        cpu_us_per_request: cpu_s.filter(|_| requests > 0).map(|cpu_s| cpu_s * 1e6 / count(requests)),
        peak_memory_bytes: peak,
    }
}

fn of_second(number: usize, second: &Second, readings: &[Reading]) -> SecondReport {
    let at = |quantile: f64| (!second.latency_us.is_empty()).then(|| ms(second.latency_us.value_at_quantile(quantile)));
    let pair = readings.get(number).zip(readings.get(number + 1));
    let cores = |of: fn(&Usage) -> Option<ProcessUsage>| {
        let (from, to) = pair?;
        Some((of(to)?.cpu_s - of(from)?.cpu_s) / to.at.duration_since(from.at).as_secs_f64())
    };
    let memory = |of: fn(&Usage) -> Option<ProcessUsage>| Some(of(readings.get(number)?)?.memory_bytes);
    SecondReport {
        second: number,
        due: second.latency_us.len(),
        answered: second.answered,
        errors: second.errors,
        p50_ms: at(0.5),
        p95_ms: at(0.95),
        p99_ms: at(0.99),
        max_ms: at(1.0),
        server_cores: cores(|usage| usage.server),
        database_cores: cores(|usage| usage.database),
        generator_cores: cores(|usage| usage.generator),
        server_memory_bytes: memory(|usage| usage.server),
        database_memory_bytes: memory(|usage| usage.database),
    }
}

fn ms(us: u64) -> f64 {
    count(us) / 1e3
}

#[expect(clippy::cast_precision_loss, reason = "53 bits are enough for counts and microseconds")]
fn count(number: u64) -> f64 {
    number as f64
}
