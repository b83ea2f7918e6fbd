//! What the server, the database and this program itself compute and keep in memory, where they run on this machine.

pub mod find;
mod monitor;
pub mod usage;

pub use find::{Place, Places};
pub use monitor::{Monitor, Reading, Usage};
