//! The table's charges per use case: the figures of `GET /local/costs` and the cost bench.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Mutex, PoisonError},
};

use aws_sdk_dynamodb::types::ConsumedCapacity;

tokio::task_local! {
    static USE_CASE: &'static str;
}

/// Attributes every table call inside `work` to `use_case`. The outermost name wins, so that the cost of a
/// use case includes the use cases it calls.
pub async fn metered<F: Future>(use_case: &'static str, work: F) -> F::Output {
    // Boxed: use cases call each other, and their futures would nest too deep for the compiler.
    let work = Box::pin(work);
    if USE_CASE.try_with(|_| ()).is_ok() { work.await } else { USE_CASE.scope(use_case, work).await }
}

/// Requests and capacity of one use case. Units are kept in tenths: a read may cost half a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Calls to the table.
    pub requests: u64,
    /// Of these, transactions that were committed.
    pub transactions: u64,
    /// Read units times ten.
    pub read_tenths: u64,
    /// Write units times ten, table and indexes.
    pub write_tenths: u64,
}

/// Adds up the costs of calls.
#[derive(Debug, Default)]
pub struct Meter {
    costs: Mutex<BTreeMap<&'static str, Cost>>,
}

/// The kind of a call: it decides how its units are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallKind {
    Read,
    Write,
    Transaction,
}

impl Meter {
    /// Returns the costs so far, by use case.
    pub fn snapshot(&self) -> BTreeMap<&'static str, Cost> {
        self.costs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Resets the costs to zero.
    pub fn reset(&self) {
        self.costs.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn add<'a>(&self, kind: CallKind, consumed: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        let tenths: u64 = consumed.into_iter().filter_map(|c| c.capacity_units()).map(to_tenths).sum();
        let name = USE_CASE.try_with(|name| *name).unwrap_or("other");
        let mut costs = self.costs.lock().unwrap_or_else(PoisonError::into_inner);
        let cost = costs.entry(name).or_default();
        cost.requests += 1;
        match kind {
            CallKind::Read => cost.read_tenths += tenths,
            CallKind::Write => cost.write_tenths += tenths,
            CallKind::Transaction => {
                cost.write_tenths += tenths;
                cost.transactions += 1;
            }
        }
    }
}

/// Converts the SDK's capacity units. They are floats, but multiples of a half.
#[expect(clippy::float_arithmetic, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn to_tenths(units: f64) -> u64 {
    (units * 10.0).round() as u64
}
