//! A user is what shares a `user_id`: every profile in every state, and the preferences, from one snapshot.

use super::fixtures::{World, preference_key, preference_value, user_id};
use crate::domain::profile::Profile;
use crate::store::UserRows;
use serde_json::json;

async fn rows(world: &World, user: &str) -> UserRows {
    world.store.read_user(&world.tenant, &user_id(user)).await.unwrap()
}

pub async fn a_user_is_all_profiles_in_every_state_oldest_first(world: World) {
    let mut expected: Vec<Profile> = Vec::new();
    for profile_type in ["zeta", "alpha", "mid"] {
        expected.push(world.create(json!({"user_id": "u1", "profile_type": profile_type})).await);
        world.create(json!({"user_id": "u2", "profile_type": profile_type})).await;
    }
    expected[0] = world.update(&expected[0], json!({"full_name": "Aaron"})).await;
    expected[1] = world.delete(&expected[1]).await;
    expected.push(world.create(json!({"user_id": "u1", "profile_type": "alpha"})).await);
    world.put("u1", "b", "1").await;
    world.put("u1", "a", "2").await;
    world.put("u2", "c", "3").await;
    let read = rows(&world, "u1").await;
    assert_eq!(read.profiles, expected);
    let preferences = [(preference_key("a"), preference_value("2")), (preference_key("b"), preference_value("1"))];
    assert_eq!(read.preferences, preferences.into());
}

pub async fn an_unknown_user_has_nothing(world: World) {
    world.create(json!({"user_id": "u1"})).await;
    assert_eq!(rows(&world, "u2").await, UserRows::default());
}

pub async fn user_ids_are_compared_exactly(world: World) {
    let ids = ["ada", "Ada", "ADA", "ada ada", "ada  ada", "àda", "ada%", "_da", "0", "00", "1e0", "ﬁ", "fi"];
    let mut profiles = Vec::new();
    for id in ids {
        profiles.push(world.create(json!({"user_id": id})).await);
    }
    for (id, profile) in ids.iter().zip(profiles) {
        assert_eq!(rows(&world, id).await.profiles, [profile], "{id}");
    }
}

pub async fn a_user_who_was_moved_is_found_under_the_new_id(world: World) {
    let profile = world.create(json!({"user_id": "old"})).await;
    let moved = world.update(&profile, json!({"user_id": "new"})).await;
    assert_eq!(rows(&world, "old").await.profiles, []);
    assert_eq!(rows(&world, "new").await.profiles, [moved]);
}
