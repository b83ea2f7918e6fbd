//! When a session's plans are made anew.
//!
//! A session keeps a plan until the server has analysed a table again, and that may be a minute. A plan made while a
//! table was all but empty may take any index that begins with the tenant, for then they cost the same; with the first
//! hundred thousand rows it would be very slow. So plans are thrown away when a session is 1, 2, 4, 8 and 16 seconds
//! old, and then twice a minute: the planner looks at the table's size each time it plans.

use futures::FutureExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio_postgres::Client;

const PERIOD_S: u64 = 30;

/// Throws a session's plans away. Polled once it is sent, and what is sent next is planned anew.
pub(super) fn make_anew(client: &Client) {
    let _ = client.batch_execute("DISCARD PLANS").now_or_never();
}

/// Whether plans of a session last used at one age are due at another.
pub(super) fn due_between(last: Duration, now: Duration) -> bool {
    step(last.as_secs()) < step(now.as_secs())
}

fn step(age_s: u64) -> u64 {
    if age_s < PERIOD_S { u64::from(age_s.checked_ilog2().map_or(0, |power| power + 1)) } else { PERIOD_S + age_s / PERIOD_S }
}

/// The age of a session that many use at once.
#[derive(Debug)]
pub(super) struct PlanAge {
    since: Instant,
    last_s: AtomicU64,
}

impl PlanAge {
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), last_s: AtomicU64::new(0) }
    }

    /// True for one of the callers, each time it is due.
    pub(super) fn is_due(&self) -> bool {
        let now = self.since.elapsed();
        let last = self.last_s.fetch_max(now.as_secs(), Ordering::Relaxed);
        due_between(Duration::from_secs(last), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_due_often_at_first_and_regularly_then() {
        let due: Vec<u64> = (1..100).filter(|age| due_between(Duration::from_secs(age - 1), Duration::from_secs(*age))).collect();
        assert_eq!(due, [1, 2, 4, 8, 16, 30, 60, 90]);
        assert!(due_between(Duration::from_secs(3), Duration::from_secs(1_000)));
    }
}
