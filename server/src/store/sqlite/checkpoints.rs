//! Checkpoints: what stands in the log goes into the file, mostly on a thread of its own, so that writes need not wait.
//!
//! The log begins anew only when all of it is in the file, and beside writes that never pause a checkpoint always lags a
//! little behind. So the thread does the bulk, and the writer, between two commits, the little rest.

use super::connection::open_aside;
use crate::store::{Result, StoreError};
use rusqlite::Connection;
use rusqlite::hooks::Wal;
use std::ffi::c_int;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// So many pages are worth a checkpoint: those that changed several times are written once.
const WORTH_PAGES: c_int = 12_000;
/// With so many the thread is taken for dead: half a gigabyte.
const TOO_MANY_PAGES: c_int = 131_072;
/// What was written during the first is done in the second, and less is left to the writer.
const ROUNDS: usize = 4;

/// As SQLite says it: neither waits for readers nor makes them wait.
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(PASSIVE)";

const IDLE: u8 = 0;
const UNDER_WAY: u8 = 1;
const BULK_DONE: u8 = 2;

/// The thread that does the bulk, and its connection.
pub(super) struct Checkpoints {
    thread: JoinHandle<()>,
    wake: SyncSender<()>,
}

impl Checkpoints {
    /// Closes the thread's connection. The one that writes is closed before: of two that close at once, each takes the other
    /// for one that stays, and neither puts the log away.
    pub fn end(self) {
        drop(self.wake);
        // It has panicked, or it has not: the file is closed now.
        let _ = self.thread.join();
    }
}

/// Takes checkpoints over from the connection that writes.
pub(super) fn start(writer: &mut Connection, path: &Path) -> Result<Checkpoints> {
    let aside = open_aside(path)?;
    let (wake, woken) = sync_channel(1);
    let state = Arc::new(AtomicU8::new(IDLE));
    let of_thread = Arc::clone(&state);
    let thread = thread::Builder::new()
        .name("sqlite-checkpoints".to_owned())
        .spawn(move || do_bulk(&aside, &woken, &of_thread))
        .map_err(StoreError::unavailable)?;
    let checkpoints = Checkpoints { thread, wake: wake.clone() };
    writer.wal_hook(Some(move |log: &mut Wal, pages| {
        after_commit(log, pages, &wake, &state);
        Ok(())
    }))?;
    Ok(checkpoints)
}

fn do_bulk(aside: &Connection, woken: &Receiver<()>, state: &AtomicU8) {
    while woken.recv().is_ok() {
        for _ in 0..ROUNDS {
            checkpoint(|| aside.query_row(CHECKPOINT, [], |_| Ok(())));
        }
        state.store(BULK_DONE, Ordering::Release);
    }
}

fn after_commit(log: &mut Wal, pages: c_int, wake: &SyncSender<()>, state: &AtomicU8) {
    match state.load(Ordering::Acquire) {
        IDLE if pages >= WORTH_PAGES => {
            state.store(UNDER_WAY, Ordering::Release);
            if wake.try_send(()).is_err() {
                state.store(BULK_DONE, Ordering::Release);
            }
        }
        UNDER_WAY if pages >= TOO_MANY_PAGES => checkpoint(|| log.checkpoint()),
        BULK_DONE => {
            checkpoint(|| log.checkpoint());
            state.store(IDLE, Ordering::Release);
        }
        _ => {}
    }
}

/// One that fails loses nothing: the log keeps what it has, and the next one tries again.
fn checkpoint(work: impl FnOnce() -> rusqlite::Result<()>) {
    if let Err(error) = work() {
        tracing::debug!(%error, "a checkpoint was not made");
    }
}
