//! What a file is, by its content, and whether it is one image from the first byte to the last: nothing missing at
//! its end, and nothing hidden behind it. No pixel is decoded here.

/// The formats that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    Jpeg,
    Png,
    WebP,
    Gif,
}

/// Why a file is not one whole image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It ends before the image does.
    Truncated,
    /// It goes on behind the image.
    TrailingData,
    /// A progressive JPEG may repeat its scans without end: each costs a walk over all pixels.
    TooManyScans,
}

/// What was learnt on the way to the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outline {
    /// What the decoder keeps in memory for each 64 pixels, beside the pixels themselves.
    pub decoder_bytes_per_64_pixels: u64,
    /// The most pixels of a frame inside, where a format says a size in two places and the decoder believes both.
    pub frame_pixels: u64,
}

/// Encoders make about ten.
const MAX_SCANS: u32 = 100;

impl Container {
    /// By the first bytes; the file's name and the header's word count for nothing.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            _ => None,
        }
    }

    /// Walks from part to part to the end.
    pub fn outline(self, bytes: &[u8]) -> Result<Outline, Flaw> {
        let mut outline = Outline::default();
        let end = match self {
            Self::Jpeg => end_of_jpeg(bytes, &mut outline)?,
            Self::Png => end_of_png(bytes),
            Self::WebP => end_of_webp(bytes, &mut outline),
            Self::Gif => end_of_gif(bytes, &mut outline),
        };
        let rest = end.and_then(|end| bytes.get(end..)).ok_or(Flaw::Truncated)?;
        // A phone may put a preview, a depth map or a short film behind a JPEG; zeros are padding. All of it is dropped.
        let is_usual = self == Self::Jpeg && (rest.starts_with(&[0xFF, 0xD8, 0xFF]) || is_film(rest) || rest.ends_with(b"SEFT"));
        if is_usual || rest.iter().all(|byte| *byte == 0) { Ok(outline) } else { Err(Flaw::TrailingData) }
    }
}

fn is_film(rest: &[u8]) -> bool {
    rest.get(4..8) == Some(b"ftyp")
}

fn u16_be(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn u32_be(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok()
}

fn u16_le(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn u32_le(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok()
}

/// Segments with their lengths, and between a start of scan and the next marker, entropy-coded bytes.
fn end_of_jpeg(bytes: &[u8], outline: &mut Outline) -> Result<Option<usize>, Flaw> {
    let mut at = 2;
    let (mut scans, mut samples_per_64_pixels) = (0, 0);
    while let Some(next) = next_marker(bytes, at) {
        let marker = bytes[next];
        at = next + 1;
        match marker {
            0xD9 => return Ok(Some(at)),
            // Restart markers and their like stand alone.
            0x01 | 0xD0..=0xD8 => {}
            _ => {
                match marker {
                    0xDA => scans += 1,
                    0xC0..=0xC3 => samples_per_64_pixels = samples(bytes, at).unwrap_or_default(),
                    _ => {}
                }
                let Some(length) = u16_be(bytes, at) else { return Ok(None) };
                at += length;
            }
        }
        if scans > MAX_SCANS {
            return Err(Flaw::TooManyScans);
        }
        if scans > 1 {
            // Coefficients of two bytes are kept for all samples, and some for their borders.
            outline.decoder_bytes_per_64_pixels = u64::from(samples_per_64_pixels) * 2 * 11 / 10;
        }
    }
    Ok(None)
}

/// Where the code of the next marker stands: behind any number of FF, and neither 00 (an FF that is data) nor FF.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xFF)?;
        at += bytes.get(at..)?.iter().position(|byte| *byte != 0xFF)?;
        if bytes[at] != 0 {
            return Some(at);
        }
    }
}

