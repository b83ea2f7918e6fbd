//! Tenants: administered by name and version, listed in pages, and deleted only when nobody lives there.

use super::fixtures::{World, broken_rule, preference_value, tenant_name, user_id};
use crate::domain::change::ChangeKind;
use crate::domain::idempotency::{Concerns, Record, Written};
use crate::domain::tenant::{Tenant, TenantName};
use crate::domain::text::Text;
use crate::domain::version::Version;
use crate::store::{StoreError, Uniqueness, UserRows};
use serde_json::json;

async fn replace(world: &World, new: &Tenant, expected: Version) -> bool {
    let change = world.tenant_change(ChangeKind::TenantUpdated, new);
    world.store.replace_tenant(new, expected, &change, None).await.unwrap()
}

pub async fn a_tenant_reads_back_as_it_was_written(world: World) {
    let longest = "z".repeat(63);
    for (name, display_name) in [("0", None), (longest.as_str(), Some("𠮷".repeat(256))), ("-", Some("Ünïted % _ '".to_owned()))] {
        let mut tenant = world.new_tenant(name);
        tenant.display_name = display_name.map(|text| Text::parse(&text).unwrap());
        tenant.suspended = name == "-";
        "somebody else".clone_into(&mut tenant.updated_by);
        let change = world.tenant_change(ChangeKind::TenantCreated, &tenant);
        world.store.create_tenant(&tenant, &change, None).await.unwrap();
        assert_eq!(world.store.read_tenant(&tenant.tenant_name).await.unwrap(), Some(tenant.clone()));
        let mut new = world.tenant_with(&tenant, Some("New Name"), !tenant.suspended);
        "another".clone_into(&mut new.updated_by);
        assert!(replace(&world, &new, tenant.version).await);
        assert_eq!(world.store.read_tenant(&tenant.tenant_name).await.unwrap(), Some(new.clone()));
        let cleared = world.tenant_with(&new, None, false);
        assert!(replace(&world, &cleared, new.version).await);
        assert_eq!(world.store.read_tenant(&tenant.tenant_name).await.unwrap(), Some(cleared));
    }
}

pub async fn an_unknown_tenant_is_not_found(world: World) {
    let nobody = world.new_tenant("nobody");
    assert_eq!(world.store.read_tenant(&nobody.tenant_name).await.unwrap(), None);
    // `false` is for a tenant that has another version by now; this one never was.
    let change = world.tenant_change(ChangeKind::TenantUpdated, &nobody);
    let replaced = world.store.replace_tenant(&nobody, Version::FIRST, &change, None).await;
    assert!(matches!(replaced, Err(StoreError::TenantUnknown)), "{replaced:?}");
    let change = world.tenant_change(ChangeKind::TenantDeleted, &nobody);
    let deleted = world.store.delete_tenant(&nobody.tenant_name, Version::FIRST, &change, None).await;
    assert!(matches!(deleted, Err(StoreError::TenantUnknown)), "{deleted:?}");
    assert!(world.whole_log().await.iter().all(|(_, change)| change.tenant_name != nobody.tenant_name));
}

pub async fn a_tenant_name_stands_once(world: World) {
    let first = world.own_tenant().await;
    let again = Tenant { display_name: Some(Text::parse("Impostor").unwrap()), ..world.new_tenant("acme") };
    let logged = world.whole_log().await;
    let change = world.tenant_change(ChangeKind::TenantCreated, &again);
    let answer = Written::Tenant { created: true, tenant: again.clone() };
    let record = Record { attempt: world.attempt("again"), concerns: Concerns::Tenant, answer };
    assert_eq!(broken_rule(world.store.create_tenant(&again, &change, Some(&record)).await), Uniqueness::TenantName);
    assert_eq!(world.own_tenant().await, first);
    assert_eq!(world.whole_log().await, logged);
    assert_eq!(world.recorded("again").await, None);
}

pub async fn an_update_of_an_old_version_changes_nothing(world: World) {
    let first = world.own_tenant().await;
    let second = world.tenant_with(&first, Some("Second"), false);
    assert!(replace(&world, &second, first.version).await);
    let logged = world.whole_log().await;
    let late = world.tenant_with(&first, Some("Late"), true);
    assert!(!replace(&world, &late, first.version).await);
    assert!(!replace(&world, &late, Version(9)).await);
    assert_eq!(world.own_tenant().await, second);
    assert_eq!(world.whole_log().await, logged);
}

async fn listed(world: &World, after: Option<&str>, among: Option<&[&str]>, limit: u32) -> Vec<String> {
    let after = after.map(tenant_name);
    let among = among.map(|names| names.iter().copied().map(tenant_name).collect::<Vec<TenantName>>());
    let tenants = world.store.list_tenants(after.as_ref(), among.as_deref(), limit).await.unwrap();
    tenants.iter().map(|tenant| tenant.tenant_name.as_str().to_owned()).collect()
}

