//! What lies near comes first: circles around the centre, each wider than the one before, until one holds the page.

use crate::domain::filter::{Condition, Filter};
use crate::domain::geo::Circle;
use crate::domain::search::{Position, Search, SortKey, Start};

/// So many times as far out as the one before.
const GROWTH: f64 = 4.0;
const LEAST_KM: f64 = 1.0;

/// The same search within ever wider circles, all of them within the one that it asks for. None where the nearest need
/// not be in the circle, or need not come first.
#[derive(Debug)]
pub struct Rings<'a> {
    search: &'a Search,
    circle: Circle,
    kilometres: f64,
}

impl<'a> Rings<'a> {
    /// `circle` is the one that the search is sorted by.
    pub fn of(search: &'a Search, circle: Circle) -> Self {
        let least = match &search.start {
            #[expect(clippy::cast_precision_loss, reason = "a distance on the globe")]
            Start::After(Position { key: SortKey::Integer(millimetres), .. }) => *millimetres as f64 / 1e6 * 1.2,
            _ => 0.0,
        };
        let helps = !search.sort.descending && stands_alone(search.filter.as_ref(), circle);
        Self { search, circle, kilometres: if helps { LEAST_KM.max(least) } else { f64::INFINITY } }
    }
}

impl Iterator for Rings<'_> {
    type Item = Search;

    fn next(&mut self) -> Option<Search> {
        if self.kilometres >= self.circle.kilometres {
            return None;
        }
        let ring = near(Circle { kilometres: self.kilometres, ..self.circle });
        self.kilometres *= GROWTH;
        Some(Search { filter: self.search.filter.clone().map(|filter| filter.and(ring)), ..self.search.clone() })
    }
}

fn near(circle: Circle) -> Filter {
    Filter::Condition(Condition::Near(circle))
}

/// Whether every hit lies in the circle.
fn stands_alone(filter: Option<&Filter>, circle: Circle) -> bool {
    match filter {
        Some(Filter::All(all)) => all.contains(&near(circle)),
        Some(single) => *single == near(circle),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::filter::parse;
    use crate::domain::search::{Sort, SortField};

    fn kilometres(text: &str, descending: bool) -> Vec<f64> {
        let filter = parse(text).unwrap();
        let circle = filter.circles()[0];
        let sort = Sort { field: SortField::Distance(circle), descending };
        let search = Search { needles: vec![], filter: Some(filter), sort, limit: 20, start: Start::Offset(0), include_deleted: false };
        Rings::of(&search, circle).map(|inner| inner.filter.unwrap().circles().last().unwrap().kilometres).collect()
    }

    #[test]
    fn rings_grow_up_to_the_circle() {
        assert_eq!(kilometres("near(1, 2, 50) and active eq true", false), [1.0, 4.0, 16.0]);
        assert_eq!(kilometres("near(1, 2, 1)", false), [0.0; 0]);
    }

    #[test]
    fn there_are_none_where_they_would_lose_hits() {
        assert_eq!(kilometres("near(1, 2, 50)", true), [0.0; 0]);
        assert_eq!(kilometres("near(1, 2, 50) or active eq true", false), [0.0; 0]);
    }
}
