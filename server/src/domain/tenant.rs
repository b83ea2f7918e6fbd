//! A tenant: a customer, a brand, a product. Every other resource belongs to one.

use super::clock::TimestampMs;
use super::document::Document;
use super::invalid::Faults;
use super::patch::Patch;
use super::text::{Text, parse_slug};
use super::version::Version;
use crate::text_newtype;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

text_newtype!(
    /// 1 to 63 of `a-z 0-9 -`.
    TenantName,
    |text| parse_slug(text, 63)
);

/// The tenant that exists from the first start.
pub const DEFAULT_TENANT: &str = "default";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tenant {
    #[schema(value_type = String, example = "acme")]
    pub tenant_name: TenantName,
    #[schema(value_type = Option<String>, example = "Acme Ltd")]
    pub display_name: Option<Text<256>>,
    /// A suspended tenant's requests are answered 403.
    pub suspended: bool,
    pub created_by: String,
    pub updated_by: String,
    #[schema(value_type = i64)]
    pub created_at: TimestampMs,
    #[schema(value_type = i64)]
    pub updated_at: TimestampMs,
    #[schema(value_type = i64)]
    pub version: Version,
}

/// The fields of a tenant that a client may set.
#[derive(Debug, Clone, Default)]
pub struct TenantPatch {
    pub display_name: Patch<Text<256>>,
    pub suspended: Patch<bool>,
}

impl TenantPatch {
    fn take(document: &mut Document) -> Self {
        Self { display_name: document.take("display_name"), suspended: document.take("suspended") }
    }

    /// Reads the body of an update. The errors name unknown fields and wrong values.
    pub fn from_document(mut document: Document) -> Result<Self, Faults> {
        document.refuse("tenant_name", "cannot change");
        let patch = Self::take(&mut document);
        document.finish()?;
        Ok(patch)
    }

    /// The tenant with this patch applied, or `None` when that would change nothing.
    pub fn apply(self, old: &Tenant, by: &str, at: TimestampMs) -> Option<Tenant> {
        let mut new = old.clone();
        self.display_name.apply_to(&mut new.display_name);
        new.suspended = self.suspended.or_default_on_clear(old.suspended);
        if new == *old {
            return None;
        }
        new.updated_by = by.to_owned();
        new.updated_at = at;
        new.version = old.version.next();
        Some(new)
    }
}

/// Reads the body of a create: the name, and what may be set.
pub fn new_tenant(mut document: Document, by: &str, at: TimestampMs) -> Result<Tenant, Faults> {
    let name: Patch<TenantName> = document.take("tenant_name");
    if matches!(name, Patch::Keep | Patch::Clear) && !document.has_fault("tenant_name") {
        document.add_fault("tenant_name", "is required: 1 to 63 characters of a-z, 0-9 and -");
    }
    let fields = TenantPatch::take(&mut document);
    document.finish()?;
    let Patch::Set(tenant_name) = name else {
        return Err(Faults::field("tenant_name", "is required"));
    };
    Ok(Tenant {
        tenant_name,
        display_name: fields.display_name.into_option(),
        suspended: fields.suspended.or_default_on_clear(false),
        created_by: by.to_owned(),
        updated_by: by.to_owned(),
        created_at: at,
        updated_at: at,
        version: Version::FIRST,
    })
}
