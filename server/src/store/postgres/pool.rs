//! The pool: clients that serve one call at a time, with their statements prepared and kept.

use super::CONNECT_TIMEOUT;
use super::error::{Failure, is_lost};
use super::idempotency::{FORGET_OUTDATED, RECORD, StoredRecord};
use super::locks::{Locks, TAKE_LOCKS};
use super::options::{PREFETCH_NO_PAGE, Target};
use super::plans;
use super::wall;
use crate::domain::tenant::TenantName;
use crate::store::error::{Result, StoreError};
use crate::telemetry::wait::{Wait, WaitedFor};
use deadpool_postgres::{Hook, Manager, ManagerConfig, Object, QueueMode, RecyclingMethod, Runtime};
use futures::FutureExt;
use futures::future::{try_join, try_join3};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, Statement};

pub(super) type Attempted<T> = std::result::Result<T, Failure>;
pub(super) type Params<'a> = [&'a (dyn ToSql + Sync)];

/// A connection keeps about so many prepared statements at most.
const MOST_STATEMENTS: usize = 256;
/// How often a transaction is tried that gives way to others.
const TRIES: u32 = 5;

#[derive(Clone)]
pub(super) struct Pool {
    pool: deadpool_postgres::Pool,
    drain: Duration,
    /// How many connections broke.
    broken: Arc<AtomicU64>,
}

/// What may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Also when the connection broke.
    Read,
    /// Only what surely changed nothing.
    Write,
}

