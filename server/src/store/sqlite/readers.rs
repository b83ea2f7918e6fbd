//! The pool of connections that read. Waiting for one blocks no thread; one that was lent always comes back, also
//! when the caller gave up or the read panicked.

use super::connection::open_reader;
use crate::store::{Result, StoreError};
use crate::telemetry::wait::{Wait, WaitedFor};
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// There are as many permits as connections: who holds a permit finds one idle.
pub(super) struct Readers {
    permits: Arc<Semaphore>,
    idle: Arc<Idle>,
    count: u32,
}

/// The last one that came back is lent first: its page cache is the warmest.
#[derive(Default)]
struct Idle(Mutex<Vec<Connection>>);

impl Idle {
    fn lock(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Readers {
    /// At least one.
    pub fn open(path: &Path, count: usize) -> Result<Self> {
        let count = u32::try_from(count.max(1)).map_err(StoreError::internal)?;
        let idle = Idle::default();
        for _ in 0..count {
            idle.lock().push(open_reader(path)?);
        }
        Ok(Self { permits: Arc::new(Semaphore::new(count as usize)), idle: Arc::new(idle), count })
    }

    /// Waits until a connection is free. `Unavailable` once the pool is closed.
    pub async fn lend(&self) -> Result<Lease> {
        let wait = Wait::begin(WaitedFor::Reader);
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(StoreError::unavailable)?;
        wait.end();
        let connection = self.idle.lock().pop();
        Ok(Lease { connection, idle: Arc::clone(&self.idle), _permit: permit })
    }

    /// Waits for the reads under way, then closes every connection.
    pub async fn close(&self) {
        // Refused only when it is closed already.
        let all = self.permits.acquire_many(self.count).await;
        self.permits.close();
        if all.is_ok() {
            self.idle.lock().clear();
        }
    }
}

/// A connection that goes back to the pool when this is dropped.
pub(super) struct Lease {
    connection: Option<Connection>,
    idle: Arc<Idle>,
    // Dropped after `drop` below has run: the connection is back before the next one may ask for it.
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// Reads on this thread and gives the connection back.
    pub fn read<T>(mut self, read: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        match &mut self.connection {
            Some(connection) => read(connection),
            None => Err(StoreError::unavailable("no connection is left to read with")),
        }
    }

    /// Reads on a thread where blocking is allowed.
    pub async fn read_aside<T: Send + 'static>(self, read: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static) -> Result<T> {
        match tokio::task::spawn_blocking(move || self.read(read)).await {
            Ok(result) => result,
            Err(error) if error.is_cancelled() => Err(StoreError::unavailable(error)),
            Err(error) => Err(StoreError::internal(error)),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.idle.lock().push(connection);
        }
    }
}
