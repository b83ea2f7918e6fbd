//! Images over HTTP, each case on a local folder and on a real S3 server (`s3s-fs`), against the program as it ships.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

#[path = "../support/collector.rs"]
mod collector;

mod crash;
mod erasing;
mod files;
mod gc;
mod harness;
mod hostile;
mod memory;
mod outage;
mod reading;
mod traces;
mod uploading;
