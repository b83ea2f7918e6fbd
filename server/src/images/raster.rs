//! Pixels: 8 bits a channel, 1 to 4 channels. `scale` makes them fewer.

use super::error::{ImageError, Result};
use super::memory::Memory;
use image::ColorType;
use image::metadata::Orientation;
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Colours are converted so many pixels at a time.
const CONVERTED_AT_ONCE: usize = 4_096;

/// Grey, grey + alpha, RGB, or RGB + alpha.
#[derive(Debug)]
pub struct Raster {
    pub width: u32,
    pub height: u32,
    pub channels: usize,
    pub bytes: Memory,
}

impl Raster {
    pub fn empty(width: u32, height: u32, channels: usize) -> Result<Self> {
        Ok(Self { width, height, channels, bytes: Memory::zeroed(width as usize * height as usize * channels)? })
    }

    /// Takes what `decode` writes; 16 bits become 8 in place.
    pub fn decoded(width: u32, height: u32, color: ColorType, decode: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<Self> {
        let (channels, pixel_bytes) = (usize::from(color.channel_count()), usize::from(color.bytes_per_pixel()));
        let mut bytes = Memory::zeroed(width as usize * height as usize * pixel_bytes)?;
        decode(&mut bytes)?;
        match pixel_bytes / channels {
            1 => {}
            2 => halve_depth(&mut bytes),
            _ => return Err(ImageError::unusable("has floating-point pixels, which are not taken")),
        }
        Ok(Self { width, height, channels, bytes })
    }

    pub fn has_alpha(&self) -> bool {
        self.channels.is_multiple_of(2)
    }

    /// Drops an alpha channel that hides nothing. Whether there is still one.
    pub fn drop_idle_alpha(&mut self) -> bool {
        let channels = self.channels;
        if !self.has_alpha() {
            return false;
        }
        if self.bytes.chunks_exact(channels).any(|pixel| pixel[channels - 1] != u8::MAX) {
            return true;
        }
        let pixels = self.bytes.len() / channels;
        for at in 0..pixels {
            self.bytes.copy_within(at * channels..at * channels + channels - 1, at * (channels - 1));
        }
        self.channels -= 1;
        self.bytes.truncate(pixels * self.channels);
        false
    }

    /// Brings colours from the profile that the file came with to sRGB, which is what a file without a profile is
    /// taken for. A profile that makes no sense is passed over.
    pub fn convert_to_srgb(&mut self, profile: &[u8]) {
        let layout = match self.channels {
            3 => Layout::Rgb,
            4 => Layout::Rgba,
            _ => return,
        };
        let Ok(profile) = ColorProfile::new_from_slice(profile) else { return };
        if profile.color_space != DataColorSpace::Rgb {
            return;
        }
        let srgb = ColorProfile::new_srgb();
        let Ok(transform) = profile.create_transform_8bit(layout, &srgb, layout, TransformOptions::default()) else { return };
        let mut converted = vec![0; CONVERTED_AT_ONCE * self.channels];
        for pixels in self.bytes.chunks_mut(CONVERTED_AT_ONCE * self.channels) {
            let converted = &mut converted[..pixels.len()];
            if transform.transform(pixels, converted).is_ok() {
                pixels.copy_from_slice(converted);
            }
        }
    }

    /// Turns it the way up that the camera noted.
    pub fn oriented(self, orientation: Orientation) -> Result<Self> {
        use Orientation::{FlipHorizontal, FlipVertical, NoTransforms, Rotate90, Rotate90FlipH, Rotate180, Rotate270, Rotate270FlipH};
        if orientation == NoTransforms {
            return Ok(self);
        }
        let is_turned = matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH);
        let (width, height) = if is_turned { (self.height, self.width) } else { (self.width, self.height) };
        let mut turned = Self::empty(width, height, self.channels)?;
        let (right, bottom) = (self.width as usize - 1, self.height as usize - 1);
        for (at, pixel) in turned.bytes.chunks_exact_mut(self.channels).enumerate() {
            let (x, y) = (at % width as usize, at / width as usize);
            let (from_x, from_y) = match orientation {
                NoTransforms => (x, y),
                FlipHorizontal => (right - x, y),
                FlipVertical => (x, bottom - y),
                Rotate180 => (right - x, bottom - y),
                Rotate90 => (y, bottom - x),
                Rotate270 => (right - y, x),
                Rotate90FlipH => (y, x),
                Rotate270FlipH => (right - y, bottom - x),
            };
            let from = (from_y * self.width as usize + from_x) * self.channels;
            pixel.copy_from_slice(&self.bytes[from..from + self.channels]);
        }
        Ok(turned)
    }
}

