//! Create, read, update, delete, restore and purge of a profile.

use super::Directory;
use super::call::{Call, record};
use super::error::{Error, Result};
use super::retry::{self, Purpose};
use crate::domain::change::{Change, ChangeKind};
use crate::domain::filter::Filter;
use crate::domain::idempotency::{Concerns, Written};
use crate::domain::invalid::Faults;
use crate::domain::profile::{Profile, ProfileId};
use crate::domain::profile_patch::ProfilePatch;
use crate::domain::version::Expected;
use crate::store::{Purge, Replacement};

/// Under what condition a write is to happen.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    pub expected: Expected,
    pub filter: Option<Filter>,
}

impl Condition {
    pub(super) fn check(&self, profile: &Profile) -> Result<()> {
        if !self.expected.holds(profile.version) {
            let version = profile.version.0;
            return Err(Error::PreconditionFailed(format!("the profile is at version {version}: read it again before you change it")));
        }
        match &self.filter {
            Some(filter) if !filter.matches(profile) => {
                Err(Error::PreconditionFailed("the profile does not fulfil the filter; nothing was changed".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

impl Directory {
    /// Creates a profile. `Duplicate` when somebody has what it claims.
    pub async fn create_profile(&self, call: &Call, patch: ProfilePatch) -> Result<Written> {
        let profile_id = ProfileId(self.clock.new_id());
        let profile = patch.create(call.tenant.clone(), profile_id, &call.subject, self.now())?;
        if !call.reach.covers_profile(&profile) {
            return Err(Faults::field("user_id", "must be the token's own subject: the token reaches no other user").into());
        }
        let written = Written::Profile { created: true, profile: Box::new(profile.clone()) };
        retry::once(&*self.store, Purpose::Users(&call.reach), &call.tenant, call.attempt.as_ref(), async {
            let change = Change::of_profile(ChangeKind::ProfileCreated, &profile, Vec::new());
            let record = record(call.attempt.as_ref(), Concerns::Profile(profile_id), &written);
            self.store.create_profile(&call.tenant, &profile, &change, record.as_ref()).await?;
            Ok(written.clone())
        })
        .await
    }

    /// A live profile, or, `with_deleted`, one in any state.
    pub async fn read_profile(&self, call: &Call, profile_id: ProfileId, with_deleted: bool) -> Result<Profile> {
        let profile = self.store.read_profile(&call.tenant, profile_id).await?;
        profile
            .filter(|profile| call.reach.covers_profile(profile) && (with_deleted || !profile.is_deleted()))
            .ok_or(Error::NotFound("profile"))
    }

    /// Applies a patch to a live profile, if the condition holds at that very moment. A patch that changes nothing
    /// leaves the version as it is.
    pub async fn update_profile(&self, call: &Call, profile_id: ProfileId, patch: &ProfilePatch, condition: &Condition) -> Result<Written> {
        self.change_profile(call, profile_id, false, |old| {
            condition.check(old)?;
            let new = patch.clone().apply(old, &call.subject, self.now())?;
            if new.as_ref().is_some_and(|new| !call.reach.covers_profile(new)) {
                return Err(Faults::field("user_id", "must stay the token's own subject").into());
            }
            Ok(new.map(|new| {
                let fields = old.changed_fields(&new);
                let change = Change::of_profile(ChangeKind::ProfileUpdated, &new, fields);
                Replacement { expected: old.version, profile: new, change }
            }))
        })
        .await
    }

    /// Soft delete: frees the identifiers and hides the profile.
    pub async fn delete_profile(&self, call: &Call, profile_id: ProfileId, expected: &Expected) -> Result<Written> {
        let condition = Condition { expected: expected.clone(), filter: None };
        self.change_profile(call, profile_id, false, |old| {
            condition.check(old)?;
            Ok(Some(deletion(old, &call.subject, self.now())))
        })
        .await
        .map(|_| Written::Gone)
    }

    /// Undoes a soft delete; a live profile is answered as it is. `Duplicate` when an identifier was taken meanwhile.
    pub async fn restore_profile(&self, call: &Call, profile_id: ProfileId, expected: &Expected) -> Result<Written> {
        let condition = Condition { expected: expected.clone(), filter: None };
        self.change_profile(call, profile_id, true, |old| {
            condition.check(old)?;
            if !old.is_deleted() {
                return Ok(None);
            }
            let new = old.clone().restored(&call.subject, self.now());
            let change = Change::of_profile(ChangeKind::ProfileRestored, &new, Vec::new());
            Ok(Some(Replacement { expected: old.version, profile: new, change }))
        })
        .await
    }

    /// Erases a profile in any state for good, and then its image.
    pub async fn purge_profile(&self, call: &Call, profile_id: ProfileId, expected: &Expected) -> Result<Written> {
        let condition = Condition { expected: expected.clone(), filter: None };
        let written = retry::once(&*self.store, Purpose::Users(&call.reach), &call.tenant, call.attempt.as_ref(), async {
            let record = record(call.attempt.as_ref(), Concerns::Tenant, &Written::Gone);
            self.turns
                .until_swapped(profile_id, || async {
                    let old = self.read_profile(call, profile_id, true).await?;
                    condition.check(&old)?;
                    let purge = purge_of(&old, &call.subject, self.now());
                    let purged = self.store.purge_profiles(&call.tenant, &[purge], record.as_ref()).await?;
                    Ok(purged.then_some(Written::Gone))
                })
                .await
        })
        .await?;
        self.erase_images(&call.tenant, vec![profile_id]).await;
        Ok(written)
    }

    /// Reads, decides and swaps until nobody came between. `decide` gives `None` when there is nothing to change.
    async fn change_profile<D>(&self, call: &Call, profile_id: ProfileId, with_deleted: bool, decide: D) -> Result<Written>
    where
        D: Fn(&Profile) -> Result<Option<Replacement>> + Send + Sync,
    {
        let write = self.swap_profile(call, profile_id, with_deleted, decide);
        retry::once(&*self.store, Purpose::Users(&call.reach), &call.tenant, call.attempt.as_ref(), write).await
    }

    /// As `change_profile`, for a caller who has looked the idempotency key up already.
    pub(super) async fn swap_profile<D>(&self, call: &Call, profile_id: ProfileId, with_deleted: bool, decide: D) -> Result<Written>
    where
        D: Fn(&Profile) -> Result<Option<Replacement>> + Send + Sync,
    {
        let decide = &decide;
        self.turns
            .until_swapped(profile_id, || async move {
                let old = self.read_profile(call, profile_id, with_deleted).await?;
                let replacement = decide(&old)?;
                let new = replacement.as_ref().map_or(&old, |replacement| &replacement.profile);
                let written = Written::Profile { created: false, profile: Box::new(new.clone()) };
                let record = record(call.attempt.as_ref(), Concerns::Profile(profile_id), &written);
                let Some(replacement) = replacement else {
                    self.record_unchanged(&call.tenant, record).await?;
                    return Ok(Some(written));
                };
                let swapped = self.store.replace_profiles(&call.tenant, &[replacement], record.as_ref()).await?;
                Ok(swapped.then_some(written))
            })
            .await
    }
}

/// The soft delete of a profile.
pub(super) fn deletion(old: &Profile, by: &str, at: crate::domain::clock::TimestampMs) -> Replacement {
    let new = old.clone().deleted(by, at);
    let change = Change::of_profile(ChangeKind::ProfileDeleted, &new, Vec::new());
    Replacement { expected: old.version, profile: new, change }
}

/// The end of a profile.
pub(super) fn purge_of(old: &Profile, by: &str, at: crate::domain::clock::TimestampMs) -> Purge {
    Purge { profile_id: old.profile_id, user_id: old.user_id.clone(), expected: old.version, change: Change::purge_of(old, by, at) }
}
