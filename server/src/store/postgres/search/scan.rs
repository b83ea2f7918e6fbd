//! A scan in sort order, or a way along it, while it is under way.

use super::statements::{Stretch, stretches};
use crate::domain::search::{Position, Search, Sort, Start};
use uuid::Uuid;

/// A scan under way.
pub(super) struct Scan {
    pub stretches: Vec<Stretch>,
    pub hits: Vec<Uuid>,
    /// From the offset's beginning on.
    pub wanted: u32,
    offset: usize,
    /// All hits up to here were found.
    pub read: Option<Position>,
    /// How often one went on by marks.
    pub reaches: i32,
    /// What looks by names took, as they were expected to.
    pub spent: f64,
}

impl Scan {
    pub fn new(search: &Search) -> Self {
        let (after, offset) = match &search.start {
            Start::Offset(offset) => (None, *offset),
            Start::After(position) => (Some(position), 0),
        };
        Self {
            stretches: stretches(search.sort, after),
            hits: Vec::new(),
            wanted: offset + search.limit + 1,
            offset: offset as usize,
            read: after.cloned(),
            reaches: 0,
            spent: 0.0,
        }
    }

    pub fn goes_on_behind(&mut self, sort: Sort, position: Position) {
        self.stretches = stretches(sort, Some(&position));
        self.read = Some(position);
    }

    pub fn missing(&self) -> u32 {
        self.wanted.saturating_sub(u32::try_from(self.hits.len()).unwrap_or(u32::MAX))
    }

    pub fn page(&mut self) -> Vec<Uuid> {
        self.hits.split_off(self.offset.min(self.hits.len()))
    }
}
