//! What changed since an earlier run.

use crate::failure::{Failure, Result};
use crate::report::{OperationReport, Percentile, Report};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// Two runs of the same differ by so much for no reason.
const NOISE_PERCENT: f64 = 5.0;

/// Reads an earlier run's JSON.
pub fn read(file: &Path) -> Result<Value> {
    let wrong = |why: String| Failure::new(format!("--compare {}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|e| wrong(e.to_string()))?;
    let value: Value = serde_json::from_str(&text).map_err(|e| wrong(format!("is not a report of this program ({e})")))?;
    if value["operations"].is_array() { Ok(value) } else { Err(wrong("is not a report of this program".to_owned())) }
}

/// A line for each figure of each operation, marked where the change is more than chance.
pub fn compare(old: &Value, new: &Report) -> String {
    let mut out = String::from("Compared with the earlier run (a change beyond noise is marked):\n");
    for setting in ["mix", "rate", "profiles", "connections"] {
        let (before, after) = (&old["settings"][setting], &new.to_json()["settings"][setting]);
        if before != after {
            let _ = writeln!(out, "  it had another {setting}: {before}, now {after}");
        }
    }
    for operation in new.operations.iter().chain(std::iter::once(&new.total)) {
        let Some(before) = earlier(old, &operation.name) else {
            let _ = writeln!(out, "{:<14} is new", operation.name);
            continue;
        };
        for (name, was, is) in [("P50", before.p50, operation.p50), ("P95", before.p95, operation.p95), ("P99", before.p99, operation.p99)]
        {
            let _ = writeln!(out, "{:<14} {}", operation.name, latency_line(name, was, is));
        }
        let (was, is) = (before.error_count(), operation.error_count());
        if was != is {
            let _ = writeln!(out, "{:<14} errors {was} -> {is}  {}", operation.name, if is > was { "WORSE" } else { "better" });
        }
    }
    for (name, after) in [("server", &new.server), ("database", &new.database)] {
        if let (Some(was), Some(is)) = (old[name]["cpu_us_per_request"].as_f64(), after.cpu_us_per_request) {
            let _ = writeln!(out, "{name:<14} CPU us/request {was:>9.1} -> {is:>9.1}  {}", verdict(was, is, true));
        }
        if let (Some(was), Some(is)) = (old[name]["peak_memory_bytes"].as_f64(), after.peak_memory_bytes) {
            let is = f64::from(u32::try_from(is >> 10).unwrap_or(u32::MAX)) * 1024.0;
            let _ =
                writeln!(out, "{name:<14} peak MiB       {:>9.1} -> {:>9.1}  {}", was / 1048576.0, is / 1048576.0, verdict(was, is, true));
        }
    }
    out
}

fn earlier(old: &Value, name: &str) -> Option<OperationReport> {
    let all = old["operations"].as_array()?.iter().chain(std::iter::once(&old["total"]));
    all.filter(|operation| operation["name"] == name).find_map(|operation| serde_json::from_value(operation.clone()).ok())
}

fn latency_line(name: &str, was: Percentile, is: Percentile) -> String {
    let apart = is.low_ms > was.high_ms || is.high_ms < was.low_ms;
    format!("{name} ms {:>9.2} -> {:>9.2}  {}", was.ms, is.ms, verdict(was.ms, is.ms, apart))
}

/// Less is better. `apart` says that what is known of both does not overlap.
fn verdict(was: f64, is: f64, apart: bool) -> String {
    if was <= 0.0 {
        return String::new();
    }
    let percent = (is - was) / was * 100.0;
    let mark = match percent {
        _ if !apart || percent.abs() <= NOISE_PERCENT => "",
        percent if percent < 0.0 => "  better",
        _ => "  WORSE",
    };
    format!("{percent:>+7.1} %{mark}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percentile(ms: f64, spread: f64) -> Percentile {
        Percentile { ms, low_ms: ms - spread, high_ms: ms + spread }
    }

    #[test]
    fn a_change_is_marked_only_beyond_noise() {
        let line = |was, is| latency_line("P95", was, is);
        assert!(line(percentile(10.0, 0.1), percentile(15.0, 0.1)).ends_with("+50.0 %  WORSE"));
        assert!(line(percentile(10.0, 0.1), percentile(5.0, 0.1)).ends_with("-50.0 %  better"));
        assert!(line(percentile(10.0, 4.0), percentile(15.0, 4.0)).ends_with("+50.0 %"), "so few requests say nothing");
        assert!(line(percentile(10.0, 0.1), percentile(10.4, 0.1)).ends_with("+4.0 %"), "two runs differ by so much");
    }
}