pub async fn tenants_are_listed_by_name_in_pages(world: World) {
    for name in ["b", "a0", "a-b", "a", "z", "ab", "a-", "-"] {
        world.with_tenant(name).await;
    }
    world.seen_from("z").suspend(true).await;
    let all = listed(&world, None, None, 100).await;
    assert_eq!(all, ["-", "a", "a-", "a-b", "a0", "ab", "acme", "b", "default", "z"]);
    let mut pages = Vec::new();
    while let page = listed(&world, pages.last().map(String::as_str), None, 3).await
        && !page.is_empty()
    {
        assert!(page.len() <= 3);
        pages.extend(page);
    }
    assert_eq!(pages, all);
    // Behind a name that is not there.
    assert_eq!(listed(&world, Some("aa"), None, 2).await, ["ab", "acme"]);
    let first = &world.store.list_tenants(None, Some(std::slice::from_ref(&world.tenant)), 1).await.unwrap()[0];
    assert_eq!(*first, world.own_tenant().await);
}

pub async fn only_the_tenants_asked_for_are_listed(world: World) {
    for name in ["a", "b", "c", "d"] {
        world.with_tenant(name).await;
    }
    assert_eq!(listed(&world, None, Some(&["d", "unknown", "b", "a", "b"]), 10).await, ["a", "b", "d"]);
    assert_eq!(listed(&world, Some("a"), Some(&["d", "b", "a"]), 1).await, ["b"]);
    assert_eq!(listed(&world, Some("d"), Some(&["d", "b"]), 10).await, [""; 0]);
    assert_eq!(listed(&world, None, Some(&[]), 10).await, [""; 0]);
}

pub async fn a_tenant_with_a_live_profile_is_not_deleted(world: World) {
    let profile = world.create(json!({"user_id": "u1"})).await;
    world.delete(&world.create(json!({"user_id": "u2"})).await).await;
    let logged = world.whole_log().await;
    let result = world.delete_own_tenant().await;
    assert!(matches!(result, Err(StoreError::TenantInUse)), "{result:?}");
    assert_eq!(world.read(profile.profile_id).await, Some(profile.clone()));
    assert_eq!(world.whole_log().await, logged);
    world.delete(&profile).await;
    assert!(world.delete_own_tenant().await.unwrap());
}

pub async fn a_deleted_tenant_leaves_nothing_behind(world: World) {
    let other = world.with_tenant("other").await;
    for side in [&world, &other] {
        let draft = side.draft(json!({"user_id": "u1", "email_id": "a@example.com", "full_name": "Secret Name"}));
        let record = side.record_of("create", &draft);
        side.insert_recorded(&draft, Some(&record)).await.unwrap();
        let answer = Written::Preference { created: true, value: preference_value("\"secret\"") };
        let record = Record { attempt: side.attempt("put"), concerns: Concerns::User(user_id("u1")), answer };
        side.put_recorded("u1", "k", "\"secret\"", Some(&record)).await.unwrap();
        side.delete(&draft).await;
    }
    assert!(world.delete_own_tenant().await.unwrap());
    assert_eq!(world.store.read_tenant(&world.tenant).await.unwrap(), None);
    let read = world.store.read_user(&world.tenant, &user_id("u1")).await;
    assert!(matches!(read, Err(StoreError::TenantUnknown)), "{read:?}");

    // Who comes next under the same name starts with nothing.
    world.create_own_tenant().await;
    assert_eq!(world.store.read_user(&world.tenant, &user_id("u1")).await.unwrap(), UserRows::default());
    for key in ["create", "put"] {
        let shown = world.recorded(key).await.and_then(|recorded| recorded.answer_json);
        assert_eq!(shown, None, "{key}");
        assert!(other.recorded(key).await.unwrap().answer_json.is_some());
    }
    world.create(json!({"user_id": "u1", "email_id": "a@example.com"})).await;
    assert_eq!(world.preferences("u1").await.unwrap().len(), 0);
    let rows = other.store.read_user(&other.tenant, &user_id("u1")).await.unwrap();
    assert_eq!((rows.profiles.len(), rows.preferences.len()), (1, 1));
}

pub async fn a_delete_of_an_old_version_deletes_nothing(world: World) {
    let first = world.own_tenant().await;
    let second = world.tenant_with(&first, Some("Second"), false);
    assert!(replace(&world, &second, first.version).await);
    let leftover = world.delete(&world.create(json!({"user_id": "u1"})).await).await;
    let logged = world.whole_log().await;
    let change = world.tenant_change(ChangeKind::TenantDeleted, &first);
    assert!(!world.store.delete_tenant(&world.tenant, first.version, &change, None).await.unwrap());
    assert_eq!(world.own_tenant().await, second);
    assert_eq!(world.read(leftover.profile_id).await, Some(leftover));
    assert_eq!(world.whole_log().await, logged);
}

pub async fn a_suspended_tenant_can_be_administered(world: World) {
    world.suspend(true).await;
    let tenant = world.own_tenant().await;
    assert!(tenant.suspended);
    let renamed = world.tenant_with(&tenant, Some("Renamed"), true);
    assert!(replace(&world, &renamed, tenant.version).await);
    assert_eq!(listed(&world, None, Some(&["acme"]), 1).await, ["acme"]);
    assert!(world.delete_own_tenant().await.unwrap());
}

pub async fn suspending_is_felt_at_once_and_so_is_its_end(world: World) {
    let profile = world.create(json!({"user_id": "u1"})).await;
    for _ in 0..3 {
        world.suspend(true).await;
        let read = world.store.read_profile(&world.tenant, profile.profile_id).await;
        assert!(matches!(read, Err(StoreError::TenantSuspended)), "{read:?}");
        world.suspend(false).await;
        assert_eq!(world.read(profile.profile_id).await, Some(profile.clone()));
    }
}
