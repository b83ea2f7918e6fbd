//! The shared clients: each pipelines the indexed reads of many callers over one connection, with its statements
//! prepared once. A client whose connection breaks or falls silent, or whose statements no longer fit the schema, is
//! replaced in the background.

use super::CONNECT_TIMEOUT;
use super::error::{Failure, connect_cause};
use super::options::Target;
use super::partitions::Partition;
use super::plans::{self, PlanAge};
use super::progress::{Progress, Stall};
use crate::store::error::{Result, StoreError};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OnceCell, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);
/// What a read may take beyond the server's own limit before its connection counts as dead.
const GRACE: Duration = Duration::from_secs(1);
/// How often connections are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The statements of the lanes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Read {
    Profile,
    ProfileIn(Partition),
    Partition,
    Preference,
    Tenant,
    Recorded,
    Ping,
}

impl Read {
    const ALONE: [Self; 6] = [Self::Profile, Self::Partition, Self::Preference, Self::Tenant, Self::Recorded, Self::Ping];
    const COUNT: usize = Self::ALONE.len() + Partition::ALL.len();

    #[cfg(test)]
    pub(super) fn all() -> impl Iterator<Item = Self> {
        Self::ALONE.into_iter().chain(Partition::ALL.map(Self::ProfileIn))
    }

    /// A number of its own, below `COUNT`.
    fn number(self) -> usize {
        match self {
            Self::Profile => 0,
            Self::Partition => 1,
            Self::Preference => 2,
            Self::Tenant => 3,
            Self::Recorded => 4,
            Self::Ping => 5,
            Self::ProfileIn(partition) => Self::ALONE.len() + partition.number(),
        }
    }

    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Profile => super::profiles::READ_PROFILE,
            Self::ProfileIn(partition) => partition.of(&super::profiles::READ_PROFILE_IN),
            Self::Partition => super::partitions::FIND_PARTITION,
            Self::Preference => super::preferences::READ_PREFERENCE,
            Self::Tenant => super::tenants::READ_TENANT,
            Self::Recorded => super::idempotency::READ_RECORDED,
            Self::Ping => super::maintenance::PING,
        }
    }
}

struct LaneClient {
    client: Client,
    statements: [OnceCell<Statement>; Read::COUNT],
    /// Says that another client is to take this one's place.
    retired: Notify,
    plans: PlanAge,
    progress: Progress,
    /// Given up because it did not answer.
    silent: AtomicBool,
}

/// How a lane stands.
#[derive(Clone)]
enum State {
    /// An attempt is under way; it is worth waiting for.
    Connecting,
    Up(Arc<LaneClient>),
    /// The last attempt failed for this reason; the next comes after a pause.
    Down(Arc<str>),
}

