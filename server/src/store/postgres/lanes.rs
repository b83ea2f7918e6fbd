//! The shared clients: each pipelines the indexed reads of many callers over one connection, with its statements
//! prepared once. A client whose connection breaks, or whose statements no longer fit the schema, is replaced in the
//! background.

use super::CONNECT_TIMEOUT;
use super::error::{Failure, connect_cause};
use super::options::Target;
use super::plans::{self, PlanAge};
use crate::store::error::{Result, StoreError};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OnceCell, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);
/// What a read may take beyond the server's own limit before its connection counts as dead.
const GRACE: Duration = Duration::from_secs(1);

/// The statements of the lanes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Read {
    Profile,
    Preference,
    Tenant,
    Recorded,
    Ping,
}

impl Read {
    pub(super) const ALL: [Self; 5] = [Self::Profile, Self::Preference, Self::Tenant, Self::Recorded, Self::Ping];

    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Profile => super::profiles::READ_PROFILE,
            Self::Preference => super::preferences::READ_PREFERENCE,
            Self::Tenant => super::tenants::READ_TENANT,
            Self::Recorded => super::idempotency::READ_RECORDED,
            Self::Ping => super::maintenance::PING,
        }
    }
}

struct LaneClient {
    client: Client,
    statements: [OnceCell<Statement>; Read::ALL.len()],
    /// Says that another client is to take this one's place.
    retired: Notify,
    plans: PlanAge,
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
    next: AtomicUsize,
    read_timeout: Duration,
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
        Self { states, next: AtomicUsize::new(0), read_timeout: statement_timeout + GRACE, closing, tasks: Mutex::new(tasks) }
    }

    /// The row that a read finds, if any. A read that met a broken connection, or outdated statements, is tried once
    /// more on another client.
    pub(super) async fn read(&self, read: Read, params: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>> {
        let mut tries_left = 1;
        loop {
            let lane = self.pick().await?;
            let failure = match timeout(self.read_timeout, lane.read(read, params)).await {
                Ok(Ok(row)) => return Ok(row),
                Ok(Err(e)) => Failure::Driver(e),
                Err(_) => {
                    lane.retired.notify_one();
                    return Err(StoreError::unavailable("no answer from the database in time"));
                }
            };
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

    /// A client that is up, each in its turn; else the first one that gets up.
    async fn pick(&self) -> Result<Arc<LaneClient>> {
        let count = self.states.len();
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let in_turn = || (0..count).map(|i| &self.states[first.wrapping_add(i) % count]);
        if let Some(lane) = in_turn().find_map(usable) {
            return Ok(lane);
        }
        let waiting = in_turn().map(|state| Box::pin(settled(state.clone())));
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
        Self { client, statements: std::array::from_fn(|_| OnceCell::new()), retired: Notify::new(), plans: PlanAge::new() }
    }

    async fn read(&self, read: Read, params: &[&(dyn ToSql + Sync)]) -> std::result::Result<Option<Row>, tokio_postgres::Error> {
        let statement = self.statements[read as usize].get_or_try_init(|| self.client.prepare(read.sql())).await?;
        if self.plans.is_due() {
            plans::make_anew(&self.client);
        }
        self.client.query_opt(statement, params).await
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
        tokio::select! {
            _ = &mut driver => Some("the connection to the database broke"),
            () = lane.retired.notified() => Some("a connection to the database was given up"),
            () = closes(closing) => {
                self.state.send_replace(State::Down(Arc::from("the store is closed")));
                // The connection ends once the last read on it is answered and lets go of the client.
                drop(lane);
                let _ = timeout(self.drain, driver).await;
                None
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
