//! Puts people into a directory, over HTTP or directly into its database. Doing it again continues where it ended.

pub mod copy;
pub mod direct;
pub mod frontier;
pub mod over_http;
mod rows;

use n_users::domain::tenant::{Tenant, TenantName};
use n_users::domain::version::Version;

/// Who stands in `created_by` of what is not made over HTTP.
const LOADER: &str = "loader";

fn new_tenant(name: String) -> Tenant {
    let at = n_users::domain::clock::TimestampMs(1);
    Tenant {
        tenant_name: TenantName::from_stored(name),
        display_name: None,
        suspended: false,
        created_by: LOADER.to_owned(),
        updated_by: LOADER.to_owned(),
        created_at: at,
        updated_at: at,
        version: Version::FIRST,
    }
}
