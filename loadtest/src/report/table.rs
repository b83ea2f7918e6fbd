//! A report as text in columns.

use super::{OperationReport, ProcessReport, Report};
use std::fmt::Write;

/// The table for the terminal.
pub fn table(report: &Report) -> String {
    let mut out = String::new();
    let settings = &report.settings;
    // A string takes whatever is written.
    let _ = writeln!(
        out,
        "mix {} at {} requests/s over {} connections, {} profiles, latency in ms from when a request was due{}\n",
        settings.mix,
        settings.rate,
        settings.connections,
        settings.profiles,
        if report.interrupted { " (interrupted)" } else { "" }
    );
    let _ = writeln!(
        out,
        "{:<14} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}  errors",
        "operation", "n", "per s", "P50", "P95", "P99", "P99.9", "max"
    );
    for operation in report.operations.iter().chain((report.operations.len() > 1).then_some(&report.total)) {
        let _ = writeln!(out, "{}", line(operation));
    }
    let _ = writeln!(out, "\n{:<14} {:>9} {:>14} {:>12}", "process", "CPU s", "CPU us/request", "peak MiB");
    for (name, process) in [("server", &report.server), ("database", &report.database), ("load generator", &report.generator)] {
        let _ = writeln!(out, "{}", process_line(name, process));
    }
    if let Some(limit) = &report.limit {
        for step in &limit.steps {
            let verdict = if step.held { "held" } else { "did not hold" };
            let _ = write!(out, "\n{:>9.0} requests/s {verdict}: P95 {:.1} ms, {} errors", step.rate, step.p95_ms, step.errors);
        }
        let _ = match limit.highest_rate {
            Some(rate) => writeln!(out, "\nThe highest rate that held: {rate:.0} requests/s"),
            None => writeln!(out, "\nNo rate held"),
        };
    }
    out
}

fn line(operation: &OperationReport) -> String {
    let errors = operation.errors_told();
    format!(
        "{:<14} {:>9} {:>9.1} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2}  {errors}",
        operation.name,
        operation.requests,
        operation.requests_per_second,
        operation.p50.ms,
        operation.p95.ms,
        operation.p99.ms,
        operation.p99_9.ms,
        operation.max_ms
    )
}

fn process_line(name: &str, process: &ProcessReport) -> String {
    match (process.cpu_s, process.cpu_us_per_request, process.peak_memory_bytes) {
        (Some(cpu_s), Some(us), Some(bytes)) => format!("{name:<14} {cpu_s:>9.2} {us:>14.1} {:>12}", bytes >> 20),
        _ => format!("{name:<14} {}", process.place.describe()),
    }
}
