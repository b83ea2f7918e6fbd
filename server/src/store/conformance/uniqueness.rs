//! No duplicates among the live profiles of a tenant; the rule that would break is named, and nothing is written.

use super::fixtures::{World, broken_rule, everybody};
use crate::domain::search::Search;
use crate::store::Uniqueness::{Email, Mobile, UserAndType};
use serde_json::{Value, json};

pub async fn a_user_has_one_profile_of_each_type(world: World) {
    world.create(json!({"user_id": "u1"})).await;
    world.create(json!({"user_id": "u1", "profile_type": "work"})).await;
    world.create(json!({"user_id": "u2", "profile_type": "work"})).await;
    assert_eq!(broken_rule(world.try_create(json!({"user_id": "u1"})).await), UserAndType);
    assert_eq!(broken_rule(world.try_create(json!({"user_id": "u2", "profile_type": "work"})).await), UserAndType);
}

pub async fn an_email_belongs_to_one_user(world: World) {
    world.create(json!({"user_id": "u1", "email_id": "ada@example.com"})).await;
    assert_eq!(broken_rule(world.try_create(json!({"user_id": "u2", "email_id": "ada@example.com"})).await), Email);
    assert_eq!(broken_rule(world.try_create(json!({"email_id": "ada@example.com"})).await), Email);
    world.create(json!({"user_id": "u2", "email_id": "ada@example.org"})).await;
}

pub async fn a_mobile_belongs_to_one_user(world: World) {
    world.create(json!({"user_id": "u1", "mobile": "+91 98765 43210"})).await;
    let national = json!({"user_id": "u2", "mobile": "098765 43210", "country_id": "IN"});
    assert_eq!(broken_rule(world.try_create(national).await), Mobile);
    world.create(json!({"user_id": "u2", "mobile": "+91 98765 43211"})).await;
}

pub async fn emails_that_differ_in_writing_only_are_one(world: World) {
    world.create(json!({"user_id": "u1", "email_id": "Jörg.Straße@Bücher.example"})).await;
    for (number, written) in
        ["jörg.straße@bücher.example", "JÖRG.STRASSE@BÜCHER.EXAMPLE", "jorg.strasse@xn--bcher-kva.example"].into_iter().enumerate()
    {
        let fields = json!({"user_id": format!("other {number}"), "email_id": written});
        assert_eq!(broken_rule(world.try_create(fields).await), Email, "{written}");
    }
    world.create(json!({"user_id": "u2", "email_id": "jorg.strasse@bucher.example"})).await;
}

pub async fn a_users_own_profiles_may_share_email_and_mobile(world: World) {
    let of_type = |profile_type: &str| json!({"user_id": "u1", "profile_type": profile_type, "email_id": "ada@example.com", "mobile": "+14155550100"});
    let first = world.create(of_type("a")).await;
    world.create(of_type("b")).await;
    let third = world.create(json!({"user_id": "u1", "profile_type": "c"})).await;
    world.update(&third, json!({"email_id": "ADA@example.com", "mobile": "+14155550100"})).await;
    // The address stays taken as long as one of them is live.
    world.delete(&first).await;
    assert_eq!(broken_rule(world.try_create(json!({"user_id": "u2", "email_id": "ada@example.com"})).await), Email);
    assert_eq!(broken_rule(world.try_create(json!({"user_id": "u2", "mobile": "+14155550100"})).await), Mobile);
}

pub async fn an_update_to_what_another_user_has_is_refused(world: World) {
    world.create(json!({"user_id": "u1", "email_id": "ada@example.com", "mobile": "+14155550100"})).await;
    let profile = world.create(json!({"user_id": "u2", "email_id": "bob@example.com", "mobile": "+14155550101"})).await;
    for (fields, rule) in [
        (json!({"email_id": "ADA@example.com"}), Email),
        (json!({"mobile": "+14155550100"}), Mobile),
        (json!({"user_id": "u1"}), UserAndType),
    ] {
        assert_eq!(broken_rule(world.try_update(&profile, &fields).await), rule);
        assert_eq!(world.read(profile.profile_id).await, Some(profile.clone()));
    }
}

pub async fn an_update_that_keeps_its_own_identifiers_is_no_duplicate(world: World) {
    let profile = world.create(json!({"user_id": "u1", "email_id": "ada@example.com", "mobile": "+14155550100"})).await;
    world.create(json!({"user_id": "u1", "profile_type": "work", "email_id": "ada@example.com"})).await;
    let profile = world.update(&profile, json!({"city_id": "X"})).await;
    let profile = world.update(&profile, json!({"email_id": "Ada@Example.com"})).await;
    assert_eq!(world.read(profile.profile_id).await, Some(profile));
}

pub async fn moving_a_profile_to_another_user_must_not_split_an_email(world: World) {
    world.create(json!({"user_id": "u1", "email_id": "ada@example.com"})).await;
    let second = world.create(json!({"user_id": "u1", "profile_type": "work", "email_id": "ada@example.com"})).await;
    assert_eq!(broken_rule(world.try_update(&second, &json!({"user_id": "u2"})).await), Email);
    let second = world.update(&second, json!({"user_id": "u2", "email_id": null, "mobile": "+14155550100"})).await;
    world.update(&second, json!({"user_id": "u3"})).await;
}

