//! The globe: distances along great circles, and cells of the map by which an index finds what lies near a point.

/// The radius of the sphere that distances are measured on: the mean one of the Earth (IUGG), in kilometres.
pub const EARTH_RADIUS_KM: f64 = 6371.0088;
pub const EARTH_DIAMETER_MM: f64 = 12_742_017_600.0;
/// The largest distance there is lies below this, in kilometres.
pub const MAX_KILOMETRES: f64 = 20_038.0;

/// A place and how far around it to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circle {
    pub latitude: f64,
    pub longitude: f64,
    pub kilometres: f64,
}

/// Degrees nearer to zero than this, a tenth of a millimetre, count as zero where distances are computed: PostgreSQL
/// refuses to compute with their squares.
pub const LEAST_DEGREES: f64 = 1e-9;

/// Degrees as distances are computed with them.
pub fn settled(degrees: f64) -> f64 {
    if degrees.abs() < LEAST_DEGREES { 0.0 } else { degrees }
}

impl Circle {
    /// How far away a place is, in millimetres along the great circle (haversine).
    ///
    /// A whole number, so that every evaluator, in SQL or here, comes to the same: the steps and their order are those
    /// of the stores' SQL, and what rounding is left vanishes.
    pub fn millimetres_to(&self, latitude: f64, longitude: f64) -> i64 {
        let (latitude, own_latitude) = (settled(latitude), settled(self.latitude));
        let rise = ((latitude - own_latitude).to_radians() * 0.5).sin();
        let run = ((settled(longitude) - settled(self.longitude)).to_radians() * 0.5).sin();
        let haversine = rise * rise + own_latitude.to_radians().cos() * latitude.to_radians().cos() * run * run;
        whole(EARTH_DIAMETER_MM * haversine.sqrt().min(1.0).asin())
    }

    /// Whether a place lies within.
    pub fn holds(&self, latitude: f64, longitude: f64) -> bool {
        self.millimetres_to(latitude, longitude) <= self.millimetres()
    }

