//! Pixels in memory: 8 bits a channel, 1 to 4 channels, and what is done to them on the way to smaller sizes.

use super::error::{ImageError, Result};
use fast_image_resize::images::Image;
use fast_image_resize::{MulDiv, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use image::{ColorType, DynamicImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Grey, grey + alpha, RGB, or RGB + alpha.
#[derive(Debug, Clone)]
pub struct Raster {
    pub width: u32,
    pub height: u32,
    pub channels: usize,
    pub bytes: Vec<u8>,
}

impl Raster {
    /// Takes over what a decoder wrote; 16 bits become 8 in place.
    pub fn from_decoded(width: u32, height: u32, color: ColorType, mut bytes: Vec<u8>) -> Result<Self> {
        let channels = usize::from(color.channel_count());
        match usize::from(color.bytes_per_pixel()) / channels {
            1 => {}
            2 => halve_depth(&mut bytes),
            _ => return Err(ImageError::unusable("has floating-point pixels, which are not taken")),
        }
        Ok(Self { width, height, channels, bytes })
    }

    fn has_alpha(&self) -> bool {
        self.channels.is_multiple_of(2)
    }

    fn pixel_type(&self) -> PixelType {
        match self.channels {
            1 => PixelType::U8,
            2 => PixelType::U8x2,
            3 => PixelType::U8x3,
            _ => PixelType::U8x4,
        }
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

    /// Makes it at most `side` wide and high. A much larger one is first brought down by averages in place: a filter
    /// alone would need a second buffer of its width.
    pub fn fit(self, side: u32) -> Result<Self> {
        let longest = self.width.max(self.height);
        if longest <= side {
            return Ok(self);
        }
        let mut small = self;
        small.multiply_alpha()?;
        small.average(longest / side);
        let longest = small.width.max(small.height);
        if longest > side {
            let scaled = |length: u32| (u64::from(length) * u64::from(side) / u64::from(longest)).max(1) as u32;
            let (width, height) = (scaled(small.width), scaled(small.height));
            small = small.resized(width, height, ResizeOptions::new())?;
        }
        small.divide_alpha()?;
        Ok(small)
    }

    /// The largest square around its centre, made `side` pixels wide and high.
    pub fn square(&self, side: u32) -> Result<Self> {
        let mut source = self.clone();
        source.multiply_alpha()?;
        let mut square = source.resized(side, side, ResizeOptions::new().fit_into_destination(Some((0.5, 0.5))))?;
        square.divide_alpha()?;
        Ok(square)
    }

    fn resized(self, width: u32, height: u32, options: ResizeOptions) -> Result<Self> {
        let filter = ResizeAlg::Convolution(fast_image_resize::FilterType::Lanczos3);
        let (channels, pixel_type) = (self.channels, self.pixel_type());
        let source = Image::from_vec_u8(self.width, self.height, self.bytes, pixel_type).map_err(ImageError::internal)?;
        let mut target = Image::new(width, height, pixel_type);
        // Alpha was multiplied in already, in place.
        let options = options.resize_alg(filter).use_alpha(false);
        Resizer::new().resize(&source, &mut target, &options).map_err(ImageError::internal)?;
        Ok(Self { width, height, channels, bytes: target.into_vec() })
    }

    /// Replaces each block of `factor` by `factor` pixels by its average.
    fn average(&mut self, factor: u32) {
        let (channels, width, height) = (self.channels, self.width as usize, self.height as usize);
        let (across, down) = ((factor as usize).min(width), (factor as usize).min(height));
        if across.max(down) <= 1 {
            return;
        }
        let (new_width, new_height) = (width.div_ceil(across), height.div_ceil(down));
        for y in 0..new_height {
            for x in 0..new_width {
                let columns = across.min(width - x * across);
                let rows = down.min(height - y * down);
                let mut sums = [0_u64; 4];
                for row in 0..rows {
                    let start = ((y * down + row) * width + x * across) * channels;
                    for pixel in self.bytes[start..start + columns * channels].chunks_exact(channels) {
                        for (sum, value) in sums.iter_mut().zip(pixel) {
                            *sum += u64::from(*value);
                        }
                    }
                }
                // In place: nothing that is still to be read stands before this.
                let count = (columns * rows) as u64;
                let target = (y * new_width + x) * channels;
                for (value, sum) in self.bytes[target..target + channels].iter_mut().zip(sums) {
                    *value = ((sum + count / 2) / count) as u8;
                }
            }
        }
        self.bytes.truncate(new_width * new_height * channels);
        self.bytes.shrink_to_fit();
        (self.width, self.height) = (new_width as u32, new_height as u32);
    }

    /// Colours are weighted by their alpha while pixels are mixed, or what is invisible would shine through.
    fn multiply_alpha(&mut self) -> Result<()> {
        self.with_alpha(|image| MulDiv::new().multiply_alpha_inplace(image))
    }

    fn divide_alpha(&mut self) -> Result<()> {
        self.with_alpha(|image| MulDiv::new().divide_alpha_inplace(image))
    }

    fn with_alpha<E>(&mut self, change: impl FnOnce(&mut Image<'_>) -> std::result::Result<(), E>) -> Result<()>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        if !self.has_alpha() {
            return Ok(());
        }
        let pixel_type = self.pixel_type();
        let mut image = Image::from_slice_u8(self.width, self.height, &mut self.bytes, pixel_type).map_err(ImageError::internal)?;
        change(&mut image).map_err(ImageError::internal)
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
        let mut converted = vec![0; self.bytes.len()];
        if transform.transform(&self.bytes, &mut converted).is_ok() {
            self.bytes = converted;
        }
    }

    /// Turns it the way up that the camera noted.
    pub fn oriented(self, orientation: Orientation) -> Result<Self> {
        if orientation == Orientation::NoTransforms {
            return Ok(self);
        }
        let channels = self.channels;
        let mut image = self.into_dynamic().ok_or_else(|| ImageError::internal("a raster of another length than its size"))?;
        image.apply_orientation(orientation);
        Ok(Self { width: image.width(), height: image.height(), channels, bytes: image.into_bytes() })
    }

    fn into_dynamic(self) -> Option<DynamicImage> {
        let Self { width, height, channels, bytes } = self;
        match channels {
            1 => image::GrayImage::from_raw(width, height, bytes).map(Into::into),
            2 => image::GrayAlphaImage::from_raw(width, height, bytes).map(Into::into),
            3 => image::RgbImage::from_raw(width, height, bytes).map(Into::into),
            _ => image::RgbaImage::from_raw(width, height, bytes).map(Into::into),
        }
    }
}

/// Native-endian 16-bit samples to 8 bits, without a second buffer.
fn halve_depth(bytes: &mut Vec<u8>) {
    let samples = bytes.len() / 2;
    for at in 0..samples {
        let wide = u16::from_ne_bytes([bytes[2 * at], bytes[2 * at + 1]]);
        bytes[at] = ((u32::from(wide) * 255 + 32_895) >> 16) as u8;
    }
    bytes.truncate(samples);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raster(width: u32, height: u32, channels: usize, pixel: &[u8]) -> Raster {
        Raster { width, height, channels, bytes: pixel.repeat((width * height) as usize) }
    }

    #[test]
    fn sixteen_bits_become_eight() {
        let mut bytes: Vec<u8> = [0_u16, 128, 129, 32_768, 65_535].into_iter().flat_map(u16::to_ne_bytes).collect();
        halve_depth(&mut bytes);
        assert_eq!(bytes, [0, 0, 1, 128, 255]);
    }

    #[test]
    fn an_alpha_channel_goes_only_if_it_hides_nothing() {
        let mut opaque = raster(3, 2, 4, &[1, 2, 3, 255]);
        assert!(!opaque.drop_idle_alpha());
        assert_eq!((opaque.channels, opaque.bytes), (3, [1, 2, 3].repeat(6)));
        let mut seen_through = raster(3, 2, 2, &[9, 255]);
        seen_through.bytes[3] = 254;
        assert!(seen_through.drop_idle_alpha());
        assert_eq!(seen_through.channels, 2);
    }

    #[test]
    fn any_shape_fits_and_keeps_its_colour() {
        for (width, height) in [(1, 1), (2048, 1), (2049, 1), (1, 9000), (5000, 3), (4100, 97), (2048, 300), (2100, 70)] {
            for pixel in [&[200][..], &[200, 128], &[200, 100, 50], &[200, 100, 50, 128]] {
                let fitted = raster(width, height, pixel.len(), pixel).fit(2048).unwrap();
                assert_eq!(fitted.width.max(fitted.height), width.max(height).min(2048), "{width} x {height}");
                assert_eq!(fitted.bytes.len(), (fitted.width * fitted.height) as usize * pixel.len());
                let square = fitted.square(64).unwrap();
                let close = square.bytes.chunks_exact(pixel.len()).all(|got| got.iter().zip(pixel).all(|(a, b)| a.abs_diff(*b) <= 2));
                assert!(close, "{width} x {height} {pixel:?}");
            }
        }
    }

    #[test]
    fn averages_are_taken_in_place_and_at_ragged_edges() {
        let mut image = Raster { width: 5, height: 3, channels: 1, bytes: (0..15).map(|value| value * 10).collect() };
        image.average(2);
        assert_eq!((image.width, image.height), (3, 2));
        assert_eq!(image.bytes, [30, 50, 65, 105, 125, 140]);
    }

    #[test]
    fn what_is_invisible_does_not_shine_through() {
        let mut half = raster(4096, 2, 4, &[255, 0, 0, 0]);
        half.bytes.chunks_exact_mut(8).for_each(|two| two[..4].copy_from_slice(&[0, 0, 255, 255]));
        let small = half.fit(2048).unwrap();
        assert_eq!(&small.bytes[..4], &[0, 0, 255, 128]);
    }
}