/// Whether another user can have `shared` only once the first is deleted.
async fn assert_deleting_frees(world: &World, first: Value, second: Value, rule: crate::store::Uniqueness) {
    let profile = world.create(first).await;
    assert_eq!(broken_rule(world.try_create(second.clone()).await), rule);
    world.delete(&profile).await;
    let successor = world.create(second.clone()).await;
    world.delete(&successor).await;
    // Any number of deleted ones may have had it.
    world.create(second).await;
}

pub async fn deleting_a_user_frees_the_user_id_and_type(world: World) {
    assert_deleting_frees(&world, json!({"user_id": "u1"}), json!({"user_id": "u1"}), UserAndType).await;
}

pub async fn deleting_a_user_frees_the_email(world: World) {
    let email = "ada@example.com";
    assert_deleting_frees(&world, json!({"user_id": "u1", "email_id": email}), json!({"user_id": "u2", "email_id": email}), Email).await;
}

pub async fn deleting_a_user_frees_the_mobile(world: World) {
    let mobile = "+14155550100";
    assert_deleting_frees(&world, json!({"user_id": "u1", "mobile": mobile}), json!({"user_id": "u2", "mobile": mobile}), Mobile).await;
}

pub async fn changing_an_email_frees_the_old_one(world: World) {
    let profile = world.create(json!({"user_id": "u1", "email_id": "ada@example.com", "mobile": "+14155550100"})).await;
    world.update(&profile, json!({"email_id": "lovelace@example.com", "mobile": null})).await;
    world.create(json!({"user_id": "u2", "email_id": "ada@example.com", "mobile": "+14155550100"})).await;
    assert_eq!(broken_rule(world.try_create(json!({"email_id": "lovelace@example.com"})).await), Email);
}

pub async fn restoring_takes_the_identifiers_back(world: World) {
    let fields = json!({"user_id": "u1", "email_id": "ada@example.com", "mobile": "+14155550100"});
    let profile = world.create(fields).await;
    world.try_restore(&world.delete(&profile).await).await.unwrap();
    assert_eq!(broken_rule(world.try_create(json!({"user_id": "u1"})).await), UserAndType);
    assert_eq!(broken_rule(world.try_create(json!({"email_id": "ada@example.com"})).await), Email);
    assert_eq!(broken_rule(world.try_create(json!({"mobile": "+14155550100"})).await), Mobile);
}

pub async fn restoring_is_refused_while_another_has_them(world: World) {
    let fields = json!({"user_id": "u1", "email_id": "ada@example.com", "mobile": "+14155550100"});
    for (successor, rule) in [
        (json!({"user_id": "u1"}), UserAndType),
        (json!({"user_id": "u2", "email_id": "ada@example.com"}), Email),
        (json!({"user_id": "u2", "mobile": "+14155550100"}), Mobile),
    ] {
        let deleted = world.delete(&world.create(fields.clone()).await).await;
        let successor = world.create(successor).await;
        assert_eq!(broken_rule(world.try_restore(&deleted).await), rule);
        assert_eq!(world.read(deleted.profile_id).await, Some(deleted.clone()));
        world.delete(&successor).await;
        let restored = world.try_restore(&deleted).await.unwrap();
        world.delete(&restored).await;
    }
}

pub async fn the_same_person_may_be_in_two_tenants(world: World) {
    let other = world.with_tenant("other").await;
    let fields = json!({"user_id": "u1", "email_id": "ada@example.com", "mobile": "+14155550100"});
    world.create(fields.clone()).await;
    other.create(fields.clone()).await;
    assert_eq!(broken_rule(other.try_create(fields).await), UserAndType);
}

pub async fn a_refused_create_leaves_no_trace(world: World) {
    let taken = world.create(json!({"user_id": "u1", "email_id": "ada@example.com", "mobile": "+14155550100"})).await;
    let logged = world.log().await;
    for (number, fields) in [
        json!({"user_id": "u1", "full_name": "Second"}),
        json!({"user_id": "u2", "email_id": "ada@example.com"}),
        json!({"user_id": "u2", "mobile": "+14155550100"}),
    ]
    .into_iter()
    .enumerate()
    {
        let profile = world.draft(fields);
        let key = format!("key {number}");
        let record = world.record_of(&key, &profile);
        broken_rule(world.insert_recorded(&profile, Some(&record)).await);
        assert_eq!(world.read(profile.profile_id).await, None);
        assert_eq!(world.recorded(&key).await, None);
    }
    assert_eq!(world.log().await, logged);
    assert_eq!(world.search(&Search { include_deleted: true, ..everybody() }).await.profiles, [taken]);
}

pub async fn a_refused_update_leaves_no_trace(world: World) {
    world.create(json!({"user_id": "u1", "email_id": "ada@example.com"})).await;
    let profile = world.create(json!({"user_id": "u2"})).await;
    let logged = world.log().await;
    let new = world.patched(&profile, &json!({"email_id": "ada@example.com"}));
    let replacement = super::fixtures::replacement(&profile, &new, crate::domain::change::ChangeKind::ProfileUpdated);
    let record = world.record_of("update", &new);
    broken_rule(world.store.replace_profiles(&world.tenant, &[replacement], Some(&record)).await);
    assert_eq!(world.read(profile.profile_id).await, Some(profile));
    assert_eq!(world.recorded("update").await, None);
    assert_eq!(world.log().await, logged);
}
