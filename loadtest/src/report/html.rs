//! A report as one page that needs nothing else.

use super::chart::{Chart, Series, figure};
use super::{OperationReport, ProcessReport, Report, SecondReport};
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");

/// What a line of a chart shows of each second.
type Line<'l> = (&'static str, &'static str, &'l dyn Fn(&SecondReport) -> Option<f64>);

/// The whole page.
pub fn page(report: &Report) -> String {
    let settings = &report.settings;
    let mut out = format!(
        "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width, initial-scale=1'>\n\
         <title>Load test: {} at {}/s</title>\n<style>\n{STYLE}</style>\n",
        escaped(&settings.mix),
        settings.rate
    );
    out.push_str(&heading(report));
    out.push_str(&tiles(report));
    out.push_str("<h2>Over time</h2>\n<div class=charts>\n");
    charts(&report.seconds).iter().for_each(|chart| out.push_str(&figure(chart)));
    out.push_str("</div>\n<h2>By operation</h2>\n");
    out.push_str(&operations(report));
    out.push_str("<h2>What it took</h2>\n");
    out.push_str(&processes(report));
    if let Some(limit) = &report.limit {
        out.push_str("<h2>The search for the highest rate</h2>\n<div class=table><table><tr><th>requests/s<th>P95 ms<th>errors<th>held");
        for step in &limit.steps {
            let held = if step.held { "<td class=good>yes" } else { "<td class=bad>no" };
            // A string takes whatever is written.
            let _ = write!(out, "<tr><td>{:.0}<td>{:.1}<td>{}{held}", step.rate, step.p95_ms, step.errors);
        }
        out.push_str("</table></div>\n");
    }
    out.push_str("</html>\n");
    out
}

fn heading(report: &Report) -> String {
    let settings = &report.settings;
    let machine = &report.machine;
    format!(
        "<h1>Mix “{}” at {} requests/s</h1>\n<p><b>{}</b>, tenant <b>{}</b> of {} profiles ({} of them active), {} connections, {} tokens, {:.0} s after \
         {:.0} s of warming up{}</p>\n<p>{} × {}, {:.0} GiB, Linux {}. Latency counts from when a request was due, not from when it could be \
         sent.</p>\n",
        escaped(&settings.mix),
        settings.rate,
        escaped(&settings.target),
        escaped(&settings.tenant),
        settings.profiles,
        settings.active_profiles,
        settings.connections,
        settings.tokens,
        settings.duration_s,
        settings.warmup_s,
        if report.interrupted { " <b class=bad>(interrupted)</b>" } else { "" },
        machine.cores,
        escaped(&machine.cpu),
        gibibytes(machine.memory_bytes),
        escaped(&machine.kernel),
    )
}

fn tiles(report: &Report) -> String {
    let total = &report.total;
    let errors = total.error_count();
    let mut tiles = vec![
        ("Answered", format!("{:.0}<small> /s</small>", answered_per_second(total))),
        ("P50", milliseconds(total.p50.ms)),
        ("P95", milliseconds(total.p95.ms)),
        ("P99", milliseconds(total.p99.ms)),
        ("Errors", format!("<i class={}>{errors}</i>", if errors == 0 { "good" } else { "bad" })),
    ];
    for (name, process) in [("Server CPU", &report.server), ("Database CPU", &report.database)] {
        let value = process
            .cpu_us_per_request
            .map_or_else(|| format!("<small>{}</small>", process.place.describe()), |us| format!("{us:.0}<small> µs/request</small>"));
        tiles.push((name, value));
    }
    if let Some(rate) = report.limit.as_ref().and_then(|limit| limit.highest_rate) {
        tiles.insert(0, ("Highest rate", format!("{rate:.0}<small> /s</small>")));
    }
    let tile = |(name, value): (&str, String)| format!("<div class=tile><span>{name}</span><b>{value}</b></div>");
    format!("<div class=tiles>{}</div>\n", tiles.into_iter().map(tile).collect::<String>())
}

/// Without those that failed.
fn answered_per_second(total: &OperationReport) -> f64 {
    let part = |count: u64| some(count).unwrap_or_default();
    total.requests_per_second * part(total.requests - total.error_count()) / part(total.requests).max(1.0)
}

fn milliseconds(ms: f64) -> String {
    if ms < 100.0 { format!("{ms:.2}<small> ms</small>") } else { format!("{ms:.0}<small> ms</small>") }
}