impl Pool {
    /// Connects when a connection is first needed.
    pub(super) fn open(target: Target, size: usize, statement_timeout: Duration) -> Result<Self> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(target.config, target.tls, recycling);
        let broken = Arc::new(AtomicU64::new(0));
        let found_broken = Arc::clone(&broken);
        let pool = deadpool_postgres::Pool::builder(manager)
            .max_size(size.max(1))
            // The last one that came back: its session has what it needs in the processor's caches.
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(statement_timeout))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .recycle_timeout(Some(CONNECT_TIMEOUT))
            .runtime(Runtime::Tokio1)
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async move {
                    // If it fails, whoever has the connection will see why.
                    let _ = timeout(CONNECT_TIMEOUT, client.batch_execute(PREFETCH_NO_PAGE)).await;
                    Ok(())
                })
            }))
            .pre_recycle(Hook::sync_fn(move |client, metrics| {
                if client.is_closed() {
                    found_broken.fetch_add(1, Ordering::AcqRel);
                }
                let last_used = metrics.recycled.map_or(Duration::ZERO, |at| at - metrics.created);
                if plans::due_between(last_used, metrics.created.elapsed()) {
                    plans::make_anew(client);
                }
                Ok(())
            }))
            .build()
            .map_err(StoreError::internal)?;
        Ok(Self { pool, drain: statement_timeout, broken })
    }

    /// How many connections have broken: those made since may lead to another server.
    pub(super) fn broken(&self) -> u64 {
        self.broken.load(Ordering::Acquire)
    }

    /// Runs what only reads; once more if it met a broken connection.
    pub(super) async fn read<T, F>(&self, work: impl Fn(Session) -> F) -> Attempted<T>
    where
        F: Future<Output = Attempted<T>>,
    {
        self.run(Kind::Read, work).await
    }

    /// Runs a write; again only if it surely changed nothing.
    pub(super) async fn write<T, F>(&self, work: impl Fn(Session) -> F) -> Attempted<T>
    where
        F: Future<Output = Attempted<T>>,
    {
        self.run(Kind::Write, work).await
    }

    async fn run<T, F>(&self, kind: Kind, work: impl Fn(Session) -> F) -> Attempted<T>
    where
        F: Future<Output = Attempted<T>>,
    {
        let mut lost = false;
        for tries_left in (0..TRIES).rev() {
            let began = Instant::now();
            let wait = Wait::begin(WaitedFor::Connection);
            let client = self.pool.get().await;
            // In vain or not: who waits too long is told so, and counts all the more.
            wait.end();
            let session = Session::new(client?);
            let failure = match work(session).await {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            if failure.is_read_only() {
                // All of them lead to a server that is no longer the primary.
                self.pool.retain(|_, _| false);
            }
            if failure.is_stale_plan() {
                self.pool.manager().statement_caches.clear();
            }
            if failure.is_lost() {
                self.broken.fetch_add(1, Ordering::AcqRel);
                // A server that ends one connection may be ending all, and not all are known to be broken yet.
                self.pool.retain(|_, metrics| metrics.created > began);
            }
            let again = failure.is_conflict() || failure.is_stale_plan() || (kind == Kind::Read && failure.is_lost() && !lost);
            if !again || tries_left == 0 {
                return Err(failure);
            }
            lost |= failure.is_lost();
        }
        Err(Failure::Store(StoreError::unavailable("given up after several tries")))
    }

    /// A single statement that only reads.
    pub(super) async fn query(&self, sql: &'static str, params: &Params<'_>) -> Result<Vec<Row>> {
        Ok(self.read(|session| async move { session.query(sql, params).await }).await?)
    }

    /// A single statement that writes and answers one row, whose column `written` says how many rows it wrote. With a
    /// record it becomes a transaction that takes `locks`, records and writes; it is undone if nothing was written.
    pub(super) async fn write_one(
        &self,
        sql: &'static str,
        params: &Params<'_>,
        locks: &Locks,
        record: Option<&StoredRecord<'_>>,
    ) -> Attempted<Row> {
        self.write(|session| async move {
            let Some(record) = record else {
                return session.query_one(sql, params).await;
            };
            let row = session.begin_write(locks, Some(record), sql, params).await?;
            let written: i64 = row.try_get("written")?;
            session.end(written > 0).await?;
            Ok(row)
        })
        .await
    }

    /// Waits for what is under way, within bounds; further calls answer `Unavailable`.
    pub(super) async fn close(&self) {
        self.pool.close();
        let drained = async {
            while self.pool.status().size > 0 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = timeout(self.drain, drained).await;
    }
}

/// A client of the pool for the time of one call. Dropped within a transaction, it is rolled back.
pub(super) struct Session {
    /// Taken when it is dropped, and only then.
    client: Option<Object>,
    /// How its transactions that write begin.
    begin: Cow<'static, str>,
    /// Within a transaction.
    open: AtomicBool,
    /// Of no more use to anybody.
    lost: AtomicBool,
}

impl Session {
    fn new(client: Object) -> Self {
        Self { client: Some(client), begin: Cow::Borrowed("BEGIN"), open: AtomicBool::new(false), lost: AtomicBool::new(false) }
    }

    /// The same, but what it writes is behind the second wall.
    pub(super) fn walled(self, tenant: &TenantName) -> Self {
        let mut session = self;
        session.begin = Cow::Owned(wall::begin(tenant));
        session
    }

    fn client(&self) -> Attempted<&Object> {
        self.client.as_ref().ok_or_else(|| StoreError::internal("a session without a client").into())
    }

    /// Remembers that the connection broke: the pool may not have noticed when it gets the client back.
    fn noted<T>(&self, result: std::result::Result<T, tokio_postgres::Error>) -> Attempted<T> {
        result.map_err(|e| {
            if is_lost(&e) {
                self.lost.store(true, Ordering::Relaxed);
            }
            e.into()
        })
    }

    pub(super) async fn query(&self, sql: &'static str, params: &Params<'_>) -> Attempted<Vec<Row>> {
        let [statement] = self.prepare([sql]).await?;
        self.run(&statement, params).await
    }

    /// For a statement that always answers one row.
    pub(super) async fn query_one(&self, sql: &'static str, params: &Params<'_>) -> Attempted<Row> {
        self.query(sql, params).await.and_then(only)
    }

    pub(super) async fn run(&self, statement: &Statement, params: &Params<'_>) -> Attempted<Vec<Row>> {
        self.noted(self.client()?.query(statement, params).await)
    }

    /// A statement whose text is made for one call. Texts of one shape are the same, so it is kept; but as there is no
    /// end to shapes, all are forgotten when they have become many.
    pub(super) async fn run_made(&self, sql: &str, params: &[(&(dyn ToSql + Sync), Type)]) -> Attempted<Vec<Row>> {
        let client = self.client()?;
        if client.statement_cache.size() > MOST_STATEMENTS {
            client.statement_cache.clear();
        }
        let types: Vec<Type> = params.iter().map(|(_, kind)| kind.clone()).collect();
        let statement = self.noted(client.prepare_typed_cached(sql, &types).await)?;
        let values: Vec<&(dyn ToSql + Sync)> = params.iter().map(|(value, _)| *value).collect();
        self.run(&statement, &values).await
    }

    /// Statements without parameters and answers.
    pub(super) async fn batch(&self, sql: &str) -> Attempted<()> {
        self.noted(self.client()?.batch_execute(sql).await)
    }

    /// Statements that can be sent behind one another without waiting.
    pub(super) async fn prepare<const N: usize>(&self, texts: [&'static str; N]) -> Attempted<[Statement; N]> {
        let mut statements = Vec::with_capacity(N);
        for sql in texts {
            statements.push(self.noted(self.client()?.prepare_cached(sql).await)?);
        }
        statements.try_into().map_err(|_| StoreError::internal("a statement is missing").into())
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self, sql: &str) -> Attempted<()> {
        self.open.store(true, Ordering::Relaxed);
        self.batch(sql).await
    }

    /// What `reads` sends when it is first polled, in a transaction of its own and in one round trip.
    pub(super) async fn within<T>(&self, begin: &str, reads: impl Future<Output = Attempted<T>>) -> Attempted<T> {
        let ((), found, ()) = try_join3(self.begin(begin), reads, self.batch("COMMIT")).await?;
        self.open.store(false, Ordering::Relaxed);
        Ok(found)
    }

    /// What `read` sends when it is first polled, and the end of the transaction, in one round trip. Its statements must be
    /// prepared: else it would be sent behind the end.
    pub(super) async fn last<T>(&self, read: impl Future<Output = Attempted<T>>) -> Attempted<T> {
        let (found, ()) = try_join(read, self.batch("COMMIT")).await?;
        self.open.store(false, Ordering::Relaxed);
        Ok(found)
    }

    /// Ends a transaction that only read. Nobody waits for that: whoever uses the client next comes behind it.
    pub(super) fn end_unheard(&self) {
        if let Ok(client) = self.client() {
            let _ = client.batch_execute("COMMIT").now_or_never();
            self.open.store(false, Ordering::Relaxed);
        }
    }

    /// Begins a transaction with its locks, its record and its first statement, in one round trip.
    ///
    /// The locks are a statement before the others because each sees what was committed before it began. The record
    /// comes before the write: of two requests with the same key, the loser is to learn that, and not that the
    /// address is taken (by the winner).
    pub(super) async fn begin_write_optional(
        &self,
        locks: &Locks,
        record: Option<&StoredRecord<'_>>,
        sql: &'static str,
        params: &Params<'_>,
    ) -> Attempted<Option<Row>> {
        let [lock, forget, remember, first] = self.prepare([TAKE_LOCKS, FORGET_OUTDATED, RECORD, sql]).await?;
        let lock_params: [&(dyn ToSql + Sync); 2] = [&locks.classes, &locks.names];
        // They are sent in this order: each future sends when it is first polled.
        let started = try_join(self.begin(&self.begin), self.run(&lock, &lock_params));
        let recorded = async {
            let Some(record) = record else { return Ok(()) };
            let (outdated, values) = (record.outdated(), record.values());
            try_join(self.run(&forget, &outdated), self.run(&remember, &values)).await.map(|_| ())
        };
        let (_, (), rows) = try_join3(started, recorded, self.run(&first, params)).await?;
        Ok(rows.into_iter().next())
    }

    /// The same with a statement that always answers one row.
    pub(super) async fn begin_write(
        &self,
        locks: &Locks,
        record: Option<&StoredRecord<'_>>,
        sql: &'static str,
        params: &Params<'_>,
    ) -> Attempted<Row> {
        self.begin_write_optional(locks, record, sql, params).await?.map_or_else(|| only(Vec::new()), Ok)
    }

    /// Records an answer that is known only once the write is done.
    pub(super) async fn record(&self, record: &StoredRecord<'_>) -> Attempted<()> {
        self.query(FORGET_OUTDATED, &record.outdated()).await?;
        self.query(RECORD, &record.values()).await?;
        Ok(())
    }

    /// Commits, or undoes what was done.
    pub(super) async fn end(self, commit: bool) -> Attempted<()> {
        let ended = self.batch(if commit { "COMMIT" } else { "ROLLBACK" }).await;
        self.open.store(false, Ordering::Relaxed);
        ended
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        if *self.lost.get_mut() {
            drop(Object::take(client));
        } else if *self.open.get_mut() {
            // Polled once it is sent, and whoever uses the client next comes behind it.
            let _ = client.batch_execute("ROLLBACK").now_or_never();
        }
    }
}

fn only(rows: Vec<Row>) -> Attempted<Row> {
    rows.into_iter().next().ok_or_else(|| StoreError::internal("a statement answered no row").into())
}
