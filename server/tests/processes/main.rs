//! The program as people run it: started, signalled, killed, several at once, its database taken away.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

#[path = "../support/mod.rs"]
mod support;

mod process;
mod proxy;

mod banner;
mod cli;
mod config;
mod crash;
mod database_lost;
mod database_tls;
mod logs;
mod metrics;
mod nodes;
mod races;
mod stop;
mod traces;
