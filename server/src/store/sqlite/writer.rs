//! The one thread that writes. What waits is committed together: each job in a savepoint of its own, so that one that
//! fails undoes nothing of its neighbours, and nobody is answered before the commit that holds all of them.

use super::checkpoints::Checkpoints;
use super::grams::write_noted;
use crate::store::{Result, StoreError};
use crate::telemetry::wait::{Wait, WaitedFor};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use tokio::sync::{mpsc, oneshot};

/// The most jobs that may wait; beyond it callers are refused at once.
const QUEUE: usize = 1024;
/// The most jobs in one commit.
const GROUP: usize = 256;

statements! {
    BEGIN = "BEGIN IMMEDIATE";
    COMMIT = "COMMIT";
    ROLLBACK = "ROLLBACK";
    OPEN_SAVEPOINT = "SAVEPOINT job";
    KEEP_SAVEPOINT = "RELEASE job";
    UNDO_SAVEPOINT = "ROLLBACK TO job";
}

/// What becomes of a job's changes, and its answer.
pub(super) enum Verdict<T> {
    Keep(T),
    /// Nothing that the job has written stays.
    Undo(T),
}

/// The way to the thread. Dropping it lets the thread finish its queue and end.
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
}

enum Message {
    Job(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

impl Writer {
    /// `checkpoints` are those of the connection.
    pub fn start(connection: Connection, checkpoints: Checkpoints) -> Result<Self> {
        let (queue, messages) = mpsc::channel(QUEUE);
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || run(connection, messages, checkpoints))
            .map_err(StoreError::unavailable)?;
        Ok(Self { queue })
    }

    /// The job's answer, once its changes are durable. A job that is not kept has changed nothing.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<Verdict<T>> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let task = Task { work: Some((work, Wait::begin(WaitedFor::Writer))), outcome: None, caller };
        self.queue.try_send(Message::Job(Box::new(task))).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => StoreError::unavailable("too many writes are waiting"),
            mpsc::error::TrySendError::Closed(_) => StoreError::unavailable("the store is closed"),
        })?;
        answer.await.unwrap_or_else(|_| Err(StoreError::unavailable("the writer ended before it answered")))
    }

    /// Finishes the jobs that wait and closes the connection; later ones are refused.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.queue.send(Message::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
        self.queue.closed().await;
    }
}

/// A job with its type forgotten.
trait Job: Send {
    /// Does the work; whether its changes are to stay.
    fn run(&mut self, connection: &Connection) -> bool;

    /// Answers the caller; with `failure`, that the whole group came to nothing.
    fn answer(self: Box<Self>, failure: Option<&str>);
}

struct Task<T, F> {
    /// Taken when it is done.
    work: Option<(F, Wait)>,
    outcome: Option<Result<T>>,
    caller: oneshot::Sender<Result<T>>,
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<Verdict<T>> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        let Some((work, wait)) = self.work.take() else { return false };
        wait.end();
        // Nobody would learn of it, and nobody was promised it.
        if self.caller.is_closed() {
            return false;
        }
        let (keep, outcome) = match catch_unwind(AssertUnwindSafe(|| work(connection))) {
            Ok(Ok(Verdict::Keep(answer))) => (true, Ok(answer)),
            Ok(Ok(Verdict::Undo(answer))) => (false, Ok(answer)),
            Ok(Err(error)) => (false, Err(error)),
            Err(_) => (false, Err(StoreError::internal("the write panicked"))),
        };
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>, failure: Option<&str>) {
        let outcome = match (failure, self.outcome) {
            // An error may rest on what a neighbour wrote and what is gone with it, so it does not stand either.
            (Some(reason), _) => Err(StoreError::unavailable(reason)),
            (None, Some(outcome)) => outcome,
            (None, None) => Err(StoreError::unavailable("the write was given up")),
        };
        let _ = self.caller.send(outcome);
    }
}

fn run(connection: Connection, mut queue: mpsc::Receiver<Message>, checkpoints: Checkpoints) {
    let mut messages = Vec::with_capacity(GROUP);
    let mut closing = Vec::new();
    while queue.blocking_recv_many(&mut messages, GROUP) > 0 {
        let mut jobs = Vec::with_capacity(messages.len());
        for message in messages.drain(..) {
            match message {
                Message::Job(job) => jobs.push(job),
                Message::Close(done) => {
                    queue.close();
                    closing.push(done);
                }
            }
        }
        let failure = commit_together(&connection, &mut jobs).err().map(|error| format!("nothing was committed: {}", cause_of(&error)));
        for job in jobs {
            job.answer(failure.as_deref());
        }
    }
    drop(connection);
    checkpoints.end();
    for done in closing {
        let _ = done.send(());
    }
}

/// Either everything that the jobs want to keep is durable, or nothing of it is and the error says why.
fn commit_together(connection: &Connection, jobs: &mut [Box<dyn Job>]) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let committed = execute(connection, BEGIN).and_then(|()| run_all(connection, jobs)).and_then(|()| execute(connection, COMMIT));
    if committed.is_err() && !connection.is_autocommit() {
        // Should this fail too, the next BEGIN does, and says so to its jobs.
        let _ = execute(connection, ROLLBACK);
    }
    committed
}

fn run_all(connection: &Connection, jobs: &mut [Box<dyn Job>]) -> Result<()> {
    for job in jobs {
        execute(connection, OPEN_SAVEPOINT)?;
        let keep = job.run(connection);
        // Some errors (a full disk, say) end the whole transaction, with all that the neighbours did.
        if connection.is_autocommit() {
            return Err(StoreError::unavailable("the transaction was broken off"));
        }
        if !keep {
            execute(connection, UNDO_SAVEPOINT)?;
        }
        execute(connection, KEEP_SAVEPOINT)?;
    }
    write_noted(connection)
}

fn execute(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn cause_of(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
