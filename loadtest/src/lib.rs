//! Fills a directory with people, drives an open-loop load against it, and reports latencies, CPU and memory.

pub mod cli;
pub mod compare;
pub mod engine;
pub mod failure;
pub mod fill;
pub mod http;
pub mod images;
pub mod limit;
pub mod mix;
pub mod people;
pub mod processes;
pub mod progress;
pub mod report;
pub mod run;
pub mod tokens;
