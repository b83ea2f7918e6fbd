//! From a request to typed values. An extractor that is in a handler's signature cannot be forgotten.

pub mod auth;
pub mod condition;
pub mod params;
pub mod path;
pub mod upload;
pub mod write;

pub use auth::{AdminProfiles, Authorized, ReadProfiles, TenantsAdmin, WriteProfiles};
pub use params::Params;
pub use upload::Upload;
pub use write::Write;
