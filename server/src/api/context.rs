//! What is known of a request while it is served; the access log tells it at the end.

use super::limits::Standing;
use crate::domain::tenant::TenantName;
use std::sync::{Arc, OnceLock};

/// Shared between the outer layer, which makes and logs it, and the extractors, which fill it in.
#[derive(Debug, Clone)]
pub struct RequestContext(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    request_id: String,
    tenant: OnceLock<TenantName>,
    subject: OnceLock<String>,
    client_standing: OnceLock<Standing>,
    tenant_standing: OnceLock<Standing>,
}

impl RequestContext {
    pub fn new(request_id: String) -> Self {
        Self(Arc::new(Inner { request_id, ..Inner::default() }))
    }

    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }

    pub fn set_tenant(&self, tenant: &TenantName) {
        let _ = self.0.tenant.set(tenant.clone());
    }

    pub fn set_subject(&self, subject: &str) {
        let _ = self.0.subject.set(subject.to_owned());
    }

    /// What is left of the client's limit.
    pub fn set_client_standing(&self, standing: Standing) {
        let _ = self.0.client_standing.set(standing);
    }

    /// What is left of the tenant's limit.
    pub fn set_tenant_standing(&self, standing: Standing) {
        let _ = self.0.tenant_standing.set(standing);
    }

    /// The limits that this request was counted by.
    pub fn standings(&self) -> impl Iterator<Item = &Standing> {
        self.0.client_standing.get().into_iter().chain(self.0.tenant_standing.get())
    }

    pub fn tenant(&self) -> Option<&str> {
        self.0.tenant.get().map(TenantName::as_str)
    }

    pub fn subject(&self) -> Option<&str> {
        self.0.subject.get().map(String::as_str)
    }
}

/// The client's id for the request, if it is harmless in a log: 1 to 128 of `A-Z a-z 0-9 . _ -`.
pub fn accepted_request_id(given: Option<&str>) -> Option<&str> {
    given.filter(|id| (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)))
}
