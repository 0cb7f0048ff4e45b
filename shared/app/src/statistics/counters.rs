//! The histogram of scores.

use guerdon_domain::statistics::{Counter, Counters};

/// Below this, each score has a bucket of its own, so places are exact.
const EXACT_SCORES: i64 = 128;

/// The histogram's bucket of a score: its own up to 127, then 16 to each doubling. A histogram never has
/// more than about a thousand buckets, however far scores go.
pub(crate) fn bucket(score: i64) -> i64 {
    let score = score.max(0);
    if score < EXACT_SCORES {
        return score;
    }
    let octave = i64::from(score.ilog2());
    EXACT_SCORES + (octave - 7) * 16 + ((score >> (octave - 4)) & 15)
}

/// How many members score in a higher bucket than `score`'s.
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