    /// The distance of its rim.
    pub fn millimetres(&self) -> i64 {
        whole(self.kilometres * 1e6)
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

fn whole(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a whole number, and the cast saturates")]
    let whole = value.round_ties_even() as i64;
    whole
}

/// A cell of the map at one level: an area between two latitudes and two longitudes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub level: u8,
    pub row: i16,
    pub column: i16,
}

/// The sides of the cells of each level, in degrees: about 450, 55 and 7 kilometres.
const LEVELS: [(u8, f64); 3] = [(0, 4.0), (1, 0.5), (2, 0.0625)];
/// A place in the order of names is looked for in at most so many cells.
const MAX_MIDDLE_CELLS: usize = 64;
/// Cells beside a wider circle, or one nearer to a pole, are not told from those that it touches.
const WIDEST_OUTLINE_KM: f64 = 300.0;
const FARTHEST_OUTLINE: f64 = 75.0;

fn step(degrees: f64, side: f64) -> i16 {
    // Within ±180 / 0.0625 = ±2880.
    #[expect(clippy::cast_possible_truncation, reason = "a small whole number, and the cast saturates")]
    let step = (degrees / side).floor() as i16;
    step
}

/// The cells in which a place lies, one of each level.
pub fn cells_of(latitude: f64, longitude: f64) -> impl Iterator<Item = Cell> {
    LEVELS.into_iter().map(move |(level, side)| Cell { level, row: step(latitude, side), column: step(longitude, side) })
}

/// The cell of the middle level in which a place lies.
pub fn middle_cell_of(latitude: f64, longitude: f64) -> Cell {
    let (level, side) = LEVELS[1];
    Cell { level, row: step(latitude, side), column: step(longitude, side) }
}

/// The cells, all of one level, that cover an area: the smallest of which `most` do; `None` when it takes more of the largest.
pub fn cells_between(latitudes: (f64, f64), longitudes: &[(f64, f64)], most: usize) -> Option<Vec<Cell>> {
    LEVELS.into_iter().rev().find_map(|level| cells_of_level(level, latitudes, longitudes, most))
}

/// The same for a circle, without those in the corners around it.
pub fn cells_around(circle: &Circle, most: usize) -> Option<Vec<Cell>> {
    let (latitudes, longitudes) = circle.bounds();
    let mut cells = cells_between(latitudes, &longitudes, most)?;
    if circle.kilometres <= WIDEST_OUTLINE_KM && circle.latitude.abs() <= FARTHEST_OUTLINE {
        cells.retain(|cell| cell.is_touched_by(circle));
    }
    Some(cells)
}

impl Cell {
    /// Whether the circle reaches into it, or nearly so: the nearest place on a meridian lies a little farther from the
    /// equator than the centre.
    fn is_touched_by(self, circle: &Circle) -> bool {
        let side = LEVELS[usize::from(self.level)].1;
        let within = |at: f64, step: i16| at.clamp(f64::from(step) * side, f64::from(step + 1) * side);
        // The centre as it is seen from across the antimeridian, too.
        let centres = [-360.0, 0.0, 360.0].map(|turn| circle.longitude + turn);
        let nearest = |longitude: f64| {
            Circle { longitude, ..*circle }.millimetres_to(within(circle.latitude, self.row), within(longitude, self.column))
        };
        #[expect(clippy::cast_precision_loss, reason = "a distance on the globe")]
        let millimetres = centres.map(nearest).into_iter().min().unwrap_or(0) as f64;
        millimetres <= circle.kilometres * 1.02e6 + 1e6
    }
}

/// The cells of the middle level that cover a circle; `None` when it takes too many.
pub fn middle_cells_around(circle: &Circle) -> Option<Vec<Cell>> {
    let (latitudes, longitudes) = circle.bounds();
    cells_of_level(LEVELS[1], latitudes, &longitudes, MAX_MIDDLE_CELLS)
}

fn cells_of_level((level, side): (u8, f64), latitudes: (f64, f64), longitudes: &[(f64, f64)], most: usize) -> Option<Vec<Cell>> {
    let rows = step(latitudes.0, side)..=step(latitudes.1, side);
    let columns: Vec<_> = longitudes.iter().map(|(west, east)| step(*west, side)..=step(*east, side)).collect();
    let count = rows.clone().count() * columns.iter().map(|range| range.clone().count()).sum::<usize>();
    (count <= most).then(|| {
        let mut cells: Vec<Cell> =
            rows.flat_map(|row| columns.iter().cloned().flatten().map(move |column| Cell { level, row, column })).collect();
        cells.sort_unstable();
        cells.dedup();
        cells
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn degrees_next_to_zero_are_zero() {
        assert_eq!([5e-324, -1e-10, -0.0].map(|degrees| settled(degrees).to_bits()), [0; 3]);
        assert_eq!([1e-9, -1e-9, 90.0].map(settled), [1e-9, -1e-9, 90.0]);
    }

    const LONDON: Circle = Circle { latitude: 51.5074, longitude: -0.1278, kilometres: 344.0 };

    #[test]
    fn paris_is_344_kilometres_from_london() {
        let millimetres = LONDON.millimetres_to(48.8566, 2.3522);
        assert!((343_000_000..344_000_000).contains(&millimetres), "{millimetres}");
        assert!(LONDON.holds(48.8566, 2.3522));
        assert_eq!(LONDON.millimetres_to(51.5074, -0.1278), 0);
    }

    #[test]
    fn the_whole_globe_is_within_half_its_girth() {
        assert!(Circle { latitude: 10.0, longitude: 20.0, kilometres: MAX_KILOMETRES }.holds(-10.0, -160.0));
    }

    #[test]
    fn cells_in_the_corners_around_a_circle_are_left_out() {
        let cells = cells_around(&Circle { kilometres: 50.0, ..LONDON }, 512).unwrap();
        let (latitudes, longitudes) = Circle { kilometres: 50.0, ..LONDON }.bounds();
        let all = cells_between(latitudes, &longitudes, 512).unwrap();
        assert!(cells.len() * 10 < all.len() * 9 && cells.len() * 10 > all.len() * 7, "{} of {}", cells.len(), all.len());
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
            prop_assume!(circle.holds(latitude, longitude));
            let (latitudes, longitudes) = circle.bounds();
            prop_assert!((latitudes.0..=latitudes.1).contains(&latitude));
            prop_assert!(longitudes.iter().any(|range| (range.0..=range.1).contains(&longitude)), "{longitudes:?} {longitude}");
            for most in [64, 256] {
                for cells in [cells_between(latitudes, &longitudes, most), cells_around(&circle, most)].into_iter().flatten() {
                    prop_assert!(cells_of(latitude, longitude).any(|cell| cells.contains(&cell)));
                }
            }
            if let Some(cells) = middle_cells_around(&circle) {
                prop_assert!(cells.contains(&middle_cell_of(latitude, longitude)));
            }
        }
    }
}
