//! One statement by pgbench, with what it took of the database: what a driver in C leaves to be gained.

use crate::{failed, write_json};
use clap::Args;
use loadtest::failure::Result;
use loadtest::processes::usage::of_family;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

#[derive(Args)]
pub struct PgbenchOptions {
    #[arg(long, default_value = "pgbench")]
    program: PathBuf,
    #[arg(long)]
    database_url: String,
    /// The database's first process
    #[arg(long)]
    database_pid: i32,
    /// A file with the statement
    #[arg(long)]
    script: PathBuf,
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    #[arg(long, default_value_t = 8)]
    clients: u32,
    /// So many a second; without it as many as the database takes
    #[arg(long)]
    rate: Option<u32>,
    #[arg(long)]
    json: PathBuf,
}

pub fn run(options: &PgbenchOptions) -> Result<()> {
    let used = || of_family(options.database_pid).ok_or_else(|| failed("the database", "there is no such process"));
    let before = used()?;
    let output = Command::new(&options.program)
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=1"])
        .arg(format!("--client={}", options.clients))
        .arg(format!("--time={}", options.seconds))
        .arg(format!("--file={}", options.script.display()))
        .args(options.rate.map(|rate| format!("--rate={rate}")))
        .arg(&options.database_url)
        .output()
        .map_err(|e| failed("pgbench", e))?;
    // Its sessions end a moment later, and until the postmaster has noticed what they used counts nowhere.
    std::thread::sleep(Duration::from_millis(300));
    let after = used()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(failed("pgbench", format!("{text}{}", String::from_utf8_lossy(&output.stderr))));
    }
    let transactions = number_behind(&text, "number of transactions actually processed:").filter(|count| *count > 0.0);
    let transactions = transactions.ok_or_else(|| failed("pgbench did not say how many transactions it ran", &text))?;
    let per_second = number_behind(&text, "tps =").unwrap_or_default();
    let database_us = (after.cpu_s - before.cpu_s) * 1e6 / transactions;
    println!("pgbench {}: {per_second:.0}/s, {database_us:.1} us of the database each", options.script.display());
    write_json(&options.json, &serde_json::json!({ "per_second": per_second, "database_cpu_us": database_us }))
}

fn number_behind(text: &str, words: &str) -> Option<f64> {
    let rest = text.split(words).nth(1)?.trim_start();
    rest.split(|c: char| c != '.' && !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_pgbench_says() {
        let text = "number of transactions actually processed: 41230\nlatency average = 0.9 ms\ntps = 8246.091 (without initial …)\n";
        assert_eq!(number_behind(text, "number of transactions actually processed:"), Some(41_230.0));
        assert_eq!(number_behind(text, "tps ="), Some(8_246.091));
        assert_eq!(number_behind("tps: none", "tps ="), None);
    }
}
