//! A user's preferences, one by one and all together.

use super::Directory;
use super::call::{Call, record};
use super::error::{Error, Result};
use super::retry::{self, Purpose};
use crate::domain::change::{Change, ChangeKind};
use crate::domain::idempotency::{Concerns, Written};
use crate::domain::preference::{PreferenceKey, PreferenceValue, Preferences};
use crate::domain::profile::UserId;
use crate::store::PreferenceOutcome;

impl Directory {
    pub async fn list_preferences(&self, call: &Call, user_id: &UserId) -> Result<Preferences> {
        reachable(call, user_id)?;
        self.store.list_preferences(&call.tenant, user_id).await?.ok_or(Error::NotFound("user"))
    }

    pub async fn read_preference(&self, call: &Call, user_id: &UserId, key: &PreferenceKey) -> Result<PreferenceValue> {
        reachable(call, user_id)?;
        self.store.read_preference(&call.tenant, user_id, key).await?.ok_or(Error::NotFound("preference"))
    }

    /// Creates or replaces.
    pub async fn put_preference(&self, call: &Call, user_id: &UserId, key: &PreferenceKey, value: PreferenceValue) -> Result<Written> {
        reachable(call, user_id)?;
        let change = Change::of_preference(ChangeKind::PreferenceSet, &call.tenant, user_id, key, &call.subject, self.now());
        let answer = Written::Preference { created: false, value: value.clone() };
        let record = record(call.attempt.as_ref(), Concerns::User(user_id.clone()), &answer);
        retry::once(&*self.store, Purpose::Users(&call.reach), &call.tenant, call.attempt.as_ref(), async {
            match self.store.put_preference(&call.tenant, user_id, key, &value, &change, record.as_ref()).await? {
                PreferenceOutcome::Created => Ok(Written::Preference { created: true, value }),
                PreferenceOutcome::Replaced => Ok(Written::Preference { created: false, value }),
                PreferenceOutcome::NoUser => Err(Error::NotFound("user")),
            }
        })
        .await
    }

    pub async fn delete_preference(&self, call: &Call, user_id: &UserId, key: &PreferenceKey) -> Result<Written> {
        reachable(call, user_id)?;
        let change = Change::of_preference(ChangeKind::PreferenceDeleted, &call.tenant, user_id, key, &call.subject, self.now());
        let record = record(call.attempt.as_ref(), Concerns::User(user_id.clone()), &Written::Gone);
        retry::once(&*self.store, Purpose::Users(&call.reach), &call.tenant, call.attempt.as_ref(), async {
            let deleted = self.store.delete_preference(&call.tenant, user_id, key, &change, record.as_ref()).await?;
            if deleted { Ok(Written::Gone) } else { Err(Error::NotFound("preference")) }
        })
        .await
    }
}

fn reachable(call: &Call, user_id: &UserId) -> Result<()> {
    if call.reach.covers(user_id) { Ok(()) } else { Err(Error::NotFound("user")) }
}
