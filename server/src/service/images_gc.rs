//! Collects what crashes left in the image store: objects that no profile points to, and uploads cut short.
//!
//! It never removes what a concurrent upload is about to point to. An upload writes its objects, under a name that is
//! used once, and swaps the row within `LONGEST_UPLOAD_MS` or not at all. An object is looked at here only when both
//! its name and the store's clock say that it is older than `older_than`, which is at least twice that: its upload is
//! over. Only then is the row read, and that read sees every swap there was. A name that the row does not carry then,
//! it will never carry.

use super::Directory;
use super::error::{Error, Result};
use super::images::{LONGEST_UPLOAD_MS, image_of};
use crate::domain::image::ImageId;
use crate::domain::profile::ProfileId;
use crate::domain::tenant::TenantName;
use crate::images::Listed;
use crate::store::StoreError;
use futures::{StreamExt, TryStreamExt};
use std::collections::HashMap;
use std::time::Duration;

/// The least age at which anything is collected.
pub const LEAST_AGE: Duration = Duration::from_millis(2 * LONGEST_UPLOAD_MS as u64);
/// Objects that are judged together.
const BATCH: usize = 1_000;
/// Rows that are read at once.
const READERS: usize = 8;

/// What was found, and what became of it. Counts are of objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// A profile points to them.
    pub in_use: u64,
    /// Not old enough to be judged.
    pub young: u64,
    /// Of a suspended tenant, whose profiles are not read.
    pub suspended: u64,
    /// Named as none of ours: left alone.
    pub foreign: u64,
    /// Unreferenced: removed, or would be.
    pub garbage: u64,
    pub garbage_bytes: u64,
}

enum State {
    Gone,
    Suspended,
    Has(Option<ImageId>),
}

impl Directory {
    /// Looks through the whole store; with `delete`, removes what is garbage. `tell` hears of each piece of it.
    pub async fn collect_images(&self, older_than: Duration, delete: bool, mut tell: impl FnMut(&Listed) + Send) -> Result<Collected> {
        let horizon_ms = self.now().0 - i64::try_from(older_than.max(LEAST_AGE).as_millis()).unwrap_or(i64::MAX);
        let mut collected = Collected::default();
        let mut batches = self.images.list().await?.try_chunks(BATCH);
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(|error| Error::from(error.1))?;
            let garbage = self.judge(batch, horizon_ms, &mut collected).await?;
            for listed in &garbage {
                tell(listed);
                collected.garbage += 1;
                collected.garbage_bytes += listed.bytes;
            }
            if delete {
                self.images.remove(garbage).await?;
            }
        }
        Ok(collected)
    }

    /// What of a batch is garbage. The rows are read after the objects were listed, never before.
    async fn judge(&self, batch: Vec<Option<Listed>>, horizon_ms: i64, collected: &mut Collected) -> Result<Vec<Listed>> {
        let mut old = Vec::new();
        for listed in batch {
            match listed {
                None => collected.foreign += 1,
                Some(listed) if began_ms(&listed.image).max(listed.modified_ms) > horizon_ms => collected.young += 1,
                Some(listed) => old.push(listed),
            }
        }
        let mut profiles: Vec<(TenantName, ProfileId)> = old.iter().map(|listed| (listed.tenant.clone(), listed.profile_id)).collect();
        profiles.dedup();
        let states = futures::stream::iter(profiles).map(|(tenant, profile_id)| async move {
            let state = self.state_of(&tenant, profile_id).await?;
            Ok::<_, Error>(((tenant, profile_id), state))
        });
        let states: HashMap<_, _> = states.buffer_unordered(READERS).try_collect().await?;
        old.retain(|listed| match states.get(&(listed.tenant.clone(), listed.profile_id)) {
            Some(State::Has(image)) if *image == Some(listed.image) && !listed.is_staged() => {
                collected.in_use += 1;
                false
            }
            Some(State::Suspended) => {
                collected.suspended += 1;
                false
            }
            Some(State::Gone | State::Has(_)) => true,
            None => false,
        });
        Ok(old)
    }

    async fn state_of(&self, tenant: &TenantName, profile_id: ProfileId) -> Result<State> {
        match self.store.read_profile(tenant, profile_id).await {
            Ok(Some(profile)) => Ok(State::Has(image_of(&profile))),
            Ok(None) | Err(StoreError::TenantUnknown) => Ok(State::Gone),
            Err(StoreError::TenantSuspended) => Ok(State::Suspended),
            Err(error) => Err(error.into()),
        }
    }
}

/// When the upload began, by the clock of its node.
fn began_ms(image: &ImageId) -> i64 {
    image.upload.get_timestamp().map_or(0, |at| {
        let (seconds, nanos) = at.to_unix();
        i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000).saturating_add(i64::from(nanos / 1_000_000))
    })
}
