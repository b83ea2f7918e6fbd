//! The highest rate that a server holds: up in steps until one does not hold, then between the two.

/// How much higher each step is while all hold.
const GROWTH: f64 = 1.5;
/// How much lower while none does: such a step takes long, because much is left undone.
const RETREAT: f64 = 4.0;
/// The search ends when what held and what did not are as close as this.
const PRECISION: f64 = 1.06;
/// No server is asked for less.
const LOWEST: f64 = 1.0;

/// Which rate to try next, from what was seen of the others.
#[derive(Debug, Clone)]
pub struct RateSearch {
    first: f64,
    highest_held: Option<f64>,
    /// Those above what held, from the lowest to the highest.
    failed: Vec<Failed>,
}

#[derive(Debug, Clone, Copy)]
struct Failed {
    rate: f64,
    times: u32,
}

impl RateSearch {
    pub fn new(first: f64) -> Self {
        Self { first, highest_held: None, failed: Vec::new() }
    }

    /// The rate to try, or `None` when the limit is known. The lowest that failed is tried once more at the end: the first time
    /// the server may have been cold.
    pub fn next_rate(&self) -> Option<f64> {
        match (self.highest_held, self.failed.first()) {
            (None, None) => Some(self.first),
            (Some(held), None) => Some((held * GROWTH).round()),
            (None, Some(failed)) => Some((failed.rate / RETREAT).round()).filter(|rate| *rate >= LOWEST && *rate < failed.rate),
            // The geometric mean: what counts is how many times one is the other.
            (Some(held), Some(failed)) => {
                let between = Some((held * failed.rate).sqrt().round());
                let between = between.filter(|rate| failed.rate > held * PRECISION && *rate > held && *rate < failed.rate);
                between.or(Some(failed.rate).filter(|_| failed.times < 2))
            }
        }
    }

    /// Whether this rate held. A rate once held above a failed one says that the failure was chance; those that failed above it
    /// are still to be believed.
    pub fn saw(&mut self, rate: f64, held: bool) {
        if held {
            self.highest_held = Some(self.highest_held.map_or(rate, |highest| highest.max(rate)));
            self.failed.retain(|failed| failed.rate > rate);
        } else if let Some(again) = self.failed.iter_mut().find(|failed| failed.rate.to_bits() == rate.to_bits()) {
            again.times += 1;
        } else {
            self.failed.push(Failed { rate, times: 1 });
            self.failed.sort_by(|one, other| one.rate.total_cmp(&other.rate));
        }
    }

    pub fn highest_held(&self) -> Option<f64> {
        self.highest_held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(first: f64, limit: f64) -> (Option<f64>, Vec<f64>) {
        let (mut search, mut tried) = (RateSearch::new(first), Vec::new());
        while let Some(rate) = search.next_rate() {
            tried.push(rate);
            search.saw(rate, rate <= limit);
            assert!(tried.len() < 40, "no end: {tried:?}");
        }
        (search.highest_held(), tried)
    }

    #[test]
    fn finds_the_limit_from_below_and_from_above() {
        for limit in [30.0, 700.0, 2_000.0, 8_765.0, 40_000.0] {
            for first in [100.0, 2_000.0, 50_000.0] {
                let (found, tried) = search(first, limit);
                let found = found.unwrap();
                assert!(found <= limit && found * PRECISION * 1.01 + 1.0 >= limit, "{found} for {limit}: {tried:?}");
            }
        }
    }

    #[test]
    fn goes_up_in_steps_and_then_in_between() {
        assert_eq!(search(1_000.0, 1_800.0).1, [1_000.0, 1_500.0, 2_250.0, 1_837.0, 1_660.0, 1_746.0, 1_837.0]);
    }

    #[test]
    fn what_failed_once_by_chance_is_tried_again() {
        let mut search = RateSearch::new(1_000.0);
        let mut tried = Vec::new();
        while let Some(rate) = search.next_rate() {
            let held = rate <= 1_550.0 && (rate < 1_400.0 || tried.contains(&rate));
            search.saw(rate, held);
            tried.push(rate);
        }
        assert_eq!(tried[..2], [1_000.0, 1_500.0], "it fails at first");
        assert_eq!(search.highest_held(), Some(1_500.0));
    }

    #[test]
    fn a_failure_by_chance_does_not_send_it_above_what_failed_besides() {
        let mut search = RateSearch::new(1_000.0);
        let mut tried: Vec<f64> = Vec::new();
        while let Some(rate) = search.next_rate() {
            // Cold, it fails above 3,700; once it was tried there, only above 4,600.
            let is_warm = tried.iter().any(|earlier| *earlier > 3_700.0 && *earlier <= rate);
            search.saw(rate, rate <= if is_warm { 4_600.0 } else { 3_700.0 });
            tried.push(rate);
        }
        let found = search.highest_held().unwrap();
        assert!((4_600.0 / PRECISION..=4_600.0).contains(&found), "{found}: {tried:?}");
        assert_eq!(tried.iter().filter(|rate| **rate > 5_000.0).count(), 1, "{tried:?}");
        assert!(tried.len() <= 14, "{tried:?}");
    }

    #[test]
    fn a_server_that_holds_nothing_has_no_limit() {
        let (found, tried) = search(10.0, 0.0);
        assert_eq!((found, tried.last().copied()), (None, Some(1.0)));
    }
}
