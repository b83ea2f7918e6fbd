//! `n_users images gc`: what it removes, and what it leaves alone.

use crate::files::picture;
use crate::harness::{Answer, World, on_both};
use reqwest::Method;
use std::path::Path;
use std::time::{Duration, SystemTime};

on_both! { only_what_is_old_and_unreferenced_goes }

const OLD_ID: &str = "0190163d8694739b8a3c94a6bd1f2e5f-00112233445566778899aabbccddeeff.jpg";
const OTHER_OLD_ID: &str = "0190163d8694739b8a3c94a6bd1f2e60-00112233445566778899aabbccddeeff.jpg";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A file of an age, in hours.
#[expect(clippy::disallowed_methods, reason = "the age of a file is told by the machine's clock")]
fn put_file(path: &Path, hours: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, b"leftover").unwrap();
    age(path, SystemTime::now() - Duration::from_secs(3600) * hours);
}

fn age(path: &Path, modified: SystemTime) {
    std::fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
}

async fn only_what_is_old_and_unreferenced_goes(world: World) {
    let (in_use, bare, deleted, purged) =
        (world.profile("a").await, world.profile("b").await, world.profile("c").await, world.profile("d").await);
    let url = world.upload(&in_use, picture(1)).await.expect(200).json()["profile_image_url"].as_str().unwrap().to_owned();
    let new_id = url.rsplit_once("?v=").unwrap().1.to_owned();
    world.upload(&deleted, picture(2)).await.expect(200);
    Answer::of(world.request(Method::DELETE, &deleted)).await.expect(204);
    Answer::of(world.request(Method::DELETE, &format!("{purged}?purge=true"))).await.expect(204);

    // An image that has been in use for long: the same objects under an old name.
    let folder_of = |profile: &str| world.objects().join("default").join(profile.rsplit_once('/').unwrap().1);
    let database = rusqlite::Connection::open(world.database()).unwrap();
    let set = "UPDATE profiles SET profile_image_url = replace(profile_image_url, ?1, ?2) WHERE profile_image_url LIKE '%' || ?1";
    for (profile, state) in [(&in_use, "live"), (&deleted, "deleted")] {
        let folder = folder_of(profile);
        let name = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
        std::fs::rename(folder.join(&name), folder.join(OLD_ID)).unwrap();
        assert_eq!(database.execute(set, [&name, OLD_ID]).unwrap(), 1, "{state}");
        for file in std::fs::read_dir(folder.join(OLD_ID)).unwrap() {
            let path = file.unwrap().path();
            let modified = path.metadata().unwrap().modified().unwrap();
            age(&path, modified - DAY);
        }
    }
    let kept_before = world.keys();

    // Garbage: replaced and not removed; of a profile without an image; of one that was purged; of an unknown tenant.
    let garbage = [
        folder_of(&in_use).join(OTHER_OLD_ID).join("64.jpg"),
        folder_of(&bare).join(OLD_ID).join("original.jpg"),
        folder_of(&purged).join(OLD_ID).join("256.jpg"),
        world.objects().join("unknown").join(uuid::Uuid::nil().to_string()).join(OLD_ID).join("64.jpg"),
    ];
    garbage.iter().for_each(|path| put_file(path, 3));
    // Left alone: too young by the store's clock, too young by its name, and what is not ours.
    let left = [
        (folder_of(&bare).join(OTHER_OLD_ID).join("64.jpg"), 0),
        (folder_of(&bare).join(&new_id).join("64.jpg"), 3),
        (world.objects().join("readme.txt"), 3),
        (folder_of(&bare).join("notes").join("64.jpg"), 3),
        (folder_of(&bare).join(OTHER_OLD_ID).join("32.jpg"), 3),
    ];
    left.iter().for_each(|(path, hours)| put_file(path, *hours));
    // In a folder, what a crash cut short.
    let staged = (world.s3.is_none()).then(|| folder_of(&in_use).join(OLD_ID).join("64.jpg#1"));
    let young_staged = (world.s3.is_none()).then(|| folder_of(&in_use).join(OLD_ID).join("64.jpg#2"));
    staged.iter().for_each(|path| put_file(path, 3));
    young_staged.iter().for_each(|path| put_file(path, 0));

    let all = world.keys();
    let told = world.run(&["images", "gc"]);
    let count = garbage.len() + staged.iter().count();
    assert_eq!(told.matches("would remove default/").count(), count - 1, "{told}");
    assert!(told.contains(&format!("would remove {count} objects of {} bytes; kept 6 in use and", count * 8)), "{told}");
    assert!(told.contains("3 that are not ours") && told.contains("nothing was changed: add --delete"), "{told}");
    assert_eq!(world.keys(), all);

    let told = world.run(&["images", "gc", "--delete", "--older-than", "2h"]);
    assert!(told.contains(&format!("removed {count} objects")), "{told}");
    assert!(garbage.iter().chain(&staged).all(|path| !path.exists()), "{:?}", world.keys());
    assert!(left.iter().map(|(path, _)| path).chain(&young_staged).all(|path| path.exists()), "{:?}", world.keys());
    assert!(kept_before.iter().all(|key| world.keys().contains(key)));
    world.pictures(&in_use).await;
    Answer::of(world.request(Method::POST, &format!("{deleted}/restore"))).await.expect(200);
    world.pictures(&deleted).await;
    assert!(world.run(&["images", "gc", "--delete"]).contains("removed 0 objects"));
}

#[tokio::test]
async fn an_age_that_could_reach_an_upload_is_refused() {
    let world = World::on_folder(&[]).await;
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_n_users"))
        .args(["images", "gc", "--delete", "--older-than", "9m"])
        .env("DATA_DIR", world.database().parent().unwrap())
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("must be at least 10m"));
}
