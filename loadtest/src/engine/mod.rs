//! An open-loop load: requests are due at a fixed rate, whatever the server does, and each latency counts from the
//! time at which the request was due. A server that stalls is thus charged for all who would have waited (no
//! coordinated omission). What was due before the load's end is sent a little later, too; what could not be is counted as an
//! error, with the time that it had waited.

mod alarm;
mod recorder;
#[cfg(test)]
mod tests;

pub use recorder::{OperationRecord, Recorder, Second};

use crate::failure::{Failure, Result};
use crate::http::{Connection, Target};
use crate::processes::{Monitor, Usage};
use alarm::Alarm;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// What is counted for a request that was due and could not be sent, not even `LATE` behind the load's end.
pub const NOT_SENT: &str = "not sent: all connections busy";
/// A short wait at the end is a wait like any other, and no error.
const LATE: Duration = Duration::from_secs(1);

/// Requests, one after the other.
pub trait Source: Send {
    /// The names of the operations, by their numbers.
    fn operations(&self) -> Vec<&'static str>;
    /// The next request.
    fn next(&mut self) -> Outgoing;
}

pub struct Outgoing {
    /// Its number among the source's operations.
    pub operation: usize,
    pub request: Request<Full<Bytes>>,
}

/// How much, how long, over how many connections.
#[derive(Debug, Clone)]
pub struct Load {
    pub rate: f64,
    /// At the same rate before anything is counted.
    pub warmup: Duration,
    pub duration: Duration,
    pub connections: usize,
}

/// What was seen.
pub struct Measured {
    pub recorder: Recorder,
    /// How long requests were due: shorter than the load's duration when it was interrupted.
    pub elapsed: Duration,
    pub before: Usage,
    pub after: Usage,
    pub interrupted: bool,
}

/// Tells a load to end early.
pub type Stop = watch::Receiver<bool>;

type SharedSource = Arc<Mutex<dyn Source>>;

