//! When the rows of a partition were created, by the database's statistics. A directory does not grow evenly: it is
//! brought over in a day, and grows by a few a day from then on.

/// From oldest to newest: a time, and the share of rows up to it.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Timeline(Vec<(i64, f64)>);

/// Of a tenant with a smaller share of the partition than this the statistics know too little.
const LEAST_SHARE: f64 = 0.02;

impl Timeline {
    /// From a histogram, between whose bounds equally many rows lie, and the times that many rows have, with their shares.
    pub(super) fn of(bounds: &[i64], common: &[(i64, f64)]) -> Self {
        let rest = (1.0 - common.iter().map(|(_, share)| share).sum::<f64>()).max(0.0);
        #[expect(clippy::cast_precision_loss, reason = "some thousands at most")]
        let each = rest / (bounds.len().max(2) - 1) as f64;
        // The first bound has nothing before it; a common time stands twice, so that its rows lie at it and not before.
        let of_bounds = bounds.iter().enumerate().map(|(at, bound)| (*bound, if at == 0 { 0.0 } else { each }));
        let of_common = common.iter().flat_map(|(at, share)| [(*at, 0.0), (*at, *share)]);
        let mut points: Vec<(i64, f64)> = of_bounds.chain(of_common).collect();
        points.sort_by_key(|(at, _)| *at);
        let mut sum = 0.0;
        for (_, share) in &mut points {
            sum += *share;
            *share = sum;
        }
        Self(points)
    }

    /// The last time that is known.
    pub(super) fn end_ms(&self) -> Option<i64> {
        self.0.last().map(|(at, _)| *at)
    }

    /// With those who came after its end, beside so many rows: each a time, and how many were created up to it.
    pub(super) fn grown(&self, newer: &[(i64, f64)], rows: f64) -> Self {
        let all = self.0.last().map_or(0.0, |(_, share)| *share);
        let newer = newer.iter().map(|(at, more)| (*at, all + more / rows.max(1.0)));
        Self(self.0.iter().copied().chain(newer).collect())
    }

    /// How far from `begin_ms` it is to where this share of the rows between the first and the last lies, towards the older or
    /// the newer; in milliseconds. Where nothing is known, time is taken to be filled evenly.
    pub(super) fn part(&self, (first_ms, last_ms): (i64, i64), begin_ms: i64, share: f64, older: bool) -> i64 {
        let (first, last, begin) = (self.share_at(first_ms), self.share_at(last_ms), self.share_at(begin_ms));
        if last - first < LEAST_SHARE {
            return spread(last_ms.saturating_sub(first_ms), share);
        }
        let share = share * (last - first);
        let end = if older { (begin - share).max(first) } else { (begin + share).min(last) };
        self.time_at(end, older).clamp(first_ms, last_ms).saturating_sub(begin_ms).saturating_abs()
    }

    /// The share of rows up to a time.
    fn share_at(&self, at_ms: i64) -> f64 {
        let behind = self.0.partition_point(|(at, _)| *at <= at_ms);
        match (self.0.get(behind.wrapping_sub(1)), self.0.get(behind)) {
            (Some(before), Some(after)) => between((before.0, before.1), (after.0, after.1), at_ms),
            (Some(last), None) => last.1,
            _ => 0.0,
        }
    }

    /// The time up to which this share of rows was created: the first such, or the last.
    fn time_at(&self, share: f64, first: bool) -> i64 {
        let behind = self.0.partition_point(|(_, sum)| if first { *sum < share } else { *sum <= share });
        match (self.0.get(behind.wrapping_sub(1)), self.0.get(behind)) {
            (Some(before), Some(after)) => {
                let part = (share - before.1) / (after.1 - before.1).max(f64::MIN_POSITIVE);
                before.0.saturating_add(spread(after.0.saturating_sub(before.0), part))
            }
            (None, Some(only)) | (Some(only), None) => only.0,
            (None, None) => 0,
        }
    }
}

/// The share at a time between two points.
fn between(before: (i64, f64), after: (i64, f64), at_ms: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds, of which a few are nothing here")]
    let part = at_ms.saturating_sub(before.0) as f64 / after.0.saturating_sub(before.0).max(1) as f64;
    before.1 + (after.1 - before.1) * part
}

fn spread(length_ms: i64, share: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a share of a time, and the cast saturates")]
    let part = (length_ms as f64 * share).ceil() as i64;
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn with_no_statistics_time_is_filled_evenly() {
        let none = Timeline::default();
        assert_eq!(none.part((0, 1_000), 1_000, 0.25, true), 250);
        assert_eq!(none.part((0, 1_000), 0, 0.25, false), 250);
    }

    #[test]
    fn a_directory_that_was_brought_over_in_a_day_is_looked_for_in_that_day() {
        // All of it on the first ten days, and a handful a year later.
        let bounds: Vec<i64> = (0..=100).map(|at| if at == 100 { 365 * DAY } else { at * DAY / 10 }).collect();
        let timeline = Timeline::of(&bounds, &[]);
        let tenant = (0, 365 * DAY);
        let part = timeline.part(tenant, 365 * DAY, 0.05, true);
        let from = 365 * DAY - part;
        assert!((9 * DAY..10 * DAY).contains(&from), "{}", from / DAY);
        let part = timeline.part(tenant, 0, 0.05, false);
        assert!((DAY / 4..DAY).contains(&part), "{}", part / DAY);
    }

    #[test]
    fn a_time_that_many_have_is_reached_as_one() {
        // Half of all at one time, the others evenly over a hundred days.
        let bounds: Vec<i64> = (0..=100).map(|at| at * DAY).collect();
        let timeline = Timeline::of(&bounds, &[(40 * DAY, 0.5)]);
        let tenant = (0, 100 * DAY);
        assert_eq!(timeline.part(tenant, 100 * DAY, 0.6, true) / DAY, 60);
        assert_eq!(timeline.part(tenant, 100 * DAY, 0.1, true) / DAY, 20);
        assert_eq!(timeline.part(tenant, 0, 0.5, false) / DAY, 40);
    }

    #[test]
    fn what_came_after_the_statistics_is_in_the_first_part_and_costs_no_reach() {
        let bounds: Vec<i64> = (0..=100).map(|at| at * DAY).collect();
        let timeline = Timeline::of(&bounds, &[]);
        let part = timeline.part((0, 200 * DAY), 200 * DAY, 0.1, true);
        assert_eq!(part / DAY, 110);
    }

    #[test]
    fn those_who_came_after_the_statistics_are_counted_where_they_are_known() {
        let bounds: Vec<i64> = (0..=100).map(|at| at * DAY).collect();
        // A tenth more in the last hour of a quiet hundred days.
        let timeline = Timeline::of(&bounds, &[]).grown(&[(200 * DAY - DAY / 24, 0.0), (200 * DAY, 100.0)], 1_000.0);
        let part = timeline.part((0, 200 * DAY), 200 * DAY, 0.045, true);
        assert_eq!(part, DAY / 48 - DAY / 4_800);
        let part = timeline.part((0, 200 * DAY), 200 * DAY, 0.5, true);
        assert!((144..=145).contains(&(part / DAY)), "{part}");
        assert_eq!(timeline.end_ms(), Some(200 * DAY));
    }

    #[test]
    fn a_tenant_of_which_the_statistics_know_next_to_nothing_is_taken_to_grow_evenly() {
        let bounds: Vec<i64> = (0..=100).map(|at| at * DAY).collect();
        let timeline = Timeline::of(&bounds, &[]);
        assert_eq!(timeline.part((100 * DAY, 140 * DAY), 140 * DAY, 0.25, true), 10 * DAY);
    }
}
