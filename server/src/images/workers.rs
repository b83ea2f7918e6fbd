//! How much is done for images at once: places for uploads, workers that decode, and the memory that they share.
//! Whoever finds no place is told so; whoever has one waits for a worker behind a bounded number of others.

use super::error::{ImageError, Result};
use super::variants::{Inspected, Variants, inspect};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Readers that wait for the object store at once: a store that hangs must not take all requests with it.
const MAX_READERS: usize = 256;

#[derive(Debug, Clone)]
pub struct Workers {
    uploads: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    workers: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    memory_mib: u32,
}

/// The right to be at work; given back when dropped.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held, never read")] OwnedSemaphorePermit);

impl Workers {
    pub fn new(uploads: usize, workers: usize, memory_mib: u32) -> Self {
        Self {
            uploads: Arc::new(Semaphore::new(uploads)),
            readers: Arc::new(Semaphore::new(MAX_READERS)),
            workers: Arc::new(Semaphore::new(workers)),
            memory: Arc::new(Semaphore::new(memory_mib as usize)),
            memory_mib,
        }
    }

    /// A place for an upload, from before its body is read: bodies are what takes memory first.
    pub fn place_for_upload(&self) -> Result<Place> {
        place(&self.uploads)
    }

    pub fn place_for_reader(&self) -> Result<Place> {
        place(&self.readers)
    }

    /// Makes the variants, off the async threads.
    pub async fn variants(&self, file: Bytes) -> Result<Variants> {
        let worker = self.workers.clone().acquire_owned().await.map_err(ImageError::internal)?;
        let inspected = blocking(move || inspect(file)).await?;
        let memory = self.memory_for(&inspected).await?;
        blocking(move || {
            // Held here and not outside: a request that is given up leaves its work running.
            let _held = (worker, memory);
            inspected.into_variants()
        })
        .await
    }

    async fn memory_for(&self, inspected: &Inspected) -> Result<OwnedSemaphorePermit> {
        let needed = u32::try_from(inspected.memory_mib()).unwrap_or(u32::MAX);
        if needed > self.memory_mib {
            return Err(ImageError::unusable(format!(
                "would take {needed} MiB of memory to decode, and {} are there: send it smaller, with 8 bits per channel, or as a JPEG that is not progressive",
                self.memory_mib
            )));
        }
        self.memory.clone().acquire_many_owned(needed).await.map_err(ImageError::internal)
    }
}

fn place(of: &Arc<Semaphore>) -> Result<Place> {
    of.clone().try_acquire_owned().map(Place).map_err(|_| ImageError::Busy)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        // A decoder that met something it cannot handle: the file is at fault as far as the client can tell.
        Err(error) => {
            tracing::error!(cause = %error, "a decoder panicked");
            Err(ImageError::unusable("is damaged: it could not be decoded"))
        }
    }
}