/// Drives the load. `each_second` hears how it goes.
pub async fn run(
    load: &Load,
    target: &Target,
    source: &SharedSource,
    monitor: &Monitor,
    stop: &Stop,
    each_second: &dyn Fn(&Recorder),
) -> Result<Measured> {
    let mut idle = Vec::with_capacity(load.connections);
    for _ in 0..load.connections {
        idle.push(target.connect().await?);
    }
    let operations = lock(source).operations();
    let start = Instant::now() + Duration::from_millis(20);
    let shared = Arc::new(Shared {
        plan: Plan { start, counted_from: start + load.warmup, end: start + load.warmup + load.duration, rate: load.rate },
        source: Arc::clone(source),
        state: Mutex::new(State { next: 0, idle, at_work: 0, ended: None, recorder: Recorder::new(&operations) }),
        idle_again: Notify::new(),
    });
    let mut before = monitor.usage();
    let mut stop = stop.clone();
    tokio::select! {
        () = dispatch(&shared) => {}
        () = watch_over(&shared, monitor, &mut before, each_second) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    let interrupted = *stop.borrow();
    let ended = shared.end(interrupted);
    shared.finished().await;
    let after = monitor.usage();
    let mut state = lock(&shared.state);
    let recorder = std::mem::replace(&mut state.recorder, Recorder::new(&operations));
    let elapsed = ended.saturating_duration_since(shared.plan.counted_from);
    if elapsed.is_zero() {
        return Err(Failure::new("interrupted before anything was measured"));
    }
    Ok(Measured { recorder, elapsed, before, after, interrupted })
}

/// When requests are due.
struct Plan {
    start: Instant,
    counted_from: Instant,
    end: Instant,
    rate: f64,
}

impl Plan {
    #[expect(clippy::cast_precision_loss, reason = "53 bits are enough for a count of requests")]
    fn due(&self, number: u64) -> Instant {
        self.start + Duration::from_secs_f64(number as f64 / self.rate)
    }
}

struct Shared {
    plan: Plan,
    source: SharedSource,
    state: Mutex<State>,
    idle_again: Notify,
}

struct State {
    /// The number of the request that is sent next: all before it were sent.
    next: u64,
    idle: Vec<Connection>,
    at_work: usize,
    /// When nothing is sent any more.
    ended: Option<Instant>,
    recorder: Recorder,
}

impl Shared {
    /// The next request's time, if it has come.
    fn take_due(&self, state: &mut State) -> Option<Instant> {
        let due = self.plan.due(state.next);
        let may = state.ended.is_none() && due < self.plan.end && due <= Instant::now();
        may.then(|| {
            state.next += 1;
            due
        })
    }

    /// Sends nothing more, and counts what was due until the end, or until now if that is before, and has not been sent.
    fn end(&self, interrupted: bool) -> Instant {
        let mut state = lock(&self.state);
        let now = Instant::now();
        let ended = if interrupted { now.min(self.plan.end) } else { self.plan.end };
        state.ended = Some(ended);
        loop {
            let due = self.plan.due(state.next);
            if due >= ended {
                return ended;
            }
            state.next += 1;
            let operation = lock(&self.source).next().operation;
            self.record(&mut state, operation, due, now, Err(NOT_SENT.to_owned()));
        }
    }

    fn record(&self, state: &mut State, operation: usize, due: Instant, finished: Instant, outcome: std::result::Result<(), String>) {
        if let Some(since) = due.checked_duration_since(self.plan.counted_from) {
            state.recorder.record(operation, since, finished.saturating_duration_since(due), outcome);
        }
    }

    /// Waits until every request that was sent has its answer, or has run out of time.
    async fn finished(&self) {
        loop {
            let idle_again = self.idle_again.notified();
            if lock(&self.state).at_work == 0 {
                return;
            }
            idle_again.await;
        }
    }
}

/// Hands each request to an idle connection when it is due. A connection that has become free takes by itself what is
/// due by then, so this needs to look only when it runs ahead of the load.
async fn dispatch(shared: &Arc<Shared>) {
    let Ok(mut alarm) = Alarm::new() else { return };
    loop {
        let idle_again = shared.idle_again.notified();
        let (due, is_idle) = {
            let mut state = lock(&shared.state);
            while let Some(connection) = state.idle.pop() {
                let Some(due) = shared.take_due(&mut state) else {
                    state.idle.push(connection);
                    break;
                };
                state.at_work += 1;
                tokio::spawn(work(Arc::clone(shared), connection, due));
            }
            (shared.plan.due(state.next), !state.idle.is_empty())
        };
        let end = shared.plan.end;
        if due >= end || Instant::now() >= end + LATE {
            return alarm.wait_until(end).await;
        }
        if is_idle {
            alarm.wait_until(due).await;
        } else {
            tokio::select! {
                () = idle_again => {}
                () = tokio::time::sleep_until((end + LATE).into()) => {}
            }
        }
    }
}

/// One connection: sends a request, and all that are due when it has been answered.
async fn work(shared: Arc<Shared>, mut connection: Connection, mut due: Instant) {
    loop {
        let Outgoing { operation, request } = lock(&shared.source).next();
        let answer = connection.exchange(request).await;
        let finished = Instant::now();
        let outcome = match answer {
            Ok(answer) if answer.status.is_success() => Ok(()),
            Ok(answer) => Err(answer.kind()),
            Err(kind) => Err(kind),
        };
        let mut state = lock(&shared.state);
        shared.record(&mut state, operation, due, finished, outcome);
        match shared.take_due(&mut state) {
            Some(next) => due = next,
            None => {
                state.idle.push(connection);
                state.at_work -= 1;
                let was_last = state.idle.len() == 1 || state.at_work == 0;
                drop(state);
                if was_last {
                    shared.idle_again.notify_waiters();
                }
                return;
            }
        }
    }
}

/// Takes the first reading when counting begins, and tells each second how it goes. It never returns.
async fn watch_over(shared: &Shared, monitor: &Monitor, before: &mut Usage, each_second: &dyn Fn(&Recorder)) {
    tokio::time::sleep_until(shared.plan.counted_from.into()).await;
    monitor.begin();
    *before = monitor.usage();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        each_second(&lock(&shared.state).recorder);
    }
}

/// Nothing here panics while it holds a lock, and if it did, what was recorded so far would still be right.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