/// From the frame header: of each component, what part of the pixels it has a sample for.
fn samples(bytes: &[u8], at: usize) -> Option<u32> {
    let components = bytes.get(at + 8..)?.chunks_exact(3).take(usize::from(*bytes.get(at + 7)?));
    let factors: Vec<(u32, u32)> = components.map(|component| (u32::from(component[1] >> 4), u32::from(component[1] & 15))).collect();
    let across = factors.iter().map(|factor| factor.0).max()?.max(1);
    let down = factors.iter().map(|factor| factor.1).max()?.max(1);
    Some(factors.iter().map(|factor| (64 * factor.0 * factor.1).div_ceil(across * down)).sum())
}

/// Chunks with their lengths, up to IEND.
fn end_of_png(bytes: &[u8]) -> Option<usize> {
    let mut at = 8;
    loop {
        let length = u32_be(bytes, at)?;
        let is_end = bytes.get(at + 4..at + 8)? == b"IEND";
        at = at.checked_add(length)?.checked_add(12)?;
        if is_end {
            return Some(at);
        }
    }
}

/// RIFF says its length, and pads to an even one. Inside are chunks; a frame of an animation is a chunk of chunks.
fn end_of_webp(bytes: &[u8], outline: &mut Outline) -> Option<usize> {
    let length = u32_le(bytes, 4)?;
    let end = length.checked_add(8 + (length & 1))?;
    look_through_webp(bytes.get(12..end.min(bytes.len()))?, outline);
    Some(end)
}

fn look_through_webp(mut chunks: &[u8], outline: &mut Outline) {
    while let (Some(kind), Some(length)) = (chunks.get(..4), u32_le(chunks, 4)) {
        let end = length.saturating_add(8 + (length & 1)).min(chunks.len());
        let data = &chunks[8..end];
        let per_pixel = match kind {
            b"VP8L" => 5,
            b"VP8 " => 2,
            b"ALPH" => 6,
            b"ANMF" => 8,
            _ => 0,
        };
        outline.decoder_bytes_per_64_pixels = (outline.decoder_bytes_per_64_pixels + 64 * per_pixel).min(64 * 13);
        match kind {
            b"ANMF" => look_through_webp(data.get(16..).unwrap_or_default(), outline),
            _ => outline.frame_pixels = outline.frame_pixels.max(webp_frame(kind, data).unwrap_or_default()),
        }
        chunks = &chunks[end..];
    }
}

