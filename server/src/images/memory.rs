//! Memory for pixels: much of it, for a moment. It goes back to the system when it is dropped; an allocator would keep it
//! for a while, and several such would add up to more than the budget of `workers`.

use super::error::{ImageError, Result};
use memmap2::MmapMut;
use std::ops::{Deref, DerefMut};

/// Bytes that are zero at first.
#[derive(Debug)]
pub struct Memory {
    map: MmapMut,
    /// The first bytes of it are in use.
    length: usize,
}

impl Memory {
    pub fn zeroed(length: usize) -> Result<Self> {
        Ok(Self { map: MmapMut::map_anon(length).map_err(ImageError::internal)?, length })
    }

    /// Forgets what is behind; the memory stays until all is dropped.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    pub fn copy(&self) -> Result<Self> {
        let mut copy = Self::zeroed(self.length)?;
        copy.copy_from_slice(self);
        Ok(copy)
    }
}

impl Deref for Memory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map[..self.length]
    }
}

impl DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.map[..self.length]
    }
}
