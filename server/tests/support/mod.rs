//! What both test binaries need: databases of their own, tokens, a client that holds every answer to the rules, and
//! raw bytes for requests that no client library would send.

#![allow(dead_code, reason = "each of the two binaries uses its own part")]

pub mod client;
pub mod collector;
pub mod database;
pub mod raw;
pub mod token;

pub use client::{Answer, Client};
pub use database::{Backend, TestDatabase};
pub use serde_json::{Value, json};

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that no other part of this process was given.
pub fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A word for names and addresses that are not to meet those of another test.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{}", next_number())
}

/// Text as it stands in a path or in a query.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
