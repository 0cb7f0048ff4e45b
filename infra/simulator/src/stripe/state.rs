//! The state of the stand-in Stripe: customers, balances, subscriptions, invoices, refunds. Pure state; all money is
//! integer minor units.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{answer::ActionError, config::Plan, injection::Injection};

/// A month, here: the test clock is moved in days, and thirty of them are a billing period.
pub(crate) const PERIOD_SECONDS: i64 = 30 * 86_400;

/// The Stripe half of the world.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Stripe {
    pub customers: BTreeMap<String, Customer>,
    pub transactions: Vec<Transaction>,
    pub subscriptions: Vec<Subscription>,
    pub invoices: Vec<Invoice>,
    pub refunds: Vec<Refund>,
    pub events: VecDeque<EventRecord>,
    /// Events are recorded but not delivered.
    pub hold: bool,
    pub calls: VecDeque<ApiCall>,
    pub idempotency: BTreeMap<String, Stored>,
    pub fail: Option<Injection>,
    counters: BTreeMap<String, u64>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub id: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub description: Option<String>,
    pub metadata: Value,
    pub created: i64,
    /// The currency of the first charge or transaction; `balance` is shown in it.
    pub currency: Option<String>,
    /// Per currency, negative is credit, as in `customer.balance`.
    pub balances: BTreeMap<String, i64>,
    /// The simulated person who pays as this customer, if it is one.
    pub user_id: Option<i64>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Transaction {
    pub id: String,
    pub customer: String,
    pub amount_minor: i64,
    pub currency: String,
    pub created: i64,
    pub ending_balance_minor: i64,
    pub description: Option<String>,
    pub metadata: Value,
    pub kind: TransactionKind,
    pub invoice: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TransactionKind {
    Adjustment,
    AppliedToInvoice,
    UnappliedFromInvoice,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub id: String,
    pub item: String,
    pub customer: String,
    pub plan: Plan,
    pub created: i64,
    pub period: Period,
    pub latest_invoice: String,
    pub canceled_at: Option<i64>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Period {
    pub start: i64,
    pub end: i64,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Invoice {
    pub id: String,
    pub number: String,
    pub line: String,
    pub customer: String,
    pub subscription: String,
    pub item: String,
    pub plan: Plan,
    pub reason: BillingReason,
    pub created: i64,
    pub period: Period,
    /// Unix seconds at which the webhook accepted `invoice.created`; Stripe's hour before finalization starts then.
    pub delivered_at: Option<i64>,
    pub stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BillingReason {
    SubscriptionCreate,
    SubscriptionCycle,
}

/// `draft -> open -> paid | void`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum Stage {
    Draft,
    Open { finalized: Finalized },
    Paid { finalized: Finalized, paid_at: i64, payment: Option<Payment> },
    Void { finalized: Finalized, voided_at: i64 },
}

/// The values that finalization fixed.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Finalized {
    pub at: i64,
    pub starting_balance_minor: i64,
    pub ending_balance_minor: i64,
    pub due_minor: i64,
}

/// The card payment of an invoice. An invoice that credit covered has none.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Payment {
    pub charge: String,
    pub payment_intent: String,
    pub invoice_payment: String,
    pub amount_minor: i64,
    pub refunded_minor: i64,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub id: String,
    pub charge: String,
    pub payment_intent: String,
    pub customer: String,
    pub amount_minor: i64,
    pub currency: String,
    pub created: i64,
}

/// An event and how its delivery went.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct EventRecord {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub customer: Option<String>,
    pub created: i64,
    /// The exact bytes that were signed.
    pub body: String,
    /// The signature of the latest attempt; of the creation, if there was none yet.
    pub signature_header: String,
    pub status: Delivery,
    pub http_status: Option<u16>,
    pub attempts: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Delivery {
    Held,
    Pending,
    Delivered,
    Failed,
}

/// A call Guerdon made.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ApiCall {
    pub at: i64,
    pub method: String,
    pub path: String,
    pub idempotency_key: Option<String>,
    pub params: Value,
    pub status: u16,
    pub replayed: bool,
}

/// The call behind an idempotency key, and its answer.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub at: i64,
    pub method: String,
    pub path: String,
    pub params: Value,
    pub status: u16,
    pub body: Value,
}

impl Customer {
    pub(crate) fn new(id: String, created: i64) -> Self {
        Self {
            id,
            name: None,
            email: None,
            description: None,
            metadata: Value::Object(serde_json::Map::new()),
            created,
            currency: None,
            balances: BTreeMap::new(),
            user_id: None,
        }
    }

    pub(crate) fn balance_in(&self, currency: &str) -> i64 {
        self.balances.get(currency).copied().unwrap_or_default()
    }

