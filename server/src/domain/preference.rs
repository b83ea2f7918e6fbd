//! A user's preferences: a key and any JSON value, at most 16 KiB.

use super::attributes::canonical;
use super::document::parse_value;
use super::text::clean;
use crate::text_newtype;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

text_newtype!(
    /// 1 to 128 characters, compared exactly.
    PreferenceKey,
    |text| clean(text, 128)
);

/// Any JSON value of at most 16 KiB in compact form.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PreferenceValue(Box<RawValue>);

/// All preferences of a user, by key.
pub type Preferences = BTreeMap<PreferenceKey, PreferenceValue>;

impl PreferenceValue {
    /// Reads JSON text whose syntax was already found to be right.
    pub fn parse(json: &str) -> Result<Self, String> {
        parse_value(json).and_then(canonical).map(Self)
    }

    pub fn from_stored(text: String) -> Self {
        RawValue::from_string(text).map_or_else(|_| Self(RawValue::NULL.to_owned()), Self)
    }

    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for PreferenceValue {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}
