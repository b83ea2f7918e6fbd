//! What a search must find, worked out the long way from the domain's own rules.

use crate::domain::profile::Profile;
use crate::domain::search::{Found, Route, Search, Start, Total};
use crate::domain::search_text::search_doc;
use std::cmp::Ordering;

/// The answer to `search` when these are the tenant's profiles.
pub fn found_among(profiles: &[Profile], search: &Search) -> Found {
    let order = |ascending: Ordering| if search.sort.descending { ascending.reverse() } else { ascending };
    let mut all: Vec<_> = profiles
        .iter()
        .filter(|profile| search.include_deleted || !profile.is_deleted())
        .filter(|profile| {
            let doc = search_doc(profile);
            search.needles.iter().all(|needle| doc.contains(needle.as_str()))
        })
        .filter(|profile| search.filter.as_ref().is_none_or(|filter| filter.matches(profile)))
        .map(|profile| (search.sort.position_of(profile), profile))
        .collect();
    all.sort_by(|(left, _), (right, _)| order(left.cmp(right)));
    let total = Total::of_counted(i64::try_from(all.len()).unwrap());
    let first = match &search.start {
        Start::Offset(offset) => (*offset as usize).min(all.len()),
        Start::After(position) => all.partition_point(|(own, _)| order(own.cmp(position)) != Ordering::Greater),
    };
    let rest = &all[first..];
    let shown = rest.len().min(search.limit as usize);
    Found {
        profiles: rest[..shown].iter().map(|(_, profile)| (*profile).clone()).collect(),
        more: shown < rest.len(),
        total,
        route: Route::default(),
    }
}
