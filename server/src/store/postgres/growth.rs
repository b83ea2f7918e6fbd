//! Who came after the statistics. PostgreSQL analyses a partition when a tenth of it has changed: until then its histogram
//! knows nothing of a large tenant's newest profiles, which are those that most pages show.

use super::frequencies::Frequencies;
use super::partitions::{Partition, for_each_partition};
use super::pool::{Attempted, Pool, Session};
use super::timeline::Timeline;
use crate::domain::tenant::TenantName;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A tenth more of a smaller tenant is soon read.
const WORTH_COUNTING: f64 = 100_000.0;
/// How often the newest of a tenant are counted that is searched.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// So many are read at a time; those behind them the next time.
const MOST_READ: i64 = 100_000;
/// Beyond so many points every other one is let go.
const MOST_POINTS: usize = 2_000;

/// Of each thousand who were created after a time, the last one's time, and how many they are.
macro_rules! read_newer_in {
    ($partition:literal) => {
        concat!(
            "SELECT max(q.created_at), count(*) FROM (SELECT p.created_at, row_number() OVER (ORDER BY p.created_at, p.profile_id) AS nr ",
            "FROM profiles_p",
            $partition,
            " p WHERE p.tenant_name = $1 AND p.created_at > $2::bigint ORDER BY p.created_at, p.profile_id LIMIT $3::bigint) AS q ",
            "GROUP BY (q.nr - 1) / 1000 ORDER BY 1"
        )
    };
}

/// One for each partition, by its number.
pub(super) const READ_NEWER_IN: [&str; 8] = for_each_partition!(read_newer_in);

/// The large tenants that were searched, each with those who came after the statistics.
#[derive(Debug, Default)]
pub(super) struct Growth(Arc<Mutex<HashMap<TenantName, Known>>>);

#[derive(Debug, Default)]
struct Known {
    /// Where the statistics end.
    end_ms: i64,
    newer: Newer,
    looked_at: Option<Instant>,
    is_looking: bool,
}

/// From oldest to newest: a time behind the end of the statistics, and how many were created from there up to it.
#[derive(Debug, Default, Clone, PartialEq)]
struct Newer(Vec<(i64, f64)>);

impl Newer {
    /// Takes in who came after the last time: up to each of these so many more.
    fn extend(&mut self, found: &[(i64, i64)]) {
        let mut sum = self.0.last().map_or(0.0, |(_, sum)| *sum);
        for (at_ms, more) in found {
            #[expect(clippy::cast_precision_loss, reason = "a thousand at most")]
            let more = *more as f64;
            sum += more;
            self.0.push((*at_ms, sum));
        }
        if self.0.len() > MOST_POINTS {
            let last = self.0.len() - 1;
            let mut at = 0..;
            self.0.retain(|_| at.next().is_some_and(|at: usize| (last - at).is_multiple_of(2)));
        }
    }
}

impl Growth {
    /// When the tenant's profiles were created, those who came after the statistics with the others: as it was known some
    /// seconds ago, or at first by the statistics alone. Learns what is new behind the caller's back.
    pub(super) fn timeline<'f>(
        &self,
        pool: &Pool,
        tenant: &TenantName,
        partition: Partition,
        frequencies: &'f Frequencies,
    ) -> Option<Cow<'f, Timeline>> {
        let (timeline, rows) = frequencies.timeline(partition)?;
        let is_large = frequencies.of_tenant(tenant).is_some_and(|rows| rows >= WORTH_COUNTING);
        let Some(end_ms) = timeline.end_ms().filter(|_| is_large) else { return Some(Cow::Borrowed(timeline)) };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(tenant.clone()).or_default();
        if known.end_ms != end_ms {
            *known = Known { end_ms, ..Known::default() };
        }
        if !known.is_looking && known.looked_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            known.is_looking = true;
            let after_ms = known.newer.0.last().map_or(end_ms, |(at_ms, _)| *at_ms);
            tokio::spawn(look(pool.clone(), Arc::clone(&self.0), tenant.clone(), partition, (end_ms, after_ms)));
        }
        Some(Cow::Owned(timeline.grown(&known.newer.0, rows)))
    }
}

#[cfg(test)]
impl Growth {
    /// Whoever is searched next is looked at again.
    pub(super) fn forget_when_it_looked(&self) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values_mut().for_each(|known| known.looked_at = None);
    }
}

/// Looks for those after a time, and notes them where the statistics still end there.
async fn look(
    pool: Pool,
    all: Arc<Mutex<HashMap<TenantName, Known>>>,
    tenant: TenantName,
    partition: Partition,
    (end_ms, after_ms): (i64, i64),
) {
    let tenant_name = tenant.as_str();
    let found = pool.read(|session| read_newer(session, partition, tenant_name, after_ms)).await;
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(known) = all.get_mut(&tenant).filter(|known| known.end_ms == end_ms) else { return };
    known.is_looking = false;
    known.looked_at = Some(Instant::now());
    match found {
        Ok(found) => known.newer.extend(&found),
        // Searches go on with what is known; they are only less well guided.
        Err(failure) => tracing::debug!(?failure, "the newest profiles of a tenant cannot be counted"),
    }
}

async fn read_newer(session: Session, partition: Partition, tenant: &str, after_ms: i64) -> Attempted<Vec<(i64, i64)>> {
    let rows = session.query(partition.of(&READ_NEWER_IN), &[&tenant, &after_ms, &MOST_READ]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_later_is_added_and_many_points_become_fewer() {
        let mut newer = Newer::default();
        newer.extend(&[(10, 1_000), (20, 500)]);
        newer.extend(&[(30, 1)]);
        assert_eq!(newer.0, [(10, 1_000.0), (20, 1_500.0), (30, 1_501.0)]);
        for at in 0..10_000 {
            newer.extend(&[(100 + at, 2)]);
        }
        assert!(newer.0.len() <= MOST_POINTS);
        assert_eq!(newer.0.last(), Some(&(10_099, 21_501.0)));
        assert!(newer.0.is_sorted_by(|one, next| one.0 < next.0 && one.1 < next.1));
    }
}
