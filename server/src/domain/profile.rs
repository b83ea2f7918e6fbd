//! A profile: one of a user's faces within a tenant. What clients may set is read in `profile_patch`.

use super::attributes::Attributes;
use super::birth_date::BirthDate;
use super::clock::TimestampMs;
use super::email::EmailAddress;
use super::mobile::Mobile;
use super::tenant::TenantName;
use super::text::{Text, clean, parse_slug};
use super::version::Version;
use crate::text_newtype;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// UUID v7, made by the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProfileId(pub Uuid);

impl ProfileId {
    /// `None` for text that no profile can have as its id.
    pub fn parse(text: &str) -> Option<Self> {
        // One spelling per id: `Uuid` would also take braces, URNs and bare digits.
        Uuid::try_parse(text).ok().filter(|_| text.len() == 36).map(Self)
    }
}

impl std::fmt::Display for ProfileId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

text_newtype!(
    /// 1 to 32 of `a-z 0-9 -`; what kind of profile this is to its user ("work", "personal").
    ProfileType,
    |text| parse_slug(text, 32)
);

impl Default for ProfileType {
    fn default() -> Self {
        Self::from_stored("default".to_owned())
    }
}

text_newtype!(
    /// 1 to 128 characters, compared exactly; profiles of one user share it.
    UserId,
    |text| clean(text, 128)
);

crate::from_json_text!(ProfileType, UserId);

/// The fields in the order and under the names in which they stand in JSON, in SQL and in logs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Profile {
    #[schema(value_type = String, example = "acme")]
    pub tenant_name: TenantName,
    /// UUID v7, made by the service.
    #[schema(value_type = Uuid)]
    pub profile_id: ProfileId,
    #[schema(value_type = String, example = "default")]
    pub profile_type: ProfileType,
    /// Profiles of one user share it.
    #[schema(value_type = String, example = "auth0|5f7c8ec7c33c6c004bbafe82")]
    pub user_id: UserId,
    #[schema(value_type = String, example = "Ada Lovelace")]
    pub full_name: Text<256>,
    #[schema(value_type = Option<String>)]
    pub gender: Option<Text<32>>,
    #[schema(value_type = Option<String>, format = "email", example = "ada@example.com")]
    pub email_id: Option<EmailAddress>,
    /// E.164.
    #[schema(value_type = Option<String>, example = "+442079460958")]
    pub mobile: Option<Mobile>,
    #[schema(value_type = Option<String>, format = "date", example = "1990-12-10")]
    pub birth_date: Option<BirthDate>,
    #[schema(value_type = Option<String>, example = "LON")]
    pub city_id: Option<Text<64>>,
    #[schema(value_type = Option<String>, example = "GB")]
    pub country_id: Option<Text<64>>,
    #[schema(value_type = Option<String>)]
    pub address: Option<Text<1024>>,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    /// Set by the image endpoint only.
    pub profile_image_url: Option<String>,
    /// The tenant's own fields.
    #[schema(value_type = Object)]
    pub attributes: Attributes,
    pub active: bool,
    pub created_by: String,
    pub updated_by: String,
    pub deleted_by: Option<String>,
    /// Unix time in milliseconds, as all times here.
    #[schema(value_type = i64)]
    pub created_at: TimestampMs,
    #[schema(value_type = i64)]
    pub updated_at: TimestampMs,
    #[schema(value_type = Option<i64>)]
    pub deleted_at: Option<TimestampMs>,
    /// 1 on create, +1 per change; the ETag.
    #[schema(value_type = i64)]
    pub version: Version,
}

impl Profile {
    pub fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// This profile after a soft delete.
    #[must_use]
    pub fn deleted(mut self, by: &str, at: TimestampMs) -> Self {
        self.active = false;
        self.deleted_by = Some(by.to_owned());
        self.deleted_at = Some(at);
        self.touch(by, at);
        self
    }

    /// This profile after a soft delete was undone.
    #[must_use]
    pub fn restored(mut self, by: &str, at: TimestampMs) -> Self {
        self.active = true;
        self.deleted_by = None;
        self.deleted_at = None;
        self.touch(by, at);
        self
    }

    /// Marks a change: who, when, and the next version.
    pub fn touch(&mut self, by: &str, at: TimestampMs) {
        by.clone_into(&mut self.updated_by);
        // A clock that steps back must not make a later change look older than an earlier one.
        self.updated_at = at.max(self.updated_at);
        self.version = self.version.next();
    }

    /// The names of the client's fields that differ, in field order.
    pub fn changed_fields(&self, new: &Self) -> Vec<&'static str> {
        let mut changed = Vec::new();
        macro_rules! compare {
            ($($field:ident)+) => { $( if self.$field != new.$field { changed.push(stringify!($field)); } )+ };
        }
        compare!(profile_type user_id full_name gender email_id mobile birth_date city_id country_id address
                 latitude longitude profile_image_url attributes active);
        changed
    }
}

/// A user as a whole: the live profiles, oldest first, and the preferences.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct User {
    #[schema(value_type = String)]
    pub tenant_name: TenantName,
    #[schema(value_type = String)]
    pub user_id: UserId,
    pub profiles: Vec<Profile>,
    /// Any JSON, by key.
    #[schema(value_type = Object)]
    pub preferences: super::preference::Preferences,
}
