//! The embedded backend: one file, one thread that writes, a few connections that read.
//!
//! Writers come one after the other, so what a job looks at before it writes cannot change under it. A reader sees one
//! snapshot, taken after the last commit that was answered.

/// Named SQL texts, and in tests the list of them all.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* const $name: &str = $sql;)+
        #[cfg(test)]
        pub(in crate::store::sqlite) const STATEMENTS: &[&str] = &[$($name),+];
    };
}

#[macro_use]
mod rows;
mod changes;
mod checkpoints;
mod connection;
mod derive;
mod error;
mod filter;
mod frequencies;
mod grams;
mod idempotency;
mod maintenance;
mod preferences;
mod profiles;
mod readers;
mod search;
mod spelling;
mod tenants;
#[cfg(test)]
mod tests;
mod writer;

use super::Result;
use super::route::{Costs, Memory, Room};
use frequencies::Frequencies;
use readers::Readers;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use writer::{Verdict, Writer};

/// 72 MB: finding anew takes processors that requests wait for, and there is no server besides that needs memory.
const REMEMBERED: Room = Room { searches: 16_000, hits: 6_000_000, changes: 30_000 };

#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The database file; it and the folders above it are made if they are not there.
    pub path: PathBuf,
    /// How many reads may run at once; at least one.
    pub readers: usize,
    /// How long a search may take.
    pub search_budget: Duration,
}

/// A store in one file, which other processes on the same machine may open too.
pub struct Sqlite {
    writer: Writer,
    readers: Readers,
    search_budget: Duration,
    frequencies: Arc<Frequencies>,
    memory: Arc<Memory>,
    costs: Costs,
    closed: OnceCell<()>,
}

impl Sqlite {
    /// Opens the file. The schema is brought up to date by `migrate`, not here.
    pub fn open(options: SqliteOptions) -> Result<Self> {
        let mut writer = connection::open_writer(&options.path)?;
        let checkpoints = checkpoints::start(&mut writer, &options.path)?;
        let readers = Readers::open(&options.path, options.readers)?;
        Ok(Self {
            writer: Writer::start(writer, checkpoints)?,
            readers,
            search_budget: options.search_budget,
            frequencies: Arc::default(),
            memory: Arc::new(Memory::new(REMEMBERED)),
            costs: search::COSTS,
            closed: OnceCell::new(),
        })
    }

    /// The same, but finds anew whatever it is asked again, for measurements.
    #[must_use]
    pub fn forgetful(mut self) -> Self {
        self.memory = Arc::new(Memory::none());
        self
    }

    async fn write<T: Send + 'static>(&self, work: impl FnOnce(&Connection) -> Result<Verdict<T>> + Send + 'static) -> Result<T> {
        self.writer.write(work).await
    }

    /// For reads of a few rows by a key: they take less time than a change of threads.
    async fn read<T>(&self, read: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        self.readers.lend().await?.read(read)
    }

    /// For reads that may take long.
    async fn read_aside<T: Send + 'static>(&self, read: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static) -> Result<T> {
        self.readers.lend().await?.read_aside(read).await
    }

    async fn shut(&self) {
        let close = async {
            self.readers.close().await;
            self.writer.close().await;
        };
        self.closed.get_or_init(|| close).await;
    }
}

#[cfg(test)]
impl Sqlite {
    /// The same with other costs: tests send searches of small tenants the ways of large ones.
    pub(super) fn with_costs(mut self, costs: Costs) -> Self {
        self.costs = costs;
        self
    }
}
