//! n_users: the user directory that is right at once. Folder = layer, file = resource; see ARCHITECTURE.md.

pub mod domain;
pub mod store;
