//! What a run found, in the form in which it is written as JSON and shown.

mod build;
mod chart;
pub mod html;
pub mod machine;
pub mod table;

pub use build::report;

use crate::processes::Place;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// How the load was driven.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    pub target: String,
    pub tenant: String,
    pub profiles: u64,
    pub active_profiles: u64,
    pub mix: String,
    pub rate: f64,
    pub connections: usize,
    pub tokens: usize,
    pub warmup_s: f64,
    pub duration_s: f64,
}

/// Everything about one run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub settings: Settings,
    pub machine: machine::Machine,
    pub started_at_ms: i64,
    pub interrupted: bool,
    pub total: OperationReport,
    pub operations: Vec<OperationReport>,
    pub server: ProcessReport,
    pub database: ProcessReport,
    pub generator: ProcessReport,
    pub seconds: Vec<SecondReport>,
    pub limit: Option<LimitReport>,
}

/// An operation, or all together: of all its requests, failed ones too.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OperationReport {
    pub name: String,
    pub requests: u64,
    pub requests_per_second: f64,
    pub errors: BTreeMap<String, u64>,
    pub mean_ms: f64,
    pub p50: Percentile,
    pub p95: Percentile,
    pub p99: Percentile,
    pub p99_9: Percentile,
    pub max_ms: f64,
}

impl OperationReport {
    pub fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }

    /// How often each error occurred, or `none`.
    pub fn errors_told(&self) -> String {
        let told: Vec<String> = self.errors.iter().map(|(kind, count)| format!("{count} × {kind}")).collect();
        if told.is_empty() { "none".to_owned() } else { told.join(", ") }
    }
}

/// A percentile, and between which bounds it lies with a confidence of 95 %, for so few requests as there were.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Percentile {
    pub ms: f64,
    pub low_ms: f64,
    pub high_ms: f64,
}

/// What a process used during the load.
#[derive(Debug, Clone, Serialize)]
pub struct ProcessReport {
    #[serde(flatten)]
    pub place: Place,
    pub cpu_s: Option<f64>,
    pub cpu_us_per_request: Option<f64>,
    pub peak_memory_bytes: Option<u64>,
}

/// One second of the load. Cores are CPU seconds per second.
#[derive(Debug, Clone, Serialize)]
pub struct SecondReport {
    pub second: usize,
    pub due: u64,
    pub answered: u64,
    pub errors: u64,
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub max_ms: Option<f64>,
    pub server_cores: Option<f64>,
    pub database_cores: Option<f64>,
    pub generator_cores: Option<f64>,
    pub server_memory_bytes: Option<u64>,
    pub database_memory_bytes: Option<u64>,
}

/// The search for the highest rate that holds.
#[derive(Debug, Clone, Serialize)]
pub struct LimitReport {
    pub highest_rate: Option<f64>,
    pub p95_limit_ms: f64,
    pub steps: Vec<StepReport>,
}

#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    pub rate: f64,
    pub held: bool,
    pub p95_ms: f64,
    pub errors: u64,
}

impl Report {
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The errors in words, or `None`.
    pub fn errors_in_words(&self) -> Option<String> {
        let of_operation = |operation: &OperationReport| {
            operation.errors.iter().map(|(kind, count)| format!("{} {kind}: {count}", operation.name)).collect::<Vec<_>>()
        };
        let all: Vec<String> = self.operations.iter().flat_map(of_operation).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}
