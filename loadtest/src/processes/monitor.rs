//! Reads usage once a second, on a thread of its own so that the load does not wait for it.

use super::usage::{ProcessUsage, of_family, of_process};
use super::{Place, Places};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What all have used at one moment; `None` for who is not on this machine.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub at: Instant,
    pub server: Option<ProcessUsage>,
    pub database: Option<ProcessUsage>,
    pub generator: Option<ProcessUsage>,
}

/// One second's reading.
pub type Reading = Usage;

pub struct Monitor {
    pub places: Places,
    readings: Arc<Mutex<Vec<Reading>>>,
    ended: Arc<AtomicBool>,
}

impl Monitor {
    pub fn start(places: Places) -> Self {
        let readings = Arc::new(Mutex::new(Vec::new()));
        let ended = Arc::new(AtomicBool::new(false));
        let (of_thread, kept, end) = (places.clone(), Arc::clone(&readings), Arc::clone(&ended));
        std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                let reading = read(&of_thread);
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(reading);
                std::thread::sleep(Duration::from_secs(1));
            }
        });
        Self { places, readings, ended }
    }

    /// What has been used by now.
    pub fn usage(&self) -> Usage {
        read(&self.places)
    }

    /// Forgets what was read before.
    pub fn begin(&self) {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What was read since `begin`.
    pub fn readings(&self) -> Vec<Reading> {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

fn read(places: &Places) -> Usage {
    let own = i32::try_from(std::process::id()).ok();
    let database = |place: &Place| place.pid().and_then(of_family);
    Usage {
        at: Instant::now(),
        server: places.server.pid().and_then(of_process),
        database: database(&places.database),
        generator: own.and_then(of_process),
    }
}
