//! The service is killed in the middle of uploads, again and again: every profile's image is whole.

use crate::files::picture;
use crate::harness::{World, on_both};
use reqwest::Method;
use std::time::Duration;

on_both! { a_crash_leaves_only_whole_images }

async fn a_crash_leaves_only_whole_images(mut world: World) {
    let mut profiles = Vec::new();
    for n in 0..6 {
        let profile = world.profile(&format!("u{n}")).await;
        // Half of them have an image to lose.
        if n % 2 == 0 {
            world.upload(&profile, picture(n)).await.expect(200);
        }
        profiles.push(profile);
    }
    let mut acknowledged = 0;
    for round in 0..6_u32 {
        // A moment that falls elsewhere in each round.
        let uploads = profiles.iter().enumerate().map(|(n, profile)| {
            let request = world.put(profile, "image/jpeg", picture(1000 + round * 10 + n as u32));
            tokio::spawn(async move { request.send().await.is_ok_and(|response| response.status() == 200) })
        });
        let uploads: Vec<_> = uploads.collect();
        tokio::time::sleep(Duration::from_millis(20 + u64::from(round) * 45)).await;
        world.kill();
        for upload in uploads {
            acknowledged += u32::from(upload.await.unwrap());
        }
        world.restart();
        for profile in &profiles {
            let row = world.get(profile).await.expect(200).json();
            if row["profile_image_url"].is_null() {
                world.get(&format!("{profile}/image")).await.expect(404);
            } else {
                world.pictures(profile).await;
            }
        }
    }
    // What is left over is young: it stays, and so does all that is in use.
    let told = world.run(&["images", "gc", "--delete"]);
    assert!(told.contains("removed 0 objects"), "{told}");
    for profile in &profiles {
        world.upload(profile, picture(7)).await.expect(200);
        world.pictures(profile).await;
    }
    let found = crate::harness::Answer::of(world.request(Method::GET, "/v1/tenants/default/profiles?limit=50")).await.expect(200).json();
    assert_eq!(found["profiles"].as_array().unwrap().len(), profiles.len(), "{acknowledged} uploads were acknowledged");
}