    pub(crate) fn balance(&self) -> i64 {
        self.currency.as_deref().map_or(0, |currency| self.balance_in(currency))
    }
}

impl Invoice {
    pub(crate) fn total_minor(&self) -> i64 {
        self.plan.price_minor
    }

    pub(crate) fn finalized(&self) -> Option<Finalized> {
        match &self.stage {
            Stage::Draft => None,
            Stage::Open { finalized } | Stage::Paid { finalized, .. } | Stage::Void { finalized, .. } => {
                Some(*finalized)
            }
        }
    }

    pub(crate) fn payment(&self) -> Option<&Payment> {
        match &self.stage {
            Stage::Paid { payment, .. } => payment.as_ref(),
            _ => None,
        }
    }

    pub(crate) fn is_unfinished(&self) -> bool {
        matches!(self.stage, Stage::Draft | Stage::Open { .. })
    }
}

/// Applies a balance to an invoice; returns the amount that stays due, and the new balance. Credit is negative, a
/// debt positive, and a debt is collected with the invoice. `None` on overflow.
pub(crate) fn settle(balance_minor: i64, total_minor: i64) -> Option<(i64, i64)> {
    let sum = balance_minor.checked_add(total_minor)?;
    let due = sum.max(0);
    Some((due, sum.checked_sub(due)?))
}

impl Stripe {
    /// Ids count up, so that a test can name them: `in_sim_1`, `in_sim_2`.
    pub(crate) fn next_id(&mut self, prefix: &str) -> String {
        let counter = self.counters.entry(prefix.to_owned()).or_default();
        *counter += 1;
        format!("{prefix}_sim_{counter}")
    }

    /// The customer, made on the fly if need be. Users of the stack post hand-made signed events about customers
    /// this stand-in never saw, and Guerdon then calls about them. Only ids that begin with `cus_` are taken,
    /// and those that begin with `cus_missing` never exist, so that the 404 can be tried too.
    pub(crate) fn known_customer(&mut self, id: &str, now: i64) -> Option<&mut Customer> {
        if !id.starts_with("cus_") || id.starts_with("cus_missing") {
            return None;
        }
        Some(self.customers.entry(id.to_owned()).or_insert_with(|| Customer::new(id.to_owned(), now)))
    }

    pub(crate) fn customer_of_user(&self, user_id: i64) -> Option<&Customer> {
        self.customers.values().find(|customer| customer.user_id == Some(user_id))
    }

    /// Changes a balance and writes the line. `None` on overflow or for an unknown customer.
    pub(crate) fn post(&mut self, mut line: Transaction) -> Option<Transaction> {
        line.id = self.next_id("cbtxn");
        let customer = self.customers.get_mut(&line.customer)?;
        let balance = customer.balances.entry(line.currency.clone()).or_default();
        *balance = balance.checked_add(line.amount_minor)?;
        line.ending_balance_minor = *balance;
        customer.currency.get_or_insert_with(|| line.currency.clone());
        self.transactions.push(line.clone());
        Some(line)
    }

    /// Moves credit (or debt) between the balance and an invoice.
    pub(crate) fn post_for_invoice(
        &mut self,
        invoice: &Invoice,
        kind: TransactionKind,
        amount_minor: i64,
        now: i64,
    ) -> Result<(), ActionError> {
        if amount_minor == 0 {
            return Ok(());
        }
        let line = Transaction {
            id: String::new(),
            customer: invoice.customer.clone(),
            amount_minor,
            currency: invoice.plan.currency.clone(),
            created: now,
            ending_balance_minor: 0,
            description: None,
            metadata: Value::Object(serde_json::Map::new()),
            kind,
            invoice: Some(invoice.id.clone()),
        };
        self.post(line).map(drop).ok_or_else(|| ActionError::conflict("the balance would overflow"))
    }

    pub(crate) fn invoice(&self, id: &str) -> Option<&Invoice> {
        self.invoices.iter().find(|invoice| invoice.id == id)
    }

    pub(crate) fn invoice_mut(&mut self, id: &str) -> Option<&mut Invoice> {
        self.invoices.iter_mut().find(|invoice| invoice.id == id)
    }

    pub(crate) fn active_subscription(&self, customer: &str) -> Option<&Subscription> {
        self.subscriptions
            .iter()
            .rev()
            .find(|subscription| subscription.customer == customer && subscription.canceled_at.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balance_meets_an_invoice() {
        for (balance, total, expected) in [
            (0, 3_900, Some((3_900, 0))),
            (-1_000, 3_900, Some((2_900, 0))),
            (-3_900, 3_900, Some((0, 0))),
            (-5_000, 3_900, Some((0, -1_100))),
            (500, 3_900, Some((4_400, 0))),
            (i64::MAX, 1, None),
        ] {
            assert_eq!(settle(balance, total), expected, "{balance} {total}");
        }
    }
}
