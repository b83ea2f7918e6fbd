//! The page among hits that come in any order.

use crate::domain::profile::ProfileId;
use crate::domain::search::{Position, Search, SortKey, Start};
use crate::store::{Result, StoreError};
use rusqlite::Row;
use rusqlite::types::ValueRef;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use uuid::Uuid;

/// Keeps the first hits behind the start, and no more of them than the page needs.
pub(super) struct Best<'a> {
    descending: bool,
    after: Option<&'a Position>,
    offset: usize,
    /// With those before the offset.
    wanted: usize,
    /// The last of them on top.
    kept: BinaryHeap<Kept>,
}

impl<'a> Best<'a> {
    pub fn of(search: &'a Search) -> Self {
        let (offset, after) = match &search.start {
            Start::Offset(offset) => (*offset as usize, None),
            Start::After(position) => (0, Some(position)),
        };
        let wanted = offset + search.limit as usize + 1;
        Self { descending: search.sort.descending, after, offset, wanted, kept: BinaryHeap::new() }
    }

    /// Takes a hit whose number, key and id are the row's first columns.
    pub fn offer(&mut self, row: &Row<'_>) -> Result<()> {
        let (key, id) = (row.get_ref(1)?, row.get_ref(2)?.as_blob().map_err(StoreError::internal)?);
        let stands = |to: &Position| in_direction(compare(key, id, to), self.descending);
        if self.after.is_some_and(|after| stands(after) != Ordering::Greater) {
            return Ok(());
        }
        if self.kept.len() == self.wanted {
            if self.kept.peek().is_some_and(|last| stands(&last.position) != Ordering::Less) {
                return Ok(());
            }
            self.kept.pop();
        }
        let profile_id = ProfileId(Uuid::from_slice(id).map_err(StoreError::internal)?);
        let position = Position { key: owned(key)?, profile_id };
        self.kept.push(Kept { position, number: row.get(0)?, descending: self.descending });
        Ok(())
    }

    /// The numbers of the page's profiles in order, and of one more if there is one.
    pub fn into_page(self) -> Vec<i64> {
        self.kept.into_sorted_vec().into_iter().skip(self.offset).map(|kept| kept.number).collect()
    }
}

struct Kept {
    position: Position,
    number: i64,
    descending: bool,
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> Ordering {
        in_direction(self.position.cmp(&other.position), self.descending)
    }
}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position
    }
}

impl Eq for Kept {}

fn in_direction(ascending: Ordering, descending: bool) -> Ordering {
    if descending { ascending.reverse() } else { ascending }
}

/// As `Position` compares, without making one of what is most often not kept.
fn compare(key: ValueRef<'_>, id: &[u8], with: &Position) -> Ordering {
    let keys = match (key, &with.key) {
        (ValueRef::Integer(integer), SortKey::Integer(other)) => integer.cmp(other),
        (ValueRef::Text(text), SortKey::Text(other)) => text.cmp(other.as_bytes()),
        (ValueRef::Null, SortKey::Missing) => Ordering::Equal,
        (ValueRef::Null, _) | (ValueRef::Text(_), SortKey::Integer(_)) => Ordering::Greater,
        _ => Ordering::Less,
    };
    keys.then_with(|| id.cmp(with.profile_id.0.as_bytes().as_slice()))
}

fn owned(key: ValueRef<'_>) -> Result<SortKey> {
    match key {
        ValueRef::Null => Ok(SortKey::Missing),
        ValueRef::Integer(integer) => Ok(SortKey::Integer(integer)),
        other => Ok(SortKey::Text(other.as_str().map_err(StoreError::internal)?.to_owned())),
    }
}
