//! How many profiles have a gram: of a rare one counted, of a common one reckoned from how densely it stands. Kept in
//! memory for a while: what is expected may be old, what is found never is.

use super::grams;
use crate::store::Result;
use rusqlite::{Connection, OptionalExtension, params};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many profiles are looked at. With fewer, the number is exact.
const SAMPLE: u32 = 1_000;
const KEPT_FOR: Duration = Duration::from_secs(60);
/// What is kept takes a megabyte or two.
const KEPT: usize = 16_384;
/// Whether anybody has a gram, or many have, is asked of many that nobody has.
const HELD_FOR: Duration = Duration::from_secs(300);
const HELD: usize = 65_536;

statements! {
    /// How many were looked at, the first, and the last of them.
    SAMPLE_GRAM = "SELECT count(*), min(number), max(number)
        FROM (SELECT rowid AS number FROM profile_grams WHERE profile_grams MATCH ?1 LIMIT ?2)";
    HAS_SO_MANY = "SELECT count(*) >= ?2 FROM (SELECT 1 FROM profile_grams WHERE profile_grams MATCH ?1 LIMIT ?2)";
    LAST_WITH_GRAM = "SELECT rowid FROM profile_grams WHERE profile_grams MATCH ?1 ORDER BY rowid DESC LIMIT 1";
}

/// What was found out lately, for all readers.
#[derive(Default)]
pub(super) struct Frequencies {
    common: Mutex<HashMap<String, (f64, Instant)>>,
    held: Mutex<HashMap<(i32, u32), (bool, Instant)>>,
}

impl Frequencies {
    /// About how many profiles fulfil an expression.
    pub(super) fn of(&self, connection: &Connection, expression: &str) -> Result<f64> {
        if let Some(known) = kept(&self.common, expression, KEPT_FOR) {
            return Ok(known);
        }
        let found = look(connection, expression)?;
        // What is rare is soon counted again, and may not be rare for long.
        if found < f64::from(SAMPLE) {
            return Ok(found);
        }
        keep(&self.common, expression.to_owned(), found, (KEPT, KEPT_FOR));
        Ok(found)
    }

    /// Whether so many had a gram, within the last minutes.
    pub(super) fn has(&self, connection: &Connection, gram: i32, so_many: u32) -> Result<bool> {
        if let Some(known) = kept(&self.held, &(gram, so_many), HELD_FOR) {
            return Ok(known);
        }
        let has = connection.prepare_cached(HAS_SO_MANY)?.query_row(params![grams::word(gram), so_many], |row| row.get(0))?;
        keep(&self.held, (gram, so_many), has, (HELD, HELD_FOR));
        Ok(has)
    }
}

#[cfg(test)]
impl Frequencies {
    /// Takes so many for those who fulfil an expression.
    pub(super) fn assume(&self, expression: &str, rows: f64) {
        keep(&self.common, expression.to_owned(), rows, (KEPT, KEPT_FOR));
    }
}

fn kept<Q, K, T>(all: &Mutex<HashMap<K, (T, Instant)>>, of: &Q, kept_for: Duration) -> Option<T>
where
    Q: Hash + Eq + ?Sized,
    K: Borrow<Q> + Hash + Eq,
    T: Copy,
{
    let all = all.lock().unwrap_or_else(PoisonError::into_inner);
    all.get(of).filter(|(_, at)| at.elapsed() < kept_for).map(|(found, _)| *found)
}

fn keep<K: Hash + Eq, T>(all: &Mutex<HashMap<K, (T, Instant)>>, of: K, found: T, (most, kept_for): (usize, Duration)) {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= most {
        all.retain(|_, (_, at)| at.elapsed() < kept_for);
        // All of them are new: whatever is asked for often is soon there again.
        if all.len() >= most {
            all.clear();
        }
    }
    all.insert(of, (found, Instant::now()));
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
