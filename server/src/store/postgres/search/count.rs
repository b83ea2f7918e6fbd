//! How many hits there are, as far as is told: exact up to 1,000, and beyond that only that they are more.

use super::super::pool::Attempted;
use super::Run;
use super::statements::{Lookup, Statement, Subject};
use crate::domain::filter::{Condition, Filter, TextField, TextOp};
use crate::domain::search::{MAX_TOTAL, RouteStep, Search};
use crate::domain::search_text::plain_word;
use crate::store::route::{Conjunct, Count, Router, holding};
use uuid::Uuid;

/// Counting stops here.
const ENOUGH: i64 = MAX_TOTAL as i64 + 1;
/// How many hits a ring should hold that is counted.
const IN_RING: f64 = 2_500.0;
/// From how many expected hits on it is likely that names, or addresses, alone are enough.
const MANY: f64 = 1_500.0;

impl Run<'_> {
    pub(super) async fn count(&mut self, router: &Router) -> Attempted<i64> {
        let expected = router.expected_hits();
        let by = router.to_count();
        if let (Count::Words, Some(words)) = (&by, self.words.clone()) {
            return self.counted_all("count by words", Lookup::Words(&words), expected).await;
        }
        if expected >= MANY {
            let counted = self.count_by_beginning().await?;
            if counted >= ENOUGH {
                return Ok(counted);
            }
        }
        if let Some(counted) = self.count_in_a_ring().await? {
            return Ok(counted);
        }
        let (conjuncts, share) = match by {
            Count::Words | Count::Scan => return self.counted_all("count by a scan", Lookup::Whole, expected).await,
            Count::Grams { conjuncts, share } => (conjuncts, share),
        };
        if let Some(share) = share {
            let inner = self.newest(share).await?;
            if let Some((wanted, chosen, _)) = self.by_grams(&inner, self.rows_in(share)) {
                let chosen: Vec<&Conjunct> = chosen.iter().filter_map(|at| wanted.conjuncts.get(*at)).collect();
                let subject = Subject { search: &inner, ..self.subject };
                let counted =
                    self.counted("count in a period", subject.count(Lookup::Grams(&chosen), self.most()), expected * share).await?;
                if counted >= ENOUGH {
                    return Ok(counted);
                }
            }
        }
        let all = self.wanted.conjuncts.clone();
        let chosen: Vec<&Conjunct> = conjuncts.iter().filter_map(|at| all.get(*at)).collect();
        self.counted_all("count by grams", Lookup::Grams(&chosen), expected).await
    }

    async fn counted_all(&mut self, name: &'static str, lookup: Lookup<'_>, expected: f64) -> Attempted<i64> {
        let statement = self.subject.count(lookup, self.most());
        let hits = self.hits(name, statement, expected).await?;
        let counted = hits.len() as i64;
        self.asked.note_counted(&hits, counted < self.most().into(), self.at);
        Ok(counted)
    }

    /// Those next to a centre, if they should be enough, and are.
    async fn count_in_a_ring(&mut self) -> Attempted<Option<i64>> {
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        let ring = self.ring.map(|(ring, hits)| (ring, hits as f64));
        let Some(inner) = ring.and_then(|ring| holding(self.subject.search, ring, IN_RING)) else { return Ok(None) };
        let Some((wanted, chosen, _)) = self.by_grams(&inner, 0.0) else { return Ok(None) };
        let chosen: Vec<&Conjunct> = chosen.iter().filter_map(|at| wanted.conjuncts.get(*at)).collect();
        let subject = Subject { search: &inner, ..self.subject };
        let counted = self.counted("count in a ring", subject.count(Lookup::Grams(&chosen), self.most()), IN_RING).await?;
        Ok((counted >= ENOUGH).then_some(counted))
    }

    pub(super) fn most(&self) -> u32 {
        self.asked.count_to()
    }

    /// How many there are whose name, or address, begins with the only word that is asked for, if these are enough: they
    /// stand together in an index, and each is a hit.
    async fn count_by_beginning(&mut self) -> Attempted<i64> {
        let search = self.subject.search;
        let ([needle], None) = (search.needles.as_slice(), &search.filter) else { return Ok(0) };
        let Some(word) = plain_word(needle) else { return Ok(0) };
        // An address is compared by its lower case, which is the folded form where it is ASCII.
        let fields = [Some(TextField::FullName), word.is_ascii().then_some(TextField::EmailId)];
        for field in fields.into_iter().flatten() {
            let begins = Filter::Condition(Condition::Text { field, op: TextOp::StartsWith, value: word.clone() });
            let inner = Search { needles: Vec::new(), ..search.clone() };
            let subject = Subject { search: &inner, ..self.subject };
            let statement = subject.count(Lookup::Keyed(&[begins]), self.most());
            let counted = self.counted("count by beginning", statement, MANY).await?;
            if counted >= ENOUGH {
                return Ok(counted);
            }
        }
        Ok(0)
    }

    /// Counts some of the hits, which may be enough.
    async fn counted(&mut self, name: &'static str, statement: Statement, expected: f64) -> Attempted<i64> {
        let hits = self.hits(name, statement, expected).await?;
        let counted = hits.len() as i64;
        self.asked.note_counted(&hits, false, self.at);
        Ok(counted)
    }

    async fn hits(&mut self, name: &'static str, statement: Statement, expected: f64) -> Attempted<Vec<Uuid>> {
        let rows = self.run(statement).await?;
        let hits: Vec<Uuid> = rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
        self.route.push(RouteStep::new(name, expected, hits.len() as i64));
        Ok(hits)
    }
}
