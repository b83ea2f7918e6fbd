//! Files that are sent to do harm, or by mistake: each is refused with a sentence that says why, and leaves nothing.

use crate::files::{self, encoded, form, halves, picture};
use crate::harness::{Answer, World, on_both};
use image::ImageFormat;

on_both! { hostile_files_are_refused, forms_that_are_none_are_refused, a_refusal_changes_nothing }

const MIB: usize = 1024 * 1024;

async fn hostile_files_are_refused(world: World) {
    let profile = world.profile("u").await;
    let jpeg = picture(1);
    let png = encoded(&halves(300, 200), ImageFormat::Png);
    let [huge_jpeg, huge_gif, huge_webp] = files::others_that_claim_much();
    let script = b"<script>alert(document.cookie)</script><?php system($_GET['c']); ?>";
    let cases: Vec<(&str, Vec<u8>, u16, &str, &str)> = vec![
        ("a bomb", files::png_that_claims(60_000, 60_000), 422, "unusable-image", "60000 × 60000 pixels"),
        ("a bomb by JPEG", huge_jpeg, 422, "unusable-image", "60000 × 60000 pixels"),
        ("a bomb by GIF", huge_gif, 422, "unusable-image", "60000 × 60000 pixels"),
        ("a bomb by WebP", huge_webp, 422, "unusable-image", "16383 × 16383 pixels"),
        ("the widest PNG", files::png_that_claims(0x7FFF_FFFF, 0x7FFF_FFFF), 422, "unusable-image", ""),
        ("a pixel too much", files::png_that_claims(6_325, 6_325), 422, "unusable-image", "at most 40 million"),
        ("no pixels", files::png_that_claims(0, 5), 422, "unusable-image", ""),
        ("pixels that are missing", files::png_that_claims(500, 500), 422, "unusable-image", "damaged"),
        ("a truncated JPEG", jpeg[..jpeg.len() / 2].to_vec(), 422, "unusable-image", "part of the file is missing"),
        ("a truncated PNG", png[..png.len() - 7].to_vec(), 422, "unusable-image", "part of the file is missing"),
        ("three bytes of a JPEG", jpeg[..3].to_vec(), 422, "unusable-image", "part of the file is missing"),
        ("a polyglot with a ZIP", [&jpeg[..], b"PK\x03\x04payload"].concat(), 422, "unusable-image", "behind its end"),
        ("a polyglot with a script", [&png[..], script].concat(), 422, "unusable-image", "behind its end"),
        ("a GIF that is a script", b"GIF89a/*ABCDEFGHIJKL*/=1;alert(1)//;".to_vec(), 422, "unusable-image", ""),
        (
            "an SVG",
            b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
            415,
            "unsupported-media-type",
            "no JPEG",
        ),
        ("a page", b"<!DOCTYPE html><html></html>".to_vec(), 415, "unsupported-media-type", "no JPEG"),
        ("a BMP", [&b"BM"[..], &[0; 100]].concat(), 415, "unsupported-media-type", "no JPEG"),
        ("zeros", vec![0; 9 * MIB], 415, "unsupported-media-type", "no JPEG"),
        ("12 MiB of zeros", vec![0; 12 * MIB], 413, "body-too-large", "10485760 bytes"),
        ("nothing", Vec::new(), 422, "unusable-image", "empty"),
        ("a damaged PNG", damaged(&png), 422, "unusable-image", "damaged"),
    ];
    for (name, file, status, kind, detail) in cases {
        let answer = world.upload(&profile, file).await;
        let told = answer.problem();
        assert_eq!((answer.status, told.0.as_str()), (status, kind), "{name}: {}", told.1);
        assert!(told.1.contains(detail), "{name}: {}", told.1);
    }
    for media_type in ["", "application/json", "text/html", "application/octet-stream", "multipart/mixed; boundary=x"] {
        let answer = Answer::of(world.put(&profile, media_type, picture(1))).await.expect(415);
        assert!(answer.problem().1.contains("image/jpeg"), "{media_type}");
    }
    // Scripts in a comment or behind a film are not kept: what is kept is made of pixels.
    let comment = [&jpeg[..2], &[0xFF, 0xFE], &(script.len() as u16 + 2).to_be_bytes(), script, &jpeg[2..]].concat();
    let film = [&jpeg[..], b"\0\0\0\x18ftypmp42", script].concat();
    for file in [comment, film] {
        world.upload(&profile, file).await.expect(200);
        let kept = world.get(&format!("{profile}/image")).await.expect(200).body;
        assert!(!kept.windows(8).any(|window| window == b"<script>"));
    }
}

