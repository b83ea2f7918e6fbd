//! How an image is shown.

use crate::files::picture;
use crate::harness::{Answer, World, on_both};
use reqwest::Method;

on_both! { an_image_is_shown_with_what_a_cache_needs, a_public_url_stands_before_the_path }

async fn an_image_is_shown_with_what_a_cache_needs(world: World) {
    let profile = world.profile("u").await;
    let image = format!("{profile}/image");
    world.get(&image).await.expect(404);
    let url = world.upload(&profile, picture(1)).await.expect(200).json()["profile_image_url"].as_str().unwrap().to_owned();
    let mut tags = Vec::new();
    for query in ["", "?size=original", "?size=256", "?size=64"] {
        let path = format!("{image}{query}");
        let shown = world.get(&path).await.expect(200);
        assert_eq!(shown.header("content-length"), shown.body.len().to_string());
        assert_eq!(shown.header("cache-control"), "private, no-cache");
        assert_eq!(shown.header("x-content-type-options"), "nosniff");
        let tag = shown.header("etag").to_owned();
        let head = Answer::of(world.request(Method::HEAD, &path)).await.expect(200);
        assert!(head.body.is_empty());
        for name in ["etag", "content-length", "content-type", "cache-control"] {
            assert_eq!(head.header(name), shown.header(name), "{name}");
        }
        for method in [Method::GET, Method::HEAD] {
            for tags in [&tag, &format!("\"x\", W/{tag}"), "*"] {
                let known = Answer::of(world.request(method.clone(), &path).header("if-none-match", tags)).await.expect(304);
                assert_eq!((known.header("etag"), known.body.len()), (tag.as_str(), 0));
            }
            Answer::of(world.request(method, &path).header("if-none-match", "\"x\"")).await.expect(200);
        }
        tags.push(tag);
    }
    // One tag per size, and one for a size that goes by two names.
    assert_eq!(tags[0], tags[1]);
    assert!(tags[1] != tags[2] && tags[2] != tags[3]);

    // Under the name that the profile gives it may be kept; when there is another image by now, it may not.
    assert_eq!(world.get(&url).await.expect(200).header("cache-control"), "private, max-age=86400, immutable");
    world.upload(&profile, picture(2)).await.expect(200);
    let newer = world.get(&url).await.expect(200);
    assert_eq!(newer.header("cache-control"), "private, no-cache");
    Answer::of(world.request(Method::GET, &image).header("if-none-match", &tags[0])).await.expect(200);

    for query in ["?size=512", "?size=", "?width=64", "?size=64&size=256"] {
        let (kind, _) = world.get(&format!("{image}{query}")).await.expect(422).problem();
        assert_eq!(kind, "invalid", "{query}");
    }
    // A folder in the place of a profile, and methods that are not known.
    world.get("/v1/tenants/default/profiles/..%2f..%2fetc/image").await.expect(404);
    Answer::of(world.request(Method::POST, &image)).await.expect(405);
}

async fn a_public_url_stands_before_the_path(world: World) {
    let world = match world.s3 {
        Some(_) => World::on_s3(&[("PUBLIC_URL", "https://users.example.com/base/")]).await,
        None => World::on_folder(&[("PUBLIC_URL", "https://users.example.com/base/")]).await,
    };
    let profile = world.profile("u").await;
    let expected = format!("https://users.example.com/base{profile}/image?v=");
    let put = world.upload(&profile, picture(1)).await.expect(200).json();
    let read = world.get(&profile).await.expect(200).json();
    let user = world.get("/v1/tenants/default/users/u").await.expect(200).json();
    let found = world.get("/v1/tenants/default/profiles?query=ada").await.expect(200).json();
    for shown in [&put, &read, &user["profiles"][0], &found["profiles"][0]] {
        assert!(shown["profile_image_url"].as_str().unwrap().starts_with(&expected), "{shown}");
    }
}

#[tokio::test]
async fn with_redirects_a_reader_is_sent_to_s3() {
    let world = World::on_s3(&[("IMAGES_REDIRECT", "true")]).await;
    let profile = world.profile("u").await;
    world.upload(&profile, picture(1)).await.expect(200);
    let anonymous = reqwest::Client::builder().no_proxy().build().unwrap();
    for size in ["original", "256", "64"] {
        let path = format!("{profile}/image?size={size}");
        let redirect = world.get(&path).await.expect(302);
        assert_eq!(redirect.header("cache-control"), "private, no-store");
        let url = redirect.header("location").to_owned();
        let shown = Answer::of(anonymous.get(&url)).await.expect(200);
        assert_eq!(shown.header("content-type"), "image/jpeg");
        image::load_from_memory(&shown.body).unwrap();
        let tampered = url.replace(&format!("/{size}.jpg"), if size == "64" { "/256.jpg" } else { "/64.jpg" });
        Answer::of(anonymous.get(tampered)).await.expect(403);
        let bare = url.split('?').next().unwrap();
        Answer::of(anonymous.get(bare)).await.expect(403);
        let head = Answer::of(world.request(Method::HEAD, &path)).await.expect(302);
        Answer::of(anonymous.head(head.header("location"))).await.expect(200);
        Answer::of(world.request(Method::GET, &path).header("if-none-match", redirect.header("etag"))).await.expect(304);
    }
}

#[test]
fn redirects_need_s3() {
    let data = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_n_users"))
        .env("DATA_DIR", data.path())
        .env("LISTEN", "127.0.0.1:0")
        .env("IMAGES_REDIRECT", "true")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("IMAGES_REDIRECT needs an IMAGES_URL that begins with s3://"));
}
