//! Makes large directories and measures searches on them (docs/search-figures.md says how to use it and what came out).
//!
//!     search-bench --database-url postgres://… load --profiles 1000000
//!     search-bench --database-url postgres://… run --profiles 1000000

mod cpu;
mod measure;
mod workload;

use clap::{Parser, Subcommand};
use loadtest::fill::{copy, direct};
use loadtest::people::{person, tenants};
use measure::Place;
use n_users::domain::clock::TimestampMs;
use n_users::store::Store;
use std::error::Error;
use std::sync::Arc;
use workload::Population;

/// The seed of the workload that figures are judged by. Tune on another.
const JUDGING_SEED: u64 = 20_261;

#[derive(Parser)]
struct Args {
    /// postgres://…, or sqlite:// and a path.
    #[arg(long)]
    database_url: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Migrates an empty database and fills it.
    Load(Data),
    /// Runs the mix, the other classes, and creates.
    Run {
        #[command(flatten)]
        data: Data,
        /// Which searches: 20261 are those to judge by.
        #[arg(long, default_value_t = JUDGING_SEED)]
        workload_seed: u64,
        #[arg(long, default_value_t = 2_000)]
        searches: usize,
        /// Also tell so many of the searches that took most computing, and how they were answered.
        #[arg(long, default_value_t = 0)]
        worst: usize,
        #[arg(long, default_value_t = 0)]
        creates: u64,
        /// So many wait for their create at a time; 4 on PostgreSQL and 100 on SQLite unless told.
        #[arg(long)]
        waiting: Option<u64>,
        /// Where the created ones begin in the list of all people: raise it for another run on the same data.
        #[arg(long, default_value_t = 0)]
        creates_from: u64,
    },
}

#[derive(clap::Args, Clone, Copy)]
struct Data {
    #[arg(long, default_value_t = 1_000_000)]
    profiles: u64,
    #[arg(long, default_value_t = 1)]
    data_seed: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let (store, place) = open(&args.database_url)?;
    match args.command {
        Command::Load(data) => {
            store.migrate(TimestampMs(1)).await?;
            match &place {
                Place::Backends(_) => {
                    let people = (0..data.profiles).map(|at| person(data.data_seed, at));
                    copy::load(&args.database_url, tenants(), people, |_| {}).await?;
                }
                Place::Here => {
                    direct::create_tenants(&store, tenants()).await?;
                    let people = move |at| person(data.data_seed, at);
                    direct::create_people(&store, 0..data.profiles, people, &|_| {}).await?;
                }
            }
        }
        Command::Run { data, workload_seed, searches, worst, creates, waiting, creates_from } => {
            let people = Population { seed: data.data_seed, profiles: data.profiles };
            // Warm: the statistics are read, and so are the pages.
            measure::together(&store, people, workload_seed ^ 1, searches, 2).await?;
            measure::alone(&store, people, workload_seed, searches, &place, worst).await?;
            measure::together(&store, people, workload_seed, searches, 8).await?;
            if creates > 0 {
                let waiting = waiting.unwrap_or(if matches!(place, Place::Here) { 100 } else { 4 });
                measure::creates(&store, people, data.profiles.max(creates_from), creates, waiting).await?;
            }
        }
    }
    store.close().await;
    Ok(())
}

fn open(url: &str) -> Result<(Arc<dyn Store>, Place), Box<dyn Error>> {
    let place = match url.strip_prefix("sqlite://") {
        Some(_) => Place::Here,
        None => Place::Backends(url.rsplit('/').next().unwrap_or_default().to_owned()),
    };
    Ok((direct::open_store(url)?, place))
}
