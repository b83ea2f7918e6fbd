//! What processes have used, from /proc.

use procfs::WithCurrentSystemInfo;
use procfs::process::{Process, Stat, all_processes};

/// What a process and its children have used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ProcessUsage {
    pub cpu_s: f64,
    pub memory_bytes: u64,
}

/// One process alone.
pub fn of_process(pid: i32) -> Option<ProcessUsage> {
    let stat = Process::new(pid).and_then(|process| process.stat()).ok()?;
    Some(ProcessUsage { cpu_s: seconds(stat.utime + stat.stime), memory_bytes: stat.rss_bytes().get() })
}

/// A process with all its children, those included that have ended. Memory that they share, as PostgreSQL's do, counts
/// once: the largest share that one of them sees.
pub fn of_family(pid: i32) -> Option<ProcessUsage> {
    let parent = Process::new(pid).and_then(|process| process.stat()).ok()?;
    let children = all_processes().ok()?.flatten().filter_map(|process| process.stat().ok()).filter(|stat| stat.ppid == pid);
    let family: Vec<Stat> = std::iter::once(parent).chain(children).collect();
    let mut used = ProcessUsage::default();
    let (mut private_bytes, mut shared_bytes) = (0, 0);
    for stat in &family {
        let ended_children = if stat.pid == pid { u64::try_from(stat.cutime + stat.cstime).unwrap_or_default() } else { 0 };
        used.cpu_s += seconds(stat.utime + stat.stime + ended_children);
        let Ok(status) = Process::new(stat.pid).and_then(|process| process.status()) else { continue };
        private_bytes += status.rssanon.unwrap_or_default() * 1024;
        shared_bytes = shared_bytes.max((status.rssshmem.unwrap_or_default() + status.rssfile.unwrap_or_default()) * 1024);
    }
    used.memory_bytes = private_bytes + shared_bytes;
    Some(used)
}

#[expect(clippy::cast_precision_loss, reason = "53 bits of ticks are long enough")]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / procfs::ticks_per_second() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;
    use std::time::{Duration, Instant};

    #[test]
    fn computing_shows_in_this_process() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let before = of_process(pid).unwrap();
        let until = Instant::now() + Duration::from_millis(300);
        while Instant::now() < until {
            black_box((0..1_000_u64).sum::<u64>());
        }
        let after = of_process(pid).unwrap();
        assert!(after.cpu_s - before.cpu_s > 0.05 && after.memory_bytes > 1_000_000, "{before:?} {after:?}");
    }

    #[test]
    fn nobody_has_used_nothing() {
        assert_eq!(of_process(i32::MAX), None);
        assert_eq!(of_family(i32::MAX), None);
    }
}
