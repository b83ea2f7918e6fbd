//! What uploads may take: memory, and places.

use crate::files::{self, encoded, picture};
use crate::harness::{Answer, World};
use image::{DynamicImage, ImageFormat, RgbaImage};
use jpeg_encoder::SamplingFactor;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const MIB: u64 = 1024 * 1024;
const LIMIT: u64 = 400 * MIB;

/// The most memory that the process ever had resident.
fn peak_bytes(world: &World) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", world.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn eight_hostile_uploads_at_once_stay_under_400_mib() {
    let world = World::on_folder(&[("IMAGE_WORKERS", "4"), ("UPLOAD_DEADLINE_MS", "120000")]).await;
    let profile = world.profile("u").await;
    // All that is allowed, in the forms that take most to decode, and a little to send.
    let transparent: DynamicImage = RgbaImage::new(6_320, 6_320).into();
    let large_png = encoded(&transparent, ImageFormat::Png);
    let large_jpeg = files::progressive_jpeg(5_440, SamplingFactor::F_2_2);
    let full_jpeg = files::progressive_jpeg(4_700, SamplingFactor::F_1_1);
    let bomb = files::png_that_claims(60_000, 60_000);
    let padded = |file: &[u8]| [file, &vec![0; 10 * MIB as usize - file.len()]].concat();
    let mixed = vec![
        padded(&large_png),
        padded(&large_jpeg),
        padded(&full_jpeg),
        padded(&picture(1)[..2_000]),
        padded(&picture(1)[..2_000]),
        padded(&picture(2)),
        vec![0; 12 * MIB as usize],
        bomb.clone(),
    ];
    let rounds = [
        vec![bomb; 8],
        vec![vec![0; 12 * MIB as usize]; 8],
        vec![padded(&picture(1)[..2_000]); 8],
        mixed.clone(),
        mixed.clone(),
        vec![padded(&large_jpeg); 8],
        mixed,
    ];
    for round in rounds {
        let uploads = round.into_iter().map(|file| world.upload(&profile, file));
        let statuses: Vec<u16> = futures::future::join_all(uploads).await.iter().map(|answer| answer.status).collect();
        assert!(statuses.iter().all(|status| *status < 500), "{statuses:?}");
        let peak = peak_bytes(&world);
        assert!(peak < LIMIT, "{} MiB after {statuses:?}", peak / MIB);
    }
    // What is within the pixels but not within the memory is told so.
    let (_, detail) = world.upload(&profile, full_jpeg).await.expect(422).problem();
    assert!(detail.contains("MiB of memory"), "{detail}");
    world.pictures(&profile).await;
}

#[tokio::test]
async fn a_photo_of_12_megapixels_takes_little() {
    let world = World::on_folder(&[]).await;
    let profile = world.profile("u").await;
    let before = peak_bytes(&world);
    world.upload(&profile, files::photo(4_000, 3_000)).await.expect(200);
    let taken = peak_bytes(&world) - before;
    // The pixels, the file, and what scaling takes.
    assert!(taken < 120 * MIB, "{} MiB", taken / MIB);
}

#[tokio::test]
async fn uploads_without_a_place_are_told_so_and_others_go_on() {
    let world = World::on_folder(&[("MAX_UPLOADS_IN_FLIGHT", "1"), ("UPLOAD_DEADLINE_MS", "2000")]).await;
    let profile = world.profile("u").await;
    // Somebody who has the only place, and sends nothing.
    let mut idle = tokio::net::TcpStream::connect(&world.address).await.unwrap();
    let token = world.mint(crate::harness::TENANT, "profiles:write", "idler");
    let head = format!(
        "PUT {profile}/image HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: image/png\r\nContent-Length: 900000\r\n\r\n"
    );
    idle.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let refused = world.upload(&profile, vec![0; 9 * MIB as usize]).await.expect(503);
    assert_eq!((refused.problem().0.as_str(), refused.header("retry-after")), ("overloaded", "1"));
    world.get(&profile).await.expect(200);
    // The deadline takes the place from the idler.
    let mut answer = String::new();
    let _ = tokio::time::timeout(Duration::from_secs(10), idle.read_to_string(&mut answer)).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    Answer::of(world.put(&profile, "image/jpeg", picture(1))).await.expect(200);
}
