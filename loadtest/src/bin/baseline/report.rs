//! docs/benchmarks.md, from what scripts/bench.sh measured: each figure beside its limit of the same run.

use crate::failed;
use loadtest::failure::Result;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

const OPERATIONS: [&str; 5] = ["get", "search", "search-filter", "patch", "create"];
const STORES: [(&str, &str); 2] = [("postgres", "PostgreSQL"), ("sqlite", "SQLite")];

/// What the files in the folder say; what was not measured is `Null`.
struct Measured<'f> {
    folder: &'f Path,
}

impl Measured<'_> {
    fn file(&self, name: &str) -> Value {
        let text = std::fs::read_to_string(self.folder.join(format!("{name}.json"))).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    fn cpu_us(&self, name: &str, process: &str) -> Option<f64> {
        self.file(name)[process]["cpu_us_per_request"].as_f64()
    }

    fn number(&self, name: &str, field: &str) -> Option<f64> {
        self.file(name)[field].as_f64()
    }
}

/// Prints the page, or the table of aims alone.
pub fn run(folder: &Path, aims_only: bool) -> Result<()> {
    let measured = Measured { folder };
    if !folder.is_dir() {
        return Err(failed(&folder.display().to_string(), "there is no such folder"));
    }
    print!("{}", if aims_only { aims(&measured) } else { page(&measured) });
    Ok(())
}

fn page(measured: &Measured<'_>) -> String {
    let mut out = String::from(
        "# Benchmarks\n\nWritten by `./scripts/bench.sh`, which overwrites this page; what the figures mean and what each step gained stands in \
         [performance.md](performance.md).\n\n",
    );
    out.push_str(&measured.text("about.md"));
    out.push_str("\n## Aims\n\nCPU is in microseconds per request. A limit is what a bare program took in the same run; what counts is the ratio.\n\n");
    out.push_str(&aims(measured));
    out.push_str("\n## Operations, one at a time\n\n");
    out.push_str(&operations(measured));
    out.push_str("\n## Mix `default`\n\n");
    out.push_str(&mixes(measured));
    out.push_str("\n## Limits\n\n");
    out.push_str(&limits(measured));
    let large = Measured { folder: &measured.folder.join("large") };
    if large.folder.is_dir() {
        let _ = write!(out, "\n## {}\n\n{}\n{}", large.text("title").trim(), operations(&large), mixes(&large));
    }
    out
}

/// One aim: what was measured, its limit and the ratio, or a plain bound.
struct Aim {
    what: &'static str,
    measured: Option<f64>,
    limit: Option<f64>,
    /// The highest ratio to the limit, or, without a limit, the highest figure; negative: the lowest.
    bound: f64,
    unit: &'static str,
}

fn aims(measured: &Measured<'_>) -> String {
    let ratio = |what, measured, limit, bound| Aim { what, measured, limit, bound, unit: "×" };
    let memory = measured.file("postgres-limit")["server"]["peak_memory_bytes"].as_f64().map(|bytes| bytes / 1_048_576.0);
    let rate = |store: &str| measured.file(&format!("{store}-limit"))["limit"]["highest_rate"].as_f64();
    let bound = |what, measured, bound, unit| Aim { what, measured, limit: None, bound, unit };
    let aims = [
        ratio(
            "get by id, PostgreSQL, node, beside axum + tokio-postgres",
            measured.cpu_us("postgres-get", "server"),
            measured.cpu_us("baseline-postgres", "server"),
            1.6,
        ),
        ratio(
            "get by id, PostgreSQL, database, beside axum + tokio-postgres",
            measured.cpu_us("postgres-get", "database"),
            measured.cpu_us("baseline-postgres", "database"),
            1.1,
        ),
        ratio(
            "get by id, SQLite, beside axum + rusqlite inline",
            measured.cpu_us("sqlite-get", "server"),
            measured.cpu_us("baseline-sqlite", "server"),
            1.6,
        ),
        ratio(
            "create, PostgreSQL, database, beside a bare one-row insert at the same rate",
            measured.cpu_us("postgres-create", "database"),
            measured.number("pgbench-insert-paced", "database_cpu_us"),
            3.0,
        ),
        ratio(
            "patch, PostgreSQL, database, beside a bare one-row update at the same rate",
            measured.cpu_us("postgres-patch", "database"),
            measured.number("pgbench-update-paced", "database_cpu_us"),
            3.0,
        ),
        bound("mix `default`, P95 < 100 ms, PostgreSQL", rate("postgres"), -8_000.0, "requests/s"),
        bound("mix `default`, P95 < 100 ms, SQLite", rate("sqlite"), -8_000.0, "requests/s"),
        bound("resident memory of the node at that rate, PostgreSQL", memory, 150.0, "MiB"),
        bound("start to first answer, PostgreSQL", measured.number("postgres-start", "first_answer_ms"), 300.0, "ms"),
        bound("start to first answer, SQLite", measured.number("sqlite-start", "first_answer_ms"), 300.0, "ms"),
    ];
    let rows: String = aims.iter().map(aim_row).collect();
    format!("| | measured | limit | ratio | aim | reached |\n|---|---|---|---|---|---|\n{rows}")
}

