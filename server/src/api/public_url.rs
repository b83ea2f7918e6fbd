//! The address under which clients know this service. Profiles keep the path of their image alone, so that a service
//! that moves takes its images along; the address comes before it on the way out.

use crate::domain::idempotency::Written;
use crate::domain::profile::Profile;
use std::sync::Arc;

/// Empty when none is configured: then a path is all that clients get, as good as any in front of the same host.
#[derive(Debug, Clone, Default)]
pub struct PublicUrl(Arc<str>);

impl PublicUrl {
    /// `base` has no slash at its end.
    pub fn new(base: Option<&str>) -> Self {
        Self(base.unwrap_or_default().into())
    }

    /// The profile as a client sees it.
    #[must_use]
    pub fn profile(&self, mut profile: Profile) -> Profile {
        if let Some(path) = profile.profile_image_url.as_mut().filter(|path| path.starts_with('/')) {
            path.insert_str(0, &self.0);
        }
        profile
    }

    #[must_use]
    pub fn written(&self, written: Written) -> Written {
        match written {
            Written::Profile { created, profile } => Written::Profile { created, profile: Box::new(self.profile(*profile)) },
            other => other,
        }
    }
}
