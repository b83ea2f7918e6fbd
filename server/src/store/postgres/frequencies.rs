//! How often things stand in the database, from its own statistics: kept in memory, and read again when the database
//! has analysed a partition since.

use super::last_words::{Ending, LastWords, READ_LAST_WORDS};
use super::partitions::Partition;
use super::pool::{Attempted, Pool, Session};
use super::timeline::Timeline;
use crate::domain::tenant::TenantName;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_postgres::Row;

/// How often the database is asked whether its statistics are new.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Changes when a partition has been analysed.
pub(super) const READ_STATE: &str = "\
SELECT coalesce(sum(s.analyze_count + s.autoanalyze_count), 0)::bigint AS state
FROM pg_inherits i JOIN pg_stat_all_tables s ON s.relid = i.inhrelid WHERE i.inhparent = 'profiles'::regclass";

/// The most common grams, tenants and times of creation of each partition, with their shares of its rows, and how the
/// other times lie. PostgreSQL appends three numbers of another kind to the shares of elements.
pub(super) const READ_FREQUENCIES: &str = "\
SELECT substr(c.relname, length('profiles_p') + 1)::int AS partition, greatest(c.reltuples, 0)::float8 AS rows, s.attname::text AS field,
       CASE s.attname WHEN 'grams' THEN s.most_common_elems::text::int[] END AS grams,
       CASE s.attname WHEN 'grams' THEN s.most_common_elem_freqs ELSE s.most_common_freqs END AS shares,
       CASE s.attname WHEN 'tenant_name' THEN s.most_common_vals::text::text[] END AS tenants,
       CASE s.attname WHEN 'created_at' THEN s.most_common_vals::text::bigint[] END AS times,
       CASE s.attname WHEN 'created_at' THEN s.histogram_bounds::text::bigint[] END AS bounds
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
JOIN pg_stats s ON s.tablename = c.relname AND s.schemaname = c.relnamespace::regnamespace::text
WHERE i.inhparent = 'profiles'::regclass AND s.attname IN ('grams', 'tenant_name', 'created_at')";

/// What is not listed has this share of what the rarest of the listed have: most have far fewer.
const UNLISTED: f64 = 0.15;

/// What is known at one time.
#[derive(Debug, Default)]
pub(super) struct Frequencies {
    grams: HashMap<i32, f64>,
    tenants: HashMap<String, f64>,
    /// By partition: what is not listed has fewer rows than this.
    least: HashMap<usize, f64>,
    /// By partition: when its rows were created, and how many they are.
    timelines: HashMap<usize, (Timeline, f64)>,
    /// By partition: what its names end with.
    last_words: HashMap<usize, LastWords>,
}

impl Frequencies {
    /// The tenant's profiles, if they are many; `None` when nothing is known.
    pub(super) fn of_tenant(&self, tenant: &TenantName) -> Option<f64> {
        self.tenants.get(tenant.as_str()).copied()
    }

    /// The profiles that have a gram, if it is among the most common.
    pub(super) fn of_listed(&self, gram: i32) -> Option<f64> {
        self.grams.get(&gram).copied()
    }

    /// The same of several, together.
    pub(super) fn of_all_listed(&self, grams: &[i32]) -> f64 {
        grams.iter().filter_map(|gram| self.of_listed(*gram)).sum()
    }

    /// When the partition's rows were created, and how many they are; `None` when nothing is known.
    pub(super) fn timeline(&self, partition: Partition) -> Option<(&Timeline, f64)> {
        self.timelines.get(&partition.number()).map(|(timeline, rows)| (timeline, *rows))
    }

    /// About how many names end with a word that begins like this one. `None` when nothing is known.
    pub(super) fn of_last_words(&self, partition: Partition, word: &str, behind: &str) -> Option<Ending> {
        self.last_words.get(&partition.number())?.ending(word, behind)
    }

    /// About how many profiles have one of these grams; `None` when nothing is known.
    pub(super) fn of_any(&self, partition: Partition, grams: &[i32]) -> Option<f64> {
        let least = self.least.get(&partition.number())?;
        Some(grams.iter().map(|gram| self.grams.get(gram).copied().unwrap_or(least * UNLISTED)).sum())
    }
}

#[cfg(test)]
impl Frequencies {
    pub(super) fn listing(grams: impl IntoIterator<Item = (i32, f64)>) -> Self {
        Self { grams: grams.into_iter().collect(), ..Self::default() }
    }

    /// A tenant of so many rows, in which every gram is one that so many have.
    pub(super) fn even(tenant: &TenantName, rows: f64, each: f64) -> Self {
        let least = (0..8).map(|partition| (partition, each / UNLISTED)).collect();
        Self { tenants: HashMap::from([(tenant.as_str().to_owned(), rows)]), least, ..Self::default() }
    }

