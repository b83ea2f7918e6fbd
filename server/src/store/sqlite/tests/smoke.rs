//! One walk through every method, so that a broken statement shows here and not first in the conformance suite.

use super::*;
use crate::domain::change::ChangePosition;
use crate::domain::idempotency::{Attempt, Concerns, IdempotencyKey, KEPT_FOR_MS, Record, Written};
use crate::domain::preference::{PreferenceKey, PreferenceValue};
use crate::domain::tenant::Tenant;
use crate::store::*;

fn record(key: &str, concerns: Concerns, answer: Written, at: TimestampMs) -> Record {
    let attempt = Attempt { key: IdempotencyKey::parse(key).unwrap(), subject: "client".to_owned(), fingerprint: [7; 32], at };
    Record { attempt, concerns, answer }
}

fn change_of(kind: ChangeKind, profile: &Profile) -> Change {
    Change::of_profile(kind, profile, Vec::new())
}

#[tokio::test]
async fn profiles_and_preferences_come_and_go_with_their_records() {
    let (_folder, store) = migrated().await;
    let store: &dyn Store = &store;
    let one = profile(1);
    let answer = Written::Profile { created: true, profile: Box::new(one.clone()) };
    let created = record("create", Concerns::Profile(one.profile_id), answer, AT);
    let change = change_of(ChangeKind::ProfileCreated, &one);
    store.create_profile(&tenant(), &one, &change, Some(&created)).await.unwrap();
    let again = store.create_profile(&tenant(), &one, &change, Some(&created)).await;
    assert!(matches!(again, Err(StoreError::Duplicate(Uniqueness::IdempotencyKey))), "{again:?}");
    let recorded = store.read_recorded(&tenant(), &created.attempt).await.unwrap().unwrap();
    assert_eq!(recorded.answer_json, Some(created.answer_json(None).unwrap()));

    let (key, value) = (PreferenceKey::parse("theme").unwrap(), PreferenceValue::parse(r#"{"dark":true}"#).unwrap());
    let set = Change::of_preference(ChangeKind::PreferenceSet, &tenant(), &one.user_id, &key, "test", AT);
    let put = record("put", Concerns::User(one.user_id.clone()), Written::Preference { created: false, value: value.clone() }, AT);
    let outcome = store.put_preference(&tenant(), &one.user_id, &key, &value, &set, Some(&put)).await.unwrap();
    assert_eq!(outcome, PreferenceOutcome::Created);
    assert!(store.read_recorded(&tenant(), &put.attempt).await.unwrap().unwrap().answer_json.unwrap().contains(r#""created":true"#));
    assert_eq!(store.put_preference(&tenant(), &one.user_id, &key, &value, &set, None).await.unwrap(), PreferenceOutcome::Replaced);
    assert_eq!(store.put_preference(&tenant(), &profile(2).user_id, &key, &value, &set, None).await.unwrap(), PreferenceOutcome::NoUser);
    assert_eq!(store.read_preference(&tenant(), &one.user_id, &key).await.unwrap(), Some(value.clone()));
    assert_eq!(store.list_preferences(&tenant(), &one.user_id).await.unwrap().unwrap().len(), 1);

    let deleted = one.clone().deleted("test", AT);
    let stale = Replacement { profile: deleted.clone(), expected: Version(9), change: change_of(ChangeKind::ProfileDeleted, &deleted) };
    assert!(!store.replace_profiles(&tenant(), std::slice::from_ref(&stale), None).await.unwrap());
    let fresh = Replacement { expected: one.version, ..stale };
    assert!(store.replace_profiles(&tenant(), &[fresh], None).await.unwrap());
    assert_eq!(store.read_profile(&tenant(), one.profile_id).await.unwrap(), Some(deleted.clone()));
    assert_eq!(store.read_preference(&tenant(), &one.user_id, &key).await.unwrap(), None);
    assert!(!store.delete_preference(&tenant(), &one.user_id, &key, &set, None).await.unwrap());

    let purge = Purge {
        profile_id: one.profile_id,
        user_id: one.user_id.clone(),
        expected: deleted.version,
        change: Change::purge_of(&deleted, "test", AT),
    };
    let purged = record("purge", Concerns::Profile(one.profile_id), Written::Gone, AT);
    assert!(store.purge_profiles(&tenant(), &[purge], Some(&purged)).await.unwrap());
    assert_eq!(store.read_user(&tenant(), &one.user_id).await.unwrap(), UserRows::default());
    for erased in [&created, &put] {
        assert_eq!(store.read_recorded(&tenant(), &erased.attempt).await.unwrap().unwrap().answer_json, None);
    }
    assert!(store.read_recorded(&tenant(), &purged.attempt).await.unwrap().unwrap().answer_json.is_some());

    let kinds: Vec<_> =
        store.read_changes(ChangePosition::default(), 9).await.unwrap().into_iter().map(|(_, change)| change.kind).collect();
    use ChangeKind::*;
    assert_eq!(kinds, [ProfileCreated, PreferenceSet, PreferenceSet, ProfileDeleted, ProfilePurged]);
    let much_later = Attempt { at: TimestampMs(AT.0 + KEPT_FOR_MS + 1), ..created.attempt.clone() };
    assert_eq!(store.read_recorded(&tenant(), &much_later).await.unwrap(), None);
    let anew = Record { attempt: much_later, ..created };
    store.create_profile(&tenant(), &one, &change, Some(&anew)).await.unwrap();
    assert_eq!(store.sweep_recorded(TimestampMs(AT.0 + 1)).await.unwrap(), 2);
}

#[tokio::test]
async fn an_identifier_belongs_to_one_live_user() {
    let (_folder, store) = migrated().await;
    let with = |number, mobile: &str| Profile {
        email_id: Some(crate::domain::email::EmailAddress::from_stored("Jo@Example.com".to_owned())),
        mobile: Some(crate::domain::mobile::Mobile::from_stored(mobile.to_owned())),
        ..profile(number)
    };
    create(&store, with(1, "+14155550100")).await.unwrap();
    let taken = create(&store, with(2, "+14155550101")).await;
    assert!(matches!(taken, Err(StoreError::Duplicate(Uniqueness::Email))), "{taken:?}");
    let taken = create(&store, Profile { email_id: None, ..with(2, "+14155550100") }).await;
    assert!(matches!(taken, Err(StoreError::Duplicate(Uniqueness::Mobile))), "{taken:?}");
    let work = ProfileType::parse("work").unwrap();
    create(&store, Profile { user_id: profile(1).user_id, profile_type: work, ..with(3, "+14155550100") }).await.unwrap();
    create(&store, Profile { email_id: None, ..with(2, "+14155550101") }).await.unwrap();
    let moved = Profile { version: Version(2), ..with(2, "+14155550101") };
    let replacement = Replacement { change: change_of(ChangeKind::ProfileUpdated, &moved), profile: moved, expected: Version::FIRST };
    let taken = store.replace_profiles(&tenant(), &[replacement], None).await;
    assert!(matches!(taken, Err(StoreError::Duplicate(Uniqueness::Email))), "{taken:?}");
}

#[tokio::test]
async fn tenants_are_administered() {
    let (_folder, store) = migrated().await;
    let first = store.read_tenant(&tenant()).await.unwrap().unwrap();
    let acme = Tenant { tenant_name: TenantName::parse("acme").unwrap(), ..first.clone() };
    let change = Change::of_tenant(ChangeKind::TenantCreated, &acme.tenant_name, acme.version, "test", AT);
    store.create_tenant(&acme, &change, None).await.unwrap();
    let twice = store.create_tenant(&acme, &change, None).await;
    assert!(matches!(twice, Err(StoreError::Duplicate(Uniqueness::TenantName))), "{twice:?}");
    assert_eq!(store.list_tenants(None, None, 9).await.unwrap(), [acme.clone(), first.clone()]);
    assert_eq!(store.list_tenants(Some(&acme.tenant_name), None, 9).await.unwrap(), std::slice::from_ref(&first));
    assert_eq!(store.list_tenants(None, Some(std::slice::from_ref(&acme.tenant_name)), 9).await.unwrap(), std::slice::from_ref(&acme));
    assert_eq!(store.list_tenants(None, Some(&[]), 9).await.unwrap(), []);

    create(&store, profile(1)).await.unwrap();
    let in_use = store.delete_tenant(&tenant(), first.version, &change, None).await;
    assert!(matches!(in_use, Err(StoreError::TenantInUse)), "{in_use:?}");
    let suspended = Tenant { suspended: true, version: first.version.next(), ..first.clone() };
    assert!(store.replace_tenant(&suspended, first.version, &change, None).await.unwrap());
    assert!(!store.replace_tenant(&suspended, first.version, &change, None).await.unwrap());
    assert!(matches!(create(&store, profile(2)).await, Err(StoreError::TenantSuspended)));
    assert!(matches!(store.read_profile(&tenant(), profile(1).profile_id).await, Err(StoreError::TenantSuspended)));
    assert!(matches!(store.search_profiles(&tenant(), &everything()).await, Err(StoreError::TenantSuspended)));
    let nowhere = TenantName::parse("nowhere").unwrap();
    assert!(matches!(store.read_profile(&nowhere, profile(1).profile_id).await, Err(StoreError::TenantUnknown)));
    assert!(matches!(store.read_user(&nowhere, &profile(1).user_id).await, Err(StoreError::TenantUnknown)));
    store.ping().await.unwrap();
}
