//! The bodies of requests, as the OpenAPI document shows them. They are read by `domain`, field by field, so that
//! every fault can be told at once; a test holds the names here against what is read there.

#![expect(dead_code, reason = "describes what domain::profile_patch and domain::tenant read")]

use crate::domain::profile::Profile;
use crate::domain::search::{RouteStep, Total};
use crate::domain::tenant::Tenant;
use serde::Serialize;
use utoipa::ToSchema;

/// A new profile. `full_name` is required, and one of `user_id`, `email_id` and `mobile`.
#[derive(ToSchema)]
pub struct NewProfile {
    #[schema(min_length = 1, max_length = 256, example = "Ada Lovelace")]
    full_name: String,
    /// Made by the service when it is not given.
    #[schema(min_length = 1, max_length = 128)]
    user_id: Option<String>,
    /// What kind of profile this is to its user.
    #[schema(pattern = "^[a-z0-9-]{1,32}$", default = "default")]
    profile_type: Option<String>,
    #[schema(max_length = 32)]
    gender: Option<String>,
    #[schema(format = "email", max_length = 254, example = "ada@example.com")]
    email_id: Option<String>,
    /// International with `+`, or national to `country_id`.
    #[schema(example = "+44 20 7946 0958")]
    mobile: Option<String>,
    /// From 1900 on, not in the future.
    #[schema(format = "date", example = "1990-12-10")]
    birth_date: Option<String>,
    #[schema(max_length = 64, example = "LON")]
    city_id: Option<String>,
    /// ISO 3166-1 alpha-2, where it is to serve as the region of a national number.
    #[schema(max_length = 64, example = "GB")]
    country_id: Option<String>,
    #[schema(max_length = 1024)]
    address: Option<String>,
    /// Degrees; both coordinates or neither.
    #[schema(minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    #[schema(minimum = -180, maximum = 180)]
    longitude: Option<f64>,
    /// At most 16 KiB.
    #[schema(value_type = Option<Object>)]
    attributes: Option<serde_json::Value>,
    #[schema(default = true)]
    active: Option<bool>,
}

/// The fields to change, as JSON Merge Patch (RFC 7396): `null` clears, `attributes` is merged.
#[derive(ToSchema)]
pub struct ProfileUpdate {
    #[schema(min_length = 1, max_length = 256)]
    full_name: Option<String>,
    #[schema(min_length = 1, max_length = 128)]
    user_id: Option<String>,
    #[schema(pattern = "^[a-z0-9-]{1,32}$")]
    profile_type: Option<String>,
    #[schema(max_length = 32)]
    gender: Option<String>,
    #[schema(format = "email", max_length = 254)]
    email_id: Option<String>,
    mobile: Option<String>,
    #[schema(format = "date")]
    birth_date: Option<String>,
    #[schema(max_length = 64, example = "BLR")]
    city_id: Option<String>,
    #[schema(max_length = 64)]
    country_id: Option<String>,
    #[schema(max_length = 1024)]
    address: Option<String>,
    #[schema(minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    #[schema(minimum = -180, maximum = 180)]
    longitude: Option<f64>,
    #[schema(value_type = Option<Object>)]
    attributes: Option<serde_json::Value>,
    active: Option<bool>,
}

/// A search in a body, so that personal data stays out of URLs.
#[derive(ToSchema)]
pub struct SearchBody {
    /// Each word must be the beginning of a word of the name, e-mail, user id, city or mobile.
    #[schema(max_length = 256, example = "ada lov")]
    query: Option<String>,
    /// The filter language of SCIM (RFC 7644 §3.4.2.2).
    #[schema(max_length = 4096, example = "city_id eq \"LON\" and active eq true")]
    filter: Option<String>,
    #[schema(example = "-created_at")]
    sort_by: Option<String>,
    #[schema(minimum = 1, maximum = 200, default = 20)]
    limit: Option<i64>,
    #[schema(minimum = 0, maximum = 10_000, default = 0)]
    offset: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Needs the scope `profiles:admin`.
    #[schema(default = false)]
    include_deleted: Option<bool>,
    /// Also tell how it was found. Needs the scope `profiles:admin`.
    #[schema(default = false)]
    explain: Option<bool>,
}

/// A new tenant.
#[derive(ToSchema)]
pub struct NewTenant {
    #[schema(pattern = "^[a-z0-9-]{1,63}$", example = "acme")]
    tenant_name: String,
    #[schema(max_length = 256, example = "Acme Ltd")]
    display_name: Option<String>,
    #[schema(default = false)]
    suspended: Option<bool>,
}

/// The fields to change.
#[derive(ToSchema)]
pub struct TenantUpdate {
    #[schema(max_length = 256)]
    display_name: Option<String>,
    suspended: Option<bool>,
}

/// A page of a search.
#[derive(Serialize, ToSchema)]
pub struct SearchAnswer {
    pub profiles: Vec<Profile>,
    /// Send it as `cursor`, with the same search, for the next page; null on the last.
    pub next_cursor: Option<String>,
    pub total: Total,
    /// Words of this tenant that are close to words of `query` which by themselves find nobody: the best first, for one
    /// word of the query after the other. Only where the search found nobody, whatever else the filter asks for; absent
    /// where no word is close.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 5, required = false, example = json!(["kowalski"]))]
    pub did_you_mean: Vec<String>,
    /// The steps by which it was found; with `explain` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explain: Option<Vec<RouteStep>>,
}

/// A page of tenants, by name.
#[derive(Serialize, ToSchema)]
pub struct TenantsAnswer {
    pub tenants: Vec<Tenant>,
    /// Send it as `cursor` for the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// The bytes of an image.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct Picture(Vec<u8>);

/// A form with one file.
#[derive(ToSchema)]
pub struct ImageForm {
    #[schema(value_type = String, format = Binary)]
    profile_image: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Document;
    use crate::domain::profile_patch::ProfilePatch;
    use utoipa::PartialSchema;

    fn names(schema: &utoipa::openapi::RefOr<utoipa::openapi::Schema>) -> Vec<String> {
        let json = serde_json::to_value(schema).unwrap();
        json["properties"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_bodies_that_are_shown_are_the_ones_that_are_read() {
        for schema in [NewProfile::schema(), ProfileUpdate::schema()] {
            let members: serde_json::Map<_, _> = names(&schema).into_iter().map(|name| (name, serde_json::Value::Null)).collect();
            let body = serde_json::to_vec(&members).unwrap();
            let faults = ProfilePatch::read(Document::parse(&body).unwrap()).into_faults();
            assert!(faults.is_empty(), "{faults:?}");
        }
    }
}
