//! The limits beside which the service's figures are judged: bare programs on the same machine, in the same run.
//! scripts/bench.sh calls this.

mod bare_sqlite;
mod drive;
mod pgbench;
mod report;
mod serve;
mod start;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use clap::{Parser, Subcommand};
use loadtest::failure::Result;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "baseline", version, about = "Measures bare programs, and writes the report of scripts/bench.sh")]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a point read, or a constant, as barely as it can be done
    Serve(serve::ServeOptions),
    /// Put such a server under the same load as the service
    Drive(drive::DriveOptions),
    /// Run a statement by pgbench, and tell what it took of the database
    Pgbench(pgbench::PgbenchOptions),
    /// Run statements on SQLite one after the other, and tell what they took
    Sqlite(bare_sqlite::SqliteOptions),
    /// Start a service, and tell after which time it gave its first answer
    Start(start::StartOptions),
    /// Write the page from the files that the others left in a folder
    Report {
        folder: PathBuf,
        /// Only the table of aims, for the README
        #[arg(long)]
        aims_only: bool,
    },
}

fn main() -> ExitCode {
    match run(Options::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("baseline: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Serve(options) => on_threads(serve::run(options)),
        Command::Drive(options) => on_one_thread(drive::run(options)),
        Command::Pgbench(options) => pgbench::run(&options),
        Command::Sqlite(options) => bare_sqlite::run(&options),
        Command::Start(options) => start::run(&options),
        Command::Report { folder, aims_only } => report::run(&folder, aims_only),
    }
}

fn on_threads<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    runtime(tokio::runtime::Builder::new_multi_thread().enable_all().build())?.block_on(work)
}

fn on_one_thread<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    runtime(tokio::runtime::Builder::new_current_thread().enable_all().build())?.block_on(work)
}

fn runtime(built: std::io::Result<tokio::runtime::Runtime>) -> Result<tokio::runtime::Runtime> {
    built.map_err(|e| failed("no runtime", e))
}

/// A failure with its cause.
fn failed(what: &str, cause: impl std::fmt::Display) -> loadtest::failure::Failure {
    loadtest::failure::Failure::new(format!("{what}: {cause}"))
}

/// Writes one measurement where the report looks for it.
fn write_json(file: &std::path::Path, value: &serde_json::Value) -> Result<()> {
    std::fs::write(file, format!("{value:#}\n")).map_err(|e| failed(&file.display().to_string(), e))
}
