//! Image files, good and bad, made here.

use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use std::io::Cursor;

pub const RED: Rgb<u8> = Rgb([220, 30, 20]);
pub const BLUE: Rgb<u8> = Rgb([20, 40, 210]);

pub fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Red on the left, blue on the right.
pub fn halves(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { RED } else { BLUE }).into()
}

/// No two seeds give the same picture.
pub fn picture(seed: u32) -> Vec<u8> {
    let image = RgbImage::from_fn(300, 200, |x, y| Rgb([(x + seed * 7) as u8, (y * 2 + seed * 13) as u8, (seed * 29) as u8]));
    encoded(&image.into(), ImageFormat::Jpeg)
}

/// As a camera makes them: detail everywhere.
pub fn photo(width: u32, height: u32) -> Vec<u8> {
    let mut state = 1_u32;
    let image = RgbImage::from_fn(width, height, |x, y| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (state >> 28) as u8;
        Rgb([((x / 16) as u8).wrapping_add(noise), ((y / 16) as u8).wrapping_add(noise), ((x ^ y) / 8) as u8])
    });
    encoded(&image.into(), ImageFormat::Jpeg)
}

pub fn with_alpha(width: u32, height: u32) -> DynamicImage {
    RgbaImage::from_fn(width, height, |x, _| if x < width / 2 { Rgba([220, 30, 20, 255]) } else { Rgba([0, 0, 0, 0]) }).into()
}

pub fn deep() -> DynamicImage {
    ImageBuffer::<Rgba<u16>, Vec<u16>>::from_pixel(90, 60, Rgba([60_000, 5_000, 5_000, 65_535])).into()
}

pub fn grey() -> DynamicImage {
    GrayImage::from_pixel(90, 60, Luma([77])).into()
}

/// Two frames, the first red and the second blue.
pub fn animated_gif() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for color in [RED, BLUE] {
        let Rgb([r, g, b]) = color;
        encoder.encode_frame(Frame::new(RgbaImage::from_pixel(80, 80, Rgba([r, g, b, 255])))).unwrap();
    }
    drop(encoder);
    bytes
}

pub fn cmyk_jpeg() -> Vec<u8> {
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, 90).encode(&[10, 200, 220, 20].repeat(64 * 48), 64, 48, ColorType::Cmyk).unwrap();
    bytes
}

pub fn progressive_jpeg(side: u16, sampling: SamplingFactor) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 60);
    encoder.set_progressive(true);
    encoder.set_sampling_factor(sampling);
    encoder.encode(&vec![90; usize::from(side) * usize::from(side) * 3], side, side, ColorType::Rgb).unwrap();
    bytes
}

/// A JPEG with an EXIF segment behind its first marker: orientation 6 (to be turned right), a camera's name, and GPS.
pub fn with_exif(jpeg: &[u8]) -> Vec<u8> {
    let mut tiff: Vec<u8> = b"MM\0\x2A\0\0\0\x08".to_vec();
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        [&tag.to_be_bytes()[..], &kind.to_be_bytes(), &count.to_be_bytes(), &value].concat()
    };
    // Three entries from 8 to 50, then the name, then GPS.
    tiff.extend(3_u16.to_be_bytes());
    tiff.extend(entry(0x010F, 2, 10, 50_u32.to_be_bytes()));
    tiff.extend(entry(0x0112, 3, 1, [0, 6, 0, 0]));
    tiff.extend(entry(0x8825, 4, 1, 60_u32.to_be_bytes()));
    tiff.extend([0; 4]);
    tiff.extend(b"SecretCam\0");
    tiff.extend(2_u16.to_be_bytes());
    tiff.extend(entry(0x0001, 2, 2, *b"N\0\0\0"));
    tiff.extend(entry(0x0002, 5, 3, 90_u32.to_be_bytes()));
    tiff.extend([0; 4]);
    for number in [51_u32, 1, 30, 1, 2611, 100] {
        tiff.extend(number.to_be_bytes());
    }
    let length = u16::try_from(tiff.len() + 8).unwrap();
    [&jpeg[..2], &[0xFF, 0xE1], &length.to_be_bytes(), b"Exif\0\0", &tiff, &jpeg[2..]].concat()
}

fn png_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = u32::MAX;
    for byte in kind.iter().chain(data) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
        }
    }
    let length = u32::try_from(data.len()).unwrap();
    [&length.to_be_bytes()[..], kind, data, &(!crc).to_be_bytes()].concat()
}

/// A PNG whose header says how large it is, and which has no more than that to show.
pub fn png_that_claims(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    let pixels = b"\x78\x9C\x03\x00\x00\x00\x00\x01";
    [&b"\x89PNG\r\n\x1A\n"[..], &png_chunk(b"IHDR", &header), &png_chunk(b"IDAT", pixels), &png_chunk(b"IEND", b"")].concat()
}

/// The same claim in a JPEG's, a GIF's and a WebP's words.
pub fn others_that_claim_much() -> [Vec<u8>; 3] {
    let mut jpeg = picture(1);
    let frame = jpeg.windows(2).position(|two| two == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]);
    let mut gif = animated_gif();
    gif[6..10].copy_from_slice(&[0x60, 0xEA, 0x60, 0xEA]);
    // 16,383 pixels each way, in the 14 bits behind the signature of VP8L.
    let mut webp = encoded(&halves(8, 8), ImageFormat::WebP);
    let bits = webp.windows(4).position(|four| four == b"VP8L").unwrap() + 9;
    webp[bits..bits + 3].copy_from_slice(&[0xFE, 0xBF, 0xFF]);
    webp[bits + 3] |= 0x0F;
    [jpeg, gif, webp]
}

pub fn form(boundary: &str, parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (disposition, data) in parts {
        body.extend(
            format!("--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: image/jpeg\r\n\r\n").as_bytes(),
        );
        body.extend(*data);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").as_bytes());
    body
}
