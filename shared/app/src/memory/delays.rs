//! Growing delays after failed attempts.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use guerdon_domain::time::Timestamp;

/// The attempts that may fail before the first delay.
const FREE: u32 = 5;

/// The first delay, in seconds. Each further one is twice as long.
const FIRST_SECONDS: i64 = 30;

/// The longest delay, in seconds.
const LONGEST_SECONDS: i64 = 15 * 60;

/// The time after which failures are forgotten, in seconds.
const KEPT_SECONDS: i64 = 24 * 3600;

/// The most names that are remembered.
const MOST: usize = 10_000;

/// Failed attempts by name. An attempt during a delay is refused, and neither counts nor prolongs the delay. Clones
/// share the memory.
#[derive(Debug, Clone, Default)]
pub struct Delays(Arc<Mutex<HashMap<String, Failures>>>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    /// The end of the delay.
    until: Timestamp,
}

impl Delays {
    /// Counts an attempt as failed before its outcome is known, so attempts at once cannot exceed the limit. Returns
    /// the end of the delay that follows if it fails, if one follows.
    ///
    /// # Errors
    /// The end of the delay that is running.
    pub fn attempt(&self, name: &str, now: Timestamp) -> Result<Option<Timestamp>, Timestamp> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.get(name).filter(|failures| now < failures.until.plus_seconds(KEPT_SECONDS));
        if let Some(running) = before.filter(|failures| now < failures.until) {
            return Err(running.until);
        }
        let count = before.map_or(0, |failures| failures.count).saturating_add(1);
        let until = now.plus_seconds(seconds(count));
        if !known.contains_key(name) {
            make_room(&mut known, now);
        }
        known.insert(name.to_owned(), Failures { count, until });
        Ok((until > now).then_some(until))
    }

    /// Forgets the failures of a name, after a success.
    pub fn forget(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

/// The delay after `count` failures, in seconds.
fn seconds(count: u32) -> i64 {
    let Some(doublings) = count.checked_sub(FREE) else { return 0 };
    // The sixth delay is the longest one.
    (FIRST_SECONDS << doublings.min(6)).min(LONGEST_SECONDS)
}

/// Drops what has ended, and then what ends first, so that one more fits.
fn make_room(known: &mut HashMap<String, Failures>, now: Timestamp) {
    if known.len() < MOST {
        return;
    }
    known.retain(|_, failures| now < failures.until.plus_seconds(KEPT_SECONDS));
    if known.len() < MOST {
        return;
    }
    let first = known.iter().min_by_key(|(_, failures)| (failures.count, failures.until));
    if let Some(name) = first.map(|(name, _)| name.clone()) {
        known.remove(&name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_253_400);

    #[test]
    fn the_delay_grows_to_a_quarter_of_an_hour_and_is_forgotten_after_a_day() {
        let (delays, mut now) = (Delays::default(), NOW);
        let mut grown = Vec::new();
        for _ in 0..12 {
            let until = delays.attempt("a", now).unwrap();
            grown.push(until.map_or(0, |until| until.seconds() - now.seconds()));
            now = until.unwrap_or(now);
        }
        assert_eq!(grown, [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(delays.attempt("b", now), Ok(None), "another name has its own");
        assert_eq!(delays.attempt("a", now.plus_seconds(KEPT_SECONDS)), Ok(None));
    }

    #[test]
    fn an_attempt_during_a_delay_does_not_prolong_it() {
        let delays = Delays::default();
        for _ in 0..4 {
            assert_eq!(delays.attempt("a", NOW), Ok(None));
        }
        let until = NOW.plus_seconds(30);
        assert_eq!(delays.attempt("a", NOW), Ok(Some(until)));
        for seconds in 0..30 {
            assert_eq!(delays.attempt("a", NOW.plus_seconds(seconds)), Err(until));
        }
        assert_eq!(delays.attempt("a", until), Ok(Some(until.plus_seconds(60))));
        delays.forget("a");
        assert_eq!(delays.attempt("a", until), Ok(None));
    }

    #[test]
    fn the_most_delayed_are_remembered_when_there_are_too_many() {
        let delays = Delays::default();
        for _ in 0..5 {
            delays.attempt("a", NOW).unwrap();
        }
        for n in 0..MOST + 50 {
            delays.attempt(&n.to_string(), NOW).unwrap();
        }
        assert_eq!(delays.0.lock().unwrap().len(), MOST);
        assert_eq!(delays.attempt("a", NOW), Err(NOW.plus_seconds(30)));
    }
}