fn aim_row(aim: &Aim) -> String {
    let judged = match aim.limit {
        Some(limit) => aim.measured.map(|figure| figure / limit),
        None if aim.unit == "×" => None,
        None => aim.measured,
    };
    let reached = match judged {
        None => "not measured",
        Some(figure) if (aim.bound < 0.0 && figure >= -aim.bound) || (aim.bound > 0.0 && figure <= aim.bound) => "yes",
        Some(_) => "**no**",
    };
    let sign = if aim.bound < 0.0 { "≥" } else { "≤" };
    let ratio = aim.limit.and(judged).map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2} ×"));
    let unit = if aim.unit == "×" { "µs" } else { aim.unit };
    format!(
        "| {} | {} {unit} | {} | {ratio} | {sign} {} {} | {reached} |\n",
        aim.what,
        figure(aim.measured),
        aim.limit.map_or_else(|| "–".to_owned(), |limit| format!("{limit:.1} µs")),
        aim.bound.abs(),
        aim.unit
    )
}

fn operations(measured: &Measured<'_>) -> String {
    let mut out = String::from(
        "| | store | rate | P50 ms | P95 ms | P99 ms | errors | node CPU µs | database CPU µs |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for operation in OPERATIONS {
        for (store, name) in STORES {
            let report = measured.file(&format!("{store}-{operation}"));
            if report.is_object() {
                // A string takes whatever is written.
                let _ = writeln!(out, "| {operation} | {name} {}", cells(&report));
            }
        }
    }
    out
}

fn cells(report: &Value) -> String {
    let total = &report["total"];
    let ms = |percentile: &str| figure(total[percentile]["ms"].as_f64());
    let errors: u64 = total["errors"].as_object().map(|errors| errors.values().filter_map(Value::as_u64).sum()).unwrap_or_default();
    let cpu = |process: &str| figure(report[process]["cpu_us_per_request"].as_f64());
    format!(
        "| {} | {} | {} | {} | {errors} | {} | {} |",
        figure(report["settings"]["rate"].as_f64()),
        ms("p50"),
        ms("p95"),
        ms("p99"),
        cpu("server"),
        cpu("database")
    )
}

fn mixes(measured: &Measured<'_>) -> String {
    let mut out = String::from(
        "The highest rate that held: no error, and a P95 below 100 ms over all operations. The load generator ran on the same machine.\n\n\
         | store | requests/s | P50 ms | P95 ms | P99 ms | node CPU µs | database CPU µs | generator CPU µs | node MiB | database MiB |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (store, name) in STORES {
        let report = measured.file(&format!("{store}-limit"));
        if !report.is_object() {
            continue;
        }
        let ms = |percentile: &str| figure(report["total"][percentile]["ms"].as_f64());
        let cpu = |process: &str| figure(report[process]["cpu_us_per_request"].as_f64());
        let mib = |process: &str| figure(report[process]["peak_memory_bytes"].as_f64().map(|bytes| bytes / 1_048_576.0));
        let _ = writeln!(
            out,
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            figure(report["limit"]["highest_rate"].as_f64()),
            ms("p50"),
            ms("p95"),
            ms("p99"),
            cpu("server"),
            cpu("database"),
            cpu("generator"),
            mib("server"),
            mib("database")
        );
        let _ = write!(out, "{}", if store == "sqlite" { details(measured) } else { String::new() });
    }
    out
}

