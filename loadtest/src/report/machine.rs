//! On what a figure was measured.

use procfs::{CpuInfo, Current, LoadAverage, Meminfo};
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub memory_bytes: u64,
    pub kernel: String,
    /// Of the last minute, when the report was made.
    pub load_average: f32,
}

impl Machine {
    pub fn this() -> Self {
        let cpus = CpuInfo::current().ok();
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            cpu: cpus.as_ref().and_then(|cpus| cpus.model_name(0)).unwrap_or("unknown").to_owned(),
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            memory_bytes: Meminfo::current().map(|memory| memory.mem_total).unwrap_or_default(),
            kernel: kernel.trim().to_owned(),
            load_average: LoadAverage::current().map(|load| load.one).unwrap_or_default(),
        }
    }
}
