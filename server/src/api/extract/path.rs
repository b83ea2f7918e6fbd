//! Path parameters. What cannot exist is answered 404 here, without asking the database.

use crate::api::problem::{Kind, Problem};
use crate::domain::preference::PreferenceKey;
use crate::domain::profile::{ProfileId, UserId};
use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

/// The path's parameter `name`, decoded.
pub async fn parameter(parts: &mut Parts, name: &str) -> Result<Option<String>, Problem> {
    let parameters = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| not_found("resource"))?;
    Ok(parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned()))
}

pub fn not_found(what: &str) -> Problem {
    Problem::new(Kind::NotFound, format!("There is no such {what}, or the token does not reach it."))
}

macro_rules! path_parameter {
    ($extractor:ident, $type:ty, $name:literal, $what:literal, $parse:expr) => {
        pub struct $extractor(pub $type);

        impl<S: Send + Sync> FromRequestParts<S> for $extractor {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
                let text = parameter(parts, $name).await?.unwrap_or_default();
                let parse: fn(&str) -> Option<$type> = $parse;
                parse(&text).map(Self).ok_or_else(|| not_found($what))
            }
        }
    };
}

path_parameter!(PathProfileId, ProfileId, "profile_id", "profile", ProfileId::parse);
path_parameter!(PathUserId, UserId, "user_id", "user", |text| UserId::parse(text).ok());
path_parameter!(PathPreferenceKey, PreferenceKey, "preference_key", "preference", |text| PreferenceKey::parse(text).ok());
