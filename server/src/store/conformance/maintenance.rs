//! The schema comes up safely, and what all nodes share is one.

use super::fixtures::{START, World, at_once, everybody, tenant_name};
use crate::domain::change::{ChangeKind, ChangePosition};
use crate::domain::clock::TimestampMs;
use crate::domain::tenant::DEFAULT_TENANT;
use crate::domain::version::Version;
use crate::store::StoreError;
use crate::store::migrations::SQLITE;
use serde_json::json;

fn in_default(world: &World) -> World {
    world.seen_from(DEFAULT_TENANT)
}

pub async fn the_first_migration_makes_the_first_tenant(world: World) {
    let report = world.store.migrate(START).await.unwrap();
    let names: Vec<_> = report.applied.iter().map(String::as_str).collect();
    assert_eq!(names, SQLITE.iter().map(|migration| migration.name).collect::<Vec<_>>());
    assert_eq!(report.version as usize, SQLITE.len());
    let tenant = in_default(&world).own_tenant().await;
    assert_eq!((tenant.created_at, tenant.updated_at, tenant.version, tenant.suspended), (START, START, Version::FIRST, false));
    let all = world.store.list_tenants(None, None, 10).await.unwrap();
    assert_eq!(all, [tenant]);
    in_default(&world).create(json!({"user_id": "u1"})).await;
    world.store.ping().await.unwrap();
}

pub async fn migrating_again_changes_nothing(world: World) {
    let first = world.store.migrate(START).await.unwrap();
    let world = in_default(&world);
    let profile = world.create(json!({"user_id": "u1"})).await;
    world.suspend(true).await;
    let tenant = world.own_tenant().await;
    let logged = world.whole_log().await;
    let again = world.store.migrate(TimestampMs(START.0 + 1)).await.unwrap();
    assert_eq!((again.applied, again.version), (Vec::new(), first.version));
    assert_eq!(world.own_tenant().await, tenant);
    assert_eq!(world.whole_log().await, logged);
    world.suspend(false).await;
    assert_eq!(world.read(profile.profile_id).await, Some(profile));
}

pub async fn many_may_migrate_at_once(world: World) {
    let reports = at_once(6, |_| {
        let world = world.clone();
        async move { world.store.migrate(START).await.unwrap() }
    })
    .await;
    let applied: Vec<_> = reports.iter().flat_map(|report| &report.applied).collect();
    assert_eq!(applied.len(), SQLITE.len(), "each migration is applied by one of them: {applied:?}");
    assert!(reports.iter().all(|report| report.version as usize == SQLITE.len()));
    assert_eq!(world.store.list_tenants(None, None, 10).await.unwrap().len(), 1);
}

pub async fn a_deleted_first_tenant_stays_deleted(world: World) {
    world.store.migrate(START).await.unwrap();
    assert!(in_default(&world).delete_own_tenant().await.unwrap());
    world.store.migrate(START).await.unwrap();
    assert_eq!(world.store.read_tenant(&tenant_name(DEFAULT_TENANT)).await.unwrap(), None);
}

pub async fn everybody_is_told_the_same_secret(world: World) {
    world.store.migrate(START).await.unwrap();
    let secrets = at_once(16, |number| {
        let world = world.clone();
        async move { world.store.shared_secret([u8::try_from(number).unwrap(); 32]).await.unwrap() }
    })
    .await;
    assert!(secrets.iter().all(|secret| *secret == secrets[0]), "{secrets:?}");
    assert!(secrets[0].iter().all(|byte| *byte == secrets[0][0] && *byte < 16), "it is one of the candidates");
    assert_eq!(world.store.shared_secret([99; 32]).await.unwrap(), secrets[0]);
}

pub async fn a_closed_store_is_unavailable(world: World) {
    world.store.migrate(START).await.unwrap();
    let world = in_default(&world);
    let profile = world.create(json!({"user_id": "u1"})).await;
    world.store.close().await;
    let tenant = &world.tenant;
    let change = world.tenant_change(ChangeKind::TenantCreated, &world.new_tenant("later"));
    let answers = [
        world.store.ping().await.err(),
        world.store.read_profile(tenant, profile.profile_id).await.err(),
        world.store.search_profiles(tenant, &everybody()).await.err(),
        world.store.read_changes(ChangePosition::default(), 1).await.err(),
        world.try_create(json!({"user_id": "u2"})).await.err(),
        world.store.create_tenant(&world.new_tenant("later"), &change, None).await.err(),
    ];
    for answer in answers {
        assert!(matches!(answer, Some(StoreError::Unavailable(_))), "{answer:?}");
    }
    // Closing what is closed is harmless.
    world.store.close().await;
}
