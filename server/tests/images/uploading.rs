//! What may be uploaded, how, and what becomes of it.

use crate::files::{self, BLUE, RED, encoded, form, halves, picture, with_exif};
use crate::harness::{Answer, TENANT, World, on_both};
use image::{DynamicImage, GenericImageView, ImageFormat, Rgba};
use reqwest::Method;

on_both! {
    the_image_is_kept_in_three_sizes,
    every_format_is_taken_by_its_content,
    metadata_goes_and_the_picture_stands_upright,
    a_form_is_as_good_as_a_raw_body,
    a_new_image_takes_the_place_of_the_old_one,
    conditions_hold_as_for_every_write,
    a_repeat_gets_the_first_answer,
    uploads_at_once_leave_one_whole_image,
}

fn close(picture: &DynamicImage, x: u32, y: u32, color: image::Rgb<u8>) -> bool {
    let Rgba([r, g, b, _]) = picture.get_pixel(x, y);
    [r, g, b].iter().zip(color.0).all(|(is, should)| is.abs_diff(should) < 25)
}

async fn the_image_is_kept_in_three_sizes(world: World) {
    let profile = world.profile("u").await;
    let answer = world.upload(&profile, encoded(&halves(3000, 1500), ImageFormat::Jpeg)).await.expect(200);
    let body = answer.json();
    assert_eq!((body["version"].as_i64(), answer.header("etag")), (Some(2), "\"2\""));
    let url = body["profile_image_url"].as_str().unwrap().to_owned();
    assert!(url.starts_with(&format!("{profile}/image?v=")), "{url}");
    assert_eq!(world.get(&profile).await.expect(200).json(), body);
    assert_eq!(world.get(&url).await.expect(200).header("content-type"), "image/jpeg");

    let [original, large, small] = world.pictures(&profile).await;
    assert_eq!((original.dimensions(), large.dimensions(), small.dimensions()), ((2048, 1024), (256, 256), (64, 64)));
    assert!(close(&large, 20, 128, RED) && close(&large, 236, 128, BLUE));
    assert!(close(&small, 5, 32, RED) && close(&small, 58, 32, BLUE));
    assert_eq!(world.keys().len(), 3);

    // The change log says what changed, and no more.
    let database = rusqlite::Connection::open(world.database()).unwrap();
    let (kind, fields): (String, String) = database
        .query_row("SELECT kind, changed_fields FROM changes ORDER BY change_id DESC LIMIT 1", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!((kind.as_str(), fields.as_str()), ("profile_updated", "[\"profile_image_url\"]"));
}

async fn every_format_is_taken_by_its_content(world: World) {
    let profile = world.profile("u").await;
    let opaque = halves(200, 100);
    let files = [
        ("jpeg", encoded(&opaque, ImageFormat::Jpeg), "image/jpeg", true),
        ("png", encoded(&opaque, ImageFormat::Png), "image/jpeg", true),
        ("webp", encoded(&opaque, ImageFormat::WebP), "image/jpeg", true),
        ("gif, first frame", files::animated_gif(), "image/jpeg", false),
        ("alpha png", encoded(&files::with_alpha(200, 100), ImageFormat::Png), "image/png", true),
        ("alpha webp", encoded(&files::with_alpha(200, 100), ImageFormat::WebP), "image/png", true),
        ("16 bits", encoded(&files::deep(), ImageFormat::Png), "image/jpeg", false),
        ("grey", encoded(&files::grey(), ImageFormat::Png), "image/jpeg", false),
        ("cmyk", files::cmyk_jpeg(), "image/jpeg", false),
        ("progressive", files::progressive_jpeg(300, jpeg_encoder::SamplingFactor::F_2_2), "image/jpeg", false),
        ("one pixel", encoded(&halves(1, 1), ImageFormat::Png), "image/jpeg", false),
        ("a line", encoded(&halves(5000, 1), ImageFormat::Png), "image/jpeg", false),
    ];
    for (name, file, kept_as, is_halves) in files {
        // The header's word counts for nothing.
        let answer = Answer::of(world.put(&profile, "image/webp", file)).await;
        assert_eq!(answer.status, 200, "{name}: {}", String::from_utf8_lossy(&answer.body));
        assert_eq!(world.get(&format!("{profile}/image")).await.expect(200).header("content-type"), kept_as, "{name}");
        let [original, large, small] = world.pictures(&profile).await;
        assert_eq!((large.dimensions(), small.dimensions()), ((256, 256), (64, 64)), "{name}");
        match name {
            "gif, first frame" => assert!(close(&original, 40, 40, RED)),
            "16 bits" => assert!(close(&original, 40, 40, image::Rgb([233, 19, 19]))),
            "grey" => assert!(close(&original, 40, 40, image::Rgb([77, 77, 77]))),
            "a line" => assert_eq!(original.dimensions(), (2048, 1)),
            _ => {}
        }
        if is_halves {
            assert!(close(&large, 20, 128, RED), "{name}");
        }
        if kept_as == "image/png" {
            assert_eq!((large.get_pixel(20, 9).0[3], large.get_pixel(236, 9).0[3]), (255, 0), "{name}");
        }
    }
}

async fn metadata_goes_and_the_picture_stands_upright(world: World) {
    let profile = world.profile("u").await;
    let file = with_exif(&encoded(&halves(400, 200), ImageFormat::Jpeg));
    assert!(file.windows(9).any(|nine| nine == b"SecretCam"));
    world.upload(&profile, file).await.expect(200);
    let [original, ..] = world.pictures(&profile).await;
    // Turned right by a quarter, what was left is at the top.
    assert_eq!(original.dimensions(), (200, 400));
    assert!(close(&original, 100, 40, RED) && close(&original, 100, 360, BLUE));
    for size in ["original", "256", "64"] {
        let kept = world.get(&format!("{profile}/image?size={size}")).await.expect(200).body;
        for trace in [&b"Exif"[..], b"SecretCam", b"MM\0\x2A", &2611_u32.to_be_bytes()] {
            assert!(!kept.windows(trace.len()).any(|window| window == trace), "{size}: {trace:?}");
        }
    }
}

async fn a_form_is_as_good_as_a_raw_body(world: World) {
    let profile = world.profile("u").await;
    let file = picture(1);
    let raw = world.upload(&profile, file.clone()).await.expect(200).json();
    let body = form("XYZ", &[("name=\"profile_image\"; filename=\"me.jpg\"", &file)]);
    let again = Answer::of(world.put(&profile, "multipart/form-data; boundary=XYZ", body)).await.expect(200);
    // The same picture: nothing changes.
    assert_eq!(again.json(), raw);
    let body = form("XYZ", &[("name=\"profile_image\"", &picture(2))]);
    let other = Answer::of(world.put(&profile, "multipart/form-data; boundary=XYZ", body)).await.expect(200).json();
    assert_eq!(other["version"], 3);
}

async fn a_new_image_takes_the_place_of_the_old_one(world: World) {
    let profile = world.profile("u").await;
    let first = world.upload(&profile, picture(1)).await.expect(200).json();
    let second = world.upload(&profile, picture(2)).await.expect(200).json();
    assert_ne!(first["profile_image_url"], second["profile_image_url"]);
    let name = |profile: &serde_json::Value| profile["profile_image_url"].as_str().unwrap().rsplit_once("?v=").unwrap().1.to_owned();
    world.eventually("the old objects go", |world| world.keys().len() == 3).await;
    assert!(world.keys().iter().all(|key| key.contains(&name(&second)) && !key.contains(&name(&first))), "{:?}", world.keys());
    // The first picture again has a name of its own.
    let third = world.upload(&profile, picture(1)).await.expect(200).json();
    assert_ne!(third["profile_image_url"], first["profile_image_url"]);
    world.pictures(&profile).await;
    // An update of other fields leaves the image.
    let patched = world.send(Method::PATCH, &profile, &serde_json::json!({"city_id": "LON"})).await.expect(200).json();
    assert_eq!(patched["profile_image_url"], third["profile_image_url"]);
    // And only the image endpoint sets it.
    world.send(Method::PATCH, &profile, &serde_json::json!({"profile_image_url": "/x"})).await.expect(422);

    let image = format!("{profile}/image");
    assert_eq!(Answer::of(world.request(Method::DELETE, &image)).await.expect(204).body, b"");
    world.get(&image).await.expect(404);
    assert!(world.get(&profile).await.expect(200).json()["profile_image_url"].is_null());
    Answer::of(world.request(Method::DELETE, &image)).await.expect(404);
    world.eventually("no object is left", |world| world.keys().is_empty()).await;
}

async fn conditions_hold_as_for_every_write(world: World) {
    let profile = world.profile("u").await;
    let put = |seed: u32, tag: &str| world.put(&profile, "image/jpeg", picture(seed)).header("if-match", tag);
    Answer::of(put(1, "\"7\"")).await.expect(412);
    Answer::of(put(1, "nonsense")).await.expect(422);
    assert!(world.keys().is_empty());
    Answer::of(put(1, "\"1\"")).await.expect(200);
    Answer::of(world.request(Method::DELETE, &format!("{profile}/image")).header("if-match", "\"1\"")).await.expect(412);
    world.pictures(&profile).await;
    // Those of others, of a stranger's token, and of nobody.
    let other = format!("/v1/tenants/{TENANT}/profiles/{}", uuid::Uuid::nil());
    world.upload(&other, picture(1)).await.expect(404);
    let image = format!("{profile}/image");
    let put = |token: &str, seed: u32| {
        Answer::of(world.request_by(token, Method::PUT, &image).header("content-type", "image/jpeg").body(picture(seed)))
    };
    let get = |token: &str| Answer::of(world.request_by(token, Method::GET, &image));
    let own = world.mint(TENANT, "self:read self:write", "u");
    put(&own, 2).await.expect(200);
    get(&own).await.expect(200);
    let stranger = world.mint(TENANT, "self:read self:write", "somebody-else");
    put(&stranger, 3).await.expect(404);
    get(&stranger).await.expect(404);
    put(&world.mint(TENANT, "profiles:read", "reader"), 3).await.expect(403);
    get(&world.mint("another", "profiles:read profiles:write", "x")).await.expect(404);
}

async fn a_repeat_gets_the_first_answer(world: World) {
    let profile = world.profile("u").await;
    let put = |boundary: &str, seed: u32| {
        let body = form(boundary, &[("name=\"profile_image\"", &picture(seed))]);
        world.put(&profile, &format!("multipart/form-data; boundary={boundary}"), body).header("idempotency-key", "k1")
    };
    let first = Answer::of(put("one", 1)).await.expect(200).json();
    world.upload(&profile, picture(2)).await.expect(200);
    // A form that is sent again has another boundary; the image is what counts.
    assert_eq!(Answer::of(put("two", 1)).await.expect(200).json(), first);
    let (kind, _) = Answer::of(put("one", 3)).await.expect(422).problem();
    assert_eq!(kind, "idempotency-key-reused");
    assert_eq!(world.get(&profile).await.json()["version"], 3);
    world.eventually("one image is left", |world| world.keys().len() == 3).await;
    // Two at once under one key are one.
    let twins = ["a", "b", "c", "d"].map(|boundary| Answer::of(put_key(&world, &profile, boundary)));
    let answers = futures::future::join_all(twins).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.json() == answers[0].json()));
    assert_eq!(world.get(&profile).await.json()["version"], 4);
    world.eventually("one image is left", |world| world.keys().len() == 3).await;
    world.pictures(&profile).await;
}

fn put_key(world: &World, profile: &str, boundary: &str) -> reqwest::RequestBuilder {
    let body = form(boundary, &[("name=\"profile_image\"", &picture(9))]);
    world.put(profile, &format!("multipart/form-data; boundary={boundary}"), body).header("idempotency-key", "k2")
}

async fn uploads_at_once_leave_one_whole_image(world: World) {
    let profile = world.profile("u").await;
    for round in 0..3 {
        // Two pictures in turn: what one takes away must not be what another just put.
        let uploads = (0..12).map(|n| world.upload(&profile, picture(100 + n % 2 + round)));
        for answer in futures::future::join_all(uploads).await {
            answer.expect(200);
        }
        world.pictures(&profile).await;
        world.eventually("one image is left", |world| world.keys().len() == 3).await;
    }
}
