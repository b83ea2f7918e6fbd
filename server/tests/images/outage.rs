//! The image store is away: images are, and nothing else is.

use crate::files::picture;
use crate::harness::{Answer, World};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn without_its_store_only_images_are_away() {
    let mut world = World::on_s3(&[]).await;
    let ready = world.get("/health/ready").await.expect(200).json();
    assert_eq!(ready, json!({"status": "ready", "dependencies": {"database": "up", "images": "up"}}));
    let profile = world.profile("u").await;
    let image = format!("{profile}/image");
    world.upload(&profile, picture(1)).await.expect(200);

    world.s3.as_mut().unwrap().stop();
    for answer in [world.upload(&profile, picture(2)).await, world.get(&image).await, Answer::of(world.request(Method::HEAD, &image)).await]
    {
        assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
    }
    assert_eq!(world.get(&image).await.problem().0, "unavailable");
    let ready = world.get("/health/ready").await.expect(200).json();
    assert_eq!(ready, json!({"status": "degraded", "dependencies": {"database": "up", "images": "down"}}));
    let body = world.get(&profile).await.expect(200).json();
    assert_eq!(body["version"], 2);
    world.get("/v1/tenants/default/profiles?query=ada").await.expect(200);
    // What has to go, goes: from the database at once.
    let purged = world.profile("purged").await;
    Answer::of(world.request(Method::DELETE, &format!("{purged}?purge=true"))).await.expect(204);
    // The service starts without it, too.
    world.restart();
    world.get(&profile).await.expect(200);

    world.s3.as_mut().unwrap().resume().await;
    world.pictures(&profile).await;
    world.upload(&profile, picture(3)).await.expect(200);
    assert_eq!(world.get("/health/ready").await.expect(200).json()["status"], "ready");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_a_store_that_is_down() {
    let world = World::on_s3(&[]).await;
    let profile = world.profile("u").await;
    let bucket = world.objects();
    let bucket = bucket.ancestors().find(|path| path.ends_with(crate::harness::BUCKET)).unwrap();
    std::fs::remove_dir_all(bucket).unwrap();
    assert_eq!(world.get("/health/ready").await.expect(200).json()["dependencies"]["images"], "down");
    let answer = world.upload(&profile, picture(1)).await;
    assert!([200, 503].contains(&answer.status), "{}", answer.status);
}

#[tokio::test]
async fn a_folder_that_went_away_is_down_and_lost_objects_are_mended_by_the_same_image() {
    let world = World::on_folder(&[]).await;
    let profile = world.profile("u").await;
    let before = world.upload(&profile, picture(1)).await.expect(200).json();
    std::fs::remove_dir_all(world.objects()).unwrap();
    assert_eq!(world.get("/health/ready").await.expect(200).json()["status"], "degraded");
    world.get(&format!("{profile}/image")).await.expect(500);
    let after = world.upload(&profile, picture(1)).await.expect(200).json();
    assert_ne!(before["profile_image_url"], after["profile_image_url"]);
    world.pictures(&profile).await;
    assert_eq!(world.get("/health/ready").await.expect(200).json()["status"], "ready");
}
