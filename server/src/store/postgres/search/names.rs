//! Pages in the order of names: the hits in its next parts, by the word's marks, or a place's lists.

use super::super::pool::Attempted;
use super::statements::{Lookup, Subject};
use super::{Run, Scan};
use crate::domain::name_order::Part;
use crate::store::route::{Conjunct, Names, Outcome, Router, Step};

/// How many rows are read for each hit that is missing, where that is known beforehand; and so many times more each time.
const ENOUGH: f64 = 2.0;
/// How often it is so many times more.
const MOST_REACHES: i32 = 3;
/// From which share of hits among a part's names on it is read by a scan.
const DENSE: f64 = 0.05;

impl Run<'_> {
    /// The share of hits in the next part of the order of names, if the database's statistics know that it holds many.
    pub(super) fn density(&self, names: &Names<'_>, scan: &Scan, router: &Router) -> Option<f64> {
        let in_part = self.guide.frequencies.of_tenant(self.subject.tenant)? / (f64::from(Part::LAST.number()) + 1.0);
        let listed = self.guide.frequencies.of_all_listed(&names.next_lists(scan.read.as_ref(), 1).next()?);
        let density = (listed / in_part).min(1.0) * self.are_hits(names, router.expected_hits());
        (density > DENSE).then_some(density)
    }

    /// Which share of those in the lists should be hits.
    fn are_hits(&self, names: &Names<'_>, expected: f64) -> f64 {
        let in_all = names.gram().and_then(|gram| self.guide.frequencies.of_listed(gram));
        in_all.map_or(0.5, |rows| (expected / rows.max(1.0)).min(1.0))
    }

    /// Reads on in the order of names for so many parts of it; `None` when that makes the page, or comes to the
    /// end.
    pub(super) async fn by_names(
        &mut self,
        names: Option<&Names<'_>>,
        scan: &mut Scan,
        (parts, cap): (u8, u32),
        expected: f64,
    ) -> Attempted<Option<(Step, Outcome)>> {
        let overflow = Ok(Some((Step::Names { parts, cap }, Outcome::Overflow)));
        let Some(names) = names else { return overflow };
        let missing = scan.missing();
        // The word may be one of few that begin like it: each time more is read.
        scan.reaches += 1;
        let (frequencies, are_hits) = (self.guide.frequencies, self.are_hits(names, expected));
        let enough = f64::from(missing) * ENOUGH.powi(scan.reaches.min(MOST_REACHES)) / are_hits.max(1e-3);
        let (mut listed, mut expected_here) = (0.0, 0.0);
        // Of the parts that hold many it is known: one of them is enough, and begins a look of its own.
        let parts = names.next_lists(scan.read.as_ref(), parts).enumerate().take_while(|(at, lists)| {
            let (before, here) = (listed, frequencies.of_all_listed(lists));
            listed += here;
            let is_read = before < enough && (*at == 0 || here < enough);
            expected_here += if is_read { here } else { 0.0 };
            is_read
        });
        let parts = u8::try_from(parts.count()).unwrap_or(u8::MAX);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, and nothing here is negative")]
        let cap = cap.max((expected_here * 1.3) as u32);
        let reach = names.reach(scan.read.as_ref(), parts, missing);
        let mut all: Vec<Conjunct> = self.wanted.conjuncts.iter().filter(|one| !names.makes_needless(one)).cloned().collect();
        // Of those who have a mark of the word more have the word than of all others.
        all.iter_mut().filter(|one| names.tells(one)).for_each(|one| one.given = names.gram());
        all.push(reach.marks);
        let lists = all.last().map_or(0, |marks| marks.any_of.len());
        let Some((chosen, _)) = self.router(&all, 0.0).by_grams_only() else { return overflow };
        // The lists of the parts are looked into even where little else seems to be left.
        let is_chosen = |(at, _): &(usize, &Conjunct)| chosen.contains(at) || at + 1 == all.len();
        let chosen: Vec<&Conjunct> = all.iter().enumerate().filter(is_chosen).map(|(_, conjunct)| conjunct).collect();
        let subject = Subject { search: &reach.search, ..self.subject };
        let page = self.look_up_in(subject, "names", Lookup::Grams(&chosen), cap, expected).await?;
        let read = self.route.last().map_or(0, |step| step.read);
        #[expect(clippy::cast_precision_loss, reason = "counts")]
        let spent = self.guide.costs.marks + lists as f64 * self.guide.costs.part + read as f64 * self.guide.costs.hit;
        scan.spent += spent;
        let Some(page) = page else { return overflow };
        let found = u32::try_from(page.ids.len()).unwrap_or(u32::MAX);
        scan.hits.extend(page.ids);
        match reach.end {
            Some(end) if found < missing => {
                scan.goes_on_behind(self.subject.search.sort, end);
                Ok(Some((Step::Names { parts, cap }, Outcome::Short { found })))
            }
            _ => Ok(None),
        }
    }
}
