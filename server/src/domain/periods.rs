//! Periods of time by which an index finds what was created in a range, as cells of the map do for places.

/// A period at one level: the times that have this many leading bits in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    /// It lasts 2^level milliseconds.
    pub level: u8,
    pub number: i64,
}

/// About 19 hours, 6 days, 50 days and 13 months.
const LEVELS: [u8; 4] = [26, 29, 32, 35];
/// A range is covered by at most so many periods.
const MAX_PERIODS: i64 = 12;

/// The periods in which a time lies, one of each level.
pub fn periods_of(at_ms: i64) -> impl Iterator<Item = Period> {
    LEVELS.into_iter().map(move |level| Period { level, number: at_ms >> level })
}

/// The periods, all of one level, that cover a range, its bounds included; `None` when it takes too many of the longest.
pub fn periods_between(from_ms: i64, to_ms: i64) -> Option<Vec<Period>> {
    LEVELS.into_iter().find_map(|level| {
        let (first, last) = (from_ms >> level, to_ms >> level);
        (last - first < MAX_PERIODS).then(|| (first..=last).map(|number| Period { level, number }).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_short_range_is_covered_by_short_periods() {
        let hour = 3_600_000;
        let at = 1_700_000_000_000;
        assert!(periods_between(at, at + hour).is_some_and(|periods| periods.len() <= 2 && periods[0].level == 26));
        assert_eq!(periods_between(0, i64::MAX / 4), None);
        assert_eq!(periods_between(5, 4), Some(vec![Period { level: 26, number: 0 }]));
    }

    proptest! {
        #[test]
        fn whatever_lies_in_a_range_lies_in_its_periods(from in any::<i32>(), length in 0_i64..1_000_000_000_000, within in 0.0..=1.0) {
            let from_ms = i64::from(from) * 1_000;
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a time between")]
            let at_ms = from_ms + (length as f64 * within) as i64;
            if let Some(periods) = periods_between(from_ms, from_ms + length) {
                prop_assert!(periods_of(at_ms).any(|period| periods.contains(&period)));
            }
        }
    }
}
