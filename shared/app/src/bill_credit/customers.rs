//! The Stripe customers of a member: which one is billed, and the credit on the balance of each.

use std::collections::BTreeMap;

use guerdon_domain::{
    bill_credit::{BilledCustomers, BillingReport, InvoiceCreditState, PostingState},
    ids::{CustomerId, MemberId},
    money::Money,
    wallets::Wallet,
};
use guerdon_store::table::{Fragment, metered};

use crate::{
    attempt::Attempts,
    context::App,
    error::{AppError, refusal},
};

/// Reads the customers of a member.
pub(crate) async fn customers_of(app: &App, member: &MemberId) -> Result<BilledCustomers, AppError> {
    let known = app.store.bill_credit().customers(member).await?;
    Ok(known.unwrap_or_else(|| BilledCustomers::of(member.clone())))
}

/// Merges what Stripe reports about the bills of a member's customer. Credit goes to the customer that is being billed.
pub async fn note_billing(
    app: &App,
    member: &MemberId,
    customer: &CustomerId,
    reports: &[BillingReport],
) -> Result<(), AppError> {
    if reports.is_empty() {
        return Ok(());
    }
    metered("note_billing", async {
        let mut attempts = Attempts::default();
        loop {
            let before = customers_of(app, member).await?;
            let Some(next) = before.merged(customer, reports) else { return Ok(()) };
            let writes = writes_of(app, &before, &next, ())?;
            if refusal(app.store.commit(&writes).await)?.is_none() {
                return Ok(());
            }
            attempts.again(app).await?;
        }
    })
    .await
}

/// Makes the writes after which the member's customers are `next`.
pub(crate) fn writes_of<E: Clone>(
    app: &App,
    before: &BilledCustomers,
    next: &BilledCustomers,
    moved: E,
) -> Result<Vec<Fragment<E>>, AppError> {
    let mut writes = vec![app.store.bill_credit().replace_customers(next, moved.clone())?];
    if before.target() != next.target() {
        writes.push(app.store.members().set_customer(&next.member, next.target(), moved)?);
    }
    Ok(writes)
}

/// The credit on the balances of a member's customers.
#[derive(Debug, Default)]
pub(crate) struct Balances(BTreeMap<CustomerId, Balance>);

/// The credit of a member that one customer's balance got and used, in minor units.
#[derive(Debug, Default, Clone, Copy)]
struct Balance {
    /// Credit that Stripe has.
    posted: i64,
    /// Credit whose call to Stripe may have been made.
    claimed: i64,
    /// Credit that invoices used.
    used: i64,
}

impl Balances {
    /// Adds up all postings and invoices of a member. This is read where a member has several customers, or lost one.
    pub(crate) async fn read(app: &App, member: &MemberId) -> Result<Self, AppError> {
        let mut balances = BTreeMap::<CustomerId, Balance>::new();
        for posting in app.store.bill_credit().postings(member).await? {
            let balance = balances.entry(posting.customer).or_default();
            let sum = match posting.state {
                PostingState::Posted { .. } => &mut balance.posted,
                PostingState::Claimed => &mut balance.claimed,
                PostingState::Refused { .. } => continue,
            };
            *sum = sum.saturating_add(posting.amount.minor());
        }
        for credit in app.store.bill_credit().invoice_credits(member).await? {
            if let (Some(customer), InvoiceCreditState::Applied) = (credit.customer, credit.state) {
                let used = &mut balances.entry(customer).or_default().used;
                *used = used.saturating_add(credit.taken.minor());
            }
        }
        Ok(Self(balances))
    }

    /// The credit that a customer's invoices can use: posted or perhaps posted, not used and not given back.
    pub(crate) fn usable(&self, customers: &BilledCustomers, customer: &CustomerId) -> i64 {
        let balance = self.0.get(customer).copied().unwrap_or_default();
        self.left(customers, customer).saturating_add(balance.claimed).max(0)
    }

    /// The credit that Stripe has on a customer's balance.
    pub(crate) fn left(&self, customers: &BilledCustomers, customer: &CustomerId) -> i64 {
        let Balance { posted, used, .. } = self.0.get(customer).copied().unwrap_or_default();
        let recalled = customers.get(customer).map_or(0, |known| known.recalled);
        posted.saturating_sub(used).saturating_sub(recalled)
    }

    /// True while a posting to the customer has been claimed and is not finished.
    pub(crate) fn is_in_flight(&self, customer: &CustomerId) -> bool {
        self.0.get(customer).is_some_and(|balance| balance.claimed > 0)
    }
}

/// Gives back credit on the balance of a customer that was deleted: no invoice uses it. Returns whether something
/// changed, so that what was read before is old.
pub(super) async fn recall(
    app: &App,
    customers: &BilledCustomers,
    wallet: &Wallet,
) -> Result<bool, AppError> {
    let lost: Vec<_> = customers.iter().filter(|(_, known)| known.deleted).map(|(id, _)| id).collect();
    if lost.is_empty() || !wallet.held().is_positive() {
        return Ok(false);
    }
    let balances = Balances::read(app, &customers.member).await?;
    for customer in lost {
        let minor = balances.left(customers, customer).min(wallet.buckets.held);
        if minor > 0 {
            let (wallet, entry) =
                wallet.clone().recall(Money::new(minor, wallet.currency), customer.clone(), app.now())?;
            let mut writes = app.store.wallets().post(&wallet, &entry, ())?;
            let next = customers.recalled(customer, minor)?;
            writes.push(app.store.bill_credit().replace_customers(&next, ())?);
            let done = refusal(app.store.commit(&writes).await)?.is_none();
            if done {
                let member = app.tag(&customers.member);
                tracing::info!(member, minor, "credit on a lost customer's balance is available again");
            }
            return Ok(true);
        }
    }
    Ok(false)
}
