//! What the service says of itself.

pub mod buffer;
pub mod logs;
pub mod metrics;
mod process;

/// The target of the lines that tell of requests.
pub const ACCESS: &str = "access";
