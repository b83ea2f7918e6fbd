//! What is PostgreSQL's own; what every store does is checked by the conformance suite.

mod changes;
mod outages;
mod paths;
mod races;
mod search;
mod spelling;
mod statements;
mod walls;
mod words;

use crate::domain::change::{Change, ChangeKind};
use crate::domain::clock::{Clock, SystemClock, TimestampMs};
use crate::domain::email::EmailAddress;
use crate::domain::idempotency::{Attempt, Concerns, IdempotencyKey, Record, Written};
use crate::domain::preference::{PreferenceKey, PreferenceValue};
use crate::domain::profile::{Profile, ProfileId, ProfileType, UserId};
use crate::domain::tenant::TenantName;
use crate::domain::text::Text;
use crate::domain::version::Version;
use crate::store::{PreferenceOutcome, PreferenceStore, ProfileStore, Purge, Replacement};

fn tenant() -> TenantName {
    TenantName::parse("default").unwrap()
}

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

/// A live profile of this user, with nothing but what it must have.
fn profile_of(user_id: &str) -> Profile {
    Profile {
        tenant_name: tenant(),
        profile_id: ProfileId(SystemClock.new_id()),
        profile_type: ProfileType::default(),
        user_id: user(user_id),
        full_name: Text::parse("Jo Smith").unwrap(),
        gender: None,
        email_id: None,
        mobile: None,
        birth_date: None,
        city_id: None,
        country_id: None,
        address: None,
        latitude: None,
        longitude: None,
        profile_image_url: None,
        attributes: Default::default(),
        active: true,
        created_by: "tester".to_owned(),
        updated_by: "tester".to_owned(),
        deleted_by: None,
        created_at: TimestampMs(1_000),
        updated_at: TimestampMs(1_000),
        deleted_at: None,
        version: Version::FIRST,
    }
}

fn with_email(user_id: &str, email: &str) -> Profile {
    Profile { email_id: Some(EmailAddress::parse(email).unwrap()), ..profile_of(user_id) }
}

fn created(profile: &Profile) -> Change {
    Change::of_profile(ChangeKind::ProfileCreated, profile, vec![])
}

/// The next version of a profile.
fn replacement(old: &Profile) -> Replacement {
    let mut profile = old.clone();
    profile.touch("tester", TimestampMs(2_000));
    let change = Change::of_profile(ChangeKind::ProfileUpdated, &profile, vec!["city_id"]);
    Replacement { profile, expected: old.version, change }
}

fn purge(profile: &Profile) -> Purge {
    let Profile { profile_id, user_id, version, .. } = profile.clone();
    Purge { profile_id, user_id, expected: version, change: Change::purge_of(profile, "tester", TimestampMs(3_000)) }
}

fn record(key: &str, at: i64, concerns: Concerns, answer: Written) -> Record {
    let attempt =
        Attempt { key: IdempotencyKey::parse(key).unwrap(), subject: "client".to_owned(), fingerprint: [7; 32], at: TimestampMs(at) };
    Record { attempt, concerns, answer }
}

async fn create(store: &impl ProfileStore, profile: &Profile) {
    store.create_profile(&tenant(), profile, &created(profile), None).await.unwrap();
}

async fn put(store: &impl PreferenceStore, user_id: &str, key: &str, value: &str) -> PreferenceOutcome {
    let (user_id, key) = (user(user_id), PreferenceKey::parse(key).unwrap());
    let change = Change::of_preference(ChangeKind::PreferenceSet, &tenant(), &user_id, &key, "tester", TimestampMs(1_500));
    let value = PreferenceValue::parse(value).unwrap();
    store.put_preference(&tenant(), &user_id, &key, &value, &change, None).await.unwrap()
}
