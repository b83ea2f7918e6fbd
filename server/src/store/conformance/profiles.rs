//! A profile is kept as it was given, and changes only as a whole and only from the version that was expected.

use super::fixtures::{START, World, broken_rule, replacement};
use crate::domain::attributes::{Attributes, MAX_JSON_BYTES};
use crate::domain::change::ChangeKind;
use crate::domain::clock::TimestampMs;
use crate::domain::profile::{Profile, ProfileType};
use crate::domain::text::Text;
use crate::domain::version::Version;
use crate::store::Uniqueness;
use serde_json::{Value, json};

/// Every field that a client can set.
fn full() -> Value {
    json!({
        "profile_type": "work",
        "user_id": "u-1",
        "full_name": "Zoë O'Connor-Müller",
        "gender": "nonbinary",
        "email_id": "Zoe.O'Connor@Bücher.example",
        "mobile": "+919876543210",
        "birth_date": "1984-02-29",
        "city_id": "BLR",
        "country_id": "IN",
        "address": "12, \"Rose\" Road; 100% \\ home_1\u{2028}2nd floor",
        "latitude": 12.971_599,
        "longitude": 77.594_566,
        "attributes": {"tier": "gold", "nested": {"b": [1, 2.5, null, true, {"x": "y"}], "a": {}}},
        "active": false
    })
}

async fn assert_reads_back(world: &World, profile: &Profile) {
    world.insert(profile).await.unwrap();
    assert_eq!(world.read(profile.profile_id).await.as_ref(), Some(profile));
    let rows = world.store.read_user(&world.tenant, &profile.user_id).await.unwrap();
    assert_eq!(rows.profiles, std::slice::from_ref(profile));
}

pub async fn a_profile_reads_back_as_it_was_written(world: World) {
    let mut profile = world.draft(full());
    profile.profile_image_url = Some("https://img.example/a b?x=%20&y='#".to_owned());
    "somebody|else".clone_into(&mut profile.updated_by);
    assert_reads_back(&world, &profile).await;
    let found = world.search(&super::fixtures::everybody()).await;
    assert_eq!(found.profiles, [profile]);
}

pub async fn the_smallest_and_the_largest_values_read_back(world: World) {
    let smallest = world.draft(json!({"full_name": "李", "user_id": "0"}));
    assert_reads_back(&world, &smallest).await;

    let widest = |length: usize| "𠮷".repeat(length);
    let mut largest = world.draft(json!({
        "profile_type": "z".repeat(32),
        "user_id": widest(128),
        "full_name": widest(256),
        "gender": widest(32),
        "email_id": format!("{}@{}.example", "a".repeat(64), vec!["b".repeat(59); 3].join(".")),
        "mobile": "+4915123456789",
        "birth_date": "1900-01-01",
        "city_id": widest(64),
        "country_id": widest(64),
        "address": widest(1024),
        "latitude": -90,
        "longitude": 180,
        "attributes": {"x": "é".repeat((MAX_JSON_BYTES - 8) / 2)}
    }));
    assert_eq!(largest.attributes.as_str().len(), MAX_JSON_BYTES);
    largest.profile_image_url = Some(format!("https://img.example/{}", "x".repeat(2000)));
    largest.created_by = widest(255);
    largest.created_at = TimestampMs(0);
    largest.updated_at = TimestampMs(i64::MAX);
    assert_reads_back(&world, &largest).await;

    let mut far = largest.clone().deleted(&widest(255), TimestampMs(i64::MAX));
    far.version = Version(i64::MAX);
    assert!(world.replace(&largest, &far, ChangeKind::ProfileDeleted).await.unwrap());
    assert_eq!(world.read(far.profile_id).await, Some(far));
}

pub async fn names_in_every_script_read_back(world: World) {
    let names = [
        "Ελένη Παπαδοπούλου",
        "Наталья Ёлкина",
        "محمد بن سلمان",
        "יעל כהן",
        "किरण शर्मा",
        "தமிழ்ச்செல்வி",
        "สมชาย ใจดี",
        "山田太郎 ヤマダ",
        "张伟明",
        "김민준",
        "Nguyễn Thị Ánh",
        "İbrahim Işık",
        "ᏣᎳᎩ",
        "🎉 Ana 👩‍👩‍👧",
        "Robert'); DROP TABLE profiles;--",
        "\\ % _ ? $1 :name \" ''",
        "null",
        "a\u{301}\u{302}\u{327} \u{202e}rtl",
    ];
    for (number, name) in names.into_iter().enumerate() {
        let profile = world.draft(json!({"full_name": name, "user_id": format!("{number} {name}"), "city_id": name, "address": name}));
        assert_reads_back(&world, &profile).await;
    }
}

