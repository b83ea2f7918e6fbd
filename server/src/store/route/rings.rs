//! What lies near comes first: circles around the centre, each wider than the one before, until one holds the page.

use crate::domain::filter::{Condition, Filter};
use crate::domain::geo::Circle;
use crate::domain::search::{Position, Search, SortField, SortKey, Start};

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
    type Item = (Circle, Search);

    fn next(&mut self) -> Option<(Circle, Search)> {
        if self.kilometres >= self.circle.kilometres {
            return None;
        }
        let ring = Circle { kilometres: self.kilometres, ..self.circle };
        self.kilometres *= GROWTH;
        Some((ring, within(self.search, self.circle, ring)))
    }
}

/// The same search within a smaller circle around the same centre: distances are computed once for each row.
fn within(search: &Search, circle: Circle, smaller: Circle) -> Search {
    let narrowed = |filter: Filter| if filter == near(circle) { near(smaller) } else { filter };
    let filter = search.filter.clone().map(|filter| match filter {
        Filter::All(all) => Filter::All(all.into_iter().map(narrowed).collect()),
        single => narrowed(single),
    });
    Search { filter, ..search.clone() }
}

/// The search within a circle around the same centre that should hold so many hits, if it is smaller than the one that is
/// asked for: a ring around it held so many.
pub fn holding(search: &Search, (ring, hits): (Circle, f64), wanted: f64) -> Option<Search> {
    let SortField::Distance(circle) = search.sort.field else { return None };
    let kilometres = ring.kilometres * (wanted / hits.max(1.0)).sqrt();
    (kilometres < circle.kilometres && stands_alone(search.filter.as_ref(), circle))
        .then(|| within(search, circle, Circle { kilometres, ..circle }))
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
        Rings::of(&search, circle).map(|(_, inner)| inner.filter.unwrap().circles().last().unwrap().kilometres).collect()
    }

    #[test]
    fn rings_grow_up_to_the_circle() {
        assert_eq!(kilometres("near(1, 2, 50) and active eq true", false), [1.0, 4.0, 16.0]);
        assert_eq!(kilometres("near(1, 2, 1)", false), [0.0; 0]);
    }

    #[test]
    fn a_circle_that_should_hold_enough_is_smaller_than_the_one_that_is_asked_for() {
        let filter = parse("near(1, 2, 50)").unwrap();
        let circle = filter.circles()[0];
        let sort = Sort { field: SortField::Distance(circle), descending: false };
        let search = Search { needles: vec![], filter: Some(filter), sort, limit: 20, start: Start::Offset(0), include_deleted: false };
        let ring = Circle { kilometres: 4.0, ..circle };
        let within = holding(&search, (ring, 100.0), 2_500.0).unwrap();
        assert!((within.filter.unwrap().circles()[0].kilometres - 20.0).abs() < 1e-9);
        assert_eq!(holding(&search, (ring, 1.0), 2_500.0), None);
    }

    #[test]
    fn there_are_none_where_they_would_lose_hits() {
        assert_eq!(kilometres("near(1, 2, 50)", true), [0.0; 0]);
        assert_eq!(kilometres("near(1, 2, 50) or active eq true", false), [0.0; 0]);
    }
}
