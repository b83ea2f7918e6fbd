//! Whether a connection that many share still answers.
//!
//! The reads on it only count, and its keeper looks at the counts now and then. A timer for each read would wake the thread
//! that waits for the network whenever no other timer is due earlier, which costs more than the read does here.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// What the reads of one connection count.
#[derive(Debug, Default)]
pub(super) struct Progress {
    waiting: AtomicUsize,
    answered: AtomicU64,
}

impl Progress {
    pub(super) fn begin(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(self)
    }

    /// How many are under way.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// A read under way; dropped without an answer, it was given up.
pub(super) struct Waiting<'a>(&'a Progress);

impl Waiting<'_> {
    pub(super) fn answered(self) {
        self.0.answered.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sees that reads wait, and that none was answered since.
#[derive(Debug)]
pub(super) struct Stall {
    limit: Duration,
    answered: u64,
    since: Instant,
}

impl Stall {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, answered: 0, since: Instant::now() }
    }

    /// Whether it has been so for as long as the limit says. Asked again and again.
    pub(super) fn is_seen(&mut self, progress: &Progress) -> bool {
        let answered = progress.answered.load(Ordering::Relaxed);
        if answered != self.answered || progress.waiting() == 0 {
            (self.answered, self.since) = (answered, Instant::now());
        }
        self.since.elapsed() >= self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn only_reads_that_wait_and_get_no_answer_are_a_stall() {
        let (progress, mut stall) = (Progress::default(), Stall::new(Duration::from_secs(6)));
        let second = || advance(Duration::from_secs(1));
        for _ in 0..20 {
            second().await;
            assert!(!stall.is_seen(&progress), "nobody waits");
        }
        let waits = progress.begin();
        for _ in 0..20 {
            second().await;
            progress.begin().answered();
            assert!(!stall.is_seen(&progress), "others are answered");
        }
        for after in 1..=6 {
            second().await;
            assert_eq!(stall.is_seen(&progress), after == 6, "{after} s");
        }
        drop(waits);
        assert!(!stall.is_seen(&progress), "it was given up");
    }
}
