//! Counts of the running minute.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use guerdon_domain::time::Timestamp;

/// The most names that are counted in a minute.
const MOST: usize = 10_000;

/// Counts by name within the running minute. The names are those of one minute and at most 10,000, so strangers
/// cannot fill the memory. Clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Mutex<Minute>>);

#[derive(Debug, Default)]
struct Minute {
    minute: i64,
    counts: HashMap<String, u64>,
}

impl Minute {
    fn of(&mut self, now: Timestamp) -> &mut HashMap<String, u64> {
        let minute = now.seconds().div_euclid(60);
        // A call that began in the minute before is counted in this one.
        if minute != self.minute && minute != self.minute - 1 {
            // The map of a minute with many names is given back.
            *self = Self { minute, counts: HashMap::new() };
        }
        &mut self.counts
    }
}

impl Tally {
    /// Counts one more and returns the number in this minute; `None` when there is no room for another name.
    pub fn count(&self, name: &str, now: Timestamp) -> Option<u64> {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = minute.of(now);
        if let Some(count) = counts.get_mut(name) {
            *count = count.saturating_add(1);
            return Some(*count);
        }
        if counts.len() >= MOST {
            return None;
        }
        counts.insert(name.to_owned(), 1);
        Some(1)
    }

    /// Returns whether the name was counted in this minute.
    pub(crate) fn has(&self, name: &str, now: Timestamp) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).of(now).contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_253_400);

    #[test]
    fn names_are_counted_apart_and_anew_each_minute() {
        let tally = Tally::default();
        let counts = ["a", "a", "b"].map(|name| tally.count(name, NOW));
        assert_eq!(counts, [Some(1), Some(2), Some(1)]);
        assert_eq!(tally.clone().count("a", NOW.plus_seconds(59)), Some(3));
        assert_eq!(tally.count("a", NOW.plus_seconds(60)), Some(1));
        assert_eq!(tally.count("a", NOW.plus_seconds(59)), Some(2), "it was on its way");
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let tally = Tally::default();
        for n in 0..MOST {
            assert_eq!(tally.count(&n.to_string(), NOW), Some(1));
        }
        assert_eq!(tally.count("another", NOW), None);
        assert_eq!(tally.count("7", NOW), Some(2), "a name that is known is counted on");
        assert_eq!(tally.0.lock().unwrap().counts.len(), MOST);
        assert_eq!(tally.count("another", NOW.plus_seconds(60)), Some(1));
    }
}
