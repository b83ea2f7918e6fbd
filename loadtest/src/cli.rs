//! The command line.

use crate::mix::Mix;
use crate::tokens::TokenOptions;
use clap::Parser;
use n_users::domain::tenant::TenantName;
use std::path::PathBuf;
use std::time::Duration;

/// Fills a tenant with people, puts the service under load at a fixed rate, and tells how fast it answered.
///
/// Latency counts from the time at which each request was due, so that a server that stalls cannot hide it. It ends
/// with 1 when there were errors, and with 2 when it could not begin.
#[derive(Debug, Clone, Parser)]
#[command(name = "loadtest", version)]
pub struct Options {
    /// The service's address, like http://127.0.0.1:8085
    #[arg(long, default_value = "http://127.0.0.1:8085", value_name = "URL")]
    pub target: String,

    /// The tenant that is filled and asked; it is created if it is not there
    #[arg(long, default_value = "load", value_parser = tenant, value_name = "NAME")]
    pub tenant: TenantName,

    /// How many people the tenant has before the load begins; those that are missing are created
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000), value_name = "N")]
    pub profiles: u64,

    /// Requests per second
    #[arg(long, default_value_t = 1_000.0, value_parser = rate, value_name = "N")]
    pub rate: f64,

    /// How long the load lasts, like 60s or 5m
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "TIME")]
    pub duration: Duration,

    /// How long the same load runs before anything is counted
    #[arg(long, default_value = "3s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub warmup: Duration,

    /// What is asked: default (70 % get, 15 % search, 5 % search-filter, 6 % patch, 3 % create, 1 % image), or one of these alone
    #[arg(long, default_value = "default", value_parser = Mix::parse, value_name = "MIX")]
    pub mix: Mix,

    /// Chooses what is drawn from the mix: the same number draws the same requests in the same order
    ///
    /// A load after another one asks what that one asked, which a service may remember: give each a number of its own.
    #[arg(long, default_value_t = 20_261, value_name = "N")]
    pub seed: u64,

    /// Connections, and so the most requests at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    pub connections: u32,

    /// A request that takes longer is an error
    #[arg(long, default_value = "10s", value_parser = duration, value_name = "TIME")]
    pub timeout: Duration,

    #[command(flatten)]
    pub tokens: TokenOptions,

    /// Fill this database directly, sqlite://PATH or postgres://…: the one that the service uses
    ///
    /// Much faster than over HTTP. On PostgreSQL, for a superuser, an empty tenant is filled by COPY, for which the
    /// indexes of profiles are dropped and made again: do not do this to a database that others use.
    #[arg(long, value_name = "URL")]
    pub fill_database_url: Option<String>,

    /// Only fill, without a load; with --fill-database-url no service is needed
    #[arg(long)]
    pub fill_only: bool,

    /// Raise the rate until P95 exceeds 100 ms or there are errors, and tell the highest that held
    #[arg(long)]
    pub find_limit: bool,

    /// How long each step of --find-limit lasts
    #[arg(long, default_value = "10s", value_parser = duration, value_name = "TIME")]
    pub step: Duration,

    /// The database's first process, where it cannot be found by the service's connections
    #[arg(long, value_name = "PID")]
    pub database_pid: Option<i32>,

    /// Where the report is written as JSON
    #[arg(long, default_value = "loadtest.json", value_name = "FILE")]
    pub json: PathBuf,

    /// Where the report is written as a page
    #[arg(long, default_value = "loadtest.html", value_name = "FILE")]
    pub html: PathBuf,

    /// An earlier run's JSON: tell what changed
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
}

fn tenant(text: &str) -> Result<TenantName, String> {
    TenantName::parse(text)
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1e6 => Ok(rate),
        _ => Err("must be a number of requests per second, above 0".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) => Err("must be longer than nothing; give it like 60s".to_owned()),
        Err(error) => Err(format!("{error}; give it like 60s or 5m")),
    }
}
