//! The service over HTTP, on both backends. Modules mirror the URLs, and the concerns that go across them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

#[path = "../support/mod.rs"]
mod support;

mod harness;

mod auth;
mod docs;
mod idempotency;
mod invalid;
mod preferences;
mod profiles;
mod search;
mod tenants;
mod users;
