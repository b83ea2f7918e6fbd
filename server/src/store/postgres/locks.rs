//! What orders writers of the same thing.
//!
//! PostgreSQL gives a transaction its id at its first change, and that may be long before it gets hold of the row it
//! waits for. The change log is read in the order of these ids, so whoever writes takes an advisory lock on what it
//! writes *before* its first change: then ids ascend in the order in which writers had their turn. The locks of a
//! statement stand in an uncorrelated subquery, which PostgreSQL evaluates before it touches a row; several are taken
//! in one order by a statement of their own. Classes 1 and 2 are those of `profiles_claim_identifiers`.

use crate::domain::profile::{ProfileId, UserId};
use crate::domain::tenant::TenantName;

const PROFILE: i32 = 3;
const USER: i32 = 4;
const TENANT: i32 = 5;

/// Takes locks of the classes $1 and names $2, all in one order, whoever asks.
pub(super) const TAKE_LOCKS: &str = "\
SELECT pg_advisory_xact_lock(ordered.class, ordered.key) FROM (
    SELECT DISTINCT wanted.class, hashtext(wanted.name) AS key
    FROM unnest($1::int[], $2::text[]) AS wanted (class, name)
    ORDER BY 1, 2
) AS ordered";

/// The locks of one profile ($9) and of the user it belongs to from now on ($11), as a condition that holds.
macro_rules! profile_and_user_locked {
    () => {
        "(SELECT pg_advisory_xact_lock(3, hashtext($9::uuid::text)) IS NOT NULL \
          AND pg_advisory_xact_lock(4, hashtext($1::text || ' ' || $11::text)) IS NOT NULL)"
    };
}

/// The lock of the user in $11, as a condition that holds.
macro_rules! user_locked {
    () => {
        "(SELECT pg_advisory_xact_lock(4, hashtext($1::text || ' ' || $11::text)) IS NOT NULL)"
    };
}

/// The lock of the tenant in $1, as a condition that holds.
macro_rules! tenant_locked {
    () => {
        "(SELECT pg_advisory_xact_lock(5, hashtext($1::text)) IS NOT NULL)"
    };
}

pub(super) use {profile_and_user_locked, tenant_locked, user_locked};

/// The locks that a transaction takes before anything else; the same names as in the conditions above.
#[derive(Debug, Default)]
pub(super) struct Locks {
    pub classes: Vec<i32>,
    pub names: Vec<String>,
}

impl Locks {
    pub(super) fn profile(mut self, profile_id: ProfileId) -> Self {
        self.push(PROFILE, profile_id.to_string());
        self
    }

    pub(super) fn user(mut self, tenant: &TenantName, user_id: &UserId) -> Self {
        self.push(USER, format!("{tenant} {user_id}"));
        self
    }

    pub(super) fn tenant(mut self, tenant: &TenantName) -> Self {
        self.push(TENANT, tenant.as_str().to_owned());
        self
    }

    fn push(&mut self, class: i32, name: String) {
        self.classes.push(class);
        self.names.push(name);
    }
}
