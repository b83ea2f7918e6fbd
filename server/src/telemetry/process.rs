//! What the process takes of the machine, under the names that Prometheus's own clients use; told on Linux only.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

#[derive(Debug)]
pub(super) struct Usage;

impl Collector for Usage {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        #[cfg(target_os = "linux")]
        if let Ok(usage) = linux::read() {
            return linux::encode(&usage, encoder);
        }
        let _ = encoder;
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use procfs::process::{LimitValue, Process};
    use procfs::{ProcResult, WithCurrentSystemInfo};
    use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
    use prometheus_client::metrics::counter::ConstCounter;
    use prometheus_client::metrics::gauge::ConstGauge;
    use prometheus_client::registry::Unit;

    pub(super) struct Read {
        cpu_s: f64,
        resident_bytes: u64,
        started_s: f64,
        threads: i64,
        open_files: u64,
        max_files: Option<u64>,
    }

    pub(super) fn read() -> ProcResult<Read> {
        let process = Process::myself()?;
        let stat = process.stat()?;
        let in_seconds = |ticks: u64| ticks as f64 / procfs::ticks_per_second() as f64;
        Ok(Read {
            cpu_s: in_seconds(stat.utime + stat.stime),
            resident_bytes: stat.rss_bytes().get(),
            started_s: procfs::boot_time_secs()? as f64 + in_seconds(stat.starttime),
            threads: stat.num_threads,
            open_files: process.fd_count()? as u64,
            max_files: match process.limits()?.max_open_files.soft_limit {
                LimitValue::Value(most) => Some(most),
                LimitValue::Unlimited => None,
            },
        })
    }

    pub(super) fn encode(usage: &Read, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let mut tell = |name: &str, help: &str, unit: Option<&Unit>, metric: &dyn EncodeMetric| {
            metric.encode(encoder.encode_descriptor(name, help, unit, metric.metric_type())?)
        };
        tell("process_cpu", "User and system time.", Some(&Unit::Seconds), &ConstCounter::new(usage.cpu_s))?;
        tell("process_resident_memory", "Resident memory.", Some(&Unit::Bytes), &ConstGauge::new(signed(usage.resident_bytes)))?;
        tell("process_start_time", "When the process began, in Unix time.", Some(&Unit::Seconds), &ConstGauge::new(usage.started_s))?;
        tell("process_threads", "Threads.", None, &ConstGauge::new(usage.threads))?;
        tell("process_open_fds", "Open files and sockets.", None, &ConstGauge::new(signed(usage.open_files)))?;
        match usage.max_files {
            Some(most) => tell("process_max_fds", "How many files and sockets may be open.", None, &ConstGauge::new(signed(most))),
            None => Ok(()),
        }
    }

    fn signed(value: u64) -> i64 {
        i64::try_from(value).unwrap_or(i64::MAX)
    }
}
