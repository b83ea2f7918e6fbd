//! The store on PostgreSQL (15 or later).
//!
//! Two lanes lead to the database: a few shared clients that pipeline the indexed reads of single rows, and a pool for
//! everything else. A database that is lost, or not there yet, makes calls answer `Unavailable`; nothing has to be
//! done when it comes back.
//!
//! A write is one statement: the check of the version, the change and its rows in the log. Its transaction takes the
//! locks of what it touches (see `locks`) before it takes its id, and the log is read in the order of these ids.

mod changes;
mod derive;
mod error;
mod filter;
mod frequencies;
mod growth;
mod idempotency;
mod lanes;
mod last_words;
mod locks;
mod maintenance;
mod options;
mod partitions;
mod plans;
mod pool;
mod preferences;
mod profiles;
mod progress;
mod purge;
mod rows;
mod search;
mod spelling;
mod tenants;
mod timeline;
mod tls;
mod users;
mod values;
mod wall;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use options::PostgresOptions;

use super::error::Result;
use super::route::{Costs, Memory, Room};
use frequencies::Watch;
use growth::Growth;
use lanes::Lanes;
use partitions::Partitions;
use pool::Pool;
use std::time::Duration;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// 28 MB: a node has 150 for everything.
const REMEMBERED: Room = Room { searches: 10_000, hits: 1_500_000, changes: 20_000 };

/// The store on PostgreSQL. Its clients reconnect by themselves until `close`.
pub struct Postgres {
    lanes: Lanes,
    pool: Pool,
    partitions: Partitions,
    search_budget: Duration,
    frequencies: Watch,
    growth: Growth,
    memory: Memory,
    costs: Costs,
}

impl Postgres {
    /// Fails only where the options cannot be right: the database need not be there yet. Called within a Tokio
    /// runtime.
    pub fn connect(options: PostgresOptions) -> Result<Self> {
        let target = options.target()?;
        Ok(Self {
            lanes: Lanes::open(&target, options.shared_clients, options.statement_timeout),
            pool: Pool::open(target, options.pool_size, options.statement_timeout)?,
            partitions: Partitions::default(),
            search_budget: options.search_budget,
            frequencies: Watch::default(),
            growth: Growth::default(),
            memory: Memory::new(REMEMBERED),
            costs: search::COSTS,
        })
    }

    /// The same, but finds anew whatever it is asked again, for measurements.
    #[must_use]
    pub fn forgetful(mut self) -> Self {
        self.memory = Memory::none();
        self
    }
}

#[cfg(test)]
impl Postgres {
    /// The same with other costs: tests send searches of small tenants the ways of large ones.
    pub(super) fn with_costs(mut self, costs: Costs) -> Self {
        self.costs = costs;
        self
    }

    /// The same with statistics that are not the database's.
    fn with_frequencies(mut self, frequencies: frequencies::Frequencies) -> Self {
        self.frequencies = Watch::pinned(frequencies);
        self
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}
