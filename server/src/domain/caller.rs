//! Who asks, and what the token lets them do.

use super::profile::{Profile, UserId};
use super::tenant::TenantName;
use std::sync::Arc;

/// What a token may allow (section 7 of the design).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    ProfilesRead,
    ProfilesWrite,
    /// Purge, restore, see deleted.
    ProfilesAdmin,
    TenantsAdmin,
    /// As `ProfilesRead`, for the user who is the token's subject.
    SelfRead,
    /// As `ProfilesWrite`, for the user who is the token's subject.
    SelfWrite,
}

impl Scope {
    pub const ALL: [Self; 6] =
        [Self::ProfilesRead, Self::ProfilesWrite, Self::ProfilesAdmin, Self::TenantsAdmin, Self::SelfRead, Self::SelfWrite];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProfilesRead => "profiles:read",
            Self::ProfilesWrite => "profiles:write",
            Self::ProfilesAdmin => "profiles:admin",
            Self::TenantsAdmin => "tenants:admin",
            Self::SelfRead => "self:read",
            Self::SelfWrite => "self:write",
        }
    }
}

/// The tenants that a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantAccess {
    All,
    Only(Vec<TenantName>),
}

impl TenantAccess {
    pub fn covers(&self, tenant: &TenantName) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(tenant),
        }
    }

    /// What both speak for.
    #[must_use]
    pub fn intersect(self, other: &Self) -> Self {
        match (self, other) {
            (own, Self::All) => own,
            (Self::All, only) => only.clone(),
            (Self::Only(mut names), only) => {
                names.retain(|name| only.covers(name));
                Self::Only(names)
            }
        }
    }

    /// Whether it speaks for no tenant at all.
    pub fn is_nobody(&self) -> bool {
        matches!(self, Self::Only(names) if names.is_empty())
    }
}

/// The holder of a verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who issued the token: a subject means something only together with it.
    pub issuer: Arc<str>,
    /// The token's subject; it stands in `created_by` and its like.
    pub subject: String,
    pub scopes: Vec<Scope>,
    pub tenants: TenantAccess,
}

impl Caller {
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

/// Whose data a request may reach within its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    Everybody,
    /// The one user who is the token's subject.
    Only(UserId),
}

impl Reach {
    pub fn covers(&self, user_id: &UserId) -> bool {
        match self {
            Self::Everybody => true,
            Self::Only(own) => own == user_id,
        }
    }

    pub fn covers_profile(&self, profile: &Profile) -> bool {
        self.covers(&profile.user_id)
    }
}
