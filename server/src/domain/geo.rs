//! The globe: distances along great circles, and cells of the map by which an index finds what lies near a point.

/// The radius of the sphere that distances are measured on: the mean one of the Earth (IUGG), in kilometres.
pub const EARTH_RADIUS_KM: f64 = 6371.0088;
/// The largest distance there is lies below this, in kilometres.
pub const MAX_KILOMETRES: f64 = 20_038.0;

/// A place and how far around it to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circle {
    pub latitude: f64,
    pub longitude: f64,
    pub kilometres: f64,
}

impl Circle {
    /// What the square of half the chord to a place is, on a globe of radius 1: it grows with the distance and takes
    /// no inverse function, so that every evaluator, in SQL or here, compares the same numbers.
    ///
    /// The steps and their order are those of the SQL texts of both stores.
    pub fn haversine_to(&self, latitude: f64, longitude: f64) -> f64 {
        let half = 0.5;
        let rise = ((latitude - self.latitude).to_radians() * half).sin();
        let run = ((longitude - self.longitude).to_radians() * half).sin();
        rise * rise + self.latitude.to_radians().cos() * latitude.to_radians().cos() * run * run
    }

    /// The haversine of its rim.
    pub fn haversine(&self) -> f64 {
        let half = (self.kilometres / EARTH_RADIUS_KM / 2.0).min(std::f64::consts::FRAC_PI_2).sin();
        half * half
    }

    /// The range of latitudes and the ranges of longitudes within which it lies.
    pub fn bounds(&self) -> ((f64, f64), Vec<(f64, f64)>) {
        // A little more than the circle: a place on the rim must not be lost to rounding.
        let angle = (self.kilometres / EARTH_RADIUS_KM).to_degrees() + 1e-6;
        let (south, north) = (self.latitude - angle, self.latitude + angle);
        let latitudes = (south.max(-90.0), north.min(90.0));
        let everywhere = vec![(-180.0, 180.0)];
        if south <= -90.0 || north >= 90.0 {
            return (latitudes, everywhere);
        }
        let widest = (angle.to_radians().sin() / self.latitude.to_radians().cos()).min(1.0).asin().to_degrees() + 1e-6;
        let (west, east) = (self.longitude - widest, self.longitude + widest);
        let longitudes = match () {
            () if widest >= 180.0 => everywhere,
            () if west < -180.0 => vec![(west + 360.0, 180.0), (-180.0, east)],
            () if east > 180.0 => vec![(west, 180.0), (-180.0, east - 360.0)],
            () => vec![(west, east)],
        };
        (latitudes, longitudes)
    }
}

/// A cell of the map at one level: an area between two latitudes and two longitudes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub level: u8,
    pub row: i16,
    pub column: i16,
}

/// The sides of the cells of each level, in degrees: about 450, 55 and 7 kilometres.
const SIDES: [f64; 3] = [4.0, 0.5, 0.0625];
/// A place is looked for in at most so many cells.
const MAX_CELLS: usize = 64;

fn step(degrees: f64, side: f64) -> i16 {
    // Within ±180 / 0.0625 = ±2880.
    #[expect(clippy::cast_possible_truncation, reason = "a small whole number, and the cast saturates")]
    let step = (degrees / side).floor() as i16;
    step
}

/// The cells in which a place lies, one of each level.
pub fn cells_of(latitude: f64, longitude: f64) -> impl Iterator<Item = Cell> {
    (0_u8..).zip(SIDES).map(move |(level, side)| Cell { level, row: step(latitude, side), column: step(longitude, side) })
}

/// The cells, all of one level, that cover an area; `None` when it takes too many of the largest.
pub fn cells_between(latitudes: (f64, f64), longitudes: &[(f64, f64)]) -> Option<Vec<Cell>> {
    (0_u8..).zip(SIDES).rev().find_map(|(level, side)| {
        let rows = step(latitudes.0, side)..=step(latitudes.1, side);
        let columns: Vec<_> = longitudes.iter().map(|(west, east)| step(*west, side)..=step(*east, side)).collect();
        let count = rows.clone().count() * columns.iter().map(|range| range.clone().count()).sum::<usize>();
        (count <= MAX_CELLS).then(|| {
            let mut cells: Vec<Cell> = rows
                .flat_map(|row| columns.iter().cloned().flatten().map(move |column| Cell { level, row, column }))
                .collect();
            cells.sort_unstable();
            cells.dedup();
            cells
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LONDON: Circle = Circle { latitude: 51.5074, longitude: -0.1278, kilometres: 344.0 };

    #[test]
    fn paris_is_344_kilometres_from_london() {
        let haversine = LONDON.haversine_to(48.8566, 2.3522);
        assert!(haversine < LONDON.haversine());
        assert!(haversine > Circle { kilometres: 343.0, ..LONDON }.haversine());
    }

    #[test]
    fn the_whole_globe_is_within_half_its_girth() {
        let circle = Circle { latitude: 10.0, longitude: 20.0, kilometres: MAX_KILOMETRES };
        assert!(circle.haversine_to(-10.0, -160.0) <= circle.haversine());
    }

    proptest! {
        #[test]
        fn what_lies_within_a_circle_lies_in_its_bounds_and_cells(
            at in (-90.0..=90.0_f64, -180.0..=180.0_f64),
            kilometres in prop_oneof![0.0..2.0, 0.0..200.0, 0.0..20_000.0_f64],
            bearing in (-1.1..1.1_f64, -1.1..1.1_f64),
        ) {
            let circle = Circle { latitude: at.0, longitude: at.1, kilometres };
            let reach = kilometres / 111.0;
            let latitude = (at.0 + bearing.0 * reach).clamp(-90.0, 90.0);
            let around = at.1 + bearing.1 * reach / at.0.to_radians().cos().max(0.01);
            let longitude = (around + 180.0).rem_euclid(360.0) - 180.0;
            prop_assume!(circle.haversine_to(latitude, longitude) <= circle.haversine());
            let (latitudes, longitudes) = circle.bounds();
            prop_assert!((latitudes.0..=latitudes.1).contains(&latitude));
            prop_assert!(longitudes.iter().any(|range| (range.0..=range.1).contains(&longitude)), "{longitudes:?} {longitude}");
            if let Some(cells) = cells_between(latitudes, &longitudes) {
                prop_assert!(cells_of(latitude, longitude).any(|cell| cells.contains(&cell)));
            }
        }
    }
}