pub async fn coordinates_read_back_to_the_last_bit(world: World) {
    let degrees = [0.0, 0.1, -0.1, 5e-324, -2.225_073_858_507_201_4e-308, 89.999_999_999_999_99, 1.0 / 3.0, 12.345_678_901_234_567, -90.0];
    for latitude in degrees {
        let mut profile = world.draft(json!({"user_id": format!("at {latitude:e}")}));
        (profile.latitude, profile.longitude) = (Some(latitude), Some(-latitude * 2.0 + 0.0));
        assert_reads_back(&world, &profile).await;
        let read = world.read(profile.profile_id).await.unwrap();
        assert_eq!(read.latitude.map(f64::to_bits), Some(latitude.to_bits()), "{latitude:e}");
    }
}

pub async fn attributes_read_back_as_the_same_text(world: World) {
    let texts = [
        r#"{}"#,
        r#"{"":""}"#,
        r#"{"z":1,"a":2,"B":3,"é":4,"":5,"10":6,"9":7}"#,
        r#"{"n":[0,-1,0.1,0.30000000000000004,1e100,1.5e-300,5e-324,1.7976931348623157e308,123456789.125]}"#,
        r#"{"big":[9007199254740991,9007199254740993,9223372036854775807,-9223372036854775808,18446744073709551615,1e19,1e23]}"#,
        r#"{"integral":[1.0,100.0,-2.0,1e15,1e16,1e21]}"#,
        r#"{"text":"\"\\\/\b\f\n\r\t\u001f é 𠮷 \u2028 </script> % _ $1 ?"}"#,
        r#"{"a":{"b":{"c":{"d":[[],[[]],{},null,true,false]}}}}"#,
        r#"{"a b":1,"a.b":2,"a\"b":3,"a'b":4,"$":5,"a\\b":6,"[0]":7}"#,
    ];
    for (number, text) in texts.into_iter().enumerate() {
        let mut profile = world.draft(json!({"user_id": format!("u{number}")}));
        profile.attributes = Attributes::from_value(serde_json::from_str(text).unwrap()).unwrap();
        assert_reads_back(&world, &profile).await;
    }
}

pub async fn an_unknown_profile_is_not_found(world: World) {
    world.create(json!({"user_id": "u1"})).await;
    assert_eq!(world.read(world.new_id()).await, None);
}

pub async fn an_update_of_every_field_is_seen_at_once(world: World) {
    let old = world.create(json!({"user_id": "old"})).await;
    let mut new = world.patched(&old, &full());
    new.profile_image_url = Some("https://img.example/1".to_owned());
    "somebody|else".clone_into(&mut new.updated_by);
    assert!(world.replace(&old, &new, ChangeKind::ProfileUpdated).await.unwrap());
    assert_eq!(world.read(old.profile_id).await, Some(new));
}

pub async fn fields_can_be_cleared(world: World) {
    let full = world.create(full()).await;
    let nulls = json!({
        "gender": null, "email_id": null, "mobile": null, "birth_date": null, "city_id": null, "country_id": null,
        "address": null, "latitude": null, "longitude": null, "attributes": null, "active": null, "profile_type": null
    });
    let bare = world.update(&full, nulls).await;
    assert_eq!((&bare.profile_type, bare.email_id.as_ref(), bare.latitude), (&ProfileType::default(), None, None));
    assert_eq!(world.read(full.profile_id).await, Some(bare));
}

pub async fn an_update_of_an_old_version_changes_nothing(world: World) {
    let first = world.create(json!({"user_id": "u1"})).await;
    let second = world.update(&first, json!({"city_id": "A"})).await;
    let logged = world.log().await;
    let late = world.patched(&first, &json!({"city_id": "B"}));
    let record = world.record_of("late", &late);
    for expected in [first.version, Version(0), second.version.next()] {
        let mut late = replacement(&first, &late, ChangeKind::ProfileUpdated);
        late.expected = expected;
        assert!(!world.store.replace_profiles(&world.tenant, &[late], Some(&record)).await.unwrap(), "{expected:?}");
    }
    assert_eq!(world.read(first.profile_id).await, Some(second));
    assert_eq!(world.log().await, logged);
    assert_eq!(world.recorded("late").await, None);
}

