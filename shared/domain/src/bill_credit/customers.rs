//! The Stripe customers of a member, and the one whose bills use the member's credit.
//!
//! A member has several customers when checkouts of different links made one each, or when an old record was replaced.
//! Credit on the balance of one that gets no bills is never used. What Stripe reports about them is merged as reversals
//! are: the result depends on the content of the reports, not on their order or number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    ids::{CustomerId, MemberId},
    money::MoneyError,
    stored::is_default,
    time::Timestamp,
};

/// The most customers of a member that are compared. The least billed of more are forgotten.
const MOST_CUSTOMERS: usize = 40;

/// The most subscriptions of a customer that are remembered.
const MOST_SUBSCRIPTIONS: usize = 10;

/// The state of a subscription, as far as bills follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionState {
    /// Paused or unpaid: there are no bills now, there may be some later.
    Dormant,
    /// The customer is billed.
    Live,
    /// Over for good.
    Ended,
}

/// One report of Stripe about a customer's bills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BillingReport {
    /// The customer is the member's.
    Linked {
        /// The instant at which we learned of it.
        at: Timestamp,
    },
    /// There is an invoice.
    Billed {
        /// The instant, by Stripe's clock.
        at: Timestamp,
    },
    /// A subscription is in this state.
    Subscribed {
        /// `sub_...`
        subscription: String,
        /// Its state.
        state: SubscriptionState,
        /// The instant, by Stripe's clock.
        at: Timestamp,
    },
    /// The customer was deleted, or Stripe does not know it.
    Deleted,
}

/// The latest report about a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Subscribed {
    state: SubscriptionState,
    at: Timestamp,
}

impl Subscribed {
    /// An ended subscription stays so. Of two other reports the later one counts.
    fn rank(self) -> (bool, Timestamp, SubscriptionState) {
        (self.state == SubscriptionState::Ended, self.at, self.state)
    }
}

/// What is known of a customer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BilledCustomer {
    /// The instant at which we learned that it is the member's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked_at: Option<Timestamp>,
    /// The latest invoice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    subscriptions: BTreeMap<String, Subscribed>,
    /// True when it was deleted, or Stripe does not know it: no bill comes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// True when an operator linked it to another member.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlinked: bool,
    /// Credit that was on its balance and was given back to the member, in minor units.
    #[serde(default, skip_serializing_if = "is_default")]
    pub recalled: i64,
}

impl BilledCustomer {
    /// True while a subscription is live.
    pub fn is_subscribed(&self) -> bool {
        self.subscriptions.values().any(|subscribed| subscribed.state == SubscriptionState::Live)
    }

    /// Decides which of two customers gets the credit: the one with a live subscription, then the one that was billed
    /// last, then the one that was linked last.
    fn rank(&self) -> (bool, Option<Timestamp>, Option<Timestamp>) {
        (self.is_subscribed(), self.billed_at, self.linked_at)
    }

    /// What of a member's only customer can change who gets the credit. Instants matter only beside another customer.
    fn alone(&self) -> (bool, bool, bool, bool) {
        (self.is_subscribed(), self.billed_at.is_some(), self.linked_at.is_some(), self.deleted)
    }

    fn merge(&mut self, report: &BillingReport) {
        match report {
            BillingReport::Linked { at } => {
                self.linked_at = self.linked_at.max(Some(*at));
                self.unlinked = false;
            }
            BillingReport::Billed { at } => self.billed_at = self.billed_at.max(Some(*at)),
            BillingReport::Deleted => self.deleted = true,
            BillingReport::Subscribed { subscription, state, at } => {
                let said = Subscribed { state: *state, at: *at };
                let known = self.subscriptions.entry(subscription.clone()).or_insert(said);
                if known.rank() < said.rank() {
                    *known = said;
                }
                self.forget_old_subscriptions();
            }
        }
    }

    fn forget_old_subscriptions(&mut self) {
        while self.subscriptions.len() > MOST_SUBSCRIPTIONS {
            let live = |subscribed: &Subscribed| subscribed.state == SubscriptionState::Live;
            let oldest = self.subscriptions.iter().min_by_key(|(_, known)| (live(known), known.at));
            let Some(id) = oldest.map(|(id, _)| id.clone()) else { return };
            self.subscriptions.remove(&id);
        }
    }
}

