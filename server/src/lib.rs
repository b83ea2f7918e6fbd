//! n_users: the user directory that is right at once. Folder = layer, file = resource; see ARCHITECTURE.md.

pub mod api;
pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod domain;
pub mod images;
pub mod lifecycle;
pub mod service;
pub mod store;
pub mod telemetry;
