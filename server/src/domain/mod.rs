//! What the directory is about, and its rules: pure, without a database, a network or a clock of its own.

pub mod attributes;
pub mod birth_date;
pub mod caller;
pub mod cause;
pub mod change;
pub mod clock;
pub mod document;
pub mod email;
pub mod filter;
pub mod geo;
pub mod grams;
pub mod idempotency;
pub mod image;
pub mod invalid;
pub mod mobile;
pub mod patch;
pub mod periods;
pub mod preference;
pub mod profile;
pub mod profile_patch;
pub mod search;
pub mod search_text;
pub mod spelling;
pub mod tenant;
pub mod text;
pub mod version;
