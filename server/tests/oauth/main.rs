//! Tokens of issuers, over HTTP: a certified authorization server (npm `oidc-provider`) for what works, and an issuer
//! made here, whose keys the tests hold, for what must not.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

#[path = "../support/collector.rs"]
mod collector;

mod flows;
mod forged;
mod introspection;
mod issuers;
mod limits;
mod outage;
mod rotation;
mod routes;
mod support;
