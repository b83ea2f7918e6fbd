//! Administration of tenants, within those that the token speaks for.

use super::Directory;
use super::call::{AdminCall, record};
use super::error::{Error, Result};
use super::retry::{self, Purpose};
use crate::domain::caller::TenantAccess;
use crate::domain::change::{Change, ChangeKind};
use crate::domain::idempotency::{Concerns, Written, creation_scope};
use crate::domain::tenant::{Tenant, TenantName, TenantPatch, new_tenant};
use crate::domain::version::Expected;
use crate::domain::{document::Document, search::DEFAULT_LIMIT};

const MAX_ROUNDS: u32 = 32;

/// A page of tenants, by name.
#[derive(Debug)]
pub struct TenantPage {
    pub tenants: Vec<Tenant>,
    pub next_cursor: Option<String>,
}

impl Directory {
    /// Creates a tenant that the token speaks for.
    pub async fn create_tenant(&self, call: &AdminCall, document: Document) -> Result<Written> {
        let tenant = new_tenant(document, &call.subject, self.now())?;
        if !call.tenants.covers(&tenant.tenant_name) {
            return Err(Error::Forbidden("the token does not speak for a tenant of this name"));
        }
        let written = Written::Tenant { created: true, tenant: tenant.clone() };
        retry::once(&*self.store, Purpose::Administration, &creation_scope(), call.attempt.as_ref(), async {
            let change =
                Change::of_tenant(ChangeKind::TenantCreated, &tenant.tenant_name, tenant.version, &call.subject, tenant.created_at);
            let record = record(call.attempt.as_ref(), Concerns::Tenant, &written);
            self.store.create_tenant(&tenant, &change, record.as_ref()).await?;
            Ok(written.clone())
        })
        .await
    }

    pub async fn read_tenant(&self, call: &AdminCall, name: &TenantName) -> Result<Tenant> {
        if !call.tenants.covers(name) {
            return Err(Error::NotFound("tenant"));
        }
        self.store.read_tenant(name).await?.ok_or(Error::NotFound("tenant"))
    }

    pub async fn update_tenant(&self, call: &AdminCall, name: &TenantName, patch: &TenantPatch, expected: &Expected) -> Result<Written> {
        retry::once(&*self.store, Purpose::Administration, name, call.attempt.as_ref(), async {
            for _ in 0..MAX_ROUNDS {
                let old = self.expected_tenant(call, name, expected).await?;
                let now = self.now();
                let Some(new) = patch.clone().apply(&old, &call.subject, now) else {
                    let written = Written::Tenant { created: false, tenant: old };
                    self.record_unchanged(name, record(call.attempt.as_ref(), Concerns::Tenant, &written)).await?;
                    return Ok(written);
                };
                let change = Change::of_tenant(ChangeKind::TenantUpdated, name, new.version, &call.subject, now);
                let written = Written::Tenant { created: false, tenant: new.clone() };
                let record = record(call.attempt.as_ref(), Concerns::Tenant, &written);
                if self.store.replace_tenant(&new, old.version, &change, record.as_ref()).await? {
                    return Ok(written);
                }
            }
            Err(Error::Contended)
        })
        .await
    }

    /// Erases a tenant without live users, with all that was left of it, images too.
    pub async fn delete_tenant(&self, call: &AdminCall, name: &TenantName, expected: &Expected) -> Result<Written> {
        let written = retry::once(&*self.store, Purpose::Administration, name, call.attempt.as_ref(), async {
            for _ in 0..MAX_ROUNDS {
                let old = self.expected_tenant(call, name, expected).await?;
                let change = Change::of_tenant(ChangeKind::TenantDeleted, name, old.version, &call.subject, self.now());
                let record = record(call.attempt.as_ref(), Concerns::Tenant, &Written::Gone);
                if self.store.delete_tenant(name, old.version, &change, record.as_ref()).await? {
                    return Ok(Written::Gone);
                }
            }
            Err(Error::Contended)
        })
        .await?;
        self.erase_images_of_tenant(name).await;
        Ok(written)
    }

    /// The tenants that the token speaks for, by name; `cursor` goes on behind an earlier page.
    pub async fn list_tenants(&self, call: &AdminCall, limit: Option<u32>, cursor: Option<&str>) -> Result<TenantPage> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        let after = cursor.map(|cursor| self.cursors.open::<TenantName>(cursor, TENANTS)).transpose()?;
        let among = match &call.tenants {
            TenantAccess::All => None,
            TenantAccess::Only(names) => Some(names.as_slice()),
        };
        let mut tenants = self.store.list_tenants(after.as_ref(), among, limit + 1).await?;
        let more = tenants.len() > limit as usize;
        tenants.truncate(limit as usize);
        let next_cursor = match tenants.last() {
            Some(last) if more => Some(self.cursors.seal(&last.tenant_name, TENANTS)?),
            _ => None,
        };
        Ok(TenantPage { tenants, next_cursor })
    }

    async fn expected_tenant(&self, call: &AdminCall, name: &TenantName, expected: &Expected) -> Result<Tenant> {
        let tenant = self.read_tenant(call, name).await?;
        if expected.holds(tenant.version) {
            return Ok(tenant);
        }
        let version = tenant.version.0;
        Err(Error::PreconditionFailed(format!("the tenant is at version {version}: read it again before you change it")))
    }
}

/// What a cursor over tenants is bound to.
const TENANTS: &[u8] = b"tenants";
