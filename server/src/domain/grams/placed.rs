//! The grams of a common value with the place of the name in the order of names: they find who comes first of all those who
//! live in a country, a city, or near a point.

use super::{Fact, Grams, Home, fnv};
use crate::domain::geo::{self, Cell};
use crate::domain::name_order::Part;
use crate::domain::profile::Profile;

/// What has a gram for each part of the order of names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Placed<'a> {
    Home(Home<'a>),
    /// Of the level that `geo::middle_cells_around` gives.
    Cell(Cell),
}

impl Placed<'_> {
    pub(super) fn hash(self, basis: u64) -> u64 {
        match self {
            Placed::Home(Home::Country(country)) => fnv(fnv(basis, b"n"), country.as_bytes()),
            Placed::Home(Home::City(city)) => fnv(fnv(basis, b"c"), city.as_bytes()),
            Placed::Cell(Cell { level, row, column }) => {
                fnv(fnv(fnv(fnv(basis, b"m"), &[level]), &row.to_be_bytes()), &column.to_be_bytes())
            }
        }
    }
}

impl Grams {
    pub(super) fn of_place_in_order(self, profile: &Profile, part: Part) -> impl Iterator<Item = i32> {
        let place = profile.latitude.zip(profile.longitude);
        let cell = place.map(|(latitude, longitude)| Placed::Cell(geo::middle_cell_of(latitude, longitude)));
        Home::all_of(profile).map(Placed::Home).chain(cell).map(move |placed| self.gram(Fact::Placed(placed, part)))
    }
}