/// What each operation took at that rate: where a P95 over all hides a slow one, it shows here.
fn details(measured: &Measured<'_>) -> String {
    let mut out = String::from("\n| at that rate | store | requests | P50 ms | P95 ms | P99 ms |\n|---|---|---|---|---|---|\n");
    for (store, name) in STORES {
        for operation in measured.file(&format!("{store}-limit"))["operations"].as_array().into_iter().flatten() {
            let ms = |percentile: &str| figure(operation[percentile]["ms"].as_f64());
            let operation_name = operation["name"].as_str().unwrap_or_default();
            let requests = operation["requests"].as_u64().unwrap_or_default();
            let _ = writeln!(out, "| {operation_name} | {name} | {requests} | {} | {} | {} |", ms("p50"), ms("p95"), ms("p99"));
        }
    }
    out
}

fn limits(measured: &Measured<'_>) -> String {
    let mut out = String::from("| bare program | node CPU µs | database CPU µs | P95 ms |\n|---|---|---|---|\n");
    for (file, what) in [
        ("baseline-constant", "axum, a constant profile"),
        ("baseline-postgres", "axum + tokio-postgres, two shared clients, read by id"),
        ("baseline-sqlite", "axum + rusqlite inline, read by id"),
    ] {
        let report = measured.file(file);
        let cpu = |process: &str| figure(report[process]["cpu_us_per_request"].as_f64());
        let _ = writeln!(out, "| {what} | {} | {} | {} |", cpu("server"), cpu("database"), figure(report["total"]["p95"]["ms"].as_f64()));
    }
    for (file, what) in [
        ("select", "select"),
        ("insert", "insert"),
        ("update", "update"),
        ("insert-paced", "insert, at the rate of creates"),
        ("update-paced", "update, at the rate of patches"),
    ] {
        let us = measured.number(&format!("pgbench-{file}"), "database_cpu_us");
        let _ = writeln!(out, "| `pgbench -M prepared`, one-row {what} | – | {} | – |", figure(us));
    }
    for statement in ["select", "insert", "update"] {
        let us = measured.number("bare-sqlite", &format!("{statement}_cpu_us"));
        let _ = writeln!(out, "| rusqlite in a loop, one-row {statement} | {} | – | – |", figure(us));
    }
    out
}

/// A number with as many digits as mean something.
fn figure(number: Option<f64>) -> String {
    match number {
        None => "–".to_owned(),
        Some(number) if number >= 100.0 => format!("{number:.0}"),
        Some(number) if number >= 10.0 => format!("{number:.1}"),
        Some(number) => format!("{number:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aim(measured: Option<f64>, limit: Option<f64>, bound: f64, unit: &'static str) -> String {
        aim_row(&Aim { what: "w", measured, limit, bound, unit })
    }

    #[test]
    fn an_aim_is_judged_by_its_ratio_or_by_its_bound() {
        assert_eq!(aim(Some(30.0), Some(20.0), 1.6, "×"), "| w | 30.0 µs | 20.0 µs | 1.50 × | ≤ 1.6 × | yes |\n");
        assert!(aim(Some(40.0), Some(20.0), 1.6, "×").ends_with("| **no** |\n"));
        assert!(aim(Some(40.0), None, 1.6, "×").ends_with("| not measured |\n"));
        assert_eq!(aim(Some(9_000.0), None, -8_000.0, "requests/s"), "| w | 9000 requests/s | – | – | ≥ 8000 requests/s | yes |\n");
        assert!(aim(Some(7_000.0), None, -8_000.0, "requests/s").ends_with("| **no** |\n"));
        assert!(aim(None, None, 150.0, "MiB").ends_with("| not measured |\n"));
    }
}