pub(super) struct Lanes {
    states: Vec<watch::Receiver<State>>,
    closing: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Lanes {
    /// Starts to connect and does not wait for it.
    pub(super) fn open(target: &Target, count: usize, statement_timeout: Duration) -> Self {
        let closing = watch::Sender::new(false);
        let mut states = Vec::new();
        let mut tasks = Vec::new();
        for _ in 0..count.max(1) {
            let (sender, receiver) = watch::channel(State::Connecting);
            states.push(receiver);
            let keeper = Keeper { target: target.clone(), state: sender, drain: statement_timeout };
            tasks.push(tokio::spawn(keeper.run(closing.subscribe())));
        }
        Self { states, closing, tasks: Mutex::new(tasks) }
    }

    /// The row that a read finds, if any. A read that met a broken connection, or outdated statements, is tried again
    /// on another client: as often as there are clients, since a server that ends one may be ending all.
    pub(super) async fn read(&self, read: Read, params: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>> {
        let mut tries_left = self.states.len();
        loop {
            let lane = self.pick().await?;
            let failure = match lane.read(read, params).await {
                Ok(row) => return Ok(row),
                Err(e) => Failure::Driver(e),
            };
            if failure.is_lost() && lane.silent.load(Ordering::Acquire) {
                return Err(StoreError::unavailable("no answer from the database in time"));
            }
            let useless = failure.is_lost() || failure.is_stale_plan() || failure.is_read_only();
            if useless {
                // A lost connection says nothing about the others; another schema, or another role, concerns all.
                let all = if failure.is_lost() { vec![lane] } else { self.states.iter().filter_map(usable).collect() };
                self.replace(&all).await;
            }
            if !useless || tries_left == 0 {
                return Err(failure.into());
            }
            tries_left -= 1;
        }
    }

    /// Finishes the reads under way; further ones answer `Unavailable`.
    pub(super) async fn close(&self) {
        self.closing.send_replace(true);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        futures::future::join_all(tasks).await;
    }

    /// The client that is up and has the fewest reads under way, of several the first: while few read, all do so over one,
    /// whose session stays in the processor's caches. Else the first one that gets up.
    async fn pick(&self) -> Result<Arc<LaneClient>> {
        if let Some(lane) = self.states.iter().filter_map(usable).min_by_key(|lane| lane.progress.waiting()) {
            return Ok(lane);
        }
        let waiting = self.states.iter().map(|state| Box::pin(settled(state.clone())));
        match timeout(CONNECT_TIMEOUT, futures::future::select_ok(waiting)).await {
            Ok(Ok((lane, _))) => Ok(lane),
            Ok(Err(reason)) => Err(StoreError::unavailable(reason.to_string())),
            Err(_) => Err(StoreError::unavailable("no connection to the database in time")),
        }
    }

    /// Gives clients up and waits until they are out, so that a second try cannot meet them again.
    async fn replace(&self, lanes: &[Arc<LaneClient>]) {
        lanes.iter().for_each(|lane| lane.retired.notify_one());
        let is_one = |state: &State| matches!(state, State::Up(up) if lanes.iter().any(|lane| Arc::ptr_eq(up, lane)));
        for state in &self.states {
            let _ = timeout(GRACE, state.clone().wait_for(|state| !is_one(state))).await;
        }
    }
}

fn usable(state: &watch::Receiver<State>) -> Option<Arc<LaneClient>> {
    match &*state.borrow() {
        State::Up(lane) if !lane.client.is_closed() => Some(Arc::clone(lane)),
        _ => None,
    }
}

/// The lane's client once the attempt under way has ended, or why there is none.
async fn settled(mut state: watch::Receiver<State>) -> std::result::Result<Arc<LaneClient>, Arc<str>> {
    let settled = state.wait_for(|state| match state {
        State::Connecting => false,
        State::Up(lane) => !lane.client.is_closed(),
        State::Down(_) => true,
    });
    match settled.await.map(|state| state.clone()) {
        Ok(State::Up(lane)) => Ok(lane),
        Ok(State::Down(reason)) => Err(reason),
        Ok(State::Connecting) | Err(_) => Err(Arc::from("the store is closed")),
    }
}

impl LaneClient {
    fn new(client: Client) -> Self {
        Self {
            client,
            statements: std::array::from_fn(|_| OnceCell::new()),
            retired: Notify::new(),
            plans: PlanAge::new(),
            progress: Progress::default(),
            silent: AtomicBool::new(false),
        }
    }

    async fn read(&self, read: Read, params: &[&(dyn ToSql + Sync)]) -> std::result::Result<Option<Row>, tokio_postgres::Error> {
        let waiting = self.progress.begin();
        let row = async {
            let statement = self.statements[read.number()].get_or_try_init(|| self.client.prepare(read.sql())).await?;
            if self.plans.is_due() {
                plans::make_anew(&self.client);
            }
            self.client.query_opt(statement, params).await
        };
        let row = row.await;
        waiting.answered();
        row
    }
}

/// Keeps one lane connected.
struct Keeper {
    target: Target,
    state: watch::Sender<State>,
    /// How long the reads under way may take to finish at the end.
    drain: Duration,
}

impl Keeper {
    async fn run(self, mut closing: watch::Receiver<bool>) {
        let mut delay = Duration::ZERO;
        loop {
            let connected = tokio::select! {
                connected = self.connect_after(delay) => connected,
                () = closes(&mut closing) => break,
            };
            match connected {
                Ok((lane, driver)) => {
                    let since = Instant::now();
                    let Some(reason) = self.serve(lane, driver, &mut closing).await else { break };
                    tracing::warn!(reason, "a shared client of the database is replaced");
                    // A connection that held deserves a new one at once; one that did not must not spin.
                    delay = if since.elapsed() > LONGEST_DELAY { Duration::ZERO } else { FIRST_DELAY };
                    self.state.send_replace(State::Connecting);
                }
                Err(reason) => {
                    tracing::warn!(reason, "the database cannot be reached");
                    self.state.send_replace(State::Down(reason.into()));
                    delay = (delay * 2).clamp(FIRST_DELAY, LONGEST_DELAY);
                }
            }
        }
        self.state.send_replace(State::Down(Arc::from("the store is closed")));
    }

    /// Offers the client until it is of no more use, and says why; `None` when the store closes.
    async fn serve(&self, lane: Arc<LaneClient>, mut driver: JoinHandle<()>, closing: &mut watch::Receiver<bool>) -> Option<&'static str> {
        self.state.send_replace(State::Up(Arc::clone(&lane)));
        let mut stall = Stall::new(self.drain + GRACE);
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = &mut driver => return Some("the connection to the database broke"),
                () = lane.retired.notified() => {
                    tokio::spawn(end_within(self.drain + GRACE, driver));
                    return Some("a connection to the database was given up");
                }
                _ = looks.tick() => if stall.is_seen(&lane.progress) {
                    lane.silent.store(true, Ordering::Release);
                    driver.abort();
                    return Some("a connection to the database did not answer");
                },
                () = closes(closing) => {
                    self.state.send_replace(State::Down(Arc::from("the store is closed")));
                    // The connection ends once the last read on it is answered and lets go of the client.
                    drop(lane);
                    end_within(self.drain, driver).await;
                    return None;
                }
            }
        }
    }

    async fn connect_after(&self, delay: Duration) -> std::result::Result<(Arc<LaneClient>, JoinHandle<()>), String> {
        if !delay.is_zero() {
            sleep(jittered(delay)).await;
        }
        self.connect().await
    }

    async fn connect(&self) -> std::result::Result<(Arc<LaneClient>, JoinHandle<()>), String> {
        let connecting = self.target.config.connect(self.target.tls.clone());
        match timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok((client, connection))) => {
                // The task outlives a client that is given up until its last read is answered.
                let driver = tokio::spawn(async move {
                    let _ = connection.await;
                });
                Ok((Arc::new(LaneClient::new(client)), driver))
            }
            Ok(Err(e)) => Err(chain(&*connect_cause(e))),
            Err(_) => Err("the database did not answer in time".to_owned()),
        }
    }
}

/// Lets a connection answer what it was asked, for so long.
async fn end_within(limit: Duration, mut driver: JoinHandle<()>) {
    if timeout(limit, &mut driver).await.is_err() {
        driver.abort();
    }
}

/// Waits until the store is closed, or dropped.
async fn closes(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

/// An error with its causes, in one line.
fn chain(e: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(e), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Between half and the whole of a delay, so that nodes do not all come at once.
fn jittered(delay: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    let half = delay / 2;
    half + half.mul_f64(f64::from(u32::try_from(random & 0xFFFF).unwrap_or(0)) / 65_536.0)
}
