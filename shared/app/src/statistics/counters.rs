//! The histogram of scores.

use guerdon_domain::statistics::{Counter, Counters};

/// Lower bound of the shared buckets. Each score below it has its own bucket, so places are exact.
const EXACT_SCORES: i64 = 128;

/// Returns the histogram's bucket for a score. Each score up to 127 has its own bucket; above that, each
/// doubling has 16 buckets. A histogram never has more than about a thousand buckets.
pub(crate) fn bucket(score: i64) -> i64 {
    let score = score.max(0);
    if score < EXACT_SCORES {
        return score;
    }
    let octave = i64::from(score.ilog2());
    EXACT_SCORES + (octave - 7) * 16 + ((score >> (octave - 4)) & 15)
}

/// Counts the members in higher buckets than that of `score`.
pub(crate) fn ahead_of(histogram: &Counters, score: i64) -> i64 {
    let own = Counter::Bucket(bucket(score)).name();
    histogram.iter().filter(|(name, _)| *name > own.as_str()).map(|(_, count)| count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_grow_with_scores_and_are_exact_for_small_ones() {
        assert_eq!((bucket(0), bucket(127), bucket(128), bucket(135), bucket(136)), (0, 127, 128, 128, 129));
        let mut last = -1;
        for score in 0..100_000 {
            assert!(bucket(score) >= last, "{score}");
            last = bucket(score);
        }
        assert!(bucket(i64::MAX) < 2000);
        assert_eq!(bucket(-5), 0);
    }

    #[test]
    fn a_place_counts_those_ahead() {
        let histogram =
            [(3, 1), (2, 4), (1, 10)].map(|(s, n)| (Counter::Bucket(bucket(s)), n)).into_iter().collect();
        assert_eq!([3, 2, 1, 0].map(|score| ahead_of(&histogram, score)), [0, 1, 5, 15]);
    }
}
