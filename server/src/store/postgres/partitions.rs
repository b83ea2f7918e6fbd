//! Which partition of `profiles` a tenant is in.
//!
//! Statements about one profile name the partition: PostgreSQL locks and looks at all eight where it has to find it. It is
//! a hash of the name, so what was asked once is right for ever.

use super::lanes::{Lanes, Read};
use crate::domain::tenant::TenantName;
use crate::store::error::{Result, StoreError};
use quick_cache::sync::Cache;

/// The tenants that are remembered, in a few megabytes.
const MAX_REMEMBERED: usize = 50_000;

pub(super) const FIND_PARTITION: &str = "\
SELECT i FROM generate_series(0, 7) AS i WHERE satisfies_hash_partition('profiles'::regclass, 8, i, $1::text)";

/// A text for each partition: of a macro that takes the partition's number.
macro_rules! for_each_partition {
    ($text:ident) => {
        [$text!(0), $text!(1), $text!(2), $text!(3), $text!(4), $text!(5), $text!(6), $text!(7)]
    };
}
pub(super) use for_each_partition;

/// A partition by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Partition(usize);

impl Partition {
    pub(super) const ALL: [Self; 8] = [Self(0), Self(1), Self(2), Self(3), Self(4), Self(5), Self(6), Self(7)];

    pub(super) const fn number(self) -> usize {
        self.0
    }

    /// The text for this one.
    pub(super) const fn of(self, texts: &[&'static str; 8]) -> &'static str {
        texts[self.0]
    }
}

/// The partitions of the tenants that were asked for lately.
pub(super) struct Partitions(Cache<TenantName, Partition>);

impl Default for Partitions {
    fn default() -> Self {
        Self(Cache::new(MAX_REMEMBERED))
    }
}

impl Partitions {
    /// The partition of a tenant, whether there is such a tenant or not.
    pub(super) async fn of(&self, tenant: &TenantName, lanes: &Lanes) -> Result<Partition> {
        if let Some(known) = self.0.get(tenant) {
            return Ok(known);
        }
        let row = lanes.read(Read::Partition, &[&tenant.as_str()]).await?;
        let row = row.ok_or_else(|| StoreError::internal("a tenant in no partition"))?;
        let number: i32 = row.try_get(0).map_err(StoreError::internal)?;
        let found = usize::try_from(number).ok().and_then(|number| Partition::ALL.get(number));
        let found = *found.ok_or_else(|| StoreError::internal("a partition that is not known"))?;
        self.0.insert(tenant.clone(), found);
        Ok(found)
    }
}
