//! The counters of one projected item.

use std::collections::BTreeMap;

use crate::{
    money::{Currency, Money},
    statistics::{Counter, Sum},
};

/// Counters by their stored names. A name that only another version of the program knows is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters(BTreeMap<String, i64>);

impl Counters {
    /// The value of a counter; zero when nothing was ever added to it.
    pub fn get(&self, counter: Counter) -> i64 {
        self.named(&counter.name())
    }

    /// The value of the counter that is stored under `name`.
    pub fn named(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// A sum in one currency.
    pub fn money(&self, sum: Sum, currency: Currency) -> Money {
        Money::new(self.get(Counter::Sum(sum, currency)), currency)
    }

    /// True when a sum is above zero in some currency.
    pub fn has(&self, sum: Sum) -> bool {
        self.sums(sum).any(|money| money.is_positive())
    }

    /// A sum in each currency in which something was ever added to it.
    pub fn sums(&self, sum: Sum) -> impl Iterator<Item = Money> {
        let word = sum.word();
        self.0.iter().filter_map(move |(name, minor)| {
            let code = name.strip_prefix(&word)?.strip_prefix('_')?;
            Some(Money::new(*minor, Currency::parse(code).ok()?))
        })
    }

    /// Adds to a counter.
    pub fn add(&mut self, counter: Counter, add: i64) {
        self.add_named(counter.name(), add);
    }

    /// Adds all of `others`.
    pub fn add_all(&mut self, others: &Self) {
        for (name, add) in &others.0 {
            self.add_named(name.clone(), *add);
        }
    }

    fn add_named(&mut self, name: String, add: i64) {
        let slot = self.0.entry(name).or_default();
        *slot = slot.saturating_add(add);
    }

    /// True when nothing was ever added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lists all of them, by stored name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }
}

impl FromIterator<(Counter, i64)> for Counters {
    fn from_iter<I: IntoIterator<Item = (Counter, i64)>>(all: I) -> Self {
        let mut counters = Self::default();
        for (counter, add) in all {
            counters.add(counter, add);
        }
        counters
    }
}

/// Reads counters as they are stored.
impl FromIterator<(String, i64)> for Counters {
    fn from_iter<I: IntoIterator<Item = (String, i64)>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

/// Lists counters as they are stored.
impl IntoIterator for Counters {
    type Item = (String, i64);
    type IntoIter = std::collections::btree_map::IntoIter<String, i64>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_found_in_any_currency_and_not_by_another_ones_name() {
        let of = |name: &str, minor| [(name.to_owned(), minor)].into_iter().collect::<Counters>();
        assert!(of("held_USD", 1).has(Sum::Held));
        assert!(of("held_DAY", 1).has(Sum::Held));
        assert!(!of("held_USD", 0).has(Sum::Held));
        assert!(!of("paid_out_USD", 1).has(Sum::Paid));
        assert!(of("paid_out_USD", 1).has(Sum::PaidOut));
    }

    #[test]
    fn what_was_never_counted_is_zero() {
        let usd = Counter::Sum(Sum::Held, Currency::USD);
        let counters: Counters = [(Counter::Pending, -1), (usd, 500), (usd, 20)].into_iter().collect();
        assert_eq!((counters.get(Counter::Pending), counters.get(Counter::Recruits)), (-1, 0));
        assert_eq!(counters.money(Sum::Held, Currency::USD), Money::new(520, Currency::USD));
        assert_eq!(counters.money(Sum::Held, Currency::EUR), Money::zero(Currency::EUR));
    }
}