fn damaged(png: &[u8]) -> Vec<u8> {
    let mut png = png.to_vec();
    let data = png.windows(4).position(|four| four == b"IDAT").unwrap() + 8;
    png[data..data + 8].fill(0xAA);
    png
}

async fn forms_that_are_none_are_refused(world: World) {
    let profile = world.profile("u").await;
    let jpeg = picture(1);
    let image = "name=\"profile_image\"";
    let good = form("B", &[(image, &jpeg)]);
    let cases: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("no field", form("B", &[]), 400, "no field profile_image"),
        ("another field", form("B", &[("name=\"avatar\"", &jpeg)]), 400, "the field avatar"),
        ("another field too", form("B", &[(image, &jpeg), ("name=\"x\"", b"1")]), 400, "the field x"),
        ("a field of strange name", form("B", &[("name=\"<b>\"", &jpeg)]), 400, "a field"),
        ("twice", form("B", &[(image, &jpeg), (image, &jpeg)]), 400, "more than once"),
        ("an empty file", form("B", &[(image, b"")]), 422, "empty"),
        ("a path", form("B", &[("name=\"profile_image\"; filename=\"../../etc/passwd\"", &jpeg)]), 400, "is a path"),
        ("a path of Windows", form("B", &[("name=\"profile_image\"; filename=\"C:\\\\x\\\\y.jpg\"", &jpeg)]), 400, "is a path"),
        ("cut short", good[..good.len() / 2].to_vec(), 400, "to its end"),
        ("without its end", good[..good.len() - 8].to_vec(), 400, "to its end"),
        ("no form at all", jpeg.clone(), 400, ""),
        ("nothing", Vec::new(), 400, ""),
        ("12 MiB", form("B", &[(image, &vec![0; 12 * MIB])]), 413, "10485760 bytes"),
        ("an SVG", form("B", &[(image, b"<svg/>")]), 415, "no JPEG"),
    ];
    for (name, body, status, detail) in cases {
        let answer = Answer::of(world.put(&profile, "multipart/form-data; boundary=B", body)).await;
        assert_eq!(answer.status, status, "{name}: {}", String::from_utf8_lossy(&answer.body));
        assert!(answer.problem().1.contains(detail), "{name}: {}", answer.problem().1);
    }
    let answer = Answer::of(world.put(&profile, "multipart/form-data", good)).await.expect(400);
    assert!(answer.problem().1.contains("no boundary"));
    assert!(world.keys().is_empty());
}

async fn a_refusal_changes_nothing(world: World) {
    let profile = world.profile("u").await;
    let before = world.upload(&profile, picture(1)).await.expect(200).json();
    let (shown, keys) = (world.get(&format!("{profile}/image")).await.body, world.keys());
    for file in [files::png_that_claims(60_000, 60_000), vec![0; 12 * MIB], picture(2)[..500].to_vec()] {
        assert!((400..500).contains(&world.upload(&profile, file).await.status));
    }
    assert_eq!(world.get(&profile).await.json(), before);
    assert_eq!((world.get(&format!("{profile}/image")).await.body, world.keys()), (shown, keys));
    // Other bodies keep their own, smaller bound.
    let body = format!("{{\"full_name\": \"{}\"}}", "x".repeat(MIB));
    let request = world.request(reqwest::Method::PATCH, &profile).header("content-type", "application/json");
    Answer::of(request.body(body)).await.expect(413);
}
