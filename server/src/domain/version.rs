//! How often a resource has changed; the ETag of the API and the guard of every compare-and-swap.

use serde::{Deserialize, Serialize};

/// 1 on create, +1 per change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub i64);

impl Version {
    pub const FIRST: Self = Self(1);

    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The client's condition on the version (`If-Match`, RFC 9110 §13.1.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Expected {
    /// No condition was given, or `*`.
    #[default]
    Any,
    /// One of these; empty when no tag could be one of ours, which then never holds.
    OneOf(Vec<Version>),
}

impl Expected {
    pub fn holds(&self, version: Version) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}