/// Native-endian 16-bit samples to 8 bits, without a second buffer.
fn halve_depth(bytes: &mut Memory) {
    let samples = bytes.len() / 2;
    for at in 0..samples {
        let wide = u16::from_ne_bytes([bytes[2 * at], bytes[2 * at + 1]]);
        bytes[at] = ((u32::from(wide) * 255 + 32_895) >> 16) as u8;
    }
    bytes.truncate(samples);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use image::{DynamicImage, RgbImage};

    pub fn raster(width: u32, height: u32, channels: usize, bytes: &[u8]) -> Raster {
        let mut raster = Raster::empty(width, height, channels).unwrap();
        raster.bytes.copy_from_slice(bytes);
        raster
    }

    pub fn uniform(width: u32, height: u32, pixel: &[u8]) -> Raster {
        raster(width, height, pixel.len(), &pixel.repeat((width * height) as usize))
    }

    #[test]
    fn sixteen_bits_become_eight() {
        let samples: Vec<u8> = [0_u16, 128, 129, 32_768, 65_535].into_iter().flat_map(u16::to_ne_bytes).collect();
        let write = |memory: &mut [u8]| {
            memory.copy_from_slice(&samples);
            Ok(())
        };
        assert_eq!(&*Raster::decoded(5, 1, ColorType::L16, write).unwrap().bytes, [0, 0, 1, 128, 255]);
    }

    #[test]
    fn an_alpha_channel_goes_only_if_it_hides_nothing() {
        let mut opaque = uniform(3, 2, &[1, 2, 3, 255]);
        assert!(!opaque.drop_idle_alpha());
        assert_eq!((opaque.channels, &*opaque.bytes), (3, &[1, 2, 3].repeat(6)[..]));
        let mut seen_through = uniform(3, 2, &[9, 255]);
        seen_through.bytes[3] = 254;
        assert!(seen_through.drop_idle_alpha());
        assert_eq!(seen_through.channels, 2);
    }

    #[test]
    fn it_turns_as_the_image_crate_does() {
        let pixels: Vec<u8> = (0..7 * 4 * 3).collect();
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let mut expected = DynamicImage::from(RgbImage::from_raw(7, 4, pixels.clone()).unwrap());
            expected.apply_orientation(orientation);
            let turned = raster(7, 4, 3, &pixels).oriented(orientation).unwrap();
            assert_eq!((turned.width, turned.height, &*turned.bytes), (expected.width(), expected.height(), expected.as_bytes()), "{exif}");
        }
    }

    #[test]
    fn colours_come_to_srgb() {
        let green = || uniform(5_000, 1, &[0, 255, 0]);
        // The green of Display P3 is greener than sRGB can show; a grey stays what it is; rubbish is passed over.
        let wide = ColorProfile::new_display_p3().encode().unwrap();
        let mut red = uniform(5_000, 1, &[200, 60, 60]);
        red.convert_to_srgb(&wide);
        assert!(red.bytes.chunks_exact(3).all(|pixel| pixel[0] > 205 && pixel[1] < 60), "{:?}", &red.bytes[..3]);
        let mut grey = uniform(3, 1, &[90, 90, 90, 7]);
        grey.convert_to_srgb(&wide);
        assert!(grey.bytes.chunks_exact(4).all(|pixel| pixel[..3].iter().all(|value| value.abs_diff(90) <= 1) && pixel[3] == 7));
        let mut same = green();
        same.convert_to_srgb(b"rubbish");
        assert_eq!(&*same.bytes, &*green().bytes);
    }
}
