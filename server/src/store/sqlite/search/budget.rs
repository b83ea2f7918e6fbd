//! The time that a search may take.

use crate::store::Result;
use rusqlite::Connection;
use std::time::{Duration, Instant};

/// How many steps of SQLite's machine pass between two looks at the clock: well below a millisecond of work.
const STEPS_BETWEEN_LOOKS: i32 = 2_000;

/// A connection whose statements are interrupted when the time is up; afterwards it is as it was before.
pub(in super::super) struct Budgeted<'c>(pub &'c mut Connection);

impl<'c> Budgeted<'c> {
    pub fn start(connection: &'c mut Connection, budget: Duration) -> Result<Self> {
        let end = Instant::now().checked_add(budget);
        connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || end.is_some_and(|end| Instant::now() >= end)))?;
        Ok(Self(connection))
    }
}

impl Drop for Budgeted<'_> {
    fn drop(&mut self) {
        // Fails only on a connection that is closed.
        let _ = self.0.progress_handler(0, None::<fn() -> bool>);
    }
}
