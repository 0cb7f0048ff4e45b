//! Customer balances at Stripe: idempotent by posting, slow, and sometimes without an answer. Invoices use them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use guerdon_app::bill_credit::{BalanceError, CustomerBalance};
use guerdon_domain::{
    ids::{CustomerId, PostingId},
    money::Money,
    time::Timestamp,
};

use crate::net::Net;

/// An invoice at Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoiced {
    /// The customer that it bills.
    pub customer: CustomerId,
    /// The part of the balance that it used, in minor units.
    pub applied: i64,
    /// True when it was voided: the balance has that part again.
    pub voided: bool,
    /// True when it was made before the customer was linked to another member. An operator removes what it gives back.
    pub is_former: bool,
}

/// What an operator does with a balance while the customer is linked to another member.
#[derive(Default)]
struct Removal {
    /// What was taken before the customer was linked.
    taken: i64,
    /// What invoices that were voided since then gave back.
    given_back: i64,
}

#[derive(Default)]
struct State {
    balances: BTreeMap<CustomerId, i64>,
    postings: BTreeSet<(CustomerId, PostingId)>,
    deleted: BTreeSet<CustomerId>,
    invoices: BTreeMap<usize, Invoiced>,
    /// Balances whose customers are being linked to another member.
    removals: BTreeMap<CustomerId, Removal>,
}

/// Stripe.
pub struct Stripe {
    net: Arc<Net>,
    state: Mutex<State>,
}

impl Stripe {
    /// A Stripe without credit.
    pub fn new(net: Arc<Net>) -> Self {
        Self { net, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The credit on a customer's balance.
    pub fn balance(&self, customer: &CustomerId) -> i64 {
        self.state().balances.get(customer).copied().unwrap_or_default()
    }

    /// True after a customer was deleted.
    pub fn is_deleted(&self, customer: &CustomerId) -> bool {
        self.state().deleted.contains(customer)
    }

    /// Deletes a customer. Its balance is gone.
    pub fn delete(&self, customer: &CustomerId) {
        self.net.note(|| format!("STRIPE deletes {customer}"));
        let mut state = self.state();
        state.deleted.insert(customer.clone());
        state.balances.remove(customer);
    }

    /// Makes an invoice, which uses the balance. A customer that was deleted gets none.
    pub fn bill(&self, invoice: usize, customer: &CustomerId, due: i64) {
        let mut state = self.state();
        if state.deleted.contains(customer) || state.invoices.contains_key(&invoice) {
            return;
        }
        let balance = state.balances.entry(customer.clone()).or_default();
        let applied = (*balance).min(due);
        *balance -= applied;
        let invoiced = Invoiced { customer: customer.clone(), applied, voided: false, is_former: false };
        self.net.note(|| format!("STRIPE bills {invoiced:?}"));
        state.invoices.insert(invoice, invoiced);
    }

    /// Voids an invoice: its customer has the credit again, if there still is one.
    pub fn void(&self, invoice: usize) {
        let mut guard = self.state();
        let state = &mut *guard;
        let Some(invoiced) = state.invoices.get_mut(&invoice).filter(|invoiced| !invoiced.voided) else {
            return;
        };
        invoiced.voided = true;
        self.net.note(|| format!("STRIPE voids {invoiced:?}"));
        if !state.deleted.contains(&invoiced.customer) && !invoiced.is_former {
            *state.balances.entry(invoiced.customer.clone()).or_default() += invoiced.applied;
            if let Some(removal) = state.removals.get_mut(&invoiced.customer) {
                removal.given_back += invoiced.applied;
            }
        }
    }

    /// An invoice, if it was made.
    pub fn invoice(&self, invoice: usize) -> Option<Invoiced> {
        self.state().invoices.get(&invoice).cloned()
    }

    /// Takes all credit from a balance, because the customer is another member's.
    pub fn remove(&self, customer: &CustomerId) {
        let mut state = self.state();
        let taken = state.balances.remove(customer).unwrap_or_default();
        self.net.note(|| format!("OPERATOR removes {taken} from {customer}"));
        let removal = state.removals.entry(customer.clone()).or_default();
        *removal = Removal { taken: removal.taken + taken, given_back: 0 };
    }

    /// Takes more, up to `amount`, when the customer has been linked. What was taken beyond that is of an invoice that was
    /// voided and is not told yet. One that was voided after the operator had looked may not be told yet either, so that
    /// `amount` is without it: what it gave back is taken in any case.
    pub fn removed(&self, customer: &CustomerId, amount: i64) {
        let mut guard = self.state();
        let state = &mut *guard;
        let former = state.invoices.values_mut().filter(|invoiced| invoiced.customer == *customer);
        former.for_each(|invoiced| invoiced.is_former = true);
        if let Some(Removal { taken, given_back }) = state.removals.remove(customer) {
            let more = (amount - taken).max(given_back);
            let balance = state.balances.entry(customer.clone()).or_default();
            *balance = (*balance - more).max(0);
        }
    }

    /// Gives back what was taken, because the customer is the right member's already.
    pub fn put_back(&self, customer: &CustomerId) {
        let mut state = self.state();
        let taken = state.removals.remove(customer).unwrap_or_default().taken;
        *state.balances.entry(customer.clone()).or_default() += taken;
    }

    async fn is_silent(&self) -> bool {
        if self.net.is_calm() {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(1 + self.net.draw(300))).await;
        self.net.draw(8) == 0
    }
}

fn lost() -> BalanceError {
    BalanceError::Unknown("no answer".to_owned())
}

#[async_trait]
impl CustomerBalance for Stripe {
    async fn add_credit(
        &self,
        customer: &CustomerId,
        amount: Money,
        posting: &PostingId,
    ) -> Result<String, BalanceError> {
        if self.is_silent().await {
            return Err(lost());
        }
        if self.is_deleted(customer) {
            return Err(BalanceError::Refused("resource_missing".to_owned()));
        }
        {
            let mut state = self.state();
            if state.postings.insert((customer.clone(), posting.clone())) {
                *state.balances.entry(customer.clone()).or_default() += amount.minor();
                self.net.note(|| format!("STRIPE adds {amount} to {customer}"));
            }
        }
        if self.is_silent().await { Err(lost()) } else { Ok(format!("cbtxn_{posting}")) }
    }

    async fn find_credit(
        &self,
        customer: &CustomerId,
        posting: &PostingId,
        _since: Timestamp,
    ) -> Result<Option<String>, BalanceError> {
        if self.is_silent().await {
            return Err(lost());
        }
        let found = self.state().postings.contains(&(customer.clone(), posting.clone()));
        Ok(found.then(|| format!("cbtxn_{posting}")))
    }
}
