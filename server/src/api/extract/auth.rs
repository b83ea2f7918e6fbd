//! The permission is the extractor: a handler names the right that it needs, and cannot run without it.

use super::path::{not_found, parameter};
use crate::api::AppState;
use crate::api::context::RequestContext;
use crate::api::limits::Standing;
use crate::api::problem::Problem;
use crate::domain::caller::{Caller, Reach, Scope};
use crate::domain::idempotency::Attempt;
use crate::domain::profile::UserId;
use crate::domain::tenant::TenantName;
use crate::service::{AdminCall, Call};
use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use std::marker::PhantomData;
use std::sync::Arc;

/// A right within one tenant.
pub trait Permission: Send + Sync {
    /// Gives the right over everybody in the tenant.
    const ANYBODY: Scope;
    /// Gives it over the token's own subject, if there is such a scope.
    const OWN: Option<Scope>;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $anybody:ident, $own:expr;)+) => {$(
        $(#[$doc])*
        pub struct $name;
        impl Permission for $name {
            const ANYBODY: Scope = Scope::$anybody;
            const OWN: Option<Scope> = $own;
        }
    )+};
}

permissions! {
    /// Get, list, search.
    ReadProfiles = ProfilesRead, Some(Scope::SelfRead);
    /// Create, update, soft delete.
    WriteProfiles = ProfilesWrite, Some(Scope::SelfWrite);
    /// Restore; with `require_admin`, purge and see deleted.
    AdminProfiles = ProfilesAdmin, None;
}

/// A caller who has the right `P` in the tenant of the path.
pub struct Authorized<P> {
    pub tenant: TenantName,
    caller: Arc<Caller>,
    reach: Reach,
    right: PhantomData<P>,
}

impl<P> Authorized<P> {
    /// Refuses unless the caller may also administer profiles.
    pub fn require_admin(&self) -> Result<(), Problem> {
        if self.caller.has(Scope::ProfilesAdmin) { Ok(()) } else { Err(Problem::insufficient_scope(Scope::ProfilesAdmin.as_str())) }
    }

    pub fn subject(&self) -> &str {
        &self.caller.subject
    }

    /// The request as the service takes it.
    pub fn call(self, attempt: Option<Attempt>) -> Call {
        Call { tenant: self.tenant, subject: self.caller.subject.clone(), reach: self.reach, attempt }
    }
}

impl<P: Permission> FromRequestParts<AppState> for Authorized<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let caller = authenticate(parts, app).await?;
        let reach = reach::<P>(&caller)?;
        let name = parameter(parts, "tenant_name").await?.unwrap_or_default();
        let tenant = TenantName::parse(&name).ok().filter(|name| caller.tenants.covers(name)).ok_or_else(|| not_found("tenant"))?;
        admit_tenant(parts, app, &tenant)?;
        Ok(Self { tenant, caller, reach, right: PhantomData })
    }
}

fn reach<P: Permission>(caller: &Caller) -> Result<Reach, Problem> {
    if caller.has(P::ANYBODY) {
        return Ok(Reach::Everybody);
    }
    let own = P::OWN.filter(|scope| caller.has(*scope)).and_then(|_| UserId::parse(&caller.subject).ok());
    own.map(Reach::Only).ok_or_else(|| Problem::insufficient_scope(P::ANYBODY.as_str()))
}

/// A caller who may administer tenants: those that the token speaks for, and in the path only such a one.
pub struct TenantsAdmin {
    caller: Arc<Caller>,
    tenant: Option<TenantName>,
}

impl TenantsAdmin {
    pub fn subject(&self) -> &str {
        &self.caller.subject
    }

    /// The tenant of the path, which every route that asks for it has.
    pub fn tenant(&self) -> Result<TenantName, Problem> {
        self.tenant.clone().ok_or_else(|| not_found("tenant"))
    }

    pub fn call(self, attempt: Option<Attempt>) -> AdminCall {
        AdminCall { subject: self.caller.subject.clone(), tenants: self.caller.tenants.clone(), attempt }
    }
}

impl FromRequestParts<AppState> for TenantsAdmin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let caller = authenticate(parts, app).await?;
        if !caller.has(Scope::TenantsAdmin) {
            return Err(Problem::insufficient_scope(Scope::TenantsAdmin.as_str()));
        }
        let tenant = match parameter(parts, "tenant_name").await? {
            None => None,
            Some(name) => {
                let name = TenantName::parse(&name).ok().filter(|name| caller.tenants.covers(name));
                Some(name.ok_or_else(|| not_found("tenant"))?)
            }
        };
        if let Some(tenant) = &tenant {
            admit_tenant(parts, app, tenant)?;
        }
        Ok(Self { caller, tenant })
    }
}

/// The caller, if within the client's limit.
async fn authenticate(parts: &Parts, app: &AppState) -> Result<Arc<Caller>, Problem> {
    let caller = app.verifier.verify(bearer(parts)?).await?;
    let context = parts.extensions.get::<RequestContext>();
    if let Some(context) = context {
        context.set_subject(&caller.subject);
    }
    if let Some(standing) = app.limits.client(&caller) {
        if let Some(context) = context {
            context.set_client_standing(standing);
        }
        within(&standing)?;
    }
    Ok(caller)
}

/// A tenant that the caller speaks for, if within the tenant's limit.
fn admit_tenant(parts: &Parts, app: &AppState, tenant: &TenantName) -> Result<(), Problem> {
    let context = parts.extensions.get::<RequestContext>();
    if let Some(context) = context {
        context.set_tenant(tenant);
    }
    if let Some(standing) = app.limits.tenant(tenant) {
        if let Some(context) = context {
            context.set_tenant_standing(standing);
        }
        within(&standing)?;
    }
    Ok(())
}

fn within(standing: &Standing) -> Result<(), Problem> {
    if standing.retry_after.is_some() { Err(Problem::rate_limited(standing)) } else { Ok(()) }
}

/// The token of the one `Authorization` header (RFC 6750 §2.1; no other way to send one is taken).
fn bearer(parts: &Parts) -> Result<&str, Problem> {
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (headers.next(), headers.next()) else { return Err(Problem::unauthorized(None)) };
    let header = header.to_str().unwrap_or_default();
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Problem::unauthorized(None)),
    }
}
