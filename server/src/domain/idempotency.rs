//! Retries that do not repeat: the same key with the same request within 24 hours gets the first answer again.

use super::clock::TimestampMs;
use super::preference::PreferenceValue;
use super::profile::{Profile, ProfileId, UserId};
use super::tenant::{Tenant, TenantName};
use serde::{Deserialize, Serialize};

/// How long an answer is kept, in milliseconds.
pub const KEPT_FOR_MS: i64 = 24 * 60 * 60 * 1000;

/// The header `Idempotency-Key`: 1 to 255 visible ASCII characters, chosen by the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    pub fn parse(text: &str) -> Result<Self, String> {
        let valid = (1..=255).contains(&text.len()) && text.bytes().all(|b| (0x20..0x7f).contains(&b)) && text.trim() == text;
        if valid { Ok(Self(text.to_owned())) } else { Err("must be 1 to 255 printable ASCII characters".to_owned()) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where keys for the creation of tenants are kept: two requests with one key are the same one, or a mistake, also
/// when they name different tenants. No tenant can have this name.
pub fn creation_scope() -> TenantName {
    TenantName::from_stored("*".to_owned())
}

/// A request that may be a repeat: the key, who used it (keys of two clients never meet), and what was asked.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub key: IdempotencyKey,
    pub subject: String,
    /// SHA-256 of method, path, conditions and body.
    pub fingerprint: [u8; 32],
    pub at: TimestampMs,
}

/// The outcome of a write, as it is answered the first time and to every repeat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    Profile {
        created: bool,
        profile: Box<Profile>,
    },
    Preference {
        created: bool,
        value: PreferenceValue,
    },
    Tenant {
        created: bool,
        tenant: Tenant,
    },
    /// Deleted: there is nothing to show.
    Gone,
}

/// What a recorded answer speaks of, so that a purge can erase it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concerns {
    Profile(ProfileId),
    User(UserId),
    Tenant,
}

impl Concerns {
    /// The form in which stores keep it.
    pub fn to_stored(&self) -> String {
        match self {
            Self::Profile(profile_id) => format!("profile:{profile_id}"),
            Self::User(user_id) => format!("user:{user_id}"),
            Self::Tenant => "tenant".to_owned(),
        }
    }
}

/// What is to be recorded, in the same transaction as the write itself.
#[derive(Debug, Clone)]
pub struct Record {
    pub attempt: Attempt,
    pub concerns: Concerns,
    pub answer: Written,
}

impl Record {
    /// The answer as stores keep it. `created` is known only to the store that wrote.
    pub fn answer_json(&self, created: Option<bool>) -> Result<String, serde_json::Error> {
        match (&self.answer, created) {
            (Written::Preference { value, .. }, Some(created)) => {
                serde_json::to_string(&Written::Preference { created, value: value.clone() })
            }
            (answer, _) => serde_json::to_string(answer),
        }
    }
}

/// What was recorded under a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    pub fingerprint: [u8; 32],
    pub at: TimestampMs,
    /// None when a purge erased it.
    pub answer_json: Option<String>,
}
