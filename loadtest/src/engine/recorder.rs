//! What happened, by operation and by second.

use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::Duration;

/// Latencies are kept in microseconds, up to ten minutes.
const HIGHEST_US: u64 = 600_000_000;

pub struct Recorder {
    pub operations: Vec<OperationRecord>,
    /// By the second in which a request was due, so that a stall shows where it began.
    pub seconds: Vec<Second>,
}

pub struct OperationRecord {
    pub name: &'static str,
    /// Of all requests, failed ones too, in microseconds.
    pub latency_us: Histogram<u64>,
    /// How often which error came.
    pub errors: BTreeMap<String, u64>,
}

pub struct Second {
    pub latency_us: Histogram<u64>,
    pub errors: u64,
    /// Answers that came in this second, to requests that may have been due before.
    pub answered: u64,
}

impl Recorder {
    pub fn new(operations: &[&'static str]) -> Self {
        let record = |name: &&'static str| OperationRecord { name, latency_us: histogram(3), errors: BTreeMap::new() };
        Self { operations: operations.iter().map(record).collect(), seconds: Vec::new() }
    }

    /// `due` counts from where counting began; the latency from when the request was due.
    pub fn record(&mut self, operation: usize, due: Duration, latency: Duration, outcome: Result<(), String>) {
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).max(1);
        let failed = outcome.is_err();
        let answered = (due + latency).as_secs();
        let second = self.second(due.as_secs());
        second.latency_us.saturating_record(latency_us);
        second.errors += u64::from(failed);
        if !failed {
            self.second(answered).answered += 1;
        }
        let Some(record) = self.operations.get_mut(operation) else { return };
        record.latency_us.saturating_record(latency_us);
        if let Err(kind) = outcome {
            *record.errors.entry(kind).or_default() += 1;
        }
    }

    fn second(&mut self, number: u64) -> &mut Second {
        let number = usize::try_from(number).unwrap_or_default();
        while self.seconds.len() <= number {
            self.seconds.push(Second { latency_us: histogram(2), errors: 0, answered: 0 });
        }
        &mut self.seconds[number]
    }

    pub fn requests(&self) -> u64 {
        self.operations.iter().map(|operation| operation.latency_us.len()).sum()
    }

    pub fn errors(&self) -> u64 {
        self.operations.iter().flat_map(|operation| operation.errors.values()).sum()
    }

    /// All operations together.
    pub fn total_us(&self) -> Histogram<u64> {
        let mut total = histogram(3);
        for operation in &self.operations {
            // They are all made with the same bounds.
            let _ = total.add(&operation.latency_us);
        }
        total
    }
}

fn histogram(digits: u8) -> Histogram<u64> {
    match Histogram::new_with_bounds(1, HIGHEST_US, digits) {
        Ok(histogram) => histogram,
        Err(_) => unreachable!("the bounds are constants that are in order"),
    }
}
