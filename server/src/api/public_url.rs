//! The address under which clients know this service. Profiles keep the path of their image alone, so that a service
//! that moves takes its images along; the address comes before it on the way out.

use crate::domain::idempotency::Written;
use crate::domain::profile::Profile;
use std::sync::Arc;

/// Empty when none is configured: then a path is all that clients get, as good as any in front of the same host.
#[derive(Debug, Clone, Default)]
pub struct PublicUrl(Arc<str>);

impl PublicUrl {
    /// The error says what is expected.
    pub fn parse(text: Option<&str>) -> Result<Self, String> {
        let text = text.unwrap_or_default();
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        if text.is_empty() || rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['?', '#', ' '])) {
            return Ok(Self(text.trim_end_matches('/').into()));
        }
        Err("PUBLIC_URL must be like https://users.example.com".to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_or_nothing() {
        assert_eq!(&*PublicUrl::parse(None).unwrap().0, "");
        assert_eq!(&*PublicUrl::parse(Some("")).unwrap().0, "");
        assert_eq!(&*PublicUrl::parse(Some("https://a.example/users/")).unwrap().0, "https://a.example/users");
        for wrong in ["a.example", "ftp://a.example", "https://", "https://a.example?x"] {
            assert!(PublicUrl::parse(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
