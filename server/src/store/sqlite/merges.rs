//! The segments of the grams' index become fewer while nobody waits for a write: a word is looked up in each of them.
//!
//! FTS5 merges while it is written to, and only once there are four of a size, so that writes are not slowed down. The rest
//! is done here, a little at a time.

use super::writer::Message;
use crate::store::{Result, StoreError};
use rusqlite::Connection;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::WeakSender;

/// Between two steps, at least; and so many times what the last one took, so that steps take a small part of the writer's time.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSES: u32 = 10;

statements! {
    /// A step of so many pages: writes wait for it.
    MERGE = "INSERT INTO profile_grams (profile_grams, rank) VALUES ('merge', 16)";
}

/// The way to the thread that asks the writer for a step now and then, as long as there is something to merge.
pub(super) struct Merges {
    wake: SyncSender<()>,
}

impl Merges {
    /// The thread ends with the writer whose queue this is.
    pub fn start(queue: WeakSender<Message>) -> Result<Self> {
        let (wake, woken) = sync_channel(1);
        thread::Builder::new().name("sqlite-merges".to_owned()).spawn(move || ask(&queue, &woken)).map_err(StoreError::unavailable)?;
        Ok(Self { wake })
    }

    /// Something was written.
    pub fn wake(&self) {
        // One that is awake looks once more.
        let _ = self.wake.try_send(());
    }
}

fn ask(queue: &WeakSender<Message>, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        let (mut more, mut took) = (true, Duration::ZERO);
        while more {
            thread::sleep(PAUSE.max(took * PAUSES));
            let asked = Instant::now();
            let Some(queue) = queue.upgrade() else { return };
            let (done, answer) = sync_channel(1);
            if queue.blocking_send(Message::Merge(done)).is_err() {
                return;
            }
            drop(queue);
            let Ok(is_more) = answer.recv() else { return };
            (more, took) = (is_more, asked.elapsed());
        }
    }
}

/// One step; whether there is more to do.
pub(super) fn merge(connection: &Connection) -> bool {
    step(connection).unwrap_or_else(|error| {
        tracing::debug!(%error, "segments of grams were not merged");
        false
    })
}

fn step(connection: &Connection) -> rusqlite::Result<bool> {
    let before = connection.total_changes();
    connection.prepare_cached(MERGE)?.execute([])?;
    // The statement itself is one change; what FTS5 changes in its tables is more.
    Ok(connection.total_changes() - before > 1)
}
