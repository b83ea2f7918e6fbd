//! Images: what is taken, what is made of it, and the object store that keeps it.

mod container;
mod crew;
mod erasure;
pub mod error;
mod local;
mod memory;
mod raster;
mod scale;
pub mod store;
pub mod variants;
mod workers;

pub use erasure::erase_behind;
pub use error::{ImageError, Result};
pub use store::{Content, ImageStore, Listed};
pub use variants::Variants;
pub use workers::Place;
