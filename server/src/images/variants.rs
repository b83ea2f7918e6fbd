//! From an untrusted file to the three pictures that are kept. The file's limits are checked before a pixel is
//! decoded; what comes out was encoded anew from pixels alone, so that no metadata and nothing hidden survives.

use super::container::{Container, Flaw, Outline};
use super::error::{ImageError, Result};
use super::raster::Raster;
use crate::domain::image::{ImageFormat, ImageSize};
use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::{CompressionType, FilterType, PngDecoder, PngEncoder};
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{ExtendedColorType, ImageDecoder, ImageEncoder, Limits};
use std::io::Cursor;

/// The most pixels that are decoded.
pub const MAX_PIXELS: u64 = 40_000_000;
/// The longest side of what is kept as `original`.
pub const MAX_SIDE: u32 = 2_048;
const LARGE_SIDE: u32 = 256;
const SMALL_SIDE: u32 = 64;

/// Hardly to be told from the source, at a tenth of PNG's size.
const JPEG_QUALITY: u8 = 85;
/// What a decoder may take to read a header, a colour profile in it included.
const HEADER_BYTES: u64 = 16 * 1024 * 1024;
const MIB: u64 = 1024 * 1024;

/// A file that has passed every check that needs no pixel.
#[derive(Debug)]
pub struct Inspected {
    file: Bytes,
    container: Container,
    /// What decoding it takes, in all.
    memory_bytes: u64,
}

/// The pictures that are kept.
#[derive(Debug, Clone)]
pub struct Variants {
    pub format: ImageFormat,
    pub content_hash: [u8; 16],
    original: Bytes,
    large: Bytes,
    small: Bytes,
}

impl Variants {
    pub fn bytes(&self, size: ImageSize) -> &Bytes {
        match size {
            ImageSize::Original => &self.original,
            ImageSize::Large => &self.large,
            ImageSize::Small => &self.small,
        }
    }
}

/// Checks a file by its content: a known format, whole, and within the limits.
pub fn inspect(file: Bytes) -> Result<Inspected> {
    let container = Container::of(&file).ok_or(ImageError::Unsupported)?;
    let outline = container.outline(&file).map_err(|flaw| {
        ImageError::unusable(match flaw {
            Flaw::Truncated => "ends too early: part of the file is missing",
            Flaw::TrailingData => "has other data behind its end",
            Flaw::TooManyScans => "is a JPEG with too many scans",
        })
    })?;
    let decoder = decoder(container, &file, HEADER_BYTES)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(ImageError::unusable("has no pixels"));
    }
    if pixels > MAX_PIXELS {
        return Err(ImageError::unusable(format!("has {width} × {height} pixels: at most {} million are taken", MAX_PIXELS / 1_000_000)));
    }
    if outline.frame_pixels > pixels {
        return Err(ImageError::unusable("is damaged: it has a frame that is larger than itself"));
    }
    let memory_bytes = memory(&outline, (width, height), decoder.total_bytes()) + file.len() as u64;
    drop(decoder);
    Ok(Inspected { file, container, memory_bytes })
}

/// What decoding takes, from how the decoders work: the pixels, and beside them either what the decoder keeps for
/// itself, or later what scaling does. Not foreseen are the code tables of a lossless WebP, which can be made many.
fn memory(outline: &Outline, (width, height): (u32, u32), decoded_bytes: u64) -> u64 {
    let pixels = u64::from(width) * u64::from(height);
    let decoder_bytes = pixels * outline.decoder_bytes_per_64_pixels / 64;
    let scaling_bytes = match u64::from(width.max(height) / MAX_SIDE) {
        // The filter's buffers, and what comes out.
        0 | 1 => pixels.min(u64::from(MAX_SIDE) * u64::from(MAX_SIDE)) * 12,
        // The averages, moved to a place of their own.
        factor => decoded_bytes / factor.min(width.min(height).into()) / factor,
    };
    decoded_bytes + decoder_bytes.max(scaling_bytes)
}

impl Inspected {
    pub fn memory_mib(&self) -> u64 {
        self.memory_bytes.div_ceil(MIB)
    }