pub async fn an_update_of_a_profile_that_is_gone_changes_nothing(world: World) {
    let profile = world.create(json!({"user_id": "u1", "email_id": "a@example.com"})).await;
    assert!(world.purge(&[&profile]).await);
    let logged = world.log().await;
    assert!(!world.try_update(&profile, &json!({"city_id": "B"})).await.unwrap());
    assert_eq!(world.read(profile.profile_id).await, None);
    assert_eq!(world.log().await, logged);
}

pub async fn several_profiles_change_together_or_not_at_all(world: World) {
    let work = world.create(json!({"user_id": "u1", "profile_type": "work"})).await;
    let home = world.create(json!({"user_id": "u1", "profile_type": "home"})).await;
    let deleted = [&work, &home].map(|old| old.clone().deleted("admin", START));
    let both = [replacement(&work, &deleted[0], ChangeKind::ProfileDeleted), replacement(&home, &deleted[1], ChangeKind::ProfileDeleted)];
    let logged = world.log().await;

    for stale in 0..2 {
        let mut with_one_stale = both.clone();
        with_one_stale[stale].expected = Version(7);
        assert!(!world.store.replace_profiles(&world.tenant, &with_one_stale, None).await.unwrap());
        assert_eq!(world.read(work.profile_id).await, Some(work.clone()));
        assert_eq!(world.read(home.profile_id).await, Some(home.clone()));
    }
    assert_eq!(world.log().await, logged);

    assert!(world.store.replace_profiles(&world.tenant, &both, None).await.unwrap());
    assert_eq!(world.read(work.profile_id).await, Some(deleted[0].clone()));
    assert_eq!(world.read(home.profile_id).await, Some(deleted[1].clone()));
    assert_eq!(world.log().await.len(), logged.len() + 2);
}

pub async fn a_duplicate_among_several_changes_none_of_them(world: World) {
    world.create(json!({"user_id": "other", "email_id": "taken@example.com"})).await;
    let work = world.create(json!({"user_id": "u1", "profile_type": "work"})).await;
    let home = world.create(json!({"user_id": "u1", "profile_type": "home"})).await;
    let logged = world.log().await;
    let both = [
        replacement(&work, &world.patched(&work, &json!({"city_id": "X"})), ChangeKind::ProfileUpdated),
        replacement(&home, &world.patched(&home, &json!({"email_id": "taken@example.com"})), ChangeKind::ProfileUpdated),
    ];
    let record = world.record_of("both", &work);
    let result = world.store.replace_profiles(&world.tenant, &both, Some(&record)).await;
    assert_eq!(broken_rule(result), Uniqueness::Email);
    assert_eq!(world.read(work.profile_id).await, Some(work));
    assert_eq!(world.log().await, logged);
    assert_eq!(world.recorded("both").await, None);
}

pub async fn a_deleted_profile_can_still_be_read(world: World) {
    let profile = world.create(full()).await;
    let deleted = world.delete(&profile).await;
    assert!(deleted.is_deleted());
    assert_eq!(world.read(profile.profile_id).await, Some(deleted.clone()));
    // It also can be changed: the rules for that stand above the store.
    let renamed = Profile { full_name: Text::parse("New Name").unwrap(), version: deleted.version.next(), ..deleted.clone() };
    assert!(world.replace(&deleted, &renamed, ChangeKind::ProfileUpdated).await.unwrap());
    assert_eq!(world.read(profile.profile_id).await, Some(renamed));
}

pub async fn a_restored_profile_is_as_before(world: World) {
    let profile = world.create(full()).await;
    let restored = world.try_restore(&world.delete(&profile).await).await.unwrap();
    let read = world.read(profile.profile_id).await.unwrap();
    assert_eq!(read, restored);
    let version = Version(3);
    assert_eq!(read, Profile { active: true, updated_by: restored.updated_by, updated_at: restored.updated_at, version, ..profile });
}
