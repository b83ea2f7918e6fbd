//! A page that is remembered, put together from those whom it showed and those who were changed since.

use super::memory::{Counted, Page};
use crate::domain::profile::Profile;
use crate::domain::search::Sort;
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// What can be told of a search without finding it anew.
#[derive(Debug, Default)]
pub struct Recall {
    pub page: Option<Recalled>,
    /// How many hits there are at least, if that is more than is told.
    pub at_least: Option<i64>,
}

/// A page to be put together.
#[derive(Debug)]
pub struct Recalled {
    /// Those whom it showed who are hits still, in order.
    pub(super) unchanged: Vec<Uuid>,
    /// Those who may have become hits, may be hits no longer, or may stand elsewhere.
    pub(super) changed: HashSet<Uuid>,
    pub(super) page: Arc<Page>,
    pub(super) counted: Option<Arc<Counted>>,
    pub(super) limit: usize,
}

/// A page as the search's snapshot has it.
#[derive(Debug)]
pub struct Together {
    pub profiles: Vec<Profile>,
    /// Whether more follow behind the last one.
    pub more: bool,
    /// How many hits there are, if that is known.
    pub total: Option<i64>,
}

/// Those who are on a page.
pub(super) struct First {
    /// In order, and of one more than the limit if there is one.
    pub ids: Vec<Uuid>,
    /// The same; without the last one, if that was not read.
    pub profiles: Vec<Profile>,
    /// Those of the changed who are hits, on the page or not.
    pub come: Vec<Uuid>,
}

impl Recalled {
    /// Whoever is to be read: those of them who fulfil the search's condition make the page.
    pub fn to_read(&self) -> Vec<Uuid> {
        self.changed.iter().chain(self.shown()).copied().collect()
    }

    /// Whoever stands behind the page has to be read only where others may come before.
    fn shown(&self) -> &[Uuid] {
        let shown = if self.changed.is_empty() { self.limit.min(self.unchanged.len()) } else { self.unchanged.len() };
        &self.unchanged[..shown]
    }

    /// The page, when these of `to_read` are hits.
    pub(super) fn with(&self, mut read: Vec<Profile>, sort: Sort) -> First {
        let come = read.iter().map(|profile| profile.profile_id.0).filter(|id| self.changed.contains(id)).collect();
        read.sort_by_cached_key(|profile| sort.position_of(profile));
        if sort.descending {
            read.reverse();
        }
        read.truncate(self.limit + 1);
        let behind = &self.unchanged[self.shown().len()..];
        let ids = read.iter().map(|profile| profile.profile_id.0).chain(behind.iter().copied()).collect();
        First { ids, profiles: read, come }
    }

    /// How many hits there were when it was last known.
    pub fn hits(&self) -> usize {
        self.counted.as_ref().map_or(self.page.ids.len(), |counted| counted.hits.len())
    }

    /// Whether the first hits, in order and one more than the limit, are those of all, but for the one behind the page; and whether
    /// that one is too. Whoever is not known follows behind the last one who was: up to that one, and no further, the order is known.
    pub(super) fn holds(&self, first: &[Uuid]) -> Option<bool> {
        let last = match self.page.ids.last() {
            Some(last) if !self.page.is_all => last,
            _ => return Some(true),
        };
        let place = first.iter().position(|id| id == last);
        let holds = self.unchanged.contains(last) && first.len() > self.limit && place.is_none_or(|place| place + 1 >= self.limit);
        holds.then(|| place.is_none_or(|place| place == self.limit))
    }
}
