//! Work in the database that waits for its turn: how long is counted, and told in the span of its request.

use super::metrics::METRICS;
use super::traces::Present;
use std::time::Instant;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitedFor {
    /// One of PostgreSQL's connections.
    Connection,
    /// One of SQLite's connections that read.
    Reader,
    /// The thread that writes to SQLite.
    Writer,
}

impl WaitedFor {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Reader => "reader",
            Self::Writer => "writer",
        }
    }
}

/// A wait, which may end on another thread.
#[derive(Debug)]
pub struct Wait {
    waited_for: WaitedFor,
    since: Instant,
    present: Present,
}

impl Wait {
    pub fn begin(waited_for: WaitedFor) -> Self {
        Self { waited_for, since: Instant::now(), present: Present::get() }
    }

    pub fn end(self) {
        let waited = self.since.elapsed();
        METRICS.note_wait(self.waited_for, waited);
        self.present.note_wait(self.waited_for, waited);
    }
}