fn charts(seconds: &[SecondReport]) -> Vec<Chart> {
    let series = |name, class, of: &dyn Fn(&SecondReport) -> Option<f64>| Series { name, class, points: seconds.iter().map(of).collect() };
    let any = |of: &dyn Fn(&SecondReport) -> Option<f64>| seconds.iter().any(|second| of(second).is_some());
    let mut charts = vec![
        Chart {
            title: "Latency",
            unit: "ms",
            logarithmic: true,
            series: vec![
                series("P50", "c1", &|second| second.p50_ms),
                series("P95", "c2", &|second| second.p95_ms),
                series("P99", "c4", &|second| second.p99_ms),
                series("max", "bad", &|second| second.max_ms),
            ],
        },
        Chart {
            title: "Throughput",
            unit: "requests/s",
            logarithmic: false,
            series: vec![series("due", "c2", &|second| some(second.due)), series("answered", "c1", &|second| some(second.answered))],
        },
        Chart { title: "Errors", unit: "per s", logarithmic: false, series: vec![series("errors", "bad", &|second| some(second.errors))] },
    ];
    let parts: [Line<'_>; 3] = [
        ("server", "c1", &|second| second.server_cores),
        ("database", "c2", &|second| second.database_cores),
        ("load generator", "c3", &|second| second.generator_cores),
    ];
    let used: Vec<Series> = parts.iter().filter(|(_, _, of)| any(of)).map(|(name, class, of)| series(name, class, of)).collect();
    charts.push(Chart { title: "CPU", unit: "cores", logarithmic: false, series: used });
    let parts: [Line<'_>; 2] = [
        ("server", "c1", &|second| second.server_memory_bytes.map(mebibytes)),
        ("database", "c2", &|second| second.database_memory_bytes.map(mebibytes)),
    ];
    let kept: Vec<Series> = parts.iter().filter(|(_, _, of)| any(of)).map(|(name, class, of)| series(name, class, of)).collect();
    if !kept.is_empty() {
        charts.push(Chart { title: "Resident memory", unit: "MiB", logarithmic: false, series: kept });
    }
    charts
}

fn operations(report: &Report) -> String {
    let mut out = String::from(
        "<div class=table><table><tr><th>operation<th>requests<th>per s<th>P50 ms<th>P95 ms<th>P99 ms<th>P99.9 ms<th>max ms<th class=text>errors",
    );
    let mut row = |class: &str, operation: &OperationReport| {
        let _ = write!(
            out,
            "<tr class={class}><td>{}<td>{}<td>{:.1}<td>{:.2}<td>{:.2}<td>{:.2}<td>{:.2}<td>{:.2}<td class='text{}'>{}",
            operation.name,
            operation.requests,
            operation.requests_per_second,
            operation.p50.ms,
            operation.p95.ms,
            operation.p99.ms,
            operation.p99_9.ms,
            operation.max_ms,
            if operation.errors.is_empty() { "" } else { " bad" },
            escaped(&operation.errors_told())
        );
    };
    report.operations.iter().for_each(|operation| row("one", operation));
    row("all", &report.total);
    out.push_str("</table></div>\n");
    out
}

fn processes(report: &Report) -> String {
    let mut out = String::from("<div class=table><table><tr><th>process<th>CPU s<th>CPU µs per request<th>peak resident memory");
    let parts: [(&str, &ProcessReport); 3] =
        [("server", &report.server), ("database", &report.database), ("load generator", &report.generator)];
    for (name, process) in parts {
        let _ = match (process.cpu_s, process.cpu_us_per_request, process.peak_memory_bytes) {
            (Some(cpu_s), Some(us), Some(bytes)) => {
                write!(out, "<tr><td>{name}<td>{cpu_s:.2}<td>{us:.1}<td>{:.0} MiB", mebibytes(bytes))
            }
            _ => write!(out, "<tr><td>{name}<td colspan=3>{}", process.place.describe()),
        };
    }
    out.push_str("</table></div>\n");
    out
}

fn some(count: u64) -> Option<f64> {
    u32::try_from(count).ok().map(f64::from)
}

#[expect(clippy::cast_precision_loss, reason = "shown without decimals")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

fn gibibytes(bytes: u64) -> f64 {
    mebibytes(bytes) / 1_024.0
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;")
}