    /// The same, with this about when a partition's rows were created.
    pub(super) fn created(mut self, partition: Partition, timeline: Timeline, rows: f64) -> Self {
        self.timelines.insert(partition.number(), (timeline, rows));
        self
    }

    /// The same, with so many names that end with each of these words.
    pub(super) fn ending(mut self, words: &[&str], rows: f64) -> Self {
        self.last_words = (0..8).map(|partition| (partition, LastWords::even(words, rows))).collect();
        self
    }

    /// The same, but for this gram.
    pub(super) fn but(mut self, gram: i32, rows: f64) -> Self {
        self.grams.insert(gram, rows);
        self
    }
}

/// The frequencies as they were last read.
#[derive(Default)]
pub(super) struct Watch {
    known: Arc<Mutex<Known>>,
    looking: Arc<AtomicBool>,
}

#[derive(Default)]
struct Known {
    frequencies: Arc<Frequencies>,
    /// None yet: a server that lost its counters after a crash counts from 0.
    state: Option<i64>,
    looked_at: Option<Instant>,
}

#[cfg(test)]
impl Watch {
    /// Knows this for ever.
    pub(super) fn pinned(frequencies: Frequencies) -> Self {
        let known = Known { frequencies: Arc::new(frequencies), ..Known::default() };
        Self { known: Arc::new(Mutex::new(known)), looking: Arc::new(AtomicBool::new(true)) }
    }
}

impl Watch {
    /// What is known now. Learns what is new behind the caller's back.
    pub(super) fn current(&self, pool: &Pool) -> Arc<Frequencies> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let due = known.looked_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY);
        if due && !self.looking.swap(true, Ordering::Relaxed) {
            let (pool, known, looking, state) = (pool.clone(), Arc::clone(&self.known), Arc::clone(&self.looking), known.state);
            tokio::spawn(async move {
                let news = pool.read(|session| read_news(session, state)).await;
                let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                known.looked_at = Some(Instant::now());
                match news {
                    Ok(Some((state, frequencies))) => (known.state, known.frequencies) = (Some(state), Arc::new(frequencies)),
                    Ok(None) => {}
                    // Searches go on with what is known; they are only less well guided.
                    Err(failure) => tracing::debug!(?failure, "the statistics for searches cannot be read"),
                }
                looking.store(false, Ordering::Relaxed);
            });
        }
        Arc::clone(&known.frequencies)
    }
}

/// `None` when the state is still this one.
pub(super) async fn read_news(session: Session, state: Option<i64>) -> Attempted<Option<(i64, Frequencies)>> {
    let now: i64 = session.query_one(READ_STATE, &[]).await?.try_get("state")?;
    if Some(now) == state {
        return Ok(None);
    }
    let mut found = Frequencies::default();
    for row in session.query(READ_FREQUENCIES, &[]).await? {
        found.add(&row)?;
    }
    for row in session.query(READ_LAST_WORDS, &[]).await? {
        let (partition, last_words) = LastWords::of(&row)?;
        found.last_words.insert(partition, last_words);
    }
    Ok(Some((now, found)))
}

impl Frequencies {
    /// What one row of statistics tells.
    fn add(&mut self, row: &Row) -> Attempted<()> {
        let (partition, rows): (i32, f64) = (row.try_get("partition")?, row.try_get("rows")?);
        let partition = usize::try_from(partition).unwrap_or(usize::MAX);
        let shares = row.try_get::<_, Option<Vec<f32>>>("shares")?.unwrap_or_default();
        let counts = shares.iter().map(|share| f64::from(*share) * rows);
        if let Some(grams) = row.try_get::<_, Option<Vec<i32>>>("grams")? {
            let least = counts.clone().take(grams.len()).fold(f64::INFINITY, f64::min);
            self.least.insert(partition, least);
            self.grams.extend(grams.into_iter().zip(counts));
        } else if let Some(tenants) = row.try_get::<_, Option<Vec<String>>>("tenants")? {
            self.tenants.extend(tenants.into_iter().zip(counts));
        } else {
            let times = row.try_get::<_, Option<Vec<i64>>>("times")?.unwrap_or_default();
            let bounds = row.try_get::<_, Option<Vec<i64>>>("bounds")?.unwrap_or_default();
            let common: Vec<(i64, f64)> = times.into_iter().zip(shares.iter().copied().map(f64::from)).collect();
            if !bounds.is_empty() || !common.is_empty() {
                self.timelines.insert(partition, (Timeline::of(&bounds, &common), rows));
            }
        }
        Ok(())
    }
}
