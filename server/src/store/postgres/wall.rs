//! The second wall: what erases for good runs as a role for which row-level security shows one tenant only, so that a
//! statement which forgot its tenant would erase nothing of another's. docs/row-level-security.md has the figures that
//! speak against it for other statements.

use crate::domain::tenant::TenantName;

/// Begins a transaction behind the wall. Where the role could not be made, or is not this one's to take, it is an
/// ordinary transaction.
pub(super) fn begin(tenant: &TenantName) -> String {
    // A tenant's name has no character that could end the quotes.
    format!(
        "BEGIN; SET LOCAL n_users.tenant = '{tenant}'; \
         SELECT set_config('role', 'n_users_tenant', true) \
         WHERE pg_has_role(to_regrole('n_users_tenant')::oid, 'MEMBER') \
         AND has_table_privilege(to_regrole('n_users_tenant')::oid, 'profiles', 'DELETE')"
    )
}