/// The Stripe customers of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BilledCustomers {
    /// The member.
    pub member: MemberId,
    /// The number of changes so far. Every write is conditional on it.
    pub seq: u32,
    customers: BTreeMap<CustomerId, BilledCustomer>,
}

impl BilledCustomers {
    /// A member without customers.
    pub const fn of(member: MemberId) -> Self {
        Self { member, seq: 0, customers: BTreeMap::new() }
    }

    /// The customers, by their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&CustomerId, &BilledCustomer)> {
        self.customers.iter()
    }

    /// What is known of a customer of the member.
    pub fn get(&self, customer: &CustomerId) -> Option<&BilledCustomer> {
        self.customers.get(customer)
    }

    /// True when no more are remembered: one that is not here may have been forgotten.
    pub fn are_full(&self) -> bool {
        self.customers.len() >= MOST_CUSTOMERS
    }

    /// True when the member has had more than one.
    pub fn are_several(&self) -> bool {
        self.customers.len() > 1
    }

    /// The customer that gets the member's credit. One that was deleted or linked to another member never does.
    pub fn target(&self) -> Option<&CustomerId> {
        let living = self.customers.iter().filter(|(_, known)| !known.deleted && !known.unlinked);
        living.max_by_key(|(id, known)| (known.rank(), *id)).map(|(id, _)| id)
    }

    /// Merges reports about a customer. Returns `None` when they change nothing that counts.
    pub fn merged(&self, customer: &CustomerId, reports: &[BillingReport]) -> Option<Self> {
        let mut next = self.clone();
        let known = next.customers.entry(customer.clone()).or_default();
        reports.iter().for_each(|report| known.merge(report));
        let (before, after) = (self.customers.get(customer), next.customers.get(customer));
        let is_same = if next.are_several() {
            before == after
        } else {
            before.is_some() && before.map(BilledCustomer::alone) == after.map(BilledCustomer::alone)
        };
        if is_same {
            return None;
        }
        next.forget_the_least_billed();
        next.seq = next.seq.saturating_add(1);
        Some(next)
    }

    /// Takes a customer away, because it is another member's, and records the credit on its balance that was given back.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when the sum does not fit.
    pub fn without(&self, customer: &CustomerId, recalled: i64) -> Result<Self, MoneyError> {
        let mut next = self.recalled(customer, recalled)?;
        if let Some(known) = next.customers.get_mut(customer) {
            known.unlinked = true;
        }
        Ok(next)
    }

    /// Takes a customer over from another member, with what is known of its bills.
    pub fn with(&self, customer: &CustomerId, known: Option<&BilledCustomer>, at: Timestamp) -> Self {
        let mut next = self.clone();
        let recalled = self.get(customer).map_or(0, |own| own.recalled);
        let known = known.cloned().unwrap_or_default();
        let adopted = BilledCustomer { linked_at: Some(at), unlinked: false, recalled, ..known };
        next.customers.insert(customer.clone(), adopted);
        next.forget_the_least_billed();
        next.seq = next.seq.saturating_add(1);
        next
    }

    /// Records that `minor` of the credit on a customer's balance was given back to the member. A negative amount was
    /// used by an invoice that is told late.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when the sum does not fit.
    pub fn recalled(&self, customer: &CustomerId, minor: i64) -> Result<Self, MoneyError> {
        let mut next = self.clone();
        let known = next.customers.entry(customer.clone()).or_default();
        known.recalled = known.recalled.checked_add(minor).ok_or(MoneyError::Overflow)?;
        next.seq = next.seq.saturating_add(1);
        Ok(next)
    }

    fn forget_the_least_billed(&mut self) {
        while self.customers.len() > MOST_CUSTOMERS {
            let forgettable = self.customers.iter().filter(|(_, known)| known.recalled == 0);
            let least = forgettable.min_by_key(|(id, known)| (!known.deleted, known.rank(), *id));
            let Some(id) = least.map(|(id, _)| id.clone()) else { return };
            self.customers.remove(&id);
        }
    }
}

#[cfg(test)]
#[path = "customers_tests.rs"]
mod tests;
