//! The change log: a row for every change, written in the same transaction. It holds ids and field names, never the
//! personal data itself, so that a purge leaves nothing of it behind.

use super::clock::TimestampMs;
use super::preference::PreferenceKey;
use super::profile::{Profile, ProfileId, UserId};
use super::tenant::TenantName;
use super::version::Version;

macro_rules! change_kinds {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ChangeKind { $($variant),+ }

        impl ChangeKind {
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            pub fn from_stored(text: &str) -> Option<Self> {
                match text { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

change_kinds! {
    ProfileCreated = "profile_created",
    ProfileUpdated = "profile_updated",
    ProfileDeleted = "profile_deleted",
    ProfileRestored = "profile_restored",
    ProfilePurged = "profile_purged",
    PreferenceSet = "preference_set",
    PreferenceDeleted = "preference_deleted",
    TenantCreated = "tenant_created",
    TenantUpdated = "tenant_updated",
    TenantDeleted = "tenant_deleted",
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub tenant_name: TenantName,
    /// None for a change of the tenant itself.
    pub user_id: Option<UserId>,
    /// None for a change of a preference or of the tenant.
    pub profile_id: Option<ProfileId>,
    pub kind: ChangeKind,
    /// The version that the change led to; for a purge, the last one. None for a preference.
    pub version: Option<Version>,
    pub changed_by: String,
    pub changed_at: TimestampMs,
    /// Names of the fields that changed, or the preference's key.
    pub changed_fields: Vec<String>,
}

impl Change {
    /// The change that led to `profile` as it now is.
    pub fn of_profile(kind: ChangeKind, profile: &Profile, changed_fields: Vec<&'static str>) -> Self {
        Self {
            tenant_name: profile.tenant_name.clone(),
            user_id: Some(profile.user_id.clone()),
            profile_id: Some(profile.profile_id),
            kind,
            version: Some(profile.version),
            changed_by: profile.updated_by.clone(),
            changed_at: profile.updated_at,
            changed_fields: changed_fields.into_iter().map(str::to_owned).collect(),
        }
    }

    /// The end of a profile.
    pub fn purge_of(profile: &Profile, by: &str, at: TimestampMs) -> Self {
        Self { changed_by: by.to_owned(), changed_at: at, ..Self::of_profile(ChangeKind::ProfilePurged, profile, Vec::new()) }
    }

    pub fn of_preference(
        kind: ChangeKind,
        tenant_name: &TenantName,
        user_id: &UserId,
        key: &PreferenceKey,
        by: &str,
        at: TimestampMs,
    ) -> Self {
        Self {
            tenant_name: tenant_name.clone(),
            user_id: Some(user_id.clone()),
            profile_id: None,
            kind,
            version: None,
            changed_by: by.to_owned(),
            changed_at: at,
            changed_fields: vec![key.as_str().to_owned()],
        }
    }

    pub fn of_tenant(kind: ChangeKind, tenant_name: &TenantName, version: Version, by: &str, at: TimestampMs) -> Self {
        Self {
            tenant_name: tenant_name.clone(),
            user_id: None,
            profile_id: None,
            kind,
            version: Some(version),
            changed_by: by.to_owned(),
            changed_at: at,
            changed_fields: Vec::new(),
        }
    }
}

/// Where a reader of the change log stands. Opaque but for its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ChangePosition {
    /// The writing transaction, for stores whose transactions may commit out of order; else 0.
    pub transaction_id: i64,
    pub change_id: i64,
}
