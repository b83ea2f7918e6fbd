//! Pages in the order of names: the hits in its next parts, by the word's marks, or a place's lists.

use super::super::pool::Attempted;
use super::statements::{Lookup, Subject};
use super::{Run, Scan};
use crate::store::route::{Conjunct, Names, Outcome, Step};

/// How many rows are read for each hit that is missing, where that is known beforehand; and so many times more each time.
const ENOUGH: f64 = 2.0;

impl Run<'_> {
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
        let (frequencies, enough) = (self.frequencies, f64::from(missing) * ENOUGH.powi(scan.reaches));
        let mut listed = 0.0;
        // Of the parts that hold many it is known: one of them is enough.
        let parts = names.next_lists(scan.read.as_ref(), parts).take_while(|lists| {
            let is_short = listed < enough;
            listed += lists.iter().filter_map(|gram| frequencies.of_listed(*gram)).sum::<f64>();
            is_short
        });
        let parts = u8::try_from(parts.count()).unwrap_or(u8::MAX);
        let reach = names.reach(scan.read.as_ref(), parts, missing);
        let mut all: Vec<Conjunct> = self.wanted.conjuncts.iter().filter(|one| !names.makes_needless(one)).cloned().collect();
        all.push(reach.marks);
        let inner = self.router(&all);
        scan.spent += inner.cost_by_grams();
        let Some((chosen, _)) = inner.by_grams_only() else { return overflow };
        let chosen: Vec<&Conjunct> = chosen.iter().filter_map(|at| all.get(*at)).collect();
        let subject = Subject { search: &reach.search, ..self.subject };
        let Some(page) = self.look_up_in(subject, "names", Lookup::Grams(&chosen), cap, expected).await? else {
            return overflow;
        };
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
