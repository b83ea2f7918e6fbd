//! Waiting until a point in time, to within some tens of microseconds.

use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime};
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};
use tokio::io::unix::AsyncFd;

/// More often than this nobody is woken; what becomes due in between goes out together, a little late.
const SHORTEST: Duration = Duration::from_micros(40);

/// A timer of the kernel's: the runtime's own counts in whole milliseconds, which is longer than most answers take.
pub struct Alarm(AsyncFd<OwnedFd>);

impl Alarm {
    #[expect(deprecated, reason = "its successor is unsafe, for types that may change their descriptor: an OwnedFd keeps to one")]
    pub fn new() -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Self(AsyncFd::new(timer)?))
    }

    pub async fn wait_until(&mut self, at: Instant) {
        if self.try_wait(at.saturating_duration_since(Instant::now()).max(SHORTEST)).await.is_err() {
            tokio::time::sleep_until(at.into()).await;
        }
    }

    async fn try_wait(&mut self, time: Duration) -> io::Result<()> {
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Timespec { tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX), tv_nsec: i64::from(time.subsec_nanos()) };
        // Arming it again also forgets that it rang before.
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &Itimerspec { it_interval: never, it_value: value })?;
        loop {
            let mut ready = self.0.readable().await?;
            let mut rings = [0; 8];
            match rustix::io::read(self.0.get_ref(), &mut rings) {
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::AGAIN) => ready.clear_ready(),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
