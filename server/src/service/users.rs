//! The user as a whole. A user is there as long as one profile is live.

use super::Directory;
use super::call::{Call, record};
use super::error::{Error, Result};
use super::profiles::{deletion, purge_of};
use super::retry::{self, Purpose};
use crate::domain::idempotency::{Concerns, Written};
use crate::domain::profile::{User, UserId};
use crate::store::UserRows;

/// A user with very many profiles that keep changing must come to an end too.
const MAX_ROUNDS: u32 = 32;

impl Directory {
    /// The user's live profiles and preferences.
    pub async fn read_user(&self, call: &Call, user_id: &UserId) -> Result<User> {
        let mut rows = self.user_rows(call, user_id).await?;
        rows.profiles.retain(|profile| !profile.is_deleted());
        if rows.profiles.is_empty() {
            return Err(Error::NotFound("user"));
        }
        Ok(User { tenant_name: call.tenant.clone(), user_id: user_id.clone(), profiles: rows.profiles, preferences: rows.preferences })
    }

    /// Soft-deletes all live profiles in one step.
    pub async fn delete_user(&self, call: &Call, user_id: &UserId) -> Result<Written> {
        let record = record(call.attempt.as_ref(), Concerns::User(user_id.clone()), &Written::Gone);
        retry::once(&*self.store, Purpose::Users(&call.reach), &call.tenant, call.attempt.as_ref(), async {
            for _ in 0..MAX_ROUNDS {
                let rows = self.user_rows(call, user_id).await?;
                let now = self.now();
                let live = rows.profiles.iter().filter(|profile| !profile.is_deleted());
                let deletions: Vec<_> = live.map(|profile| deletion(profile, &call.subject, now)).collect();
                if deletions.is_empty() {
                    return Err(Error::NotFound("user"));
                }
                if self.store.replace_profiles(&call.tenant, &deletions, record.as_ref()).await? {
                    return Ok(Written::Gone);
                }
            }
            Err(Error::Contended)
        })
        .await
    }

    /// Erases the user: profiles in every state, and preferences; then their images.
    pub async fn purge_user(&self, call: &Call, user_id: &UserId) -> Result<Written> {
        // The record of this very answer names nobody, so that the purge leaves nothing of the user.
        let record = record(call.attempt.as_ref(), Concerns::Tenant, &Written::Gone);
        let mut purged = Vec::new();
        let written = retry::once(&*self.store, Purpose::Users(&call.reach), &call.tenant, call.attempt.as_ref(), async {
            for _ in 0..MAX_ROUNDS {
                let rows = self.user_rows(call, user_id).await?;
                let now = self.now();
                let purges: Vec<_> = rows.profiles.iter().map(|profile| purge_of(profile, &call.subject, now)).collect();
                if purges.is_empty() {
                    return Err(Error::NotFound("user"));
                }
                if self.store.purge_profiles(&call.tenant, &purges, record.as_ref()).await? {
                    purged = purges.iter().map(|purge| purge.profile_id).collect();
                    return Ok(Written::Gone);
                }
            }
            Err(Error::Contended)
        })
        .await?;
        self.erase_images(&call.tenant, purged).await;
        Ok(written)
    }

    async fn user_rows(&self, call: &Call, user_id: &UserId) -> Result<UserRows> {
        if !call.reach.covers(user_id) {
            return Err(Error::NotFound("user"));
        }
        Ok(self.store.read_user(&call.tenant, user_id).await?)
    }
}
