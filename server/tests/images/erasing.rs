//! Deleting keeps an image, purging erases it.

use crate::files::picture;
use crate::harness::{Answer, World, on_both};
use reqwest::Method;
use serde_json::json;

on_both! {
    a_deleted_profile_hides_its_image_and_a_restored_one_shows_it,
    purging_erases,
    a_tenant_takes_its_images_along,
}

async fn a_deleted_profile_hides_its_image_and_a_restored_one_shows_it(world: World) {
    let profile = world.profile("u").await;
    world.upload(&profile, picture(1)).await.expect(200);
    let image = format!("{profile}/image");
    let before = world.get(&image).await.expect(200).body;
    Answer::of(world.request(Method::DELETE, &profile)).await.expect(204);
    world.get(&image).await.expect(404);
    world.upload(&profile, picture(2)).await.expect(404);
    Answer::of(world.request(Method::DELETE, &image)).await.expect(404);
    assert_eq!(world.keys().len(), 3);
    Answer::of(world.request(Method::POST, &format!("{profile}/restore"))).await.expect(200);
    assert_eq!(world.get(&image).await.expect(200).body, before);
    // So it is with the user as a whole.
    Answer::of(world.request(Method::DELETE, "/v1/tenants/default/users/u")).await.expect(204);
    assert_eq!(world.keys().len(), 3);
    Answer::of(world.request(Method::POST, &format!("{profile}/restore"))).await.expect(200);
    world.pictures(&profile).await;
}

async fn purging_erases(world: World) {
    let kept = world.profile("kept").await;
    world.upload(&kept, picture(1)).await.expect(200);
    let profile = world.profile("one").await;
    world.upload(&profile, picture(1)).await.expect(200);
    assert_eq!(world.keys().len(), 6);
    Answer::of(world.request(Method::DELETE, &format!("{profile}?purge=true"))).await.expect(204);
    assert_eq!(world.keys().len(), 3);
    world.get(&format!("{profile}/image")).await.expect(404);

    let mut profiles = Vec::new();
    for profile_type in ["work", "home"] {
        let body = json!({"full_name": "Two", "user_id": "two", "profile_type": profile_type});
        let id = world.send(Method::POST, "/v1/tenants/default/profiles", &body).await.expect(201).json()["profile_id"].clone();
        profiles.push(format!("/v1/tenants/default/profiles/{}", id.as_str().unwrap()));
        world.upload(profiles.last().unwrap(), picture(2)).await.expect(200);
    }
    // One of them in the state of a soft-deleted one.
    Answer::of(world.request(Method::DELETE, &profiles[0])).await.expect(204);
    assert_eq!(world.keys().len(), 9);
    Answer::of(world.request(Method::DELETE, "/v1/tenants/default/users/two?purge=true")).await.expect(204);
    assert_eq!(world.keys().len(), 3);
    world.pictures(&kept).await;
}

async fn a_tenant_takes_its_images_along(world: World) {
    let token = world.mint("*", "profiles:read profiles:write tenants:admin", "root");
    let call = |method: Method, path: &str| world.request_by(&token, method, path);
    let create =
        || Answer::of(call(Method::POST, "/v1/tenants").header("content-type", "application/json").body("{\"tenant_name\":\"acme\"}"));
    let new_profile = || async {
        let body = "{\"full_name\":\"A\",\"user_id\":\"a\"}";
        let request = call(Method::POST, "/v1/tenants/acme/profiles").header("content-type", "application/json").body(body);
        let id = Answer::of(request).await.expect(201).json()["profile_id"].as_str().unwrap().to_owned();
        format!("/v1/tenants/acme/profiles/{id}")
    };
    let upload =
        |profile: &str| Answer::of(call(Method::PUT, &format!("{profile}/image")).header("content-type", "image/jpeg").body(picture(1)));
    create().await.expect(201);
    let first = new_profile().await;
    upload(&first).await.expect(200);
    Answer::of(call(Method::DELETE, &first)).await.expect(204);
    assert_eq!(world.keys().len(), 3);
    Answer::of(call(Method::DELETE, "/v1/tenants/acme")).await.expect(204);
    // A new tenant of this name, at once: its images are its own.
    create().await.expect(201);
    let second = new_profile().await;
    upload(&second).await.expect(200);
    world.eventually("the old tenant's images go", |world| world.keys().len() == 3).await;
    Answer::of(call(Method::GET, &format!("{second}/image"))).await.expect(200);
}
