//! Time and ids come from here and nowhere else, so that a test can hold them still.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Unix time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimestampMs(pub i64);

/// The source of time and of ids.
pub trait Clock: Send + Sync {
    fn now(&self) -> TimestampMs;

    /// A new UUID v7 (RFC 9562 §5.7): ids of one node ascend with time.
    fn new_id(&self) -> Uuid;
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "the one place where time and ids are made")]
impl Clock for SystemClock {
    fn now(&self) -> TimestampMs {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        TimestampMs(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}
