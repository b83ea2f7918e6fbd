//! A few dozen profile images, so that reading one is real.

use crate::failure::{Failure, Result};
use crate::http::{Connection, Target};
use crate::mix::requests::Requests;
use crate::people::random::Random;
use http::StatusCode;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

const COUNT: usize = 48;
const EDGE: u32 = 512;

/// Gives the first of these profiles an image each; which ones have one then. Doing it again changes nothing.
pub async fn upload(target: &Target, requests: &Requests, active: &[String]) -> Result<Vec<String>> {
    let mut connection = Connection::new(target.clone());
    let chosen = &active[..active.len().min(COUNT)];
    for (number, id) in chosen.iter().enumerate() {
        let answer = connection.exchange(requests.put_image(id, picture(number as u64)?)).await;
        let answer = answer.map_err(|kind| Failure::new(format!("an image could not be uploaded: {kind}")))?;
        if answer.status != StatusCode::OK {
            return Err(Failure::new(format!("an image could not be uploaded: {}", answer.describe())));
        }
    }
    Ok(chosen.to_vec())
}

/// A JPEG of soft circles, of the size that a photograph has.
fn picture(seed: u64) -> Result<Vec<u8>> {
    let mut random = Random::new(seed);
    let circles: Vec<(f64, f64, f64)> =
        (0..12).map(|_| (random.unit() * f64::from(EDGE), random.unit() * f64::from(EDGE), 40.0 + random.unit() * 160.0)).collect();
    let pixels = RgbImage::from_fn(EDGE, EDGE, |x, y| {
        let near = circles.iter().filter(|(cx, cy, r)| (f64::from(x) - cx).hypot(f64::from(y) - cy) < *r).count();
        let shade = u8::try_from(near * 20).unwrap_or(u8::MAX);
        Rgb([shade, u8::try_from(x / 2).unwrap_or(u8::MAX), u8::try_from(y / 2).unwrap_or(u8::MAX)])
    });
    let mut jpeg = Vec::new();
    let encoded = JpegEncoder::new_with_quality(&mut jpeg, 85).encode_image(&pixels);
    encoded.map_err(|e| Failure::new(format!("an image could not be made: {e}")))?;
    Ok(jpeg)
}
