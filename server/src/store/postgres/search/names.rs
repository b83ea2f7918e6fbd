//! Pages in the order of names: the hits in its next parts, by the word's marks.

use super::super::pool::Attempted;
use super::statements::{Lookup, Subject};
use super::{Run, Scan};
use crate::store::route::{Conjunct, Names, Outcome};

impl Run<'_> {
    /// Reads on in the order of names for so many parts of it; `None` when that makes the page, or comes to the end.
    pub(super) async fn by_names(
        &mut self,
        names: Option<&Names<'_>>,
        scan: &mut Scan,
        parts: u8,
        expected: f64,
    ) -> Attempted<Option<Outcome>> {
        let Some(names) = names else { return Ok(Some(Outcome::Overflow)) };
        let missing = scan.missing();
        let reach = names.reach(scan.read.as_ref(), parts, missing);
        let mut all = self.wanted.conjuncts.clone();
        all.push(reach.marks);
        let Some((chosen, cap)) = self.router(&all).by_grams_only() else { return Ok(Some(Outcome::Overflow)) };
        let chosen: Vec<&Conjunct> = chosen.iter().filter_map(|at| all.get(*at)).collect();
        let subject = Subject { search: &reach.search, ..self.subject };
        let Some(page) = self.look_up_in(subject, "names", Lookup::Grams(&chosen), cap, expected).await? else {
            return Ok(Some(Outcome::Overflow));
        };
        let found = u32::try_from(page.ids.len()).unwrap_or(u32::MAX);
        scan.hits.extend(page.ids);
        match reach.end {
            Some(end) if found < missing => {
                scan.goes_on_behind(self.subject.search.sort, end);
                Ok(Some(Outcome::Short { found }))
            }
            _ => Ok(None),
        }
    }
}
