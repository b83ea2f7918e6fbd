//! Text as people write it: trimmed, in Unicode NFC, of a bounded length, without control characters.

use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Trims, brings to NFC and checks `text`: 1 to `max` characters (Unicode scalar values), no control characters.
/// The error says what is expected.
pub fn clean(text: &str, max: usize) -> Result<String, String> {
    let composed: Cow<'_, str> = ComposingNormalizerBorrowed::new_nfc().normalize(text.trim());
    if let Some(control) = composed.chars().find(|c| c.is_control()) {
        return Err(format!("must not contain control characters (found U+{:04X})", control as u32));
    }
    match composed.chars().count() {
        0 => Err(format!("must not be empty: give text of 1 to {max} characters")),
        length if length > max => Err(format!("must be at most {max} characters long (it has {length})")),
        _ => Ok(composed.into_owned()),
    }
}

/// Clean text of 1 to `MAX` characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    pub fn parse(text: &str) -> Result<Self, String> {
        clean(text, MAX).map(Self)
    }

    /// What a store kept of a value that was parsed before.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The first text, by bytes, that is greater than every text that begin with this one; `None` if there is none.
pub fn behind_beginning(prefix: &str) -> Option<String> {
    let mut rest = prefix.trim_end_matches(char::MAX).to_owned();
    let last = rest.pop()?;
    // The order of UTF-8 is that of the code points; a range of `char` leaves out the surrogates.
    rest.push((last..=char::MAX).nth(1)?);
    Some(rest)
}

/// A name for machines: 1 to `max` of `a-z 0-9 -`.
pub fn parse_slug(text: &str, max: usize) -> Result<String, String> {
    let valid = (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if valid { Ok(text.to_owned()) } else { Err(format!("must be 1 to {max} characters of a-z, 0-9 and -")) }
}

/// A newtype over text that is parsed at the edge and trusted behind it.
#[macro_export]
macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident, $parse:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Checks `text`; the error says what is expected.
            pub fn parse(text: &str) -> Result<Self, String> {
                let parse: fn(&str) -> Result<String, String> = $parse;
                parse(text).map(Self)
            }

            /// What a store kept of a value that was parsed before.
            pub fn from_stored(text: String) -> Self {
                Self(text)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
