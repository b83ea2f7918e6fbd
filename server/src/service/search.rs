//! Search: from a client's words to a page and the cursor behind it.

use super::call::Call;
use super::error::{Error, Result};
use super::{Directory, cursor};
use crate::domain::caller::Reach;
use crate::domain::filter::{self, Filter};
use crate::domain::invalid::{Faults, Place};
use crate::domain::profile::Profile;
use crate::domain::search::{
    DEFAULT_LIMIT, Found, MAX_LIMIT, MAX_OFFSET, MAX_QUERY_LENGTH, MAX_QUERY_WORDS, Position, Route, Search, Sort, Start, Total,
};
use crate::domain::search_text::needles;

/// A search in the client's words, nothing checked yet.
#[derive(Debug, Default)]
pub struct SearchRequest {
    pub query: Option<String>,
    pub filter: Option<String>,
    pub sort_by: Option<String>,
    pub limit: Option<i64>,
    pub offset: Option<i64>,
    pub cursor: Option<String>,
    pub include_deleted: bool,
    /// Whether the caller wants to know how it was found.
    pub explain: bool,
    /// What was found wrong while the request was read.
    pub faults: Faults,
}

/// A page, and how to get the next.
#[derive(Debug)]
pub struct SearchPage {
    pub profiles: Vec<Profile>,
    pub next_cursor: Option<String>,
    pub total: Total,
    /// Where nobody was found: words of the tenant that are close to the query's.
    pub did_you_mean: Vec<String>,
    pub route: Route,
}

impl Directory {
    /// A page of what matches now. `place` says where a parameter stands in the request, for faults.
    pub async fn search_profiles(&self, call: &Call, mut request: SearchRequest, place: fn(&str) -> Place) -> Result<SearchPage> {
        let bound_to = bound_to(call, &request);
        let faults = std::mem::take(&mut request.faults);
        let search = self.parse_search(call, &request, &bound_to, place, faults)?;
        let Found { profiles, more, total, route } = self.store.search_profiles(&call.tenant, &search).await?;
        let next_cursor = match profiles.last() {
            Some(last) if more => Some(self.cursors.seal(&search.sort.position_of(last), &bound_to)?),
            _ => None,
        };
        let did_you_mean = match &search.start {
            Start::Offset(0) if total.value == 0 => self.did_you_mean(call, &request).await,
            _ => Vec::new(),
        };
        Ok(SearchPage { profiles, next_cursor, total, did_you_mean, route })
    }

    fn parse_search(
        &self,
        call: &Call,
        request: &SearchRequest,
        bound_to: &[u8],
        place: fn(&str) -> Place,
        mut faults: Faults,
    ) -> Result<Search> {
        let mut note = |name: &str, detail: String| faults.add(place(name), detail);
        let needles = parse_query(request.query.as_deref().unwrap_or_default()).unwrap_or_else(|detail| {
            note("query", detail);
            Vec::new()
        });
        let filter = request.filter.as_deref().and_then(|text| filter::parse(text).map_err(|e| note("filter", e.to_string())).ok());
        let circles = filter.as_ref().map(Filter::circles).unwrap_or_default();
        let sort =
            request.sort_by.as_deref().map_or(Ok(Sort::DEFAULT), |text| Sort::parse_around(text, &circles)).unwrap_or_else(|detail| {
                note("sort_by", detail);
                Sort::DEFAULT
            });
        let limit = bounded(request.limit.unwrap_or(DEFAULT_LIMIT.into()), 1, MAX_LIMIT).unwrap_or_else(|| {
            note("limit", format!("must be from 1 to {MAX_LIMIT}"));
            DEFAULT_LIMIT
        });
        let offset = bounded(request.offset.unwrap_or(0), 0, MAX_OFFSET).unwrap_or_else(|| {
            note("offset", format!("must be from 0 to {MAX_OFFSET}; go further with cursor"));
            0
        });
        let start = match request.cursor.as_deref() {
            None => Start::Offset(offset),
            Some(cursor) => match self.cursors.open::<Position>(cursor, bound_to) {
                Ok(position) => Start::After(position),
                Err(Error::Invalid(_)) => {
                    note("cursor", cursor::FOREIGN.to_owned());
                    Start::Offset(0)
                }
                Err(other) => return Err(other),
            },
        };
        if request.cursor.is_some() && request.offset.is_some() {
            note("offset", "cannot be given together with cursor".to_owned());
        }
        faults.into_result()?;
        let filter = match &call.reach {
            Reach::Everybody => filter,
            Reach::Only(user_id) => Some(match filter {
                Some(filter) => Filter::of_user(user_id).and(filter),
                None => Filter::of_user(user_id),
            }),
        };
        Ok(Search { needles, filter, sort, limit, start, include_deleted: request.include_deleted })
    }
}

fn parse_query(query: &str) -> std::result::Result<Vec<String>, String> {
    if query.chars().count() > MAX_QUERY_LENGTH {
        return Err(format!("must be at most {MAX_QUERY_LENGTH} characters long"));
    }
    if query.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return Err("must not contain control characters".to_owned());
    }
    let needles = needles(query);
    if needles.len() > MAX_QUERY_WORDS {
        return Err(format!("must have at most {MAX_QUERY_WORDS} words"));
    }
    Ok(needles)
}

fn bounded(value: i64, min: u32, max: u32) -> Option<u32> {
    u32::try_from(value).ok().filter(|value| (min..=max).contains(value))
}

/// What a cursor of this search is bound to: everything but the page.
fn bound_to(call: &Call, request: &SearchRequest) -> Vec<u8> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let parts = (
        call.tenant.as_str(),
        format!("{:?}", call.reach),
        text(&request.query),
        text(&request.filter),
        text(&request.sort_by),
        request.include_deleted,
    );
    serde_json::to_vec(&parts).unwrap_or_default()
}
