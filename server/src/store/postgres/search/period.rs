//! Pages in the order of creation: found among the newest, or the oldest, before all others are looked at.

use super::super::pool::Attempted;
use super::statements::{Lookup, Subject};
use super::{Page, Run};
use crate::domain::filter::{Condition, Filter, IntegerField, Order};
use crate::domain::periods::longest_around;
use crate::domain::search::{Position, Search, SortKey, Start};
use crate::store::route::{Conjunct, Outcome, Wanted};

/// The times at which the tenant's first and last profiles were created.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    first_ms: i64,
    last_ms: i64,
}

/// What a search in a period came to.
pub(super) enum InPeriod {
    /// And how many hits the period holds.
    Page(Page, f64),
    Not(Outcome),
}

impl Run<'_> {
    /// Looks for the page among those created nearest to where it begins.
    pub(super) async fn in_period(&mut self, share: f64, expected: f64) -> Attempted<InPeriod> {
        let search = self.subject.search;
        let span = self.span().await?;
        let begin = match &search.start {
            Start::After(Position { key: SortKey::Integer(at_ms), .. }) => *at_ms,
            _ if search.sort.descending => span.last_ms,
            _ => span.first_ms,
        };
        let part = self.part(span, begin, share, search.sort.descending);
        // Nothing lies beyond the ends of the tenant's time: there, whole periods do.
        let at_end = |ends: i64, whole: i64| if begin == ends { whole } else { begin };
        let (from_ms, to_ms) = match search.sort.descending {
            true => (begin.saturating_sub(part), at_end(span.last_ms, longest_around(begin).1)),
            false => (at_end(span.first_ms, longest_around(begin).0), begin.saturating_add(part)),
        };
        let inner = within(search, from_ms, to_ms);
        let Some((wanted, chosen, cap)) = self.by_grams(&inner, self.rows_in(share)) else {
            return Ok(InPeriod::Not(Outcome::Overflow));
        };
        // The period is looked into even where little else seems to be left.
        let is_chosen = |(at, conjunct): &(usize, &Conjunct)| chosen.contains(at) || !self.wanted.conjuncts.contains(*conjunct);
        let chosen: Vec<&Conjunct> = wanted.conjuncts.iter().enumerate().filter(is_chosen).map(|(_, conjunct)| conjunct).collect();
        let subject = Subject { search: &inner, ..self.subject };
        let page = self.look_up_in(subject, "period", Lookup::Grams(&chosen), cap, expected * share).await?;
        let Some(page) = page else { return Ok(InPeriod::Not(Outcome::Overflow)) };
        if page.ids.len() > search.limit as usize {
            #[expect(clippy::cast_precision_loss, reason = "a count")]
            let hits = page.total.unwrap_or(0) as f64;
            return Ok(InPeriod::Page(Page { total: None, ..page }, hits));
        }
        let found = u32::try_from(page.total.unwrap_or(0)).unwrap_or(u32::MAX);
        Ok(InPeriod::Not(Outcome::Short { found }))
    }

    /// The search for the newest, as far back as this share of time goes.
    pub(super) async fn newest(&mut self, share: f64) -> Attempted<Search> {
        let span = self.span().await?;
        let part = self.part(span, span.last_ms, share, true);
        Ok(within(self.subject.search, span.last_ms.saturating_sub(part), longest_around(span.last_ms).1))
    }

    /// How far this share of the tenant's profiles reaches from there, in milliseconds.
    fn part(&self, span: Span, begin_ms: i64, share: f64, older: bool) -> i64 {
        self.guide.timeline.part((span.first_ms, span.last_ms), begin_ms, share, older)
    }

    /// How many profiles are in this share of the tenant's time: statistics do not list the newest periods.
    pub(super) fn rows_in(&self, share: f64) -> f64 {
        share * self.guide.frequencies.of_tenant(self.subject.tenant).unwrap_or_default()
    }

    /// The conjuncts by which a narrower search is best answered, of which what it has besides holds at least so many rows;
    /// and where to give up.
    pub(super) fn by_grams(&self, inner: &Search, least: f64) -> Option<(Wanted, Vec<usize>, u32)> {
        let wanted = super::wanted(self.subject, self.guide.frequencies, inner);
        let (chosen, cap) = self.router(&wanted.conjuncts, least).by_grams_only()?;
        Some((wanted, chosen, cap))
    }

    async fn span(&mut self) -> Attempted<Span> {
        if let Some(span) = self.span {
            return Ok(span);
        }
        let rows = self.run(self.subject.span()).await?;
        let (first, last) = match rows.first() {
            Some(row) => (row.try_get::<_, Option<i64>>(0)?, row.try_get::<_, Option<i64>>(1)?),
            None => (None, None),
        };
        let span = Span { first_ms: first.unwrap_or(0), last_ms: last.unwrap_or(0) };
        self.span = Some(span);
        Ok(span)
    }
}

/// The same search among those created in a period.
fn within(search: &Search, from_ms: i64, to_ms: i64) -> Search {
    let bound = |op, value| Filter::Condition(Condition::Integer { field: IntegerField::CreatedAt, op, value });
    let period = bound(Order::GreaterOrEqual, from_ms).and(bound(Order::LessOrEqual, to_ms));
    let filter = match search.filter.clone() {
        Some(filter) => filter.and(period),
        None => period,
    };
    Search { filter: Some(filter), ..search.clone() }
}
