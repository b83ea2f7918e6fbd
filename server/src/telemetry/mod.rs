//! What the service says of itself.

pub mod logs;
