//! How many names end with a word, from the database's own statistics.

use super::pool::Attempted;
use std::collections::BTreeMap;
use std::ops::Bound;
use tokio_postgres::Row;

/// The most common last words of names in each partition, with their shares of its rows, and how the others lie.
pub(super) const READ_LAST_WORDS: &str = "\
SELECT substr(c.relname, length('profiles_p') + 1)::int AS partition, greatest(c.reltuples, 0)::float8 AS rows,
       s.most_common_vals::text::text[] AS words, s.most_common_freqs AS shares, s.histogram_bounds::text::text[] AS bounds,
       s.n_distinct, s.null_frac
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
JOIN pg_stats_ext_exprs s ON s.tablename = c.relname AND s.schemaname = c.relnamespace::regnamespace::text
WHERE i.inhparent = 'profiles'::regclass AND s.statistics_name = c.relname || '_last_word'";

/// The last words of a partition's names.
#[derive(Debug, Clone, Default)]
pub(super) struct LastWords {
    /// How many names end with each of the most common.
    listed: BTreeMap<String, f64>,
    /// With the rarest of these; `None` when nothing is known.
    least: Option<f64>,
    /// Of the others as many lie between each two of these.
    bounds: Vec<String>,
    between: f64,
    /// How many names end with each of the others.
    each: f64,
}

/// How many names end with a word that begins like another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ending {
    pub rows: f64,
    /// With a longer one than that, and how many different ones these are.
    pub longer: f64,
    pub longer_words: f64,
}

impl LastWords {
    /// What one row of statistics tells, and of which partition.
    pub(super) fn of(row: &Row) -> Attempted<(usize, Self)> {
        let (partition, rows): (i32, f64) = (row.try_get("partition")?, row.try_get("rows")?);
        let words = row.try_get::<_, Option<Vec<String>>>("words")?.unwrap_or_default();
        let shares = row.try_get::<_, Option<Vec<f32>>>("shares")?.unwrap_or_default();
        let bounds = row.try_get::<_, Option<Vec<String>>>("bounds")?.unwrap_or_default();
        let distinct: f32 = row.try_get::<_, Option<f32>>("n_distinct")?.unwrap_or_default();
        // Where it is negative it is a share of the rows.
        let distinct = f64::from(distinct);
        let distinct = if distinct < 0.0 { -distinct * rows } else { distinct };
        let missing: f32 = row.try_get::<_, Option<f32>>("null_frac")?.unwrap_or_default();
        let others = (1.0 - f64::from(missing) - shares.iter().copied().map(f64::from).sum::<f64>()).max(0.0) * rows;
        let different = (distinct - words.len() as f64).max(1.0);
        let listed = words.into_iter().zip(shares.into_iter().map(|share| f64::from(share) * rows));
        let between = others / bounds.len().saturating_sub(1).max(1) as f64;
        Ok((usize::try_from(partition).unwrap_or(usize::MAX), Self::listing(listed, bounds, between, (others / different).max(1.0))))
    }

    fn listing(listed: impl Iterator<Item = (String, f64)>, bounds: Vec<String>, between: f64, each: f64) -> Self {
        let listed: BTreeMap<String, f64> = listed.collect();
        let least = listed.values().copied().reduce(f64::min);
        Self { listed, least, bounds, between, each }
    }

    /// About how many names end with a word from this one on, up to what is behind all that begin with it. `None` when nothing
    /// is known.
    pub(super) fn ending(&self, word: &str, behind: &str) -> Option<Ending> {
        let least = self.least?;
        let mut ending = Ending { rows: 0.0, longer: 0.0, longer_words: 0.0 };
        for (last, rows) in self.listed.range::<str, _>((Bound::Included(word), Bound::Excluded(behind))) {
            ending.rows += rows;
            if last != word {
                ending.longer += rows;
                ending.longer_words += 1.0;
            }
        }
        let [from, to] = [word, behind].map(|end| self.bounds.partition_point(|bound| bound.as_str() < end));
        // Between two bounds there may be some of them.
        let others = if to > from { (to - from) as f64 * self.between } else { least.min(self.between / 2.0) };
        ending.rows += others;
        ending.longer += others;
        ending.longer_words += others / self.each;
        Some(ending)
    }
}

#[cfg(test)]
impl LastWords {
    /// So many names end with each of these words, and as many with each of the others.
    pub(super) fn even(words: &[&str], rows: f64) -> Self {
        Self::listing(words.iter().map(|word| ((*word).to_owned(), rows)), Vec::new(), rows, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(word: &str, behind: &str) -> [f64; 3] {
        let listed = [("smith", 90.0), ("smithers", 20.0), ("young", 10.0)].map(|(word, rows)| (word.to_owned(), rows));
        let bounds = ["abel", "smi", "smia", "smib", "zorn"].map(str::to_owned);
        let last_words = LastWords::listing(listed.into_iter(), bounds.into(), 6.0, 2.0);
        let Ending { rows, longer, longer_words } = last_words.ending(word, behind).unwrap();
        [rows, longer, longer_words]
    }

    #[test]
    fn those_that_are_listed_count_as_such_and_the_others_by_where_they_lie() {
        assert_eq!(ending("smith", "smiti"), [113.0, 23.0, 2.5]);
        assert_eq!(ending("smi", "smj"), [128.0, 128.0, 11.0]);
        assert_eq!(ending("young", "younh"), [13.0, 3.0, 1.5]);
        assert_eq!(ending("bell", "belm"), [3.0, 3.0, 1.5]);
        assert_eq!(LastWords::default().ending("smith", "smiti"), None);
    }
}
