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
/// A period is made of 2^3 of the next shorter ones.
const LEVEL_BITS: u8 = 3;
/// A range is covered by at most so many periods.
const MAX_PERIODS: usize = 28;

/// The periods in which a time lies, one of each level.
pub fn periods_of(at_ms: i64) -> impl Iterator<Item = Period> {
    LEVELS.into_iter().map(move |level| Period { level, number: at_ms >> level })
}

/// The first and the last time of the longest period in which a time lies: a range that ends there needs no short ones.
pub fn longest_around(at_ms: i64) -> (i64, i64) {
    let level = LEVELS[LEVELS.len() - 1];
    let first = at_ms >> level << level;
    (first, first | ((1 << level) - 1))
}

/// The periods that cover a range, its bounds included: short ones at its ends, because much may lie there, and the longest that
/// fit between; `None` when it takes too many of the longest.
pub fn periods_between(from_ms: i64, to_ms: i64) -> Option<Vec<Period>> {
    LEVELS.into_iter().find_map(|shortest| cover(from_ms, to_ms, shortest))
}

fn cover(from_ms: i64, to_ms: i64, shortest: u8) -> Option<Vec<Period>> {
    let mut periods = Vec::new();
    let (mut first, mut last) = (from_ms >> shortest, to_ms >> shortest);
    for level in LEVELS.into_iter().filter(|level| *level >= shortest) {
        let is_longest = LEVELS.last() == Some(&level);
        if is_longest && last.saturating_sub(first) >= MAX_PERIODS as i64 {
            return None;
        }
        let whole = |number: i64| number & ((1 << LEVEL_BITS) - 1) == 0;
        while first <= last && (is_longest || !whole(first)) {
            periods.push(Period { level, number: first });
            first += 1;
        }
        while first <= last && !whole(last + 1) {
            periods.push(Period { level, number: last });
            last -= 1;
        }
        if first > last {
            break;
        }
        (first, last) = (first >> LEVEL_BITS, last >> LEVEL_BITS);
    }
    (periods.len() <= MAX_PERIODS).then_some(periods)
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

    #[test]
    fn a_range_of_years_ends_in_days() {
        let (day, year) = (86_400_000, 31_557_600_000);
        let from = 1_700_000_000_000;
        let periods = periods_between(from, from + 5 * year).unwrap();
        assert!(periods.iter().any(|period| period.level == 35));
        let before = periods_of(from - 7 * day).filter(|period| periods.contains(period)).count();
        assert_eq!(before, 0, "{periods:?}");
    }

    #[test]
    fn a_range_that_ends_with_a_long_period_is_covered_to_hours_at_the_other_end() {
        let year = 31_557_600_000;
        for back in (1..200).map(|part| part * year / 30) {
            let (_, to) = longest_around(1_800_000_000_000);
            let periods = periods_between(to - back, to).unwrap();
            // But where a longer one begins just there.
            let first = (to - back) >> 26;
            assert!(periods.contains(&Period { level: 26, number: first }) || first % 8 == 0, "{periods:?}");
        }
        assert_eq!(longest_around(-1), (-(1 << 35), -1));
        assert_eq!(longest_around(i64::MAX).1, i64::MAX);
    }

    proptest! {
        #[test]
        fn whatever_lies_in_a_range_lies_in_its_periods(from in any::<i32>(), length in 0_i64..1_000_000_000_000, within in 0.0..=1.0) {
            let from_ms = i64::from(from) * 1_000;
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a time between")]
            let at_ms = from_ms + (length as f64 * within) as i64;
            if let Some(periods) = periods_between(from_ms, from_ms + length) {
                prop_assert_eq!(periods_of(at_ms).filter(|period| periods.contains(period)).count(), 1);
            }
        }
    }
}
