//! A fixed number of threads that decode, each one file at a time. Not the runtime's own blocking threads: those are
//! many, and an allocator keeps for each what its last work took.

use super::error::{ImageError, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// The threads end when the last copy of this is dropped.
#[derive(Debug, Clone)]
pub struct Crew(Sender<Job>);

impl Crew {
    pub fn new(threads: usize) -> std::io::Result<Self> {
        let (sender, receiver) = channel();
        let jobs = Arc::new(Mutex::new(receiver));
        for _ in 0..threads {
            let jobs = jobs.clone();
            std::thread::Builder::new().name("images".to_owned()).spawn(move || work(&jobs))?;
        }
        Ok(Self(sender))
    }

    /// Runs `job` on one of the threads; it runs to its end even if nobody waits for it any more.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move || {
            // Nobody waits: nobody is told.
            let _ = answer.send(job());
        });
        self.0.send(job).map_err(|_| ImageError::internal("the threads for images have ended"))?;
        // A decoder that panicked met something it cannot handle: the file is at fault as far as the client can tell.
        answered.await.unwrap_or_else(|_| Err(ImageError::unusable("is damaged: it could not be decoded")))
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // Only the one who waits for the next job holds the lock, and no job runs under it.
        let next = jobs.lock().map(|jobs| jobs.recv());
        let Ok(Ok(job)) = next else { return };
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("a decoder panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_the_files_fault_and_the_thread_goes_on() {
        let crew = Crew::new(1).unwrap();
        let panicked: Result<()> = crew.run(|| std::panic::resume_unwind(Box::new("no such thing"))).await;
        assert!(matches!(panicked, Err(ImageError::Unusable(_))));
        assert_eq!(crew.run(|| Ok(7)).await.unwrap(), 7);
    }
}
