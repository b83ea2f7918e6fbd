//! What is written, as parameters. Every write counts them alike: $1 is the tenant, $2 to $8 the change, and its own
//! follow from $9 on.

use super::pool::Params;
use crate::domain::change::Change;
use crate::domain::email::EmailAddress;
use crate::domain::grams::Grams;
use crate::domain::profile::{Profile, ProfileId};
use crate::domain::search_text::{fold, search_doc};
use crate::domain::tenant::{Tenant, TenantName};
use crate::domain::text::Text;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

type Value<'a> = &'a (dyn ToSql + Sync);

/// The row of the change log for each row of another part of the statement.
macro_rules! logged {
    ($of:literal) => {
        concat!(
            "logged AS (INSERT INTO changes (tenant_name, user_id, profile_id, kind, version, changed_by, changed_at, changed_fields) ",
            "SELECT $1::text, $2::text, $3::uuid, $4::text, $5::bigint, $6::text, $7::bigint, $8::text[] FROM ",
            $of,
            ")"
        )
    };
}
pub(super) use logged;

/// A change as $1 to $8.
pub(super) struct ChangeValues<'a> {
    tenant: &'a str,
    user_id: Option<&'a str>,
    profile_id: Option<Uuid>,
    kind: &'static str,
    version: Option<i64>,
    changed_by: &'a str,
    changed_at: i64,
    changed_fields: &'a [String],
}

impl<'a> ChangeValues<'a> {
    pub(super) fn new(tenant: &'a TenantName, change: &'a Change) -> Self {
        Self {
            tenant: tenant.as_str(),
            user_id: change.user_id.as_ref().map(|user_id| user_id.as_str()),
            profile_id: change.profile_id.map(|ProfileId(id)| id),
            kind: change.kind.as_str(),
            version: change.version.map(|version| version.0),
            changed_by: &change.changed_by,
            changed_at: change.changed_at.0,
            changed_fields: &change.changed_fields,
        }
    }

    /// $1 to $8, and behind them what the statement has of its own.
    pub(super) fn and<'s>(&'s self, own: &Params<'s>) -> Vec<Value<'s>> {
        let change: [Value<'s>; 8] = [
            &self.tenant,
            &self.user_id,
            &self.profile_id,
            &self.kind,
            &self.version,
            &self.changed_by,
            &self.changed_at,
            &self.changed_fields,
        ];
        change.into_iter().chain(own.iter().copied()).collect()
    }
}

/// A profile as $9 to $35: its columns behind the tenant in their order, then what is derived from it.
pub(super) struct ProfileValues<'a> {
    profile: &'a Profile,
    text: [Option<&'a str>; 7],
    birth_date: Option<String>,
    deleted_at: Option<i64>,
    full_name_key: String,
    email_key: Option<String>,
    search_doc: String,
    grams: Vec<i32>,
    names: [&'a str; 4],
}

impl<'a> ProfileValues<'a> {
    pub(super) fn new(tenant: &TenantName, profile: &'a Profile) -> Self {
        let p = profile;
        let search_doc = search_doc(p);
        Self {
            profile,
            names: [p.profile_type.as_str(), p.user_id.as_str(), p.full_name.as_str(), p.attributes.as_str()],
            text: [
                p.gender.as_ref().map(Text::as_str),
                p.email_id.as_ref().map(EmailAddress::as_str),
                p.mobile.as_ref().map(|mobile| mobile.as_str()),
                p.city_id.as_ref().map(Text::as_str),
                p.country_id.as_ref().map(Text::as_str),
                p.address.as_ref().map(Text::as_str),
                p.profile_image_url.as_deref(),
            ],
            birth_date: p.birth_date.map(|date| date.to_string()),
            deleted_at: p.deleted_at.map(|at| at.0),
            full_name_key: fold(p.full_name.as_str()),
            email_key: p.email_id.as_ref().map(EmailAddress::key),
            grams: Grams::of(tenant).all_of_profile(p, &search_doc),
            search_doc,
        }
    }

    pub(super) fn values(&self) -> Vec<Value<'_>> {
        let p = self.profile;
        let [profile_type, user_id, full_name, attributes] = &self.names;
        let [gender, email_id, mobile, city_id, country_id, address, profile_image_url] = &self.text;
        vec![
            &p.profile_id.0,
            profile_type,
            user_id,
            full_name,
            gender,
            email_id,
            mobile,
            &self.birth_date,
            city_id,
            country_id,
            address,
            &p.latitude,
            &p.longitude,
            profile_image_url,
            attributes,
            &p.active,
            &p.created_by,
            &p.updated_by,
            &p.deleted_by,
            &p.created_at.0,
            &p.updated_at.0,
            &self.deleted_at,
            &p.version.0,
            &self.full_name_key,
            &self.email_key,
            &self.search_doc,
            &self.grams,
        ]
    }
}

/// A tenant as $9 to $15: its columns behind the name, in their order.
pub(super) struct TenantValues<'a> {
    tenant: &'a Tenant,
    display_name: Option<&'a str>,
}

impl<'a> TenantValues<'a> {
    pub(super) fn new(tenant: &'a Tenant) -> Self {
        Self { tenant, display_name: tenant.display_name.as_ref().map(Text::as_str) }
    }

    pub(super) fn values(&self) -> Vec<Value<'_>> {
        let t = self.tenant;
        vec![&self.display_name, &t.suspended, &t.created_by, &t.updated_by, &t.created_at.0, &t.updated_at.0, &t.version.0]
    }
}
