//! What the service says of itself.

pub mod buffer;
pub mod logs;

/// The target of the lines that tell of requests.
pub const ACCESS: &str = "access";