    /// Decodes, turns upright, scales and encodes. Takes `memory_mib` and a core for as long as it runs.
    pub fn into_variants(self) -> Result<Variants> {
        let (mut picture, orientation, profile) = self.decode()?;
        let has_alpha = picture.drop_idle_alpha();
        let mut picture = picture.fit(MAX_SIDE)?.oriented(orientation)?;
        if let Some(profile) = profile {
            picture.convert_to_srgb(&profile);
        }
        let large = picture.square(LARGE_SIDE)?;
        let small = large.square(SMALL_SIDE)?;
        // JPEG knows no transparency. PNG rather than lossless WebP: it is shown everywhere, mail programs included.
        let format = if has_alpha { ImageFormat::Png } else { ImageFormat::Jpeg };
        let [original, large, small] = [encode(&picture, format)?, encode(&large, format)?, encode(&small, format)?];
        let content_hash = hash(&[&original, &large, &small]);
        Ok(Variants { format, content_hash, original, large, small })
    }

    fn decode(&self) -> Result<(Raster, Orientation, Option<Vec<u8>>)> {
        let mut decoder = decoder(self.container, &self.file, self.memory_bytes + HEADER_BYTES)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let profile = decoder.icc_profile().unwrap_or_default();
        let ((width, height), color) = (decoder.dimensions(), decoder.color_type());
        let length = usize::try_from(decoder.total_bytes()).map_err(ImageError::internal)?;
        let mut pixels = vec![0; length];
        decoder.read_image_boxed(&mut pixels).map_err(damaged)?;
        Ok((Raster::from_decoded(width, height, color, pixels)?, orientation, profile))
    }
}

fn decoder(container: Container, file: &Bytes, max_bytes: u64) -> Result<Box<dyn ImageDecoder>> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(max_bytes);
    let file = Cursor::new(file.clone());
    let mut decoder: Box<dyn ImageDecoder> = match container {
        Container::Jpeg => Box::new(JpegDecoder::new(file).map_err(damaged)?),
        // Told the limits from the start, because it unpacks a compressed colour profile at once.
        Container::Png => Box::new(PngDecoder::with_limits(file, limits.clone()).map_err(damaged)?),
        Container::WebP => Box::new(WebPDecoder::new(file).map_err(damaged)?),
        Container::Gif => Box::new(GifDecoder::new(file).map_err(damaged)?),
    };
    if container != Container::Png {
        decoder.set_limits(limits).map_err(damaged)?;
    }
    Ok(decoder)
}

/// The decoder's words are not for the client: they speak of the decoder's own matters.
fn damaged(error: image::ImageError) -> ImageError {
    tracing::debug!(cause = %error, "an image could not be decoded");
    ImageError::unusable(match error {
        image::ImageError::Unsupported(_) => "uses a feature of its format that is not taken",
        image::ImageError::Limits(_) => "needs more memory than its size explains",
        _ => "is damaged: it could not be decoded",
    })
}

fn encode(picture: &Raster, format: ImageFormat) -> Result<Bytes> {
    let color = match picture.channels {
        1 => ExtendedColorType::L8,
        2 => ExtendedColorType::La8,
        3 => ExtendedColorType::Rgb8,
        _ => ExtendedColorType::Rgba8,
    };
    let mut file = Vec::new();
    let (bytes, width, height) = (&picture.bytes, picture.width, picture.height);
    let encoded = match format {
        ImageFormat::Jpeg => JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY).write_image(bytes, width, height, color),
        ImageFormat::Png => {
            PngEncoder::new_with_quality(&mut file, CompressionType::Default, FilterType::Adaptive).write_image(bytes, width, height, color)
        }
    };
    encoded.map_err(ImageError::internal)?;
    Ok(file.into())
}

fn hash(files: &[&Bytes]) -> [u8; 16] {
    let mut context = Context::new(&SHA256);
    for file in files {
        context.update(&(file.len() as u64).to_be_bytes());
        context.update(file);
    }
    let mut half = [0; 16];
    half.copy_from_slice(&context.finish().as_ref()[..16]);
    half
}
