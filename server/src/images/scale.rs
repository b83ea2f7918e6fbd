//! Fewer pixels, in little memory beside theirs.

use super::error::{ImageError, Result};
use super::raster::Raster;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{CropBox, FilterType, MulDiv, PixelType, ResizeAlg, ResizeOptions, Resizer, SrcCropping};

/// Rows that are made at once: the filter keeps as many source rows as they need, and no more.
const BAND: u32 = 64;

impl Raster {
    /// Makes it at most `side` wide and high. A much larger one is first brought down by averages in place.
    pub fn fit(mut self, side: u32) -> Result<Self> {
        let longest = self.width.max(self.height);
        if longest <= side {
            return Ok(self);
        }
        self.multiply_alpha()?;
        self.average(longest / side);
        let longest = self.width.max(self.height);
        let shorter = |length: u32| (u64::from(length) * u64::from(side) / u64::from(longest)).max(1) as u32;
        let all = CropBox { left: 0.0, top: 0.0, width: self.width.into(), height: self.height.into() };
        let mut small = self.scaled(shorter(self.width), shorter(self.height), all)?;
        small.divide_alpha()?;
        Ok(small)
    }

    /// The largest square around its centre, made `side` pixels wide and high.
    pub fn square(&self, side: u32) -> Result<Self> {
        let middle = CropBox::fit_src_into_dst_size(self.width, self.height, side, side, Some((0.5, 0.5)));
        if !self.has_alpha() {
            return self.scaled(side, side, middle);
        }
        let mut weighted = Self { bytes: self.bytes.copy()?, ..*self };
        weighted.multiply_alpha()?;
        let mut square = weighted.scaled(side, side, middle)?;
        square.divide_alpha()?;
        Ok(square)
    }

    /// A scaled copy of a part, band by band. Alpha is taken to be multiplied in.
    fn scaled(&self, width: u32, height: u32, part: CropBox) -> Result<Self> {
        let mut target = Self::empty(width, height, self.channels)?;
        let source = ImageRef::new(self.width, self.height, &self.bytes, self.pixel_type()).map_err(ImageError::internal)?;
        let rows_per_row = part.height / f64::from(height);
        let band_bytes = BAND as usize * width as usize * self.channels;
        let mut resizer = Resizer::new();
        for (band, bytes) in target.bytes.chunks_mut(band_bytes).enumerate() {
            let top = band as u32 * BAND;
            let rows = BAND.min(height - top);
            // The filter looks beyond the borders of the part, so that bands have no seams.
            let cropping = SrcCropping::Crop(CropBox {
                top: (part.top + f64::from(top) * rows_per_row).min(f64::from(self.height)),
                height: f64::from(rows) * rows_per_row,
                ..part
            });
            let options = ResizeOptions { algorithm: ResizeAlg::Convolution(FilterType::Lanczos3), cropping, mul_div_alpha: false };
            let mut rows = Image::from_slice_u8(width, rows, bytes, self.pixel_type()).map_err(ImageError::internal)?;
            resizer.resize(&source, &mut rows, &options).map_err(ImageError::internal)?;
        }
        Ok(target)
    }

    fn pixel_type(&self) -> PixelType {
        match self.channels {
            1 => PixelType::U8,
            2 => PixelType::U8x2,
            3 => PixelType::U8x3,
            _ => PixelType::U8x4,
        }
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

    /// Replaces each block of `factor` by `factor` pixels by its average.
    fn average(&mut self, factor: u32) {
        let (channels, width, height) = (self.channels, self.width as usize, self.height as usize);
        let (across, down) = ((factor as usize).min(width), (factor as usize).min(height));
        if across.max(down) <= 1 {
            return;
        }
        let (new_width, new_height) = (width.div_ceil(across), height.div_ceil(down));
        let bytes: &mut [u8] = &mut self.bytes;
        for y in 0..new_height {
            for x in 0..new_width {
                let columns = across.min(width - x * across);
                let rows = down.min(height - y * down);
                let mut sums = [0_u64; 4];
                for row in 0..rows {
                    let start = ((y * down + row) * width + x * across) * channels;
                    for pixel in bytes[start..start + columns * channels].chunks_exact(channels) {
                        for (sum, value) in sums.iter_mut().zip(pixel) {
                            *sum += u64::from(*value);
                        }
                    }
                }
                // In place: nothing that is still to be read stands before this.
                let count = (columns * rows) as u64;
                let target = (y * new_width + x) * channels;
                for (value, sum) in bytes[target..target + channels].iter_mut().zip(sums) {
                    *value = ((sum + count / 2) / count) as u8;
                }
            }
        }
        self.bytes.truncate(new_width * new_height * channels);
        (self.width, self.height) = (new_width as u32, new_height as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::super::raster::tests::{raster, uniform};
    use super::*;

    #[test]
    fn any_shape_fits_and_keeps_its_colour() {
        for (width, height) in [(1, 1), (2048, 1), (2049, 1), (1, 9000), (5000, 3), (4100, 97), (2048, 300), (2100, 70), (4096, 2)] {
            for pixel in [&[200][..], &[200, 128], &[200, 100, 50], &[200, 100, 50, 128]] {
                let fitted = uniform(width, height, pixel).fit(2048).unwrap();
                assert_eq!(fitted.width.max(fitted.height), width.max(height).min(2048), "{width} x {height}");
                assert_eq!(fitted.bytes.len(), (fitted.width * fitted.height) as usize * pixel.len());
                let square = fitted.square(64).unwrap();
                let close = square.bytes.chunks_exact(pixel.len()).all(|got| got.iter().zip(pixel).all(|(a, b)| a.abs_diff(*b) <= 2));
                assert!(close, "{width} x {height} {pixel:?}");
            }
        }
    }

    #[test]
    fn bands_have_no_seams() {
        let bytes: Vec<u8> = (0..600_u32 * 700 * 3).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let source = raster(600, 700, 3, &bytes);
        let banded = source.fit(500).unwrap();
        let image = ImageRef::new(600, 700, &bytes, PixelType::U8x3).unwrap();
        let mut whole = Image::new(banded.width, banded.height, PixelType::U8x3);
        Resizer::new().resize(&image, &mut whole, &ResizeOptions::new()).unwrap();
        let most = banded.bytes.iter().zip(whole.buffer()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(most <= Some(1), "{most:?}");
    }

    #[test]
    fn averages_are_taken_in_place_and_at_ragged_edges() {
        let mut image = raster(5, 3, 1, &(0..15).map(|value| value * 10).collect::<Vec<u8>>());
        image.average(2);
        assert_eq!((image.width, image.height), (3, 2));
        assert_eq!(&*image.bytes, [30, 50, 65, 105, 125, 140]);
    }

    #[test]
    fn what_is_invisible_does_not_shine_through() {
        let mut half = uniform(4096, 2, &[255, 0, 0, 0]);
        half.bytes.chunks_exact_mut(8).for_each(|two| two[..4].copy_from_slice(&[0, 0, 255, 255]));
        let small = half.fit(2048).unwrap();
        assert_eq!(&small.bytes[..4], &[0, 0, 255, 128]);
    }
}
