//! The trace of failed authentications: a line for each, up to a number that strangers cannot make expensive.

use guerdon_domain::time::Timestamp;
use guerdon_store::table::METRICS;

use super::{Later, Tally};

/// The most lines in a minute about one kind of credential from one source.
const OF_A_SOURCE: u64 = 5;

/// The most lines in a minute about one kind of credential.
const OF_A_KIND: u64 = 60;

/// Failed authentications of this process. Clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct Failures {
    lines: Tally,
    /// Failures that got no line.
    unlisted: Later,
}

impl Failures {
    /// Logs that a `credential` of this kind was refused with the problem's `code`. `source` is a keyed hash. What gets
    /// no line is counted, and logged as one figure with the first failure of a later minute.
    pub fn report(&self, credential: &str, code: &str, source: &str, now: Timestamp) {
        let (listed, earlier) = self.admit(credential, source, now);
        if earlier > 0 {
            tracing::warn!(failures = earlier, "authentication failures that were not listed");
        }
        if listed {
            tracing::warn!(credential, code, source, "authentication failed");
        }
        let failures = earlier.saturating_add(u64::from(listed));
        if failures > 0 {
            tracing::info!(target: METRICS, failed_authentications = failures);
        }
    }

    /// Decides whether a failure gets a line, and returns the number of those of an earlier minute that got none.
    fn admit(&self, credential: &str, source: &str, now: Timestamp) -> (bool, u64) {
        let within = |name: &str, most| self.lines.count(name, now).is_some_and(|count| count <= most);
        // A source that is over its own number does not use up the others'.
        let listed = within(&format!("{credential} {source}"), OF_A_SOURCE) && within(credential, OF_A_KIND);
        let earlier = self.unlisted.add(u64::from(!listed), now);
        (listed, earlier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_253_400);

    /// The number of lines for so many failures of one source.
    fn lines(failures: &Failures, source: &str, number: usize) -> usize {
        (0..number).filter(|_| failures.admit("password", source, NOW).0).count()
    }

    #[test]
    fn a_flood_of_failures_is_a_few_lines_and_one_figure() {
        let failures = Failures::default();
        assert_eq!(lines(&failures, "a", 1000), 5);
        assert_eq!(lines(&failures, "b", 2), 2, "another source is not hidden by it");
        let many: usize = (0..500).map(|n| lines(&failures, &format!("source {n}"), 1)).sum();
        assert_eq!(many, 60 - 7);
        assert!(failures.admit("service_key", "a", NOW).0, "nor is another kind");
        let next = NOW.plus_seconds(60);
        assert_eq!(failures.admit("password", "a", next), (true, 995 + 500 - 53));
        assert_eq!(failures.admit("password", "a", next), (true, 0), "told once");
    }
}
