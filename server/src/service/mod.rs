//! What the directory does: every operation of the API, free of HTTP and of SQL.

pub mod call;
pub mod cursor;
pub mod error;
pub mod images;
pub mod images_gc;
pub mod preferences;
pub mod profiles;
mod retry;
pub mod search;
mod spelling;
pub mod tenants;
pub mod users;

pub use call::{AdminCall, Call};
pub use error::{Error, Result};

use crate::domain::clock::{Clock, TimestampMs};
use crate::domain::idempotency::{KEPT_FOR_MS, Record};
use crate::domain::tenant::TenantName;
use crate::images::ImageStore;
use crate::store::Store;
use aws_lc_rs::digest;
use cursor::CursorSeal;
use retry::Turns;
use std::sync::Arc;

/// The directory of users.
pub struct Directory {
    store: Arc<dyn Store>,
    images: ImageStore,
    /// Tells this database from others, and gives nothing of the secret away.
    id: String,
    clock: Arc<dyn Clock>,
    cursors: CursorSeal,
    turns: Turns,
}

impl Directory {
    /// `secret` seals cursors and must be the same on every node.
    pub fn new(store: Arc<dyn Store>, images: ImageStore, clock: Arc<dyn Clock>, secret: &[u8; 32]) -> Self {
        Self { store, images, id: id_of(secret), clock, cursors: CursorSeal::new(secret), turns: Turns::new() }
    }

    pub fn now(&self) -> TimestampMs {
        self.clock.now()
    }

    /// Whether the store answers.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.store.ping().await?)
    }

    /// A request that found nothing to change has its answer too, and a repeat must not find anything to change later.
    async fn record_unchanged(&self, tenant: &TenantName, record: Option<Record>) -> Result<()> {
        match record {
            Some(record) => Ok(self.store.record_answer(tenant, &record).await?),
            None => Ok(()),
        }
    }

    /// Forgets recorded answers that are older than 24 hours; how many.
    pub async fn sweep(&self) -> Result<u64> {
        Ok(self.store.sweep_recorded(TimestampMs(self.now().0 - KEPT_FOR_MS)).await?)
    }
}

fn id_of(secret: &[u8; 32]) -> String {
    let hash = digest::digest(&digest::SHA256, &[b"n_users database ", secret.as_slice()].concat());
    hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
