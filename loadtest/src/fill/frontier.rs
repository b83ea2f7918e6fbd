//! Where an earlier fill ended.

use crate::failure::Result;

/// The first of `0..end` who is not there, or `end`: found in about 2 log2(end) questions, by steps that double, then
/// by halves. A fill that broke off leaves a few gaps before its end; what is found then lies among them, so whoever
/// goes on steps back by as many as were at work at once.
pub async fn first_absent(end: u64, exists: impl AsyncFn(u64) -> Result<bool>) -> Result<u64> {
    let (mut present, mut step) = (0, 1);
    let mut absent = loop {
        let at = present + step - 1;
        if at >= end {
            break end;
        }
        if !exists(at).await? {
            break at;
        }
        present = at + 1;
        step *= 2;
    };
    while present < absent {
        let middle = present + (absent - present) / 2;
        if exists(middle).await? {
            present = middle + 1;
        } else {
            absent = middle;
        }
    }
    Ok(present)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    async fn found(end: u64, there: impl Fn(u64) -> bool) -> (u64, u64) {
        let asked = Cell::new(0);
        let exists = async |at| {
            assert!(at < end, "{at} is outside");
            asked.set(asked.get() + 1);
            Ok(there(at))
        };
        (first_absent(end, exists).await.unwrap(), asked.get())
    }

    #[tokio::test]
    async fn finds_the_end_wherever_it_is() {
        for end in 0..40 {
            for filled in 0..=end {
                assert_eq!(found(end, |at| at < filled).await.0, filled, "{filled} of {end}");
            }
        }
    }

    #[tokio::test]
    async fn asks_few_questions() {
        for filled in [0, 1, 999, 500_000, 9_999_999, 10_000_000] {
            let (at, asked) = found(10_000_000, |at| at < filled).await;
            assert_eq!(at, filled);
            assert!(asked <= 50, "{asked} questions for {filled}");
        }
    }

    #[tokio::test]
    async fn gaps_near_the_end_are_behind_what_is_found_less_those_at_work() {
        for seed in 0..200_u64 {
            let gap = |at: u64| at >= 936 && (at ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 0;
            let (at, _) = found(5_000, |at| at < 1_000 && !gap(at)).await;
            let first_gap = (0..1_000).find(|at| gap(*at)).unwrap_or(1_000);
            assert!(at.saturating_sub(64) <= first_gap, "{at} misses the gap at {first_gap}");
        }
    }
}