/// The pixels of a bit stream, by its own header.
fn webp_frame(kind: &[u8], data: &[u8]) -> Option<u64> {
    let (width, height) = match kind {
        b"VP8L" => {
            let bits = u32_le(data, 1)?;
            ((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
        }
        b"VP8 " => {
            let sizes = u32_le(data, 6)?;
            (sizes & 0x3FFF, (sizes >> 16) & 0x3FFF)
        }
        _ => return None,
    };
    Some(width as u64 * height as u64)
}

/// A header, perhaps a colour table, then blocks up to the trailer.
fn end_of_gif(bytes: &[u8], outline: &mut Outline) -> Option<usize> {
    let size = |at: usize| bytes.get(at..at + 4);
    let colours = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut at = 13 + colours(*bytes.get(10)?);
    loop {
        match bytes.get(at)? {
            0x3B => return Some(at + 1),
            0x21 => at = end_of_sub_blocks(bytes, at + 2)?,
            0x2C => {
                if outline.decoder_bytes_per_64_pixels == 0 {
                    // The colours by number; and a first frame of another size than the canvas has a buffer of its own.
                    let own = if size(at + 5) == size(6) { 0 } else { 4 * 64 };
                    outline.decoder_bytes_per_64_pixels = 5 * 64 / 2 + own;
                    outline.frame_pixels = u16_le(bytes, at + 5)? * u16_le(bytes, at + 7)?;
                }
                at = end_of_sub_blocks(bytes, at + 11 + colours(*bytes.get(at + 9)?))?;
            }
            _ => return None,
        }
    }
}

fn end_of_sub_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, ImageFormat};

    fn encoded(format: ImageFormat) -> Vec<u8> {
        let image = DynamicImage::ImageRgb8(image::RgbImage::from_fn(37, 21, |x, y| image::Rgb([x as u8 * 5, y as u8 * 7, 90])));
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_format_is_known_by_its_content_and_walked_to_its_end() {
        use Container::{Gif, Jpeg, Png, WebP};
        for (container, format) in [(Jpeg, ImageFormat::Jpeg), (Png, ImageFormat::Png), (WebP, ImageFormat::WebP), (Gif, ImageFormat::Gif)]
        {
            let bytes = encoded(format);
            assert_eq!(Container::of(&bytes), Some(container));
            assert!(container.outline(&bytes).is_ok(), "{container:?}");
            for kept in [0, 1, 2, 3, 8, 11, 12, bytes.len() / 2, bytes.len() - 1] {
                assert_eq!(container.outline(&bytes[..kept]), Err(Flaw::Truncated), "{container:?} cut at {kept}");
            }
            let polyglot = [bytes.as_slice(), b"PK\x03\x04 <script>alert(1)</script>"].concat();
            assert_eq!(container.outline(&polyglot), Err(Flaw::TrailingData), "{container:?}");
            let padded = [bytes.as_slice(), &[0; 512]].concat();
            assert!(container.outline(&padded).is_ok(), "{container:?}");
        }
    }

    #[test]
    fn a_film_or_a_preview_behind_a_jpeg_is_nothing_unusual() {
        let jpeg = encoded(ImageFormat::Jpeg);
        let film = [jpeg.as_slice(), b"\0\0\0\x18ftypmp42 and so on"].concat();
        assert!(Container::Jpeg.outline(&film).is_ok());
        assert!(Container::Jpeg.outline(&[jpeg.as_slice(), &jpeg].concat()).is_ok());
    }

    #[test]
    fn what_a_decoder_keeps_is_foreseen() {
        let plain = Container::Jpeg.outline(&encoded(ImageFormat::Jpeg)).unwrap();
        assert_eq!(plain.decoder_bytes_per_64_pixels, 0);
        // Two scans over three components, of which two have a quarter of the samples.
        let frame = [0xFF, 0xC2, 0, 17, 8, 0, 9, 0, 9, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0];
        let scan = [0xFF, 0xDA, 0, 2];
        let progressive = [&[0xFF, 0xD8][..], &frame, &scan, &scan, &[0xFF, 0xD9]].concat();
        assert_eq!(Container::Jpeg.outline(&progressive).unwrap().decoder_bytes_per_64_pixels, 96 * 22 / 10);
        let endless = [&[0xFF, 0xD8][..], &scan.repeat(101), &[0xFF, 0xD9]].concat();
        assert_eq!(Container::Jpeg.outline(&endless), Err(Flaw::TooManyScans));
        assert_eq!(Container::WebP.outline(&encoded(ImageFormat::WebP)).unwrap().frame_pixels, 37 * 21);
    }

    #[test]
    fn a_webp_says_its_size_in_two_places() {
        let frame = [&b"VP8 \x0A\0\0\0"[..], &[0, 0, 0, 0x9D, 1, 0x2A], &16_000_u16.to_le_bytes(), &15_000_u16.to_le_bytes()].concat();
        let canvas = [&b"VP8X\x0A\0\0\0"[..], &[0; 10]].concat();
        let animated = [&b"ANMF\x22\0\0\0"[..], &[0; 16], &frame].concat();
        for frame in [frame, animated] {
            let length = (4 + canvas.len() + frame.len()) as u32;
            let file = [&b"RIFF"[..], &length.to_le_bytes(), b"WEBP", &canvas, &frame].concat();
            assert_eq!(Container::WebP.outline(&file).unwrap().frame_pixels, 240_000_000);
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
            let whole = encoded(format);
            for at in 0..whole.len().min(400) {
                for value in [0, 1, 0x7F, 0x80, 0xFF] {
                    let mut bytes = whole.clone();
                    bytes[at] = value;
                    if let Some(container) = Container::of(&bytes) {
                        let _ = container.outline(&bytes);
                    }
                }
            }
        }
    }
}
