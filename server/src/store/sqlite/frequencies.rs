//! How many profiles have a gram: of a rare one counted, of a common one reckoned from how densely it stands. Kept in
//! memory for a while: what is expected may be old, what is found never is.

use crate::store::Result;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many profiles are looked at. With fewer, the number is exact.
const SAMPLE: u32 = 1_000;
const KEPT_FOR: Duration = Duration::from_secs(60);
/// What is kept takes a megabyte or two.
const KEPT: usize = 16_384;

statements! {
    /// How many were looked at, the first, and the last of them.
    SAMPLE_GRAM = "SELECT count(*), min(number), max(number)
        FROM (SELECT rowid AS number FROM profile_grams WHERE profile_grams MATCH ?1 LIMIT ?2)";
    LAST_WITH_GRAM = "SELECT rowid FROM profile_grams WHERE profile_grams MATCH ?1 ORDER BY rowid DESC LIMIT 1";
}

/// What was found out lately, for all readers.
#[derive(Default)]
pub(super) struct Frequencies(Mutex<HashMap<String, (f64, Instant)>>);

impl Frequencies {
    /// About how many profiles fulfil an expression.
    pub(super) fn of(&self, connection: &Connection, expression: &str) -> Result<f64> {
        if let Some(known) = self.kept(expression) {
            return Ok(known);
        }
        let found = look(connection, expression)?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.retain(|_, (_, at)| at.elapsed() < KEPT_FOR);
            // All of them are new: whatever is asked for often is soon there again.
            if kept.len() >= KEPT {
                kept.clear();
            }
        }
        kept.insert(expression.to_owned(), (found, Instant::now()));
        Ok(found)
    }

    fn kept(&self, expression: &str) -> Option<f64> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(expression).filter(|(_, at)| at.elapsed() < KEPT_FOR).map(|(found, _)| *found)
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows, and estimates")]
fn look(connection: &Connection, expression: &str) -> Result<f64> {
    let sample = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (seen, first, last_seen): (i64, Option<i64>, Option<i64>) =
        connection.prepare_cached(SAMPLE_GRAM)?.query_row(params![expression, SAMPLE], sample)?;
    let (Some(first), Some(last_seen), true) = (first, last_seen, seen >= i64::from(SAMPLE)) else { return Ok(seen as f64) };
    let last: Option<i64> = connection.prepare_cached(LAST_WITH_GRAM)?.query_row([expression], |row| row.get(0)).optional()?;
    let whole = last.unwrap_or(last_seen).saturating_sub(first).max(1);
    let looked_at = last_seen.saturating_sub(first).max(1);
    Ok(seen as f64 * whole as f64 / looked_at as f64)
}
